"""Product lines of deals in the simulated Pipedrive: order, sums, the value that follows them."""

import pytest

from pipeline_tests.sandbox.pipedrive_transport import Account, refusal


@pytest.fixture
def account():
    return _with_deal()


def _with_deal(**settings):
    account = Account(**settings)
    account.deal(value=5000)
    account.product()
    return account


def _line(**more):
    return {"product_id": 1, "item_price": 99.99, "quantity": 2} | more


def test_a_line_answers_with_every_key_and_the_value_follows(account):
    response = account.post("deals/1/products", _line())
    assert response.status_code == 201
    assert response.json()["data"] == {
        "id": 1, "sum": 199.98, "tax": 0, "deal_id": 1, "name": "Lampion", "product_id": 1,
        "product_variation_id": None, "order_nr": 1, "add_time": "2026-11-20T09:00:00Z",
        "update_time": "2026-11-20T09:00:00Z", "comments": "", "currency": "EUR", "discount": 0,
        "discount_type": "percentage", "quantity": 2, "item_price": 99.99, "tax_method": "inclusive",
        "is_enabled": True, "billing_frequency": "one-time", "billing_frequency_cycles": None,
        "billing_start_date": None,
    }  # fmt: skip
    deal = account.data("deals/1")
    assert (deal["value"], deal["acv"]) == (199.98, 199.98)


def test_the_value_follows_late_where_it_is_set_so():
    account = _with_deal(recalculation_seconds=2)
    account.post("deals/1/products", _line())
    assert account.data("deals/1")["value"] == 5000
    account.advance(2)
    assert account.data("deals/1")["value"] == 199.98


@pytest.mark.parametrize(
    ("quantity", "price", "cents"),
    [
        (1, 0.005, 0.01),
        (1, -0.005, -0.01),
        (3, 1.115, 3.35),
        (1, 1.005, 1.01),
        (2.5, 0.33, 0.83),
        (80995, 2.08, 168469.6),
    ],
)
def test_sums_are_rounded_half_away_from_zero(account, quantity, price, cents):
    assert account.made("deals/1/products", _line(quantity=quantity, item_price=price))["sum"] == cents


def test_each_line_is_rounded_or_only_the_deal():
    for rounding, value in (("row", 0.03), ("deal", 0.01)):
        account = _with_deal(rounding=rounding)
        account.post("deals/1/products/bulk", {"data": [_line(quantity=1, item_price=0.005)] * 3})
        assert account.data("deals/1")["value"] == (value if rounding == "row" else 0.02)


def test_bulk_keeps_the_order_and_twice_the_same_product(account):
    rows = [_line(comments=f"{number} · 701") for number in range(1, 101)]
    response = account.post("deals/1/products/bulk", {"data": rows})
    assert response.status_code == 201
    assert [line["order_nr"] for line in response.json()["data"]] == list(range(1, 101))
    listed = account.data("deals/1/products", limit=500, sort_by="order_nr")
    assert [line["comments"] for line in listed] == [row["comments"] for row in rows]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([], "data: must be an array of 1 to 100 items"),
        ([{}] * 101, "data: must be an array of 1 to 100 items"),
        ([{"product_id": 1, "quantity": 1}], "data[0].item_price: Parameter 'item_price' is required"),
        ([{"product_id": 9, "quantity": 1, "item_price": 1}], "data[0].product_id: Product 9 not found"),
        ([_line(), _line(quantity="2")], "data[1].quantity: must be a number"),
        ([_line(custom_fields={})], "data[0].custom_fields: Parameter 'custom_fields' is not allowed"),
        ([_line(comments=None)], "data[0].comments: must be a string"),
        ([_line(quantity=-1)], "data[0].quantity: must be greater than or equal to 0"),
        ([_line(order_nr=1)], "data[0].order_nr: Parameter 'order_nr' is not allowed"),
        ([_line(currency="EUR")], "data[0].currency: Parameter 'currency' is not allowed"),
        ([_line(discount=101)], "data[0].discount: is out of range"),
        ([_line(tax_method="vrij")], "data[0].tax_method: must be one of"),
        ([_line(billing_frequency="weekly")], "data[0].billing_frequency_cycles: is required"),
        ([_line(item_price=1e14, quantity=1e14)], "data[0].item_price: the amount is too high"),
    ],
)
def test_one_bad_row_refuses_the_whole_bulk(account, rows, problem):
    status, text = refusal(account.post("deals/1/products/bulk", {"data": rows}))
    assert status == 400
    assert text.startswith(f"Validation failed: {problem}")
    assert account.data("deals/1/products") == []


def test_bulk_may_leave_the_good_rows_behind():
    account = _with_deal(bulk_is_atomic=False)
    assert account.post("deals/1/products/bulk", {"data": [_line(), _line(quantity="2")]}).status_code == 400
    assert len(account.data("deals/1/products")) == 1


def test_a_product_that_cannot_be_linked_is_refused(account):
    account.product(is_linkable=False)
    status, text = refusal(account.post("deals/1/products", _line(product_id=2)))
    assert (status, text) == (400, "Validation failed: product_id: Product 2 cannot be added to deals")


def test_a_line_is_changed_and_detached(account):
    account.post("deals/1/products/bulk", {"data": [_line(comments=str(number)) for number in range(4)]})
    changed = account.patch("deals/1/products/2", {"quantity": 1, "is_enabled": False}).json()["data"]
    assert (changed["sum"], changed["order_nr"]) == (99.99, 2)
    assert account.data("deals/1")["value"] == 599.94
    assert account.delete("deals/1/products/1").json()["data"] == {"id": 1}
    assert account.delete("deals/1/products", ids="3,4,99").json() == {
        "success": True, "data": {"ids": [3, 4]}, "additional_data": {"more_items_in_collection": False},
    }  # fmt: skip
    assert [line["order_nr"] for line in account.data("deals/1/products")] == [1]
    assert account.patch("deals/1/products/1", {"quantity": 1}).status_code == 404


def test_deleting_without_ids_takes_a_hundred(account):
    for _ in range(2):
        account.post("deals/1/products/bulk", {"data": [_line()] * 60})
    answer = account.delete("deals/1/products").json()
    assert len(answer["data"]["ids"]) == 100
    assert answer["additional_data"] == {"more_items_in_collection": True}
    assert len(account.data("deals/1/products")) == 20


def test_lines_of_many_deals_come_in_pages(account):
    account.deal()
    for deal in (1, 2):
        account.post(f"deals/{deal}/products/bulk", {"data": [_line()] * 3})
    first = account.get("deals/products", deal_ids="2,1,77", limit=4).json()
    rest = account.get(
        "deals/products", deal_ids="2,1,77", limit=4, cursor=first["additional_data"]["next_cursor"]
    ).json()
    assert [line["id"] for line in first["data"] + rest["data"]] == [1, 2, 3, 4, 5, 6]
    assert account.get("deals/products").status_code == 400
    assert account.get("deals/products", deal_ids=",".join(["1"] * 101)).status_code == 400


@pytest.mark.parametrize(
    ("switch", "status", "value"), [("refused", 400, 199.98), ("ignored", 200, 199.98), ("taken", 200, 7)]
)
def test_a_value_beside_lines(switch, status, value):
    account = _with_deal(value_with_products=switch)
    account.post("deals/1/products", _line())
    assert account.patch("deals/1", {"value": 7}).status_code == status
    assert account.data("deals/1")["value"] == value


def test_the_currency_of_lines_is_the_deals(account):
    account.post("deals/1/products", _line())
    account.patch("deals/1", {"currency": "USD"})
    assert account.data("deals/1/products")[0]["currency"] == "USD"


def test_one_tax_method_for_all_lines(account):
    account.post("deals/1/products/bulk", {"data": [_line(tax_method="none")] * 2})
    account.patch("deals/1/products/2", {"tax_method": "exclusive", "tax": 21})
    assert {line["tax_method"] for line in account.data("deals/1/products")} == {"exclusive"}
    assert account.data("deals/1")["value"] == 399.96


@pytest.mark.parametrize(("settings", "total"), [({}, 199.98), ({"exclusive_tax_in_sum": True}, 241.98)])
def test_tax_in_the_sum(settings, total):
    account = _with_deal(**settings)
    assert account.made("deals/1/products", _line(tax_method="exclusive", tax=21))["sum"] == total


@pytest.mark.parametrize(("scope", "total"), [("line", 189.98), ("unit", 179.98)])
def test_an_amount_of_discount_is_for_the_line_or_for_each_unit(scope, total):
    account = _with_deal(amount_discount=scope)
    assert account.made("deals/1/products", _line(discount=10, discount_type="amount"))["sum"] == total


def test_without_lines_the_value_is_zero_or_kept():
    for switch, value in (("zero", 0), ("kept", 199.98)):
        account = _with_deal(value_after_last_product=switch)
        account.post("deals/1/products", _line())
        account.delete("deals/1/products/1")
        deal = account.data("deals/1")
        assert (deal["value"], deal["acv"]) == (value, None)


def test_a_deal_may_be_full():
    account = _with_deal(products_per_deal=2)
    assert account.post("deals/1/products/bulk", {"data": [_line()] * 3}).status_code == 400
    assert account.post("deals/1/products/bulk", {"data": [_line()] * 2}).status_code == 201
    assert account.post("deals/1/products", _line()).status_code == 400


def test_won_deals_take_lines_unless_switched_off():
    for allowed, status in ((True, 201), (False, 403)):
        account = _with_deal(products_on_won_deals=allowed)
        account.patch("deals/1", {"status": "won"})
        assert account.post("deals/1/products", _line()).status_code == status


def test_recurring_lines_count_a_year(account):
    account.post("deals/1/products", _line(item_price=10, quantity=1, billing_frequency="monthly"))
    deal = account.data("deals/1")
    assert (deal["value"], deal["acv"], deal["arr"], deal["mrr"]) == (10, 120, 120, 10)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"billing_frequency_cycles": 2}, "billing_frequency_cycles: must be null for one-time products"),
        ({"billing_frequency": "weekly"}, "billing_frequency_cycles: is required for weekly products"),
        (
            {"billing_frequency": "monthly", "billing_frequency_cycles": 209},
            "billing_frequency_cycles: must be at most",
        ),
        ({"billing_start_date": "2037-01-01"}, "billing_start_date: must be within 10 years"),
        ({"billing_start_date": "2016-01-01"}, "billing_start_date: must be within 10 years"),
    ],
)
def test_when_a_line_is_billed_has_bounds(account, more, problem):
    status, text = refusal(account.post("deals/1/products", _line(**more)))
    assert status == 400
    assert text.startswith(f"Validation failed: {problem}")


def test_a_deal_holds_twenty_recurring_lines(account):
    recurring = _line(billing_frequency="monthly")
    for _ in range(20):
        account.made("deals/1/products", recurring)
    assert account.post("deals/1/products", recurring).status_code == 400
    assert account.post("deals/1/products", _line()).status_code == 201


def test_lite_has_no_recurring_lines():
    account = _with_deal(recurring_revenue=False)
    assert account.post("deals/1/products", _line(billing_frequency="monthly")).status_code == 400
