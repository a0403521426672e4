"""An order → its deal: where it stands, what it is called, whose it is, which groups it has, and why it is held."""

from dataclasses import replace
from decimal import Decimal

import pytest

from pipeline.domain.deal import (
    Earlier,
    GroupedLine,
    Order,
    Standing,
    item_group_codes,
    keeps_its_owner,
    keeps_its_title,
    main_item_group_code,
    owner_e_mails,
    revenue_by_item_group,
    standing,
    title,
    why_held,
)
from pipeline.domain.order_stage import DEFAULT_RULES, Outcome, StatusRule

ORDER = Order(
    order_id="order-1",
    order_number="2001",
    customer_id="customer-1",
    customer_name="De Bloemenhof",
    salesperson_id="6F9619FF-8B86-D011-B42D-00CF4FC96401",
    account_manager_id="6f9619ff-8b86-d011-b42d-00cf4fc96402",
    status="open",
    delivery_status="open",
    invoice_status="open",
    amount_excl_vat=Decimal("100.00"),
    is_deleted=False,
)
OPEN, BACKORDER, SHIPPED = (Standing("open", stage) for stage in (Outcome.NEW, Outcome.BACKORDER, Outcome.SHIPPED))
WON = Standing("won", Outcome.SHIPPED)
CANCELLED = Standing("lost", Outcome.NEW, "Geannuleerd in Exact")
E_MAILS = {
    "6f9619ff-8b86-d011-b42d-00cf4fc96401": "sanne@example.nl",
    "6f9619ff-8b86-d011-b42d-00cf4fc96402": "daan@example.nl",
}


def earlier(stood: Standing) -> Earlier:
    """What was wanted of the order's deal before, in that standing."""
    return Earlier(stood, "Bestelling 2001 – Oude naam", ("oud@example.nl",), "customer-1", ORDER.salesperson_id)


def words(status: str, delivery: str, invoice: str, **more: object) -> Order:
    """The order in those three words."""
    return replace(ORDER, status=status, delivery_status=delivery, invoice_status=invoice, **more)


# --- standing ---


@pytest.mark.parametrize(
    ("order", "before", "now"),
    [
        pytest.param(ORDER, None, OPEN, id="a new order makes an open deal"),
        pytest.param(words("complete", "complete", "complete"), None, WON, id="history makes a won deal at once"),
        pytest.param(words("cancelled", "open", "open"), None, CANCELLED, id="a cancelled order makes a lost deal"),
        pytest.param(
            words("cancelled", "complete", "complete"),
            WON,
            Standing("lost", Outcome.SHIPPED, "Geannuleerd in Exact"),
            id="a lost deal stands where it stood",
        ),
        pytest.param(
            words("cancelled", "partial", "open"),
            BACKORDER,
            Standing("lost", Outcome.BACKORDER, "Geannuleerd in Exact"),
            id="a lost deal stays in the backorder stage",
        ),
        pytest.param(words("open", "open", "open"), CANCELLED, OPEN, id="a re-opened order re-opens its deal"),
        pytest.param(words("complete", "complete", "partial"), WON, SHIPPED, id="a credited order re-opens its deal"),
        pytest.param(words("open", "partial", "open"), SHIPPED, BACKORDER, id="a deal moves back"),
        pytest.param(words("complete", "open", "open"), None, None, id="a new order nobody can place waits"),
        pytest.param(words("complete", "open", "open"), SHIPPED, SHIPPED, id="a deal nobody can place stays"),
        pytest.param(words("complete", "open", "open"), CANCELLED, CANCELLED, id="a lost deal nobody can place stays"),
        pytest.param(
            replace(ORDER, is_deleted=True),
            BACKORDER,
            Standing("lost", Outcome.BACKORDER, "Verwijderd in Exact"),
            id="a deleted order loses its deal where it stood",
        ),
        pytest.param(
            words("complete", "complete", "complete", is_deleted=True),
            WON,
            Standing("lost", Outcome.SHIPPED, "Verwijderd in Exact"),
            id="deletion goes before every status",
        ),
        pytest.param(
            words("cancelled", "open", "open", is_deleted=True),
            CANCELLED,
            Standing("lost", Outcome.NEW, "Verwijderd in Exact"),
            id="a cancelled order that is deleted says so",
        ),
        pytest.param(
            ORDER,
            Standing("lost", Outcome.NEW, "Verwijderd in Exact"),
            OPEN,
            id="an order that comes back re-opens its deal",
        ),
    ],
)
def test_a_deal_stands_where_its_order_says(order: Order, before: Standing | None, now: Standing | None):
    assert standing(order, earlier(before) if before else None) == now


def test_rules_of_ones_own_decide_where_a_deal_stands():
    rules = [StatusRule(frozenset({"complete"}), frozenset({"open"}), None, Outcome.BACKORDER)]
    assert standing(words("complete", "open", "open"), None, rules) == BACKORDER
    assert standing(ORDER, None, rules) is None


@pytest.mark.parametrize(("stood", "closed"), [(OPEN, False), (SHIPPED, False), (WON, True), (CANCELLED, True)])
def test_won_and_lost_deals_are_closed(stood: Standing, closed: bool):
    assert stood.is_closed is closed


# --- title ---

DEFAULT_TITLE = "Bestelling {order_number} – {customer_name}"


@pytest.mark.parametrize(
    ("template", "name", "expected"),
    [
        (DEFAULT_TITLE, "De Bloemenhof", "Bestelling 2001 – De Bloemenhof"),
        ("{customer_name}: {order_number} / {order_number}", "A", "A: 2001 / 2001"),
        ("Zonder plaatsen", "A", "Zonder plaatsen"),
        (DEFAULT_TITLE, "{order_number} & {x}", "Bestelling 2001 – {order_number} & {x}"),
        (DEFAULT_TITLE, "Ünïcödé 🌷 B.V.", "Bestelling 2001 – Ünïcödé 🌷 B.V."),
        (DEFAULT_TITLE, "", "Bestelling 2001 –"),
        (DEFAULT_TITLE, "x" * 300, "Bestelling 2001 – " + "x" * (255 - len("Bestelling 2001 – "))),
    ],
)
def test_a_title_is_its_template_filled_in_and_cut_at_255_characters(template: str, name: str, expected: str):
    assert title(replace(ORDER, customer_name=name), template) == expected


# --- owner ---


@pytest.mark.parametrize(
    ("salesperson", "manager", "default", "expected"),
    [
        pytest.param("…01", "…02", "team@x.nl", ("sanne@example.nl", "daan@example.nl", "team@x.nl"), id="all three"),
        pytest.param("…01", "…01", None, ("sanne@example.nl",), id="one person is named once"),
        pytest.param("…09", "…02", "team@x.nl", ("daan@example.nl", "team@x.nl"), id="an unmapped salesperson"),
        pytest.param(None, "…02", None, ("daan@example.nl",), id="no salesperson"),
        pytest.param(None, None, "team@x.nl", ("team@x.nl",), id="nobody but the default"),
        pytest.param(None, None, None, (), id="nobody: the token's own user"),
        pytest.param("…01", None, "sanne@example.nl", ("sanne@example.nl",), id="the default is the salesperson"),
    ],
)
def test_a_deal_belongs_to_the_salesperson_then_the_account_manager_then_the_default(
    salesperson: str | None, manager: str | None, default: str | None, expected: tuple[str, ...]
):
    ids = [name and name.replace("…", "6f9619ff-8b86-d011-b42d-00cf4fc964") for name in (salesperson, manager)]
    order = replace(ORDER, salesperson_id=ids[0], account_manager_id=ids[1])
    assert owner_e_mails(order, E_MAILS, default) == expected


def test_a_salesperson_is_found_however_the_erp_writes_the_id():
    assert owner_e_mails(replace(ORDER, account_manager_id=None), E_MAILS, None) == ("sanne@example.nl",)


# --- what a closed deal keeps ---

OTHER = "another"


@pytest.mark.parametrize(
    ("stood", "now", "change", "keeps"),
    [
        pytest.param(None, WON, {}, (False, False), id="a new deal has nothing to keep"),
        pytest.param(OPEN, OPEN, {}, (False, False), id="an open deal follows"),
        pytest.param(SHIPPED, WON, {}, (False, False), id="a deal that is won just now follows a last time"),
        pytest.param(WON, SHIPPED, {}, (False, False), id="a re-opened deal follows again"),
        pytest.param(WON, WON, {}, (True, True), id="a won deal keeps both"),
        pytest.param(CANCELLED, CANCELLED, {}, (True, True), id="a lost deal keeps both"),
        pytest.param(WON, CANCELLED, {}, (True, True), id="a won deal that is lost keeps both"),
        pytest.param(WON, WON, {"customer_name": OTHER}, (True, True), id="a renamed customer changes nothing"),
        pytest.param(WON, WON, {"account_manager_id": OTHER}, (True, True), id="a new account manager changes nothing"),
        pytest.param(WON, WON, {"customer_id": OTHER}, (False, False), id="another customer on the order changes both"),
        pytest.param(WON, WON, {"salesperson_id": OTHER}, (True, False), id="another salesperson changes the owner"),
    ],
)
def test_a_closed_deal_keeps_title_and_owner_unless_the_order_itself_changed(
    stood: Standing | None, now: Standing, change: dict[str, str], keeps: tuple[bool, bool]
):
    order, before = replace(ORDER, **change), earlier(stood) if stood else None
    assert (keeps_its_title(order, now, before), keeps_its_owner(order, now, before)) == keeps


# --- item groups ---


def line(code: str | None, amount: str, quantity: str = "1") -> GroupedLine:
    return GroupedLine(code, Decimal(quantity), Decimal(amount))


@pytest.mark.parametrize(
    ("lines", "codes", "main"),
    [
        pytest.param([], (), None, id="no lines"),
        pytest.param([line("B", "10"), line("A", "5")], ("A", "B"), "B", id="the larger revenue leads"),
        pytest.param([line("B", "10"), line("A", "10")], ("A", "B"), "A", id="a tie goes to the lower code"),
        pytest.param([line("9", "10"), line("10", "10")], ("10", "9"), "10", id="codes are compared as text"),
        pytest.param(
            [line("B", "6"), line("A", "10"), line("B", "6")], ("A", "B"), "B", id="revenue of a group adds up"
        ),
        pytest.param([line("B", "0", "0"), line("A", "-5", "-1")], ("A",), "A", id="quantity 0 does not count"),
        pytest.param([line("B", "99", "0")], (), None, id="only quantity 0"),
        pytest.param(
            [line("A", "-5", "-1"), line("B", "-9", "-1")], ("A", "B"), "A", id="returns alone: the smallest loss"
        ),
        pytest.param([line(None, "99"), line("A", "1")], ("A",), "A", id="no group is no group"),
        pytest.param([line("A", "10"), line("A", "-10", "-1"), line("B", "0")], ("A", "B"), "A", id="a tie at nothing"),
    ],
)
def test_the_item_groups_of_an_order_and_its_main_one(
    lines: list[GroupedLine], codes: tuple[str, ...], main: str | None
):
    assert (item_group_codes(lines), main_item_group_code(lines)) == (codes, main)
    assert (item_group_codes(lines[::-1]), main_item_group_code(lines[::-1])) == (codes, main)


def test_revenue_by_group_is_exact():
    lines = [line("A", "0.10"), line("A", "0.20"), line(None, "5"), line("B", "7", "0")]
    assert revenue_by_item_group(lines) == {"A": Decimal("0.30")}


# --- held ---

FREE = {"has_deal": False, "customer_held": None, "lines_without_item": 0, "rules": DEFAULT_RULES}
ODD = words("complete", "open", "open")
NO_RULE = "no rule covers status complete, delivery open, invoice open; add one to status_rules"


@pytest.mark.parametrize(
    ("order", "known", "expected"),
    [
        pytest.param(ORDER, {}, None, id="nothing is in the way"),
        pytest.param(words("cancelled", "open", "open"), {}, None, id="a cancelled order gets its deal"),
        pytest.param(
            replace(ORDER, customer_name=None),
            {},
            ("its customer is not known in the administration", True),
            id="customer",
        ),
        pytest.param(ORDER, {"customer_held": "no code"}, ("no code", True), id="a held customer holds its orders"),
        pytest.param(
            ORDER, {"lines_without_item": 2}, ("2 of its lines name no item", True), id="lines that name no item"
        ),
        pytest.param(replace(ORDER, amount_excl_vat=None), {}, ("it has no amount", True), id="no amount"),
        pytest.param(replace(ORDER, amount_excl_vat=Decimal(0)), {}, None, id="an amount of 0 is an amount"),
        pytest.param(ODD, {}, (NO_RULE, True), id="a new order no rule covers waits as a whole"),
        pytest.param(ODD, {"has_deal": True}, (NO_RULE, False), id="an existing deal follows in all but its stage"),
        pytest.param(
            ODD, {"rules": [StatusRule(None, None, None, Outcome.NEW)]}, None, id="a rule for it lets it through"
        ),
        pytest.param(
            replace(ODD, is_deleted=True, customer_name=None, amount_excl_vat=None),
            {"has_deal": True, "customer_held": "no code", "lines_without_item": 1},
            None,
            id="a deleted order is held by nothing",
        ),
    ],
)
def test_an_order_is_held_for_a_reason_people_understand(order: Order, known: dict, expected: tuple[str, bool] | None):
    assert why_held(order, **(FREE | known)) == expected
