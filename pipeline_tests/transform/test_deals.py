"""`crm.deals`, `crm.held` and `crm.deal_products` from orders, the sums of their groups, and what was wanted before."""

from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from pipeline.domain.order_stage import DEFAULT_RULES
from pipeline.transform.deal_products import to_deal_products
from pipeline.transform.deals import to_deals
from pipeline.transform.held import to_held
from pipeline_tests.transform.frames import ERP_ORDER, floats_in, frame, only_row

E_MAILS = {"seller-1": "sanne@example.nl", "manager-1": "daan@example.nl"}
COMPLETE = {"status": "complete", "delivery_status": "complete", "invoice_status": "complete"}
CANCELLED = {"status": "cancelled"}
UNDECIDED = {"status": "complete"}


def orders(*rows: dict[str, Any]) -> pd.DataFrame:
    return frame(list(ERP_ORDER), [ERP_ORDER | row for row in rows])


def sums(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """Order, item group, amount."""
    return frame(
        ["order_id", "item_group_code", "amount"],
        [{"order_id": order, "item_group_code": code, "amount": Decimal(amount)} for order, code, amount in rows],
    )


def deals(
    placed: pd.DataFrame,
    groups: pd.DataFrame | None = None,
    earlier: pd.DataFrame | None = None,
    *,
    title: str = "Bestelling {order_number} – {customer_name}",
    e_mails: dict[str, str] | None = None,
    default_owner: str | None = None,
    category_amounts: bool = False,
) -> pd.DataFrame:
    return to_deals(
        placed,
        sums() if groups is None else groups,
        frame(["order_id"], []) if earlier is None else earlier,
        rules=DEFAULT_RULES,
        deal_title=title,
        e_mails=E_MAILS if e_mails is None else e_mails,
        default_owner=default_owner,
        category_amounts=category_amounts,
    )


def deal(order: dict[str, Any], before: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """The deal of an order, given the one wanted before."""
    earlier = frame(list(before), [before]) if before else None
    return only_row(deals(orders(order), None, earlier, **more))


def test_an_order_is_one_deal():
    groups = sums(("order-1", "VAZEN", "60.00"), ("order-1", "KOMMEN", "40.00"), ("order-9", "LAMPEN", "99.00"))
    assert only_row(deals(orders({}), groups)) == {
        "administration": "nl",
        "order_id": "order-1",
        "customer_id": "customer-1",
        "salesperson_id": "seller-1",
        "currency": "EUR",
        "value": Decimal("100.00"),
        "status": "open",
        "stage": "new",
        "lost_reason": None,
        "order_number": "2001",
        "order_date": date(2026, 6, 25),
        "delivery_date": date(2026, 6, 30),
        "customer_reference": "PO 7",
        "delivery_status": "open",
        "invoice_status": "open",
        "payment_status": None,
        "item_group_codes": ["KOMMEN", "VAZEN"],
        "main_item_group_code": "VAZEN",
        "category_amounts": None,
        "is_deleted": False,
        "is_live": True,
        "title": "Bestelling 2001 – De Bloemenhof",
        "owner_e_mails": ["sanne@example.nl"],
    }


def test_the_main_group_of_a_tie_is_the_lower_code():
    groups = sums(("order-1", "VAZEN", "50.00"), ("order-1", "KOMMEN", "50.00"))
    assert only_row(deals(orders({}), groups))["main_item_group_code"] == "KOMMEN"


def test_revenue_by_group_goes_along_where_it_is_wanted_and_stays_exact():
    groups = sums(("order-1", "VAZEN", "0.10"), ("order-1", "KOMMEN", "0.20"))
    found = only_row(deals(orders({}), groups, category_amounts=True))["category_amounts"]
    assert found == {"VAZEN": Decimal("0.10"), "KOMMEN": Decimal("0.20")}
    assert only_row(deals(orders({}), category_amounts=True))["category_amounts"] == {}


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("open", "open"),
        ("partial", "partial"),
        ("complete", "complete"),
        ("cancelled", None),
        ("30", None),
        ("none", None),
    ],
)
def test_a_status_that_has_no_option_is_shown_as_empty(word: str, shown: str | None):
    found = deal(CANCELLED | {"delivery_status": word, "invoice_status": word})
    assert (found["delivery_status"], found["invoice_status"]) == (shown, shown)


@pytest.mark.parametrize(("sent", "kept"), [("y" * 300, "y" * 255), (None, None), ("", None)])
def test_the_customers_reference_is_cut_at_255_characters(sent: str | None, kept: str | None):
    assert deal({"customer_reference": sent})["customer_reference"] == kept


def test_a_cancelled_order_makes_a_lost_deal():
    found = deal(CANCELLED)
    assert (found["status"], found["stage"], found["lost_reason"]) == ("lost", "new", "Geannuleerd in Exact")


def test_a_deleted_order_that_never_had_a_deal_gets_none():
    assert len(deals(orders({"is_deleted": True}))) == 0


def test_an_order_nobody_can_place_gets_no_deal_yet():
    assert len(deals(orders(UNDECIDED))) == 0


def test_a_deal_nobody_can_place_keeps_its_stage_while_its_other_fields_follow():
    before = deal({"delivery_status": "partial"})
    found = deal(UNDECIDED | {"amount_excl_vat": Decimal("250.00"), "your_ref": "x"}, before)
    assert (found["status"], found["stage"], found["lost_reason"]) == ("open", "backorder", None)
    assert found["value"] == Decimal("250.00")


def test_the_deal_of_a_deleted_order_is_lost_and_otherwise_as_it_last_was():
    before = deal({"delivery_status": "partial"})
    changed = {"is_deleted": True, "amount_excl_vat": Decimal("1.00"), "customer_name": "Anders", "order_number": "9"}
    lost = {"status": "lost", "stage": "backorder", "lost_reason": "Verwijderd in Exact", "is_deleted": True}
    assert deal(changed, before) == before | lost


def test_an_order_that_comes_back_re_opens_its_deal():
    deleted = deal({"is_deleted": True}, deal({}))
    found = deal({}, deleted)
    assert (found["status"], found["lost_reason"], found["is_deleted"]) == ("open", None, False)


@pytest.mark.parametrize(
    ("now", "change", "title", "owners"),
    [
        pytest.param(COMPLETE, {"customer_name": "Nieuw"}, "De Bloemenhof", "sanne", id="won: a renamed customer"),
        pytest.param(CANCELLED, {"customer_name": "Nieuw"}, "De Bloemenhof", "sanne", id="lost: a renamed customer"),
        pytest.param({}, {"customer_name": "Nieuw"}, "Nieuw", "sanne", id="open: a renamed customer"),
        pytest.param(
            COMPLETE, {"account_manager_id": "manager-1"}, "De Bloemenhof", "sanne", id="won: account manager"
        ),
        pytest.param(
            {}, {"account_manager_id": "manager-1"}, "De Bloemenhof", "sanne daan", id="open: account manager"
        ),
        pytest.param(COMPLETE, {"salesperson_id": "manager-1"}, "De Bloemenhof", "daan", id="won: another salesperson"),
        pytest.param(
            COMPLETE,
            {"customer_id": "customer-2", "customer_name": "Nieuw"},
            "Nieuw",
            "sanne",
            id="won: another customer",
        ),
    ],
)
def test_closed_deals_keep_title_and_owner_unless_the_order_itself_changed(
    now: dict[str, str], change: dict[str, str], title: str, owners: str
):
    found = deal(now | change, deal(now))
    assert found["title"] == f"Bestelling 2001 – {title}"
    assert found["owner_e_mails"] == [f"{name}@example.nl" for name in owners.split()]


@pytest.mark.parametrize(("now", "owner"), [(COMPLETE, "sanne@example.nl"), ({}, "lotte@example.nl")])
def test_another_mapping_of_salespeople_moves_open_deals_only(now: dict[str, str], owner: str):
    assert deal(now, deal(now), e_mails={"seller-1": "lotte@example.nl"})["owner_e_mails"] == [owner]


def test_another_title_template_renames_open_deals_only():
    assert deal({}, deal({}), title="Order {order_number}")["title"] == "Order 2001"
    assert deal(COMPLETE, deal(COMPLETE), title="Order {order_number}")["title"] == "Bestelling 2001 – De Bloemenhof"


def test_a_second_time_nothing_differs():
    placed = orders({}, COMPLETE | {"order_id": "order-2"}, CANCELLED | {"order_id": "order-3"})
    groups = sums(("order-1", "VAZEN", "60.00"), ("order-2", "VAZEN", "60.00"))
    first = deals(placed, groups)
    assert deals(placed, groups, first).to_dict("records") == first.to_dict("records")


def test_no_value_of_a_deal_is_ever_a_float():
    placed = orders({}, COMPLETE | {"order_id": "order-2", "delivery_date": None, "salesperson_id": None})
    assert floats_in(deals(placed)) == []


# --- held ---

WHY = {"customer_held": None, "has_deal": False, "lines_without_item": 0}


def held(*rows: dict[str, Any]) -> pd.DataFrame:
    return to_held(frame([*ERP_ORDER, *WHY], [ERP_ORDER | WHY | row for row in rows]), rules=DEFAULT_RULES)


def test_a_held_order_stands_there_with_its_three_words_and_the_reason():
    assert only_row(held(UNDECIDED)) == {
        "administration": "nl",
        "entity": "order",
        "key": "order-1",
        "number": "2001",
        "status": "complete",
        "delivery_status": "open",
        "invoice_status": "open",
        "reason": "no rule covers status complete, delivery open, invoice open; add one to status_rules",
        "stops_deal": True,
    }


@pytest.mark.parametrize(
    ("order", "stops"),
    [
        (UNDECIDED | {"has_deal": True}, [False]),
        ({"customer_name": None}, [True]),
        ({"customer_held": "its customer has no debtor code"}, [True]),
        ({"lines_without_item": 1}, [True]),
        ({"amount_excl_vat": None}, [True]),
        ({"delivery_status": "30"}, [True]),
        ({}, []),
        ({"customer_name": None, "is_deleted": True}, []),
    ],
)
def test_only_orders_with_something_in_their_way_are_held(order: dict[str, Any], stops: list[bool]):
    assert list(held(order)["stops_deal"]) == stops


# --- rows ---

LINE = {
    "order_id": "order-1",
    "line_id": "line-1",
    "line_number": 1,
    "product_id": "vaas",
    "item_group_code": "VAZEN",
    "quantity": Decimal(2),
    "net_price": Decimal("12.5"),
}


def rows(value: str, *lines: dict[str, Any]) -> pd.DataFrame:
    placed = frame(
        ["administration", "order_id", "value"],
        [{"administration": "nl", "order_id": "order-1", "value": Decimal(value)}],
    )
    return to_deal_products(placed, frame(list(LINE), [LINE | line for line in lines]))


def test_lines_become_the_rows_of_their_deal_in_line_order():
    found = rows("40.00", {"line_id": "line-2", "line_number": 2, "quantity": Decimal(-1)}, {})
    assert found.to_dict("records") == [
        {
            "administration": "nl",
            "order_id": "order-1",
            "row_key": key,
            "position": position,
            "product_key": product,
            "quantity": Decimal(quantity),
            "item_price": Decimal(price),
            "comments": comments,
        }
        for position, (key, product, quantity, price, comments) in enumerate(
            [
                ("line-1", "vaas", "2", "12.5", "1 · VAZEN"),
                ("line-2", "vaas", "1", "-12.5", "2 · VAZEN"),
                ("TOESLAG-KORTING", "TOESLAG-KORTING", "1", "27.5", "verschil"),
            ],
            start=1,
        )
    ]
    assert floats_in(found) == []


def test_a_line_of_quantity_0_and_another_orders_line_make_no_row():
    assert list(rows("25.00", {"quantity": Decimal(0)}, {"order_id": "order-2", "line_id": "line-2"})["row_key"]) == []
