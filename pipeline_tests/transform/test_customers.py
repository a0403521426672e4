"""`erp.customers` and `crm.organizations`: trimmed codes, who counts as a customer, one address line, whose it is."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from pipeline.transform.customers import to_customers
from pipeline.transform.organizations import to_organizations
from pipeline_tests.transform.frames import deletions, floats_in, frame, only_row, wall

ACCOUNT = {
    "id": "customer-1",
    "timestamp": 100,
    "code": "              1001",
    "name": "De Bloemenhof",
    "status": "C",
    "type": "A",
    "address_line1": "Straat 1",
    "postcode": "3011 AB",
    "city": "Rotterdam",
    "country": "NL ",
    "website": "www.bloemenhof.nl",
    "account_manager": "seller-1",
    "modified": wall("2026-07-15 12:00"),
}
CUSTOMER = {
    "administration": "nl",
    "customer_id": "customer-1",
    "debtor_code": "1001",
    "name": "De Bloemenhof",
    "address_line": "Straat 1",
    "postcode": "3011 AB",
    "city": "Rotterdam",
    "country_code": "NL",
    "website": "www.bloemenhof.nl",
    "account_manager_id": "seller-1",
}


def customer(*accounts: dict[str, Any], **deleted: int) -> dict[str, Any]:
    found = to_customers(
        frame(list(ACCOUNT), [ACCOUNT | account for account in accounts]),
        deletions(**deleted),
        administration="nl",
        time_zone="Europe/Amsterdam",
    )
    assert floats_in(found) == []
    return only_row(found)


def test_an_account_is_one_row_in_our_own_words():
    assert customer({}) == CUSTOMER | {
        "is_customer": True,
        "is_deleted": False,
        "modified_at": datetime(2026, 7, 15, 10, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("code", "expected"),
    [("              1001", "1001"), ("1001   ", "1001"), ("10 01", "10 01"), ("   ", None), ("", None), (None, None)],
)
def test_a_debtor_code_loses_the_blanks_exact_pads_it_with(code: str | None, expected: str | None):
    assert customer({"code": code})["debtor_code"] == expected


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        ("C", "A", True),
        (" C ", "A", True),
        ("C", None, True),
        ("C", "D", False),
        ("P", "A", False),
        ("S", "A", False),
        ("A", "A", False),
        (None, "A", False),
    ],
)
def test_only_an_account_exact_calls_a_customer_is_one(status: str | None, kind: str | None, expected: bool):
    assert customer({"status": status, "type": kind})["is_customer"] is expected


@pytest.mark.parametrize(("deleted_at", "gone"), [(99, False), (100, True), (101, True)])
def test_an_account_is_deleted_unless_it_changed_since(deleted_at: int, gone: bool):
    assert customer({}, customer_1=deleted_at)["is_deleted"] is gone


@pytest.mark.parametrize(
    "field", ["name", "address_line1", "postcode", "city", "country", "website", "account_manager"]
)
def test_what_an_account_leaves_empty_stays_empty(field: str):
    found = customer({field: None})
    assert list(found.values()).count(None) == (0 if field == "name" else 1)
    assert (found["name"] == "") is (field == "name")


@pytest.mark.parametrize(
    "field", [name for name in ACCOUNT if name not in ("id", "timestamp", "name", "status", "type")]
)
def test_an_account_with_a_gap_beside_one_without_still_has_a_gap(field: str):
    accounts = frame(list(ACCOUNT), [ACCOUNT, ACCOUNT | {"id": "customer-2", field: None}])
    found = to_customers(accounts, deletions(), administration="nl", time_zone="Europe/Amsterdam")
    (gap,) = [
        (first, second)
        for first, second in zip(*found.drop(columns="customer_id").to_numpy(), strict=True)
        if first != second
    ]
    assert gap[1] is None


# --- crm.organizations ---

E_MAILS = {"seller-1": "sanne@example.nl"}
FIGURES = {
    "last_order_date": date(2026, 7, 15),
    "revenue_12_months": Decimal("1234.56"),
    "open_amount": Decimal("0"),
    "currency": "EUR",
    "is_dormant": False,
}


def organization(default_owner: str | None = None, **fields: Any) -> dict[str, Any]:
    customers = frame([*CUSTOMER, *FIGURES], [CUSTOMER | FIGURES | fields])
    return only_row(to_organizations(customers, e_mails=E_MAILS, default_owner=default_owner))


def test_a_customer_is_an_organization():
    assert organization() == {
        "administration": "nl",
        "customer_id": "customer-1",
        "name": "De Bloemenhof",
        "debtor_code": "1001",
        "address": "Straat 1, 3011 AB Rotterdam, NL",
        "postcode": "3011AB",
        "website": "www.bloemenhof.nl",
        "owner_e_mails": ["sanne@example.nl"],
        **FIGURES,
    }


@pytest.mark.parametrize(
    ("empty", "address"),
    [
        ((), "Straat 1, 3011 AB Rotterdam, NL"),
        (("address_line",), "3011 AB Rotterdam, NL"),
        (("postcode",), "Straat 1, Rotterdam, NL"),
        (("city",), "Straat 1, 3011 AB, NL"),
        (("postcode", "city"), "Straat 1, NL"),
        (("country_code",), "Straat 1, 3011 AB Rotterdam"),
        (("address_line", "postcode", "city"), "NL"),
        (("address_line", "postcode", "city", "country_code"), None),
    ],
)
def test_empty_parts_of_an_address_are_left_out(empty: tuple[str, ...], address: str | None):
    assert organization(**dict.fromkeys(empty))["address"] == address


@pytest.mark.parametrize(
    ("manager", "default", "owners"),
    [
        ("seller-1", None, ["sanne@example.nl"]),
        ("SELLER-1", "team@example.nl", ["sanne@example.nl", "team@example.nl"]),
        ("seller-1", "sanne@example.nl", ["sanne@example.nl"]),
        ("seller-2", "team@example.nl", ["team@example.nl"]),
        (None, None, []),
    ],
)
def test_an_organization_belongs_to_the_account_manager_then_the_default(
    manager: str | None, default: str | None, owners: list[str]
):
    assert organization(default, account_manager_id=manager)["owner_e_mails"] == owners


@pytest.mark.parametrize(("name", "shown"), [("x" * 300, "x" * 255), ("", "1001"), ("🌷", "🌷")])
def test_an_organization_always_has_a_name(name: str, shown: str):
    assert organization(name=name)["name"] == shown
