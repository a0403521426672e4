"""What the simulated wholesaler sells: item groups, products and sales prices. Names are made up."""

from datetime import timedelta
from typing import Any

from pipeline.sandbox.company_clock import wall_ms
from pipeline.sandbox.company_ordering import cents
from pipeline.sandbox.company_rows import Account, Item, ItemGroup, SalesPrice
from pipeline.sandbox.company_state import Company

# Item group -> its products and roughly what they cost; codes run from 100 by tens.
RANGE: dict[str, tuple[str, float]] = {
    "Vazen": ("Vaas Cilindervaas Bolvaas Flesvaas Vazenset", 14),
    "Kaarsen": ("Stompkaars Dinerkaars Geurkaars Theelichthouder Kandelaar", 6),
    "Kussens": ("Sierkussen Zitkussen Lendenkussen Vloerkussen Kussenhoes", 12),
    "Textiel": ("Plaid Theedoek Tafelloper Handdoek Gordijn", 9),
    "Verlichting": ("Tafellamp Hanglamp Vloerlamp Wandlamp Lampenkap", 38),
    "Servies": ("Dinerbord Soepkom Mok Schaal Ontbijtset", 5),
    "Kerst": ("Kerstbal Kerstkrans Kerststal Piek Adventskalender", 7),
    "Glaswerk": ("Wijnglas Waterglas Karaf Longdrinkglas Cocktailglas", 4),
    "Manden": ("Rieten mand Wasmand Opbergmand Picknickmand Fruitmand", 16),
    "Spiegels": ("Wandspiegel Staande spiegel Ronde spiegel Make-upspiegel Spiegellijst", 31),
    "Klokken": ("Wandklok Staande klok Wekker Keukenklok Stationsklok", 22),
    "Fotolijsten": ("Fotolijst Collagelijst Wissellijst Dubbellijst Lijstje", 6),
    "Tuin": ("Bloempot Plantenbak Gieter Vogelhuis Windlicht", 11),
    "Keuken": ("Snijplank Voorraadpot Pepermolen Schort Ovenschaal", 10),
    "Kleinmeubelen": ("Bijzettafel Krukje Kapstok Wandplank Dienblad op poot", 45),
}
FINISHES = "zwart wit zand terracotta groen blauw messing eiken".split()
SIZES = ("S", "M", "L", "XL")
COLLECTIONS = ("Basis", "Lente", "Zomer", "Herfst", "Winter")


def stock_catalogue(company: Company, products: int) -> None:
    """Fills item groups, items and their standard prices."""
    made = wall_ms(company.clock.today - timedelta(days=900))
    groups = [
        company.add("item_groups", ItemGroup(company.new_id(), str(100 + 10 * place), name, place == 0), at_ms=made)
        for place, name in enumerate(RANGE)
    ]
    for place in range(products):
        _new_product(company, groups[place % len(groups)], place, made)


def _new_product(company: Company, group: ItemGroup, place: int, made: int) -> None:
    nouns, price_level = RANGE[group.description]
    names = _nouns(nouns)
    turn = place // len(RANGE)
    finish, size = FINISHES[turn % len(FINISHES)], SIZES[(turn // len(FINISHES)) % len(SIZES)]
    price = cents(price_level * company.random.uniform(0.5, 2.2))
    item = Item(
        company.new_id(),
        code=f"{group.code}-{1000 + turn}",
        description=f"{names[turn % len(names)]} {finish} {size}",
        group_id=group.id,
        unit=company.random.choice(("pc", "pc", "pc", "set", "doos")),
        standard_price=price,
        barcode=f"87{company.random.randrange(10**11):011d}",
        collection=company.random.choice(COLLECTIONS),
        stock=company.random.randrange(0, 400),
        start_date=company.clock.today - timedelta(days=900),
    )
    if place % 40 == 39:  # a discontinued one now and then
        item.end_date = company.clock.today - timedelta(days=60)
    company.add("items", item, at_ms=made)
    start = company.clock.today - timedelta(days=900)
    company.add("prices", SalesPrice(company.new_id(), item.id, price, start_date=start), at_ms=made)


def agree_prices(company: Company) -> None:
    """Quantity breaks, periods in the past and the future, and prices for single customers, on a few items."""
    today = company.clock.today
    made = wall_ms(today - timedelta(days=400))
    accounts: list[Account] = list(company.accounts)
    for place, item in enumerate(company.items):
        if place % 10 == 3:
            _price(company, item, 0.92, made, quantity=24)
        if place % 10 == 5:
            _price(
                company, item, 0.9, made, start_date=today - timedelta(days=380), end_date=today - timedelta(days=300)
            )
        if place % 10 == 7:
            _price(company, item, 1.05, made, start_date=today + timedelta(days=40))
        if place % 10 == 8 and accounts:
            _price(company, item, 0.85, made, account_id=company.random.choice(accounts).id)


def _price(company: Company, item: Item, factor: float, made: int, **fields: Any) -> None:
    row = SalesPrice(company.new_id(), item.id, cents(item.standard_price * factor), **fields)
    row.start_date = row.start_date or company.clock.today - timedelta(days=380)
    company.add("prices", row, at_ms=made)


def _nouns(text: str) -> list[str]:
    """Product names: a new one starts at every capital letter."""
    names: list[str] = []
    for word in text.split():
        if word[0].isupper():
            names.append(word)
        else:
            names[-1] += f" {word}"
    return names
