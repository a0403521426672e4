"""One of everything that should not happen in the books and does: for tests of what is held and what gets through."""

from dataclasses import replace

from pipeline.sandbox.company_rows import Account, Item
from pipeline.sandbox.company_state import Company


def add_oddities(company: Company) -> None:
    """Adds every odd case once; each order says in `description` which one it is."""
    items = list(company.items.rows)
    accounts = list(company.accounts.rows)
    one = [(items[0], 2, 10)]
    _odd_accounts(company, one)
    company.place_order(company.new_id(), one, description="odd: unknown account")
    company.place_order(accounts[0], [(company.new_id(), 1, 25)], description="odd: item not in the catalogue")
    held = company.place_order(accounts[0], one, description="odd: unknown status combination")
    company.set_status(held.id, 21, 12, 12)
    company.place_order(accounts[1], one, description="odd: no salesperson", salesperson_id=None)
    company.place_order(accounts[1], [(items[1], 5, 0)], description="odd: zero price")
    company.place_order(accounts[1], [(items[1], 0, 9.5), (items[2], 1, 9.5)], description="odd: zero quantity")
    company.place_order(accounts[2], [], description="odd: amount and no lines", charges=250)
    many = [(items[place % len(items)], 1 + place % 7, 1.25) for place in range(1114)]
    company.place_order(accounts[2], many, description="odd: 1,114 lines")
    _odd_texts(company, accounts[3], items)
    _not_customers(company)


def _odd_accounts(company: Company, lines: list) -> None:
    twins = [Account(company.new_id(), "99001", f"Tweeling {place} B.V.", city="Zwolle") for place in (1, 2)]
    nameless = Account(company.new_id(), None, "Zonder debiteurnummer B.V.")
    for account, what in ((twins[0], "shared code"), (twins[1], "shared code"), (nameless, "no code")):
        company.add("accounts", account)
        company.place_order(account.id, lines, description=f"odd: account with {what}")


def _not_customers(company: Company) -> None:
    """Accounts and an item that have nothing to do with sales."""
    for status, kind, name in (
        ("A", "A", "Leverancier"),
        ("P", "A", "Prospect"),
        ("S", "A", "Suspect"),
        ("A", "D", "Divisie"),
    ):
        account = Account(
            company.new_id(), str(98000 + len(company.accounts)), f"{name} B.V.", status=status, kind=kind
        )
        account.is_supplier = name == "Leverancier"
        company.add("accounts", account)
    company.add("items", Item(company.new_id(), "GRONDSTOF", "Niet te koop", None, is_sales_item=False))


def _odd_texts(company: Company, account_id: str, items: list[str]) -> None:
    """Text the ERP accepts and databases or CRMs may not."""
    ungrouped = Item(company.new_id(), "ZG-1", "Artikel zonder groep", None)
    company.add("items", ungrouped)
    company.place_order(account_id, [(ungrouped.id, 3, 4.2)], description="odd: item without group")
    texts = {"NUL": "voor\x00na", "emoji": "Kerst 🎄 für Köln 👩‍👩‍👧", "5,000 characters": "lang " * 1000}
    for what, text in texts.items():
        order = company.place_order(account_id, [(items[3], 1, 8)], description=f"odd: {what}", your_ref=text)
        order.remarks = text
        order.lines[0].description = text
        order.lines[0].notes = text
    first = company.items.rows[items[4]]
    strange = replace(
        first, id=company.new_id(), code="ODD-🎄", description="Vaas \x00 met \"aanhaling\" & 'quote' \\ 🎄"
    )
    company.add("items", strange)
    company.place_order(account_id, [(strange.id, 2, 7)], description="odd: item with strange text")
