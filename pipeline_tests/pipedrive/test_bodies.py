"""Rows of `crm.*` → bodies of requests, and what of a body has to be sent."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pipeline.domain.deal_products import DealRow
from pipeline.pipedrive.bodies import (
    creation,
    deal_body,
    difference,
    not_taken,
    organization_body,
    person_body,
    product_body,
    row_body,
)
from pipeline.pipedrive.schema import Schema, User

GROUPS = {"VAZEN": "Vazen", "KOMMEN": "Kommen", "KOM2": "Kommen"}
DEAL_FIELDS = (
    "Exact order-ID",
    "Ordernummer",
    "Orderdatum",
    "Leverdatum",
    "Klantreferentie",
    "Leverstatus",
    "Factuurstatus",
    "Betaalstatus",
    "Artikelgroepen",
    "Hoofdgroep",
    "Administratie",
)
ORGANIZATION_FIELDS = (
    "Debiteurnummer",
    "Exact account-ID",
    "Administratie",
    "Laatste order",
    "Omzet 12 maanden",
    "Openstaand",
    "Slapend",
)


@pytest.fixture
def schema() -> Schema:
    """An account whose field keys are the fields' names, so that bodies can be read."""
    fields = {("deal", name): name for name in DEAL_FIELDS}
    fields |= {("organization", name): name for name in ORGANIZATION_FIELDS}
    fields |= {("product", name): name for name in ("Artikelgroep", "Artikelstatus", "Exact item-ID")}
    options = {
        ("deal", "Leverstatus", "open"): (31, "Open"),
        ("deal", "Factuurstatus", "open"): (41, "Open"),
        ("deal", "Betaalstatus", "late"): (51, "Te laat"),
        ("deal", "Administratie", "nl"): (61, "nl"),
        ("organization", "Administratie", "nl"): (62, "nl"),
        ("organization", "Slapend", "yes"): (63, "Ja"),
        ("organization", "Slapend", "no"): (64, "Nee"),
        ("product", "Artikelstatus", "active"): (71, "Actief"),
        ("product", "Artikelstatus", "ended"): (72, "Vervallen"),
    }
    for entity, name in (("deal", "Artikelgroepen"), ("deal", "Hoofdgroep"), ("product", "Artikelgroep")):
        options |= {(entity, name, "VAZEN"): (82, "Vazen"), (entity, name, "KOMMEN"): (81, "Kommen")}
    users = {
        "admin@x.nl": User(1, True, is_token_owner=True),
        "sanne@x.nl": User(2, True),
        "weg@x.nl": User(3, False),
    }
    return Schema(9, {"new": 11, "backorder": 12, "shipped": 13}, fields, options, users)


DEAL = {
    "administration": "nl",
    "order_id": "order-1",
    "title": "Bestelling 2001 – De Bloemenhof",
    "owner_e_mails": ["sanne@x.nl"],
    "currency": "EUR",
    "value": Decimal("100.10"),
    "status": "open",
    "stage": "backorder",
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
}


def deal(schema: Schema, **fields: Any) -> dict[str, Any]:
    return deal_body(DEAL | fields, schema, org_id=7, group_names=GROUPS)


def test_an_open_deal_has_everything_but_the_moment_of_its_end(schema: Schema):
    assert deal(schema) == {
        "title": "Bestelling 2001 – De Bloemenhof",
        "org_id": 7,
        "owner_id": 2,
        "pipeline_id": 9,
        "stage_id": 12,
        "currency": "EUR",
        "value": 100.1,
        "status": "open",
        "expected_close_date": "2026-06-30",
        "custom_fields": {
            "Exact order-ID": "order-1",
            "Ordernummer": "2001",
            "Orderdatum": "2026-06-25",
            "Leverdatum": "2026-06-30",
            "Klantreferentie": "PO 7",
            "Leverstatus": 31,
            "Factuurstatus": 41,
            "Betaalstatus": None,
            "Artikelgroepen": [81, 82],
            "Hoofdgroep": 82,
            "Administratie": 61,
        },
    }


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({"status": "open"}, {}),
        ({"status": "won"}, {"won_time": "2026-06-25T12:00:00Z"}),
        (
            {"status": "lost", "lost_reason": "Geannuleerd in Exact"},
            {"lost_time": "2026-06-25T12:00:00Z", "lost_reason": "Geannuleerd in Exact"},
        ),
        ({"status": "won", "order_date": None}, {}),
    ],
)
def test_a_closed_deal_ended_at_noon_on_its_order_date(schema: Schema, fields: dict, end: dict):
    body = deal(schema, **fields)
    assert {name: body[name] for name in ("won_time", "lost_time", "lost_reason") if name in body} == end


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"item_group_codes": []}, "Artikelgroepen", None),
        ({"item_group_codes": ["unknown"]}, "Artikelgroepen", None),
        ({"item_group_codes": ["VAZEN", "unknown"]}, "Artikelgroepen", [82]),
        ({"main_item_group_code": None}, "Hoofdgroep", None),
        ({"delivery_status": None}, "Leverstatus", None),
        ({"payment_status": "late"}, "Betaalstatus", 51),
        ({"customer_reference": None}, "Klantreferentie", None),
        ({"delivery_date": None}, "Leverdatum", None),
        ({"administration": "elsewhere"}, "Administratie", None),
    ],
)
def test_what_the_order_does_not_say_is_empty_in_pipedrive(schema: Schema, fields: dict, name: str, value: Any):
    assert deal(schema, **fields)["custom_fields"][name] == value


def test_a_field_the_account_has_not_got_yet_is_left_out(schema: Schema):
    del schema.fields["deal", "Hoofdgroep"]
    assert set(deal(schema)["custom_fields"]) == set(DEAL_FIELDS) - {"Hoofdgroep"}


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        (None, {}),
        ({}, {"Omzet Vazen": None, "Omzet Kommen": None}),
        ({"VAZEN": "10.10"}, {"Omzet Vazen": 10.1, "Omzet Kommen": None}),
        ({"KOMMEN": "0.10", "KOM2": "0.20"}, {"Omzet Vazen": None, "Omzet Kommen": 0.3}),
    ],
    ids=["not wanted", "no groups", "one group", "two groups of one name"],
)
def test_revenue_by_group_stands_in_fields_of_its_own(schema: Schema, amounts: dict | None, expected: dict):
    schema.fields |= {("deal", name): name for name in ("Omzet Vazen", "Omzet Kommen")}
    money = None if amounts is None else {code: Decimal(amount) for code, amount in amounts.items()}
    fields = deal(schema, category_amounts=money)["custom_fields"]
    assert {name: fields[name] for name in fields if name.startswith("Omzet")} == {
        name: None if value is None else {"value": value, "currency": "EUR"} for name, value in expected.items()
    }


@pytest.mark.parametrize(
    ("e_mails", "owner"),
    [
        (["sanne@x.nl"], 2),
        (["weg@x.nl", "sanne@x.nl"], 2),
        (["niemand@x.nl", "sanne@x.nl"], 2),
        (["weg@x.nl"], 1),
        ([], 1),
    ],
    ids=["the first", "not active", "unknown", "only one who left", "nobody named"],
)
def test_the_owner_is_the_first_active_user_else_the_tokens_own(schema: Schema, e_mails: list[str], owner: int):
    assert deal(schema, owner_e_mails=e_mails)["owner_id"] == owner


def test_an_organization(schema: Schema):
    row = {
        "administration": "nl",
        "customer_id": "customer-1",
        "name": "De Bloemenhof",
        "debtor_code": "1001",
        "address": "Straat 1, 3011 AB Rotterdam, NL",
        "website": None,
        "owner_e_mails": ["sanne@x.nl"],
        "last_order_date": date(2026, 6, 25),
        "revenue_12_months": Decimal("1234.56"),
        "open_amount": Decimal("-10.50"),
        "currency": "EUR",
        "is_dormant": False,
    }
    fields = {
        "Debiteurnummer": "1001",
        "Exact account-ID": "customer-1",
        "Administratie": 62,
        "Laatste order": "2026-06-25",
        "Omzet 12 maanden": {"value": 1234.56, "currency": "EUR"},
        "Openstaand": {"value": -10.5, "currency": "EUR"},
        "Slapend": 64,
    }
    body = {"name": "De Bloemenhof", "owner_id": 2, "website": None, "custom_fields": fields}
    assert organization_body(row, schema) == body | {"address": {"value": "Straat 1, 3011 AB Rotterdam, NL"}}
    assert organization_body(row | {"address": None}, schema) == body | {"address": None}
    quiet = {"last_order_date": None, "revenue_12_months": Decimal(0), "open_amount": Decimal(0), "is_dormant": True}
    nothing = {"value": 0.0, "currency": "EUR"}
    shown = {"Laatste order": None, "Omzet 12 maanden": nothing, "Openstaand": nothing, "Slapend": 63}
    assert organization_body(row | quiet, schema)["custom_fields"] == fields | shown


PRODUCT = {
    "product_key": "vaas",
    "name": "Vaas",
    "code": "V-1",
    "unit": "stuk",
    "price": Decimal("9.95"),
    "currency": "EUR",
    "item_group_code": "VAZEN",
    "is_active": True,
    "collection": "Zomer",
}


def test_a_product_can_always_be_put_on_a_deal(schema: Schema):
    body = product_body(PRODUCT | {"is_active": False}, schema)
    assert body == {
        "name": "Vaas",
        "code": "V-1",
        "unit": "stuk",
        "prices": [{"currency": "EUR", "price": 9.95}],
        "is_linkable": True,
        "custom_fields": {"Artikelstatus": 72, "Exact item-ID": "vaas", "Artikelgroep": 82},
    }


def test_a_collection_is_shown_where_the_account_has_a_field_for_it(schema: Schema):
    schema.fields["product", "Collectie"] = "Collectie"
    schema.options["product", "Collectie", "Zomer"] = (91, "Zomer")
    assert product_body(PRODUCT, schema)["custom_fields"]["Collectie"] == 91
    assert product_body(PRODUCT | {"collection": None}, schema)["custom_fields"]["Collectie"] is None


def test_a_row_says_that_it_has_neither_tax_nor_discount():
    row = DealRow("line-1", "vaas", Decimal("1.5"), Decimal("-12.3456"), "1 · VAZEN")
    assert row_body(row, 5) == {
        "product_id": 5,
        "item_price": -12.3456,
        "quantity": 1.5,
        "comments": "1 · VAZEN",
        "tax": 0,
        "tax_method": "none",
        "discount": 0,
        "discount_type": "percentage",
        "is_enabled": True,
    }


# --- what has to be sent ---


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ({"title": "A", "custom_fields": {"k": 1}}, {"title": "A", "custom_fields": {"k": 1}}),
        (
            {"title": "A", "website": None, "custom_fields": {"k": 1, "m": None}},
            {"title": "A", "custom_fields": {"k": 1}},
        ),
        ({"title": "A", "value": 0.0, "custom_fields": {"k": None}}, {"title": "A", "value": 0.0}),
        ({"is_linkable": False, "custom_fields": {"k": 0}}, {"is_linkable": False, "custom_fields": {"k": 0}}),
    ],
)
def test_what_is_empty_is_left_out_of_a_new_record_and_0_is_not_empty(body: dict, sent: dict):
    assert creation(body) == sent


def fields(**values: Any) -> dict[str, Any]:
    return {"custom_fields": values}


@pytest.mark.parametrize(
    ("before", "after", "sent"),
    [
        pytest.param({"a": 1} | fields(k=1), {"a": 1} | fields(k=1), {}, id="nothing changed"),
        pytest.param({"a": 1} | fields(k=1), {"a": 2} | fields(k=1), {"a": 2}, id="a field"),
        pytest.param({"a": 1} | fields(k=1), {"a": 1} | fields(k=2), fields(k=2), id="a custom field"),
        pytest.param({"a": 1} | fields(k=1), {"a": None} | fields(k=None), {"a": None} | fields(k=None), id="emptied"),
        pytest.param({"a": None} | fields(k=None), {"a": None} | fields(k=None), {}, id="empty before"),
        pytest.param({"a": 1} | fields(), {"a": 1, "b": 2} | fields(n=3), {"b": 2} | fields(n=3), id="newly there"),
        pytest.param({"a": 1} | fields(), {"a": 1, "b": None} | fields(n=None), {}, id="newly there and empty"),
        pytest.param({"a": 1, "b": 2} | fields(k=1), {"a": 1} | fields(), {}, id="no longer said: left alone"),
        pytest.param(
            {"status": "lost", "lost_reason": "x"} | fields(),
            {"status": "open"} | fields(),
            {"status": "open"},
            id="re-opened",
        ),
        pytest.param(fields(s=[1, 2]), fields(s=[1, 2]), {}, id="the same options"),
        pytest.param(fields(s=[1, 2]), fields(s=[1]), fields(s=[1]), id="an option less"),
        pytest.param(None, {"a": 1} | fields(k=1), {"a": 1} | fields(k=1), id="only recognised: all of it"),
        pytest.param(
            None, {"a": None} | fields(k=None), {"a": None} | fields(k=None), id="only recognised: emptied too"
        ),
    ],
)
def test_only_the_difference_is_sent(before: dict | None, after: dict, sent: dict):
    assert difference(before, after) == sent


def test_a_value_that_rows_make_up_is_not_sent():
    before, after = {"value": 1.0, "a": 1} | fields(), {"value": 2.0, "a": 2} | fields()
    assert difference(before, after, leaving_out=frozenset({"value"})) == {"a": 2}
    assert difference(None, after, leaving_out=frozenset({"value"})) == {"a": 2}


WON = {"status": "won", "stage_id": 13, "won_time": "2026-06-25T12:00:00Z", "title": "A"}


@pytest.mark.parametrize(
    ("answer", "missed"),
    [
        pytest.param(WON, {}, id="all was taken"),
        pytest.param(
            WON | {"won_time": "2026-11-20T09:00:00Z"}, {"won_time": "2026-06-25T12:00:00Z"}, id="another moment"
        ),
        pytest.param(WON | {"won_time": None}, {"won_time": "2026-06-25T12:00:00Z"}, id="no moment"),
        pytest.param(WON | {"stage_id": 11}, {"stage_id": 13}, id="another stage"),
        pytest.param(WON | {"title": "a"}, {}, id="only what depends on the status is looked at"),
        pytest.param({"id": 1}, {}, id="an answer that says nothing of it"),
    ],
)
def test_what_pipedrive_did_not_take_is_sent_once_more(answer: dict, missed: dict):
    assert not_taken(WON, answer) == missed


def test_the_reason_of_a_loss_is_sent_once_more_when_it_was_not_taken():
    sent = {"status": "lost", "lost_time": "2026-06-25T12:00:00Z", "lost_reason": "Geannuleerd in Exact"}
    answer = {"status": "lost", "lost_time": None, "lost_reason": None}
    assert not_taken(sent, answer) == {"lost_time": sent["lost_time"], "lost_reason": sent["lost_reason"]}


@pytest.mark.parametrize(
    ("row", "emails", "phones"),
    [
        ({"e_mail": None, "phone": None, "mobile": None}, [], []),
        (
            {"e_mail": "jan@x.nl", "phone": "010", "mobile": "06"},
            [("jan@x.nl", True, "work")],
            [("010", True, "work"), ("06", False, "mobile")],
        ),
        ({"e_mail": None, "phone": None, "mobile": "06"}, [], [("06", True, "mobile")]),
        ({"e_mail": None, "phone": "06", "mobile": "06"}, [], [("06", True, "work")]),
    ],
)
@pytest.mark.parametrize("org_id", [7, None])
def test_a_person(schema: Schema, row: dict[str, Any], emails: list[Any], phones: list[Any], org_id: int | None):
    schema.fields["person", "Exact contact-ID"] = "Exact contact-ID"
    body = person_body(row | {"contact_id": "contact-1", "name": "Jan de Wit", "org_id": org_id}, schema)
    assert body == {
        "name": "Jan de Wit",
        "org_id": org_id,
        "emails": [{"value": value, "primary": primary, "label": label} for value, primary, label in emails],
        "phones": [{"value": value, "primary": primary, "label": label} for value, primary, label in phones],
        "custom_fields": {"Exact contact-ID": "contact-1"},
    }
    assert {name for name, value in body.items() if value not in (None, [])} == set(creation(body))
