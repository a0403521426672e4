"""`erp.orders`: the newer version wins, whatever came first; codes become words, wall clocks UTC, amounts cents."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import permutations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.transform.orders import to_orders
from pipeline_tests.transform.frames import changes, deletions, floats_in, history, only_row, wall


def orders(
    read: pd.DataFrame, changed: pd.DataFrame, deleted: pd.DataFrame | None = None, zone: str = "Europe/Amsterdam"
):
    gone = deletions() if deleted is None else deleted
    return to_orders(read, changed, gone, administration="nl", time_zone=zone, currency="EUR")


def test_an_order_is_one_row_in_our_own_words():
    assert only_row(orders(history(), changes({}))) == {
        "administration": "nl",
        "order_id": "order-1",
        "order_number": "2001",
        "order_date": date(2026, 6, 25),
        "delivery_date": date(2026, 6, 30),
        "customer_id": "customer-1",
        "salesperson_id": "seller-1",
        "customer_reference": "PO 7",
        "currency": "EUR",
        "amount_excl_vat": Decimal("100.00"),
        "amount_incl_vat": Decimal("121.00"),
        "amount_incl_vat_home": Decimal("121.00"),
        "status": "open",
        "delivery_status": "open",
        "invoice_status": "open",
        "is_deleted": False,
        "is_live": True,
        "created_at": datetime(2026, 6, 25, 7, 30, tzinfo=UTC),
        "modified_at": datetime(2026, 6, 25, 8, 30, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("as_of", "timestamp", "winner"),
    [
        pytest.param(100, 200, "changed", id="a change after the reading"),
        pytest.param(300, 200, "read", id="a reading after the change"),
        pytest.param(200, 200, "changed", id="equally old: the feed knows its version exactly"),
    ],
)
def test_the_newer_version_of_an_order_wins(as_of: int, timestamp: int, winner: str):
    read = history({"as_of": as_of, "your_ref": "read"})
    found = only_row(orders(read, changes({"timestamp": timestamp, "your_ref": "changed"})))
    assert (found["customer_reference"], found["is_live"]) == (winner, winner == "changed")


@pytest.mark.parametrize(
    ("deleted", "gone"),
    [
        pytest.param(deletions(order_1=199), False, id="an older deletion: the order came back"),
        pytest.param(deletions(order_1=200), True, id="a deletion as old as the order"),
        pytest.param(deletions(order_1=201), True, id="a newer deletion"),
        pytest.param(deletions(record_1=201), True, id="a deletion that names the record in the feed"),
        pytest.param(deletions(record_1=201, order_1=1), True, id="the newer of two deletions"),
        pytest.param(deletions(order_2=999), False, id="another order's deletion"),
    ],
)
def test_a_deletion_holds_when_it_is_not_older_than_the_order(deleted: pd.DataFrame, gone: bool):
    assert only_row(orders(history(), changes({}), deleted))["is_deleted"] is gone


def test_an_order_known_only_from_history_can_be_deleted_too():
    assert only_row(orders(history({}), changes(), deletions(order_1=101)))["is_deleted"] is True


@settings(deadline=None, max_examples=60)
@given(
    read_at=st.none() | st.integers(1, 9),
    changed_at=st.none() | st.integers(1, 9),
    deleted_at=st.none() | st.integers(1, 9),
)
def test_history_changes_and_deletions_give_one_result_in_whatever_order_rows_stand(
    read_at: int | None, changed_at: int | None, deleted_at: int | None
):
    read = [{"as_of": read_at, "your_ref": "read"}] if read_at else []
    changed = [{"timestamp": changed_at, "your_ref": "changed"}] if changed_at else []
    others = [
        {"order_id": f"other-{number}", "id": f"other-{number}", "as_of": number, "timestamp": number}
        for number in (3, 5)
    ]
    deleted = deletions(**({"order_1": deleted_at} if deleted_at else {}))
    found = [
        orders(history(*rows), changes(*changed, *others), deleted).sort_values("order_id").to_dict("records")
        for rows in permutations([*read, *others])
    ]
    versions = [version for version in (read_at, changed_at) if version]
    assert all(result == found[0] for result in found)
    assert [row["order_id"] for row in found[0]] == [*(["order-1"] if versions else []), "other-3", "other-5"]
    for row in found[0][: 1 if versions else 0]:
        assert row["customer_reference"] == ("changed" if changed_at == max(versions) else "read")
        assert row["is_deleted"] is bool(deleted_at and deleted_at >= max(versions))


def test_where_nothing_changed_nothing_comes_out():
    found = orders(history(), changes())
    assert len(found) == 0
    assert {"order_id", "status", "is_deleted"} <= set(found.columns)


@pytest.mark.parametrize(
    ("code", "word"),
    [(12, "open"), (20, "partial"), (21, "complete"), (45, "cancelled"), (30, "30"), (0, "0"), (None, "none")],
)
def test_a_status_code_becomes_its_word_and_an_unknown_one_stays_what_it_is(code: int | None, word: str):
    statuses = dict.fromkeys(("status", "delivery_status", "invoice_status"), code)
    found = only_row(orders(history(statuses), changes()))
    assert {found[name] for name in statuses} == {word}


@pytest.mark.parametrize(
    ("zone", "wall", "utc"),
    [
        pytest.param("Europe/Amsterdam", wall("2026-01-15 12:00"), datetime(2026, 1, 15, 11, tzinfo=UTC), id="winter"),
        pytest.param("Europe/Amsterdam", wall("2026-07-15 12:00"), datetime(2026, 7, 15, 10, tzinfo=UTC), id="summer"),
        pytest.param(
            "Europe/Amsterdam",
            wall("2026-03-29 01:59"),
            datetime(2026, 3, 29, 0, 59, tzinfo=UTC),
            id="before the leap",
        ),
        pytest.param(
            "Europe/Amsterdam", wall("2026-03-29 03:00"), datetime(2026, 3, 29, 1, tzinfo=UTC), id="after the leap"
        ),
        pytest.param(
            "Europe/Amsterdam",
            wall("2026-10-25 01:59"),
            datetime(2026, 10, 24, 23, 59, tzinfo=UTC),
            id="before 2:00",
        ),
        pytest.param(
            "Europe/Amsterdam",
            wall("2026-10-25 02:30"),
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
            id="2:30, the first",
        ),
        pytest.param(
            "Europe/Amsterdam",
            wall("2026-10-25 03:00"),
            datetime(2026, 10, 25, 2, tzinfo=UTC),
            id="after the hour was repeated",
        ),
        pytest.param("UTC", wall("2026-07-15 12:00"), datetime(2026, 7, 15, 12, tzinfo=UTC), id="UTC"),
        pytest.param(
            "Europe/Amsterdam",
            wall("2026-06-25 09:30:00.123000"),
            datetime(2026, 6, 25, 7, 30, 0, 123000, tzinfo=UTC),
            id="milliseconds stay",
        ),
    ],
)
def test_the_wall_clock_becomes_utc_on_every_night_of_the_year(zone: str, wall: datetime, utc: datetime):
    found = only_row(orders(history({"created": wall, "modified": wall}), changes(), zone=zone))
    assert (found["created_at"], found["modified_at"]) == (utc, utc)


def test_a_time_that_the_wall_clock_never_showed_still_becomes_a_moment_between_its_neighbours():
    skipped = wall("2026-03-29 02:30")
    found = only_row(orders(history({"created": skipped}), changes()))["created_at"]
    assert datetime(2026, 3, 29, 0, 59, tzinfo=UTC) < found < datetime(2026, 3, 29, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "America/New_York", "Pacific/Auckland"])
@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25), date(2026, 1, 1), date(2028, 2, 29)], ids=str)
def test_no_time_zone_shifts_a_date(zone: str, day: date):
    midnight = wall(str(day))
    found = only_row(orders(history({"order_date": midnight, "delivery_date": midnight}), changes(), zone=zone))
    assert (found["order_date"], found["delivery_date"]) == (day, day)
    assert type(found["order_date"]) is date


EMPTY = {
    "delivery_date": "delivery_date",
    "salesperson": "salesperson_id",
    "your_ref": "customer_reference",
    "amount_fc_excl_vat": "amount_excl_vat",
    "amount_fc": "amount_incl_vat",
    "amount_dc": "amount_incl_vat_home",
    "created": "created_at",
    "modified": "modified_at",
    "ordered_by": "customer_id",
    "order_date": "order_date",
}


@pytest.mark.parametrize("field", EMPTY)
def test_what_exact_leaves_empty_stays_empty_and_never_becomes_a_number(field: str):
    both = orders(history({"order_id": "order-2", field: None}), changes({}, {"order_id": "order-3", field: None}))
    found = both.set_index("order_id")[EMPTY[field]]
    assert (found["order-2"], found["order-3"]) == (None, None)
    assert found["order-1"] is not None
    assert floats_in(both) == []


@pytest.mark.parametrize(
    ("field", "sent", "column", "expected"),
    [
        ("currency", "EUR ", "currency", "EUR"),
        ("currency", None, "currency", "EUR"),
        ("currency", "USD", "currency", "USD"),
        ("your_ref", "  PO 7 \n", "customer_reference", "PO 7"),
        ("your_ref", "   ", "customer_reference", None),
        ("your_ref", "🌷 Ünï", "customer_reference", "🌷 Ünï"),
        ("salesperson", "00000000-0000-0000-0000-000000000000", "salesperson_id", None),
        ("ordered_by", "", "customer_id", None),
        ("order_number", None, "order_number", ""),
        ("order_number", 2_147_483_647, "order_number", "2147483647"),
    ],
)
def test_padding_and_empty_references_go(field: str, sent: object, column: str, expected: object):
    assert only_row(orders(history({field: sent}), changes()))[column] == expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("0.1", "0.10"),
        ("1234567890123.45", "1234567890123.45"),
        ("99.99499999999999", "99.99"),
        ("99.995", "100.00"),
        ("-0.005", "-0.01"),
        ("1E+3", "1000.00"),
    ],
)
def test_amounts_are_exact_cents(sent: str, expected: str):
    amounts = dict.fromkeys(("amount_fc_excl_vat", "amount_fc", "amount_dc"), Decimal(sent))
    both = orders(history(amounts), changes(amounts | {"order_id": "order-2"}))
    for column in ("amount_excl_vat", "amount_incl_vat", "amount_incl_vat_home"):
        assert [(type(value), str(value)) for value in both[column]] == [(Decimal, expected)] * 2


def test_no_value_is_ever_a_float_when_history_and_changes_are_put_together():
    both = orders(history({}, {"order_id": "order-2", "order_number": None}), changes({"order_id": "order-3"}, {}))
    assert floats_in(both) == []
    assert list(both["order_number"]) == ["2001", "", "2001"]
