"""What is taken out of whatever is logged, told or mailed; and what a database may not say of its rows."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from pipeline.discretion import discreet, scrub, secrets_of
from pipeline.warehouse.tables import crm
from pipeline.warehouse.writing import FEW, upsert


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("postgresql://pipeline:geheim@db:5432/x", "postgresql://db:5432/x"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer (secret)"),
        ("x-api-token=abcd1234 next", "x-api-token=(secret) next"),
        ("{'x-api-token': 'abcd1234'}", "{'x-api-token': (secret)}"),
        ('{"refresh_token":"stamp.abc","a":1}', '{"refresh_token":(secret),"a":1}'),
        ("https://x.example/a?api_token=abc&b=1", "https://x.example/a?api_token=(secret)&b=1"),
        ("client_secret='a b c', more", "client_secret=(secret), more"),
        ("/oauth/exact?code=stampNL001.abcdefghij&x=1", "/oauth/exact?code=(secret)&x=1"),
        ("Mail jan.de-vries@x.example now", "Mail (address) now"),
        ("term=jan%40x.example&fields=email", "term=(address)&fields=email"),
        ("call +31 6 1234 5678 or 0031612345678.", "call (number) or (number)."),
        ("order 20260012345 of 2026-11-21T15:00:00+00:00: 1,234,567 rows", None),
        ("deals: 12 of 3,000; https://company.pipedrive.com/api/v2/deals/17", None),
        ("", None),
    ],
)
def test_tokens_passwords_addresses_and_numbers_go_and_the_rest_stays(said: str, left: str | None):
    assert discreet(said) == (said if left is None else left)


def test_the_secrets_of_the_environment_go_wherever_they_stand():
    environment = {
        "PIPEDRIVE_API_TOKEN": "0123456789abcdef",
        "WAREHOUSE_URL": "postgresql://pipeline:ge%2Fheim-lang@db/x",
        "EXACT_CLIENT_SECRET": "sandbox",  # too short to be told from a word
    }
    secrets = secrets_of(environment)
    assert discreet("a0123456789abcdefb ge/heim-lang ge%2Fheim-lang sandbox", secrets) == (
        "a(secret)b (secret) (secret) sandbox"
    )


def test_a_url_that_is_none_has_no_password():
    assert secrets_of({"SMTP_URL": "smtp://[broken"}) == ()


def test_an_error_keeps_its_kind_and_its_trace_and_loses_addresses_as_do_those_behind_it():
    inner, outer = KeyError("jan@x.example"), ValueError("for piet@x.example", 7)
    outer.__cause__, inner.__context__ = inner, outer
    scrub(outer)
    assert (outer.args, inner.args, outer.__cause__) == (("for (address)", 7), ("(address)",), inner)


# --- PostgreSQL ---

PERSON = {"administration": "nl", "contact_id": "c1", "customer_id": None, "name": "Jan de Vries"}
PERSON |= {"e_mail": "jan@x.example", "phone": None, "mobile": None}


def no_addresses(tx: Connection) -> None:
    tx.execute(text("ALTER TABLE crm.persons ADD CONSTRAINT nobody CHECK (e_mail IS NULL)"))
    upsert(tx, crm.persons, [PERSON])


def twice(tx: Connection) -> None:
    tx.execute(text("CREATE UNIQUE INDEX only_one ON crm.persons (e_mail)"))
    upsert(tx, crm.persons, [PERSON, PERSON | {"contact_id": "c2"}])


def a_bad_value(tx: Connection) -> None:
    tx.execute(text("SELECT CAST(:name AS integer)"), {"name": "Jan de Vries"})


def many_with_a_bad_one(tx: Connection) -> None:
    tx.execute(text("ALTER TABLE crm.persons ALTER phone TYPE integer USING NULL"))
    rows = [PERSON | {"contact_id": f"c{number}", "phone": "1"} for number in range(FEW)]
    upsert(tx, crm.persons, [*rows, PERSON | {"phone": "Jan de Vries"}])


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (no_addresses, 'new row for relation "persons" violates check constraint "nobody"'),
        (twice, 'duplicate key value violates unique constraint "only_one"'),
        (a_bad_value, 'invalid input syntax for type integer: "…"'),
    ],
)
def test_an_error_of_the_database_tells_the_rule_and_not_the_row(
    engine: Engine, work: Callable[[Connection], None], said: str
):
    with pytest.raises(DBAPIError) as raised, engine.begin() as tx:
        work(tx)
    assert str(raised.value.orig) == said
    assert said in str(raised.value)
    assert "Jan" not in str(raised.value)
    assert "jan@" not in str(raised.value) + repr(raised.value.__cause__)


def test_rows_that_are_copied_are_not_told_either(engine: Engine):
    with pytest.raises(Exception, match=r'invalid input syntax for type integer: "…"$') as raised, engine.begin() as tx:
        many_with_a_bad_one(tx)
    assert "Jan" not in str(raised.value)
