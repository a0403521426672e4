"""Who buys from the simulated wholesaler: salespeople, customers, their contacts and addresses. All invented."""

from datetime import timedelta

from pipeline.sandbox.company_clock import wall_ms
from pipeline.sandbox.company_rows import Account, Address, Contact, Salesperson
from pipeline.sandbox.company_state import Company

# User GUID's last part -> first name, middle name, last name; the e-mail address is the first name's.
SALESPEOPLE = (
    ("6f9619ff-8b86-d011-b42d-00cf4fc96401", "Sanne", "de", "Vries"),
    ("6f9619ff-8b86-d011-b42d-00cf4fc96402", "Daan", None, "Bakker"),
    ("6f9619ff-8b86-d011-b42d-00cf4fc96403", "Lotte", None, "Jansen"),
    ("6f9619ff-8b86-d011-b42d-00cf4fc96404", "Bram", None, "Visser"),
    ("6f9619ff-8b86-d011-b42d-00cf4fc96405", "Femke", None, "Smit"),
    ("6f9619ff-8b86-d011-b42d-00cf4fc96406", "Jonas", None, "Becker"),
)
SHOPS = "Woonwinkel Interieur Cadeauhuis Tuincentrum Wonen Bazaar Lifestyle Atelier Decoratie Servieshuis".split()
GERMAN_SHOPS = "Wohnhaus Geschenke Gartencenter Einrichtung Dekohaus Haushaltswaren".split()
NAMES = "Linde Zonneveld Meerkant Oosterhof Dijkzicht Molenaar Kade Veldhuis Duinrand Brugge Hofstad Noord".split()
TOWNS = {
    "NL": "Utrecht Zwolle Breda Arnhem Leiden Groningen Tilburg Haarlem Deventer Venlo Alkmaar Amersfoort".split(),
    "DE": "Köln Münster Hamburg Bremen Kleve Düsseldorf Essen Aachen".split(),
}
STREETS = {
    "NL": "Dorpsstraat Kerkstraat Stationsweg Havenkade Industrieweg Marktplein".split(),
    "DE": "Hauptstraße Bahnhofstraße Gartenweg Lindenallee Industriestraße".split(),
}
FIRST_NAMES = (
    "Anna Bas Carla Dirk Eva Frits Greta Henk Iris Jan Karin Lars Mila Niels Olga Piet Rosa Sven Tess Wim".split()
)
LAST_NAMES = "Berg Dam Kuiper Postma Mulder Schmidt Hoffmann Peters Willems Bos Graaf Fischer Koning Vos Smeets".split()
MIDDLE_NAMES = (None, None, None, "van", "de", "van den")


def employ(company: Company) -> None:
    """The six salespeople; accounts and orders carry their user GUIDs."""
    made = wall_ms(company.clock.today - timedelta(days=1200))
    for key, first, middle, last in SALESPEOPLE:
        person = Salesperson(key, first, last, f"{first.lower()}@sandbox.example", middle)
        company.add("salespeople", person, at_ms=made)


def register_customers(company: Company, count: int) -> None:
    """Customers in the Netherlands and, one in five, in Germany; debtor codes are all different."""
    managers = [*company.salespeople.rows, None]
    for place in range(count):
        country = "DE" if place % 5 == 4 else "NL"
        account = _new_account(company, place, country)
        account.account_manager_id = managers[place % len(managers)]
        made = wall_ms(company.clock.today - timedelta(days=400 + company.random.randrange(700)))
        company.add("accounts", account, at_ms=made)
        register_address(company, account, made)
        for turn in range(company.random.choice((0, 1, 1, 2, 3))):
            _new_contact(company, account, made, is_main=turn == 0)


def _new_account(company: Company, place: int, country: str) -> Account:
    choose = company.random.choice
    name = f"{choose(GERMAN_SHOPS if country == 'DE' else SHOPS)} {choose(NAMES)}"
    site = f"{name.lower().replace(' ', '')}{place}.example"
    postcode = f"{company.random.randrange(10000, 99999)}"
    return Account(
        company.new_id(),
        code=str(10001 + place),
        name=f"{name} {'GmbH' if country == 'DE' else 'B.V.'}",
        country=country,
        address_line1=f"{choose(STREETS[country])} {company.random.randrange(1, 240)}",
        postcode=postcode if country == "DE" else f"{postcode[:4]} {choose('BDGHJKL')}{choose('ABCDEZ')}",
        city=choose(TOWNS[country]),
        email=f"info@{site}",
        phone=f"{'+49' if country == 'DE' else '+31'} {company.random.randrange(10**8, 10**9)}",
        website=f"www.{site}" if place % 3 else None,
        chamber_of_commerce=f"{company.random.randrange(10**8):08d}" if country == "NL" else None,
        start_date=company.clock.today - timedelta(days=1100),
    )


def register_address(company: Company, account: Account, made: int) -> None:
    """The visit address, as the account itself has it, and a delivery address at the same place."""
    for kind in (1, 4):
        address = Address(
            company.new_id(), account.id, kind, account.address_line1, account.postcode, account.city, account.country
        )
        company.add("addresses", address, at_ms=made)


def _new_contact(company: Company, account: Account, made: int, *, is_main: bool) -> None:
    choose = company.random.choice
    first, last = choose(FIRST_NAMES), choose(LAST_NAMES)
    domain = (account.email or "info@klant.example").split("@")[1]
    contact = Contact(company.new_id(), account.id, len(company.contacts) + 1, first, last, choose(MIDDLE_NAMES))
    contact.business_email = f"{first.lower()}.{last.lower()}@{domain}"
    contact.email = contact.business_email if company.random.random() < 0.5 else None
    contact.business_phone = account.phone
    contact.business_mobile = (
        f"+31 6 {company.random.randrange(10**7, 10**8)}" if company.random.random() < 0.6 else None
    )
    contact.job_title = choose((None, "Inkoper", "Eigenaar", "Filiaalmanager"))
    contact.is_main = is_main
    company.add("contacts", contact, at_ms=made)
    if is_main:
        account.main_contact_id = contact.id
