"""A table as a file: exact to the last digit, whole or not there at all."""

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import GiveUp
from pipeline.steps import export as exporting
from pipeline.steps.export import EXPORTED, export

MOMENT = datetime(2026, 3, 29, 0, 30, 0, 123456, tzinfo=UTC)  # an hour before summer time
LARGE = "123456789012345678901234567890.1234567890123456789"


@pytest.fixture(scope="module")
def filled(shared_engine: Engine) -> Engine:
    """Orders and lines with what is hard to keep."""
    with shared_engine.begin() as tx:
        tx.execute(text("SET LOCAL TimeZone = 'America/New_York'"))
        for number in range(25):
            tx.execute(text(_ORDER), {"id": f"{number:02}", "at": MOMENT, "day": date(2026, 3, 29)})
        for line, price in enumerate(("0.1", "1.2345", "-7", LARGE)):
            tx.execute(text(_LINE), {"id": str(line), "price": Decimal(price)})
        tx.execute(text(_PERSON))
    return shared_engine


_ORDER = """
INSERT INTO erp.orders (administration, order_id, order_number, order_date, modified_at, currency, amount_excl_vat,
    customer_reference, status, delivery_status, invoice_status, is_deleted, is_live)
VALUES ('nl', :id, E'a,"b"\nc', :day, :at, 'EUR', 0.10, '', 'open', 'open', 'open', false, true)
"""
_LINE = """
INSERT INTO erp.order_lines (administration, line_id, order_id, line_number, quantity, net_price, amount_excl_vat,
    known_as_of) VALUES ('nl', :id, '01', 1, 3, :price, 1.00, 9007199254740993)
"""
_PERSON = """
INSERT INTO crm.deals (administration, order_id, title, customer_id, owner_e_mails, currency, value, status, stage,
    order_number, item_group_codes, category_amounts, is_deleted, is_live)
VALUES ('nl', '01', 't', 'c', ARRAY['a@example.nl', 'b'], 'EUR', 1.00, 'won', 'shipped', '1', '{}', '{"10": "1.50"}',
    false, false)
"""


def test_parquet_keeps_decimals_moments_and_what_is_empty(filled: Engine, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(exporting, "ROWS_AT_A_TIME", 10)
    assert export(filled, "erp.orders", tmp_path / "orders.parquet") == 25
    table = pq.read_table(tmp_path / "orders.parquet")
    assert table.schema.field("amount_excl_vat").type == pa.decimal128(38, 2)
    assert table.schema.field("modified_at").type == pa.timestamp("us", tz="UTC")
    assert table.schema.field("order_date").type == pa.date32()
    assert table.column("order_id").to_pylist() == [f"{number:02}" for number in range(25)]
    first = table.slice(0, 1).to_pylist()[0]
    assert (first["amount_excl_vat"], first["modified_at"]) == (Decimal("0.10"), MOMENT)
    assert (first["customer_reference"], first["customer_id"], first["is_live"]) == ("", None, True)
    export(filled, "erp.order_lines", tmp_path / "lines.parquet")
    lines = pq.read_table(tmp_path / "lines.parquet")
    assert lines.column("net_price").to_pylist() == [Decimal(price) for price in ("0.1", "1.2345", "-7", LARGE)]
    assert lines.column("known_as_of").to_pylist() == [9007199254740993] * 4
    export(filled, "crm.deals", tmp_path / "deals.parquet")
    deal = pq.read_table(tmp_path / "deals.parquet").to_pylist()[0]
    assert (deal["owner_e_mails"], deal["category_amounts"]) == (["a@example.nl", "b"], '{"10": "1.50"}')
    assert sorted(file.name for file in tmp_path.iterdir()) == ["deals.parquet", "lines.parquet", "orders.parquet"]


def test_csv_is_the_same_to_the_last_digit(filled: Engine, tmp_path: Path):
    assert export(filled, "erp.orders", tmp_path / "orders.CSV") == 25
    written = (tmp_path / "orders.CSV").read_text("utf-8")
    with (tmp_path / "orders.CSV").open(newline="", encoding="utf-8") as file:
        first = next(csv.DictReader(file))
    assert (first["amount_excl_vat"], first["order_number"]) == ("0.10", 'a,"b"\nc')
    assert (first["modified_at"], first["order_date"]) == ("2026-03-29 00:30:00.123456+00", "2026-03-29")
    assert (first["is_live"], ',,"",' in written) == ("true", True)  # no customer, an empty reference
    export(filled, "erp.order_lines", tmp_path / "lines.csv")
    with (tmp_path / "lines.csv").open(newline="", encoding="utf-8") as file:
        assert [row["net_price"] for row in csv.DictReader(file)] == ["0.1", "1.2345", "-7", LARGE]
    export(filled, "crm.deals", tmp_path / "deals.csv")
    with (tmp_path / "deals.csv").open(newline="", encoding="utf-8") as file:
        deal = next(csv.DictReader(file))
    assert (deal["owner_e_mails"], deal["category_amounts"]) == ('["a@example.nl","b"]', '{"10": "1.50"}')


@pytest.mark.parametrize("table", EXPORTED)
def test_every_table_can_be_exported_also_without_a_row(shared_engine: Engine, tmp_path: Path, table: str):
    rows = export(shared_engine, table, tmp_path / "table.parquet")
    assert export(shared_engine, table, tmp_path / "table.csv") == rows
    found = pq.read_table(tmp_path / "table.parquet")
    header = (tmp_path / "table.csv").read_text("utf-8").splitlines()[0].split(",")
    assert (found.num_rows, found.column_names) == (rows, header)


@pytest.mark.parametrize(
    ("table", "file", "said"),
    [
        (
            "erp.order",
            "a.csv",
            r"There is no table erp\.order to export: write one of crm\.contact_conflicts, .*erp\.orders",
        ),
        ("state.tokens", "a.csv", r"There is no table state\.tokens"),
        ("inbox.webhook_events", "a.csv", "There is no table inbox"),
        ("exact_online.accounts", "a.csv", "There is no table exact_online"),
        ('erp.orders" --', "a.csv", "There is no table"),
        ("erp.orders", "a.xlsx", r"a\.xlsx says no format: let the file's name end in \.parquet or \.csv"),
        ("erp.orders", "a", "a says no format"),
        ("erp.orders", "nowhere/a.csv", r"nowhere/a\.csv can't be written: No such file or directory"),
        ("erp.orders", "nowhere/a.parquet", r"nowhere/a\.parquet can't be written: .*Name a file where you may write"),
    ],
)
def test_what_cannot_be_exported_is_said_in_a_sentence(
    filled: Engine, tmp_path: Path, table: str, file: str, said: str
):
    with pytest.raises(GiveUp, match=said):
        export(filled, table, tmp_path / file)
    assert list(tmp_path.iterdir()) == []


class Stopped(BaseException):
    """Somebody pressed Ctrl-C."""


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_stop_leaves_the_file_that_was_there(filled: Engine, tmp_path: Path, monkeypatch, suffix: str):
    file = tmp_path / f"orders.{suffix}"
    file.write_text("the one before")
    writer = exporting._WRITERS[f".{suffix}"]

    def stopped(connection, table, to):
        writer(connection, table, to)
        raise Stopped

    monkeypatch.setitem(exporting._WRITERS, f".{suffix}", stopped)
    with pytest.raises(Stopped):
        export(filled, "erp.orders", file)
    assert (file.read_text(), list(tmp_path.iterdir())) == ("the one before", [file])


def test_the_command_says_what_it_wrote_or_what_is_wrong(filled: Engine, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("WAREHOUSE_URL", filled.url.render_as_string(hide_password=False))
    monkeypatch.setenv("PIPELINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home" / "dagster"))
    done = CliRunner().invoke(app, ["export", "erp.orders", "--to", str(tmp_path / "orders.csv")])
    assert (done.exit_code, done.stdout) == (0, f"25 rows of erp.orders are in {tmp_path / 'orders.csv'}\n")
    wrong = CliRunner().invoke(app, ["export", "orders", "--to", str(tmp_path / "orders.csv")])
    assert wrong.exit_code == 1
    assert wrong.stderr.startswith("pipeline: There is no table orders to export: write one of crm.")
