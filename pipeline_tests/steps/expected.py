"""What deals should show, worked out from the ERP's own books and from nothing in between, and whether they do."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pipeline.sandbox.company_rows import Order
from pipeline_tests.payments_in_the_books import payments_in_the_books
from pipeline_tests.world import SALESPEOPLE, World

SURCHARGE = "TOESLAG-KORTING"
DELIVERY = {12: "Open", 20: "Deels geleverd", 21: "Geleverd"}
INVOICE = {12: "Open", 20: "Deels gefactureerd", 21: "Gefactureerd"}
OPEN_STAGES = {12: "Nieuw", 20: "Wacht op backorder", 21: "Verzonden"}  # by delivery


@dataclass
class Expected:
    """What the deals should show, worked out from the ERP's own books and from nothing in between."""

    world: World
    pictures: dict[str, dict[str, Any]] = field(default_factory=dict)
    payments: dict[str, str] = field(default_factory=dict)

    def follow(self) -> None:
        """Takes in what the books say now: a deleted order's deal stays as it was, but lost."""
        books = self.world.company
        self.payments = payments_in_the_books(books)
        for gone in set(self.pictures) - set(books.orders.rows):
            day = self.pictures[gone]["custom_fields"]["Orderdatum"]
            lost = {"status": "lost", "lost_reason": "Verwijderd in Exact", "won_time": None}
            self.pictures[gone] |= lost | {"lost_time": f"{day}T12:00:00Z"}
        for order in list(books.orders):
            stood = self.pictures.get(order.id, {}).get("stage", "Nieuw")
            self.pictures[order.id] = self._picture(order) | _standing(order, stood)

    def _picture(self, order: Order) -> dict[str, Any]:
        account = self.world.company.accounts.rows[order.account_id]
        owner = SALESPEOPLE.get(order.salesperson_id or "") or SALESPEOPLE.get(account.account_manager_id or "")
        delivered_on = order.delivery_date and order.delivery_date.isoformat()
        return {
            "title": f"Bestelling {order.number} – {account.name}"[:255],
            "organization": account.name,
            "owner": owner or "admin@sandbox.example",
            "currency": order.currency,
            "value": order.amount_excl,
            "expected_close_date": delivered_on,
            "rows": _rows(order),
            "custom_fields": {
                "Exact order-ID": order.id,
                "Ordernummer": str(order.number),
                "Orderdatum": order.order_date.isoformat(),
                "Leverdatum": delivered_on,
                "Klantreferentie": order.your_ref,
                "Leverstatus": DELIVERY.get(order.delivery_status),
                "Factuurstatus": INVOICE.get(order.invoice_status),
                "Betaalstatus": self.payments.get(order.id),
                "Administratie": "nl",
                **self._groups(order),
            },
        }

    def _groups(self, order: Order) -> dict[str, Any]:
        books, revenue, names = self.world.company, {}, {}
        for line in order.lines:
            group = books.item_groups.get(books.items.rows[line.item_id].group_id)
            if group and line.quantity:
                revenue[group.code] = revenue.get(group.code, Decimal(0)) + Decimal(str(line.amount))
                names[group.code] = group.description
        main = min(revenue, key=lambda code: (-revenue[code], code), default=None)
        return {"Artikelgroepen": set(names.values()) or None, "Hoofdgroep": names[main] if main else None}


def _standing(order: Order, stood: str) -> dict[str, Any]:
    noon = f"{order.order_date.isoformat()}T12:00:00Z"
    shown = {"status": "open", "stage": OPEN_STAGES.get(order.delivery_status)}
    shown |= {"lost_reason": None, "won_time": None, "lost_time": None}
    if order.status == 45:
        return shown | {"status": "lost", "stage": stood, "lost_reason": "Geannuleerd in Exact", "lost_time": noon}
    if order.invoice_status == 21:
        return shown | {"status": "won", "stage": "Verzonden", "won_time": noon}
    return shown


def _rows(order: Order) -> list[tuple[str, float, float]]:
    """Item, quantity and price of each row, a return with the sign on its price; the difference last."""
    lines = [line for line in sorted(order.lines, key=lambda line: line.number) if line.quantity]
    rows = [(line.item_id, abs(line.quantity), line.net_price * (1 if line.quantity > 0 else -1)) for line in lines]
    difference = round(order.amount_excl - sum(line.amount for line in lines), 2)
    return [*rows, (SURCHARGE, 1, difference)] if rows and difference else rows


def shown_deals(world: World) -> dict[str, dict[str, Any]]:
    """The deals in Pipedrive, as far as this project writes them."""
    state = world.control("state?only=deals,products")
    items = {product["id"]: product["custom_fields"]["Exact item-ID"] for product in state["products"]}
    shown = {}
    for deal in state["deals"]:
        fields = deal["custom_fields"]
        groups = {"Artikelgroepen": fields["Artikelgroepen"] and set(fields["Artikelgroepen"])}
        rows = [(items[row["product_id"]], row["quantity"], row["item_price"]) for row in deal["products"]]
        key = fields["Exact order-ID"]
        assert key not in shown, f"two deals for order {key}"
        shown[key] = deal | {"rows": rows, "custom_fields": fields | groups}
    return shown


def assert_deals_show_the_orders(expected: Expected) -> None:
    """Each deal against its order: value, status, stage, moments, rows and fields; and the mart's totals."""
    shown = shown_deals(expected.world)
    assert set(shown) == set(expected.pictures)
    for order_id, wanted in expected.pictures.items():
        assert {name: shown[order_id][name] for name in wanted} == wanted
    assert_revenue_adds_up(expected.world)


def assert_revenue_adds_up(world: World) -> None:
    """By item group, what the lines are worth; altogether, what the orders are."""
    books, by_group = world.company, {}
    for order in (order for order in books.orders if order.status != 45):
        for line in order.lines:
            group = books.item_groups.get(books.items.rows[line.item_id].group_id)
            code = group.code if group else "-"
            by_group[code] = by_group.get(code, Decimal(0)) + Decimal(str(line.amount))
        left = Decimal(str(order.amount_excl)) - sum((Decimal(str(line.amount)) for line in order.lines), Decimal(0))
        by_group[""] = by_group.get("", Decimal(0)) + left
    query = "SELECT item_group_code, sum(revenue_excl_vat) FROM marts.revenue_per_category GROUP BY item_group_code"
    found = dict(world.ask(query))
    assert {code: sum_ for code, sum_ in found.items() if sum_} == {
        code: sum_.quantize(Decimal("0.01")) for code, sum_ in by_group.items() if sum_
    }


def assert_nothing_is_left(world: World, *, impossible: Iterable[str] = ()) -> None:
    """No doubt, no refusal but of what can't be, no second record; a quiet synchronisation asks Pipedrive nothing."""
    assert world.ask("SELECT kind, key FROM pipedrive.intents") == []
    refused = [row.reason for row in world.ask("SELECT reason FROM pipedrive.rejected")]
    assert [reason for reason in refused if not any(name in reason for name in impossible)] == []
    state = world.control("state?only=organizations,products")
    for records, recovery in (("organizations", "Exact account-ID"), ("products", "Exact item-ID")):
        keys = [record["custom_fields"][recovery] for record in state[records]]
        assert len(keys) == len(set(keys)), records
    asked = world.requests()
    world.sync()
    assert world.requests() == asked


def assert_all_arrived(world: World) -> None:
    """Every deal shows its order as the books have it, and nothing waits."""
    expected = Expected(world)
    expected.follow()
    assert_deals_show_the_orders(expected)
    assert_nothing_is_left(world)
