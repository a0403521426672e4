"""Both sides record by record: what stands in Pipedrive against what `crm` wants and against the ERP's own books.

Every difference is a sentence; none at all is an empty list. What the books say is worked out here anew, from the
contract and not with the product's rules.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import Engine, text

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_rows import Order
from pipeline_tests.payments_in_the_books import payments_in_the_books

OPEN, PARTIAL, COMPLETE, CANCELLED = 12, 20, 21, 45
PIPELINE = "Bestellingen"
STAGES = {"new": "Nieuw", "backorder": "Wacht op backorder", "shipped": "Verzonden"}
DELIVERY = {OPEN: "Open", PARTIAL: "Deels geleverd", COMPLETE: "Geleverd"}
INVOICE = {OPEN: "Open", PARTIAL: "Deels gefactureerd", COMPLETE: "Gefactureerd"}
PAYMENT = {"open": "Open", "partial": "Deels betaald", "paid": "Betaald", "late": "Te laat"}
WORDS = {"open": OPEN, "partial": PARTIAL, "complete": COMPLETE}
KEYS = {
    "deals": "Exact order-ID",
    "organizations": "Exact account-ID",
    "persons": "Exact contact-ID",
    "products": "Exact item-ID",
}
CENT = Decimal("0.01")


def differences(engine: Engine, account: Mapping[str, Any], company: Company) -> list[str]:
    """Everything that is missing, doubled, left over or wrong; `account` is the simulated Pipedrive's whole state."""
    return list(_differences(engine, account, company))


def _differences(engine: Engine, account: Mapping[str, Any], company: Company) -> Iterator[str]:
    yield from _schema(account)
    there = {records: _by_key(account[records], key) for records, key in KEYS.items()}
    for records, key in KEYS.items():
        yield from _doubled(records, (record["custom_fields"].get(key) for record in account[records]))
        yield from (f"{records} {row['id']} is deleted" for row in account[records] if row["is_deleted"])
    wanted = _wanted(engine)
    for records in KEYS:
        yield from _missing(records, wanted[records], there[records])
    for key in wanted["organizations"].keys() & there["organizations"].keys():
        shown = _shown_organization(there["organizations"][key], account)
        yield from _unlike("organization", key, wanted["organizations"][key], shown)
    for key in wanted["persons"].keys() & there["persons"].keys():
        yield from _unlike("person", key, wanted["persons"][key], _shown_person(there["persons"][key], account))
    for key in wanted["products"].keys() & there["products"].keys():
        yield from _unlike("product", key, wanted["products"][key], _shown_product(there["products"][key]))
    for key in wanted["deals"].keys() & there["deals"].keys():
        yield from _unlike("deal", key, wanted["deals"][key], _shown(there["deals"][key], account))
    yield from _against_the_books(company, wanted["deals"], there["deals"], account)
    yield from _left_undone(engine)


def _schema(account: Mapping[str, Any]) -> Iterator[str]:
    """The pipeline, its stages and every field and option once."""
    yield from _doubled("pipelines", (row["name"] for row in account["pipelines"]))
    ours = {row["id"] for row in account["pipelines"] if row["name"] == PIPELINE}
    stages = sorted((row for row in account["stages"] if row["pipeline_id"] in ours), key=lambda row: row["order_nr"])
    if [row["name"] for row in stages] != list(STAGES.values()):
        yield f"the stages are {[row['name'] for row in stages]}"
    for entity, fields in account["fields"].items():
        custom = [field for field in fields if field["is_custom_field"]]
        yield from _doubled(f"{entity} fields", (field["field_name"] for field in custom))
        for field in custom:
            labels = (option["label"] for option in field.get("options") or [])
            yield from _doubled(f"options of {entity} field {field['field_name']}", labels)


def _doubled(what: str, keys: Iterable[Any]) -> Iterator[str]:
    counted = Counter(keys)
    yield from (f"{what}: {key!r} stands there {times} times" for key, times in counted.items() if times > 1)
    if None in counted:
        yield f"{what}: {counted[None]} without a key"


def _missing(what: str, wanted: Mapping[str, Any], there: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{what}: {key} is missing" for key in sorted(wanted.keys() - there.keys()))
    yield from (f"{what}: {key} is wanted by nobody" for key in sorted(there.keys() - wanted.keys()))


def _unlike(what: str, key: str, wanted: Mapping[str, Any], there: Mapping[str, Any]) -> Iterator[str]:
    for name, value in wanted.items():
        shown = there["custom_fields"].get(name) if name[0].isupper() else there[name]
        if shown != value:
            yield f"{what} {key}: {name} is {shown!r} instead of {value!r}"


def _by_key(records: Iterable[dict[str, Any]], key: str) -> dict[str, dict[str, Any]]:
    return {record["custom_fields"].get(key): record for record in records}


def _shown_organization(organization: dict[str, Any], account: Mapping[str, Any]) -> dict[str, Any]:
    owners = {user["id"]: user["email"] for user in account["users"]}
    place = (organization["address"] or {}).get("value")
    return organization | {"place": place, "owner": owners[organization["owner_id"]]}


def _shown_person(person: dict[str, Any], account: Mapping[str, Any]) -> dict[str, Any]:
    customers = {row["id"]: row["custom_fields"]["Exact account-ID"] for row in account["organizations"]}
    channels = {name: [(one["label"], one["value"]) for one in person[name]] for name in ("emails", "phones")}
    return person | channels | {"customer": customers.get(person["org_id"])}


def _shown_product(product: dict[str, Any]) -> dict[str, Any]:
    prices = [(_exact(price["price"]), price["currency"]) for price in product["prices"]]
    return product | dict(zip(("price", "currency"), prices[0] if len(prices) == 1 else (prices, None), strict=True))


def _shown(deal: dict[str, Any], account: Mapping[str, Any]) -> dict[str, Any]:
    """A deal with its value to the cent, and rows and organization by our keys."""
    items = {product["id"]: product["custom_fields"]["Exact item-ID"] for product in account["products"]}
    customers = {row["id"]: row["custom_fields"]["Exact account-ID"] for row in account["organizations"]}
    rows = [
        (items.get(row["product_id"]), _exact(row["quantity"]), _exact(row["item_price"]), row["comments"])
        for row in deal["products"]
    ]
    plain = [row for row in deal["products"] if row["tax"] or row["discount"] or not row["is_enabled"]]
    return deal | {
        "value": _exact(deal["value"]).quantize(CENT),
        "customer": customers.get(deal["org_id"]),
        "rows": rows,
        "odd rows": plain,
        "custom_fields": deal["custom_fields"]
        | {"Artikelgroepen": sorted(deal["custom_fields"].get("Artikelgroepen") or [])},
    }


def _wanted(engine: Engine) -> dict[str, dict[str, dict[str, Any]]]:
    """What `crm` wants, in the words of Pipedrive's users."""
    with engine.connect() as connection:
        names = connection.execute(text("SELECT item_group_code, item_group FROM erp.item_groups"))
        groups = {row.item_group_code: row.item_group for row in names}
        rows: dict[str, list[tuple]] = {}
        for row in connection.execute(text("SELECT * FROM crm.deal_products ORDER BY order_id, position")):
            shown = (row.product_key, _exact(row.quantity), _exact(row.item_price), row.comments)
            rows.setdefault(row.order_id, []).append(shown)
        return {
            "organizations": {
                row.customer_id: _organization(row)
                for row in connection.execute(text("SELECT * FROM crm.organizations"))
            },
            "persons": {row.contact_id: _person(row) for row in connection.execute(text(_PERSONS))},
            "products": {
                row.product_key: _product(row, groups) for row in connection.execute(text("SELECT * FROM crm.products"))
            },
            "deals": {
                row.order_id: _deal(row, groups) | {"rows": rows.get(row.order_id, []), "odd rows": []}
                for row in connection.execute(text(_DEALS))
            },
        }


# Who left before there was a person never becomes one.
_PERSONS = """
SELECT * FROM crm.persons AS wanted WHERE customer_id IS NOT NULL OR EXISTS (SELECT FROM pipedrive.persons AS there
    WHERE there.administration = wanted.administration AND there.contact_id = wanted.contact_id)
"""
# An order that was deleted before it had a deal gets none.
_DEALS = """
SELECT * FROM crm.deals AS wanted WHERE NOT is_deleted OR EXISTS (SELECT FROM pipedrive.deals AS there
    WHERE there.administration = wanted.administration AND there.order_id = wanted.order_id)
"""


def _owner(e_mails: list[str]) -> str:
    """Every user of the simulated account is active."""
    return e_mails[0] if e_mails else "admin@sandbox.example"


def _person(row: Any) -> dict[str, Any]:
    phones = [("work", row.phone), ("mobile", row.mobile if row.mobile != row.phone else None)]
    return {
        "name": row.name,
        "customer": row.customer_id,
        "emails": [("work", row.e_mail)] if row.e_mail else [],
        "phones": [(label, value) for label, value in phones if value],
    }


def _organization(row: Any) -> dict[str, Any]:
    return {
        "name": row.name,
        "website": row.website,
        "place": row.address,
        "owner": _owner(row.owner_e_mails),
        "Debiteurnummer": row.debtor_code,
        "Administratie": "nl",
        "Laatste order": _text(row.last_order_date),
        "Omzet 12 maanden": {"value": float(row.revenue_12_months), "currency": row.currency},
        "Openstaand": {"value": float(row.open_amount), "currency": row.currency},
        "Slapend": "Ja" if row.is_dormant else "Nee",
    }


def _product(row: Any, groups: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": row.name,
        "code": row.code,
        "unit": row.unit,
        "price": _exact(row.price),
        "currency": row.currency,
        "is_linkable": True,
        "Artikelgroep": groups.get(row.item_group_code),
        "Artikelstatus": "Actief" if row.is_active else "Vervallen",
    }


def _deal(row: Any, groups: Mapping[str, str]) -> dict[str, Any]:
    noon = f"{row.order_date}T12:00:00Z"
    return {
        "title": row.title,
        "customer": row.customer_id,
        "owner": _owner(row.owner_e_mails),
        "pipeline": PIPELINE,
        "stage": STAGES[row.stage],
        "status": row.status,
        "won_time": noon if row.status == "won" else None,
        "lost_time": noon if row.status == "lost" else None,
        "lost_reason": row.lost_reason,
        "value": row.value,
        "currency": row.currency,
        "expected_close_date": _text(row.delivery_date),
        "is_archived": False,
        "Ordernummer": row.order_number,
        "Orderdatum": _text(row.order_date),
        "Leverdatum": _text(row.delivery_date),
        "Klantreferentie": row.customer_reference,
        "Leverstatus": DELIVERY.get(WORDS.get(row.delivery_status)),
        "Factuurstatus": INVOICE.get(WORDS.get(row.invoice_status)),
        "Betaalstatus": PAYMENT.get(row.payment_status),
        "Artikelgroepen": sorted({groups[code] for code in row.item_group_codes}),
        "Hoofdgroep": groups.get(row.main_item_group_code),
        "Administratie": "nl",
    }


def _against_the_books(
    company: Company, wanted: Mapping[str, Any], deals: Mapping[str, Any], account: Mapping[str, Any]
) -> Iterator[str]:
    """The ERP's books themselves, so that a mistake on the way to `crm` shows too."""
    payments = payments_in_the_books(company)
    for order in company.orders:
        if order.id in deals:
            deal = _shown(deals[order.id], account)
            yield from _unlike_order(company, order, deal)
            shown, meant = deal["custom_fields"]["Betaalstatus"], payments.get(order.id)
            if shown != meant:
                yield f"order {order.number}: Betaalstatus is {shown!r}, the books say {meant!r}"
        elif _standing(order):
            yield f"order {order.number} has no deal"
    for key in deals.keys() - company.orders.rows.keys():
        if (deals[key]["status"], deals[key]["lost_reason"]) != ("lost", "Verwijderd in Exact"):
            yield f"deal of order {key}, which is deleted, is {deals[key]['status']}"


def _unlike_order(company: Company, order: Order, deal: dict[str, Any]) -> Iterator[str]:
    what = f"order {order.number}"
    fields = deal["custom_fields"]
    pairs: list[tuple[str, Any, Any]] = [
        ("value", deal["value"], _cents(order.amount_excl)),
        ("customer", deal["customer"], order.account_id),
        ("Ordernummer", fields["Ordernummer"], str(order.number)),
        ("Orderdatum", fields["Orderdatum"], _text(order.order_date)),
        ("Leverdatum", fields["Leverdatum"], _text(order.delivery_date)),
        ("Klantreferentie", fields["Klantreferentie"], order.your_ref or None),
        ("Leverstatus", fields["Leverstatus"], DELIVERY.get(order.delivery_status)),
        ("Factuurstatus", fields["Factuurstatus"], INVOICE.get(order.invoice_status)),
        ("rows", [row[:3] for row in deal["rows"] if row[3] != "verschil"], list(_rows(order))),
        ("sum of the rows", sum(_row_amount(row) for row in deal["rows"]) if deal["rows"] else None, _sum(order)),
    ]
    if standing := _standing(order):
        status, stage = standing
        pairs.append(("status", deal["status"], status))
        if status != "lost":
            pairs.append(("stage", deal["stage"], STAGES[stage]))
        closed = f"{order.order_date}T12:00:00Z"
        pairs.append(("won_time", deal["won_time"], closed if status == "won" else None))
        pairs.append(("lost_time", deal["lost_time"], closed if status == "lost" else None))
    if deal["status"] == "open":
        name = company.accounts.rows[order.account_id].name
        pairs.append(("title", deal["title"], f"Bestelling {order.number} – {name}"[:255]))
    yield from (
        f"{what}: {name} is {shown!r}, the books say {meant!r}" for name, shown, meant in pairs if shown != meant
    )


def _standing(order: Order) -> tuple[str, str] | None:
    """Status and stage from the three codes; None where the contract guesses nothing."""
    if order.status == CANCELLED:
        return "lost", ""
    if order.invoice_status == COMPLETE:
        return "won", "shipped"
    if order.invoice_status not in (OPEN, PARTIAL):
        return None
    if order.delivery_status in (COMPLETE, PARTIAL):
        return "open", "shipped" if order.delivery_status == COMPLETE else "backorder"
    if order.delivery_status == OPEN and order.status in (OPEN, PARTIAL):
        return "open", "new"
    return None


def _rows(order: Order) -> Iterator[tuple[str, Decimal, Decimal]]:
    for line in sorted(order.lines, key=lambda line: (line.number, line.id)):
        if line.quantity:
            sign = -1 if line.quantity < 0 else 1
            yield line.item_id, sign * _exact(line.quantity), sign * _exact(line.net_price)


def _sum(order: Order) -> Decimal | None:
    return _cents(order.amount_excl) if any(line.quantity for line in order.lines) else None


def _row_amount(row: tuple[str, Decimal, Decimal, str]) -> Decimal:
    return (row[1] * row[2]).quantize(CENT, rounding=ROUND_HALF_UP)


def _left_undone(engine: Engine) -> Iterator[str]:
    """What a run that ended well may not leave behind."""
    with engine.connect() as connection:
        for row in connection.execute(text("SELECT kind, key FROM pipedrive.intents")):
            yield f"{row.kind} {row.key} is still in doubt"
        for row in connection.execute(text("SELECT kind, number, reason FROM pipedrive.rejected")):
            yield f"{row.kind} {row.number} was refused: {row.reason}"
        waiting = "SELECT stage, count(*) AS records FROM state.pending WHERE stage LIKE 'pipedrive/%' GROUP BY stage"
        for row in connection.execute(text(waiting)):
            yield f"{row.records} records still wait for {row.stage}"


def _exact(number: Any) -> Decimal:
    return Decimal(str(number)).normalize() + 0


def _cents(number: float) -> Decimal:
    return Decimal(str(number)).quantize(CENT, rounding=ROUND_HALF_UP)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
