"""What the fields of Me, divisions and the log of deletions are read from."""

from collections.abc import Mapping
from datetime import datetime

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_rows import Deletion
from pipeline.sandbox.exact_online.columns_orders import API_USER, sync_id
from pipeline.sandbox.exact_online.resources import Columns, constant, plain
from pipeline.sandbox.exact_online.settings import Settings
from pipeline.sandbox.exact_online.values import EMPTY_GUID, WallClock, padded, padded_code

WHO = {
    "UserID": API_USER[0],
    "UserName": "sanne@sandbox.example",
    "Email": "sanne@sandbox.example",
    "FullName": API_USER[1],
    "FirstName": "Sanne",
    "MiddleName": "de",
    "LastName": "Vries",
    "Language": "NL",
    "LanguageCode": "nl-NL",
    "Legislation": 1,
    "DivisionCustomerSiretNumber": "",
    "EmployeeID": EMPTY_GUID,  # none
}
FOUNDED_MS = 1_577_836_800_000


def me_columns(company: Company, clock: WallClock) -> Columns:
    """The user whose consent the app works with; `CurrentDivision` is whatever that user has open."""

    def server_time(row: object) -> str:
        return datetime.fromtimestamp(company.clock.now_ms / 1000, clock.zone).strftime("%Y-%m-%dT%H:%M:%S")

    def offset(row: object) -> int:
        found = datetime.fromtimestamp(company.clock.now_ms / 1000, clock.zone).utcoffset()
        return int(found.total_seconds()) if found else 0

    return {
        **{name: constant(value) for name, value in WHO.items()},
        "CurrentDivision": constant(company.division),
        "AccountingDivision": constant(company.division),
        "DivisionCustomer": constant(API_USER[0]),
        "DivisionCustomerCode": constant(padded_code("1265594")),
        "DivisionCustomerName": constant(company.name),
        "ServerTime": server_time,
        "ServerUtcOffset": offset,
    }


def division_columns(companies: Mapping[int, Company]) -> Columns:
    """The companies this user may see; the rows are the companies themselves."""
    first = next(iter(companies))
    order = list(companies)
    return {
        **plain(Code="division", Description="name", CustomerName="name", DivisionMoveDate="moved_on"),
        "Hid": lambda company: order.index(company.division) + 1,
        "HID": lambda company: order.index(company.division) + 1,
        "CustomerCode": constant(padded_code("1265594")),
        "Customer": constant(API_USER[0]),
        "Country": constant(padded("NL", 3)),
        "CountryDescription": constant("Nederland"),
        "Legislation": constant(padded("NL", 3)),
        "Currency": constant("EUR"),
        "CurrencyDescription": constant("Euro"),
        "Current": lambda company: company.division == first,
        "Main": lambda company: company.division == first,
        "IsMainDivision": lambda company: company.division == first,
        "Status": constant(1),
        "BlockingStatus": constant(0),
        "Created": constant(FOUNDED_MS),
        "Modified": constant(FOUNDED_MS),
        "Creator": constant(API_USER[0]),
        "CreatorFullName": constant(API_USER[1]),
    }


def subscription_columns(company: Company, settings: Settings) -> Columns:
    """Webhook subscriptions of this app."""
    return {
        **plain(ID="id", Topic="topic", CallbackURL="callback_url", Description="description", Created="created_ms"),
        "ClientID": constant(settings.client_id),
        "Creator": constant(API_USER[0]),
        "CreatorFullName": constant(API_USER[1]),
        "UserID": constant(API_USER[0]),
        "Division": constant(company.division),
    }


def deletion_columns(company: Company, settings: Settings) -> Columns:
    """The log of deletions; `EntityKey` is the GUID of what is gone."""

    def key(deletion: Deletion) -> str:
        if deletion.entity_type == 32 and settings.deleted_order_key == "ID":
            return sync_id(deletion.entity_key, settings)
        return deletion.entity_key

    return {
        **plain(ID="id", EntityType="entity_type", Timestamp="timestamp", DeletedDate="deleted_ms"),
        "EntityKey": key,
        "DeletedBy": constant(API_USER[0]),
        "Division": constant(company.division),
    }
