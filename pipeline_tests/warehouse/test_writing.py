"""Rows into tables: what is given is what stands there, whatever is in it, and only what differs counts as changed."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from pipeline.warehouse.tables import crm, pipedrive
from pipeline.warehouse.writing import FEW, remove, upsert

MOMENT = datetime(2026, 3, 29, 0, 59, 59, 123456, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**15), max_value=10**15)


def organization(**columns: Any) -> dict[str, Any]:
    empty = dict.fromkeys(column.name for column in crm.organizations.columns)
    known = {"administration": "nl", "customer_id": "0", "name": "Kade", "debtor_code": "1", "owner_e_mails": []}
    return empty | known | {"revenue_12_months": 0, "open_amount": 0, "currency": "EUR", "is_dormant": False} | columns


def written(engine: Engine, row: dict[str, Any], number: int) -> dict[str, Any]:
    """One of so many rows that were written, as it stands there."""
    rows = [row | {"customer_id": str(customer)} for customer in range(number)]
    with engine.begin() as tx:
        tx.execute(text("DELETE FROM crm.organizations"))
        assert upsert(tx, crm.organizations, iter(rows)) == number
        assert upsert(tx, crm.organizations, rows) == 0, "the same rows again change nothing"
        return dict(tx.execute(text("SELECT * FROM crm.organizations WHERE customer_id = '0'")).mappings().one())


@pytest.mark.parametrize("number", [1, FEW + 1])
@settings(max_examples=25, deadline=None)
@given(name=TEXTS, owners=st.lists(TEXTS, max_size=3), amount=AMOUNTS, ordered=st.none() | st.dates(), dormant=...)
def test_what_is_given_stands_there(
    shared_engine: Engine,
    number: int,
    name: str,
    owners: list[str],
    amount: Decimal,
    ordered: date | None,
    dormant: bool,
) -> None:
    row = organization(name=name, owner_e_mails=owners, open_amount=amount, last_order_date=ordered, is_dormant=dormant)
    assert written(shared_engine, row, number) == row


@pytest.mark.parametrize("number", [1, FEW + 1])
@pytest.mark.parametrize("name", ["NULL", "", '"', "\\", "{a,b}", "'; DROP", "%s :name", "\n\t\r", "é😀", "[1]"])
def test_a_text_that_means_something_to_postgresql_is_a_text(shared_engine: Engine, name: str, number: int) -> None:
    row = organization(name=name, owner_e_mails=[name, "x"])
    assert written(shared_engine, row, number) == row


@pytest.mark.parametrize("number", [1, FEW + 1])
@pytest.mark.parametrize(
    ("document", "stands"),
    [
        ({"a": [1, "ë", None, {"b": True}]}, {"a": [1, "ë", None, {"b": True}]}),
        ('{"value": 12.50}', {"value": 12.5}),
        ({"at": MOMENT, "worth": Decimal("1.10")}, {"at": str(MOMENT), "worth": "1.10"}),
        (None, None),
    ],
)
def test_a_document_is_given_as_values_or_as_json(
    shared_engine: Engine, document: Any, stands: Any, number: int
) -> None:
    deal = {"administration": "nl", "written": document, "written_at": MOMENT}
    with shared_engine.begin() as tx:
        tx.execute(text("DELETE FROM pipedrive.deals"))
        upsert(tx, pipedrive.deals, (deal | {"order_id": str(order), "deal_id": order} for order in range(number)))
        found = tx.execute(text("SELECT written, written_at FROM pipedrive.deals")).all()
    assert found == [(stands, MOMENT)] * number


@pytest.mark.parametrize("likely_new", [False, True])
@pytest.mark.parametrize("number", [2, FEW, FEW + 1, 3 * FEW])
def test_rows_are_counted_queued_and_removed(engine: Engine, number: int, likely_new: bool) -> None:
    rows = [organization(customer_id=str(customer)) for customer in range(number)]
    with engine.begin() as tx:
        after: dict[str, Any] = {"pending": ("next",), "pending_key": "customer_id"}
        assert upsert(tx, crm.organizations, iter(rows), **after, likely_new=likely_new) == len(rows)
        assert tx.execute(text("SELECT count(*) FROM state.pending WHERE stage = 'next'")).scalar_one() == len(rows)
        changed = [row | {"name": "Nieuw" if row["customer_id"] == "1" else row["name"]} for row in rows]
        assert upsert(tx, crm.organizations, changed) == 1
        gone = [{"administration": "nl", "customer_id": row["customer_id"]} for row in rows[1:]]
        assert remove(tx, crm.organizations, gone) == number - 1
        assert tx.execute(text("SELECT customer_id FROM crm.organizations")).scalars().all() == ["0"]


@pytest.mark.parametrize("there", [0, FEW])
@pytest.mark.parametrize("name", ["Kade", "Other"])
def test_rows_that_were_taken_for_new_are_compared_where_one_is_there(engine: Engine, there: int, name: str) -> None:
    rows = [organization(customer_id=str(customer)) for customer in range(FEW + 1)]
    after: dict[str, Any] = {"pending": ("next",), "pending_key": "customer_id"}
    with engine.begin() as tx:
        upsert(tx, crm.organizations, [rows[there] | {"name": name}])
        changed = FEW if name == rows[there]["name"] else FEW + 1
        assert upsert(tx, crm.organizations, rows, **after, likely_new=True) == changed
        assert tx.execute(text("SELECT count(*) FROM state.pending WHERE stage = 'next'")).scalar_one() == changed
        assert tx.execute(text("SELECT count(*), max(name) FROM crm.organizations")).one() == (FEW + 1, "Kade")


def test_no_rows_are_no_statement(shared_engine: Engine) -> None:
    with shared_engine.begin() as tx:
        assert upsert(tx, crm.organizations, []) == 0
        assert remove(tx, crm.organizations, iter([])) == 0


def test_a_kept_column_is_for_new_rows_and_an_ignored_one_goes_along(engine: Engine) -> None:
    def stands(tx: Any) -> tuple[Any, ...]:
        return tx.execute(text("SELECT name, website, address FROM crm.organizations")).one()

    options: dict[str, Any] = {"keeping": ("website",), "ignoring": ("address",)}
    with engine.begin() as tx:
        upsert(tx, crm.organizations, [organization(name="A", website="a", address="a")], **options)
        assert upsert(tx, crm.organizations, [organization(name="A", website="b", address="b")], **options) == 0
        assert stands(tx) == ("A", "a", "a")
        assert upsert(tx, crm.organizations, [organization(name="B", website="b", address="b")], **options) == 1
        assert stands(tx) == ("B", "a", "b")
