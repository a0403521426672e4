"""Contacts of Exact Online, read by account and written: beside subscriptions all that is ever written there.

What to write, and whether, is decided elsewhere; without `contacts_to_exact` nobody calls the writing half.
"""

from collections.abc import Mapping
from typing import Any

from pipeline.domain.contact_changes import Contact
from pipeline.errors import HoldRow, OutcomeUnknown, RetryLater
from pipeline.exact_online import limits
from pipeline.exact_online.client import ExactOnlineClient, checked
from pipeline.exact_online.odata import plain, rows_of

PATH = "crm/Contacts"
_ID = "ID"
_FIELDS = {
    "customer_id": "Account",
    "first_name": "FirstName",
    "middle_name": "MiddleName",
    "last_name": "LastName",
    "e_mail": "Email",
    "business_e_mail": "BusinessEmail",
    "phone": "Phone",
    "business_phone": "BusinessPhone",
    "mobile": "Mobile",
    "business_mobile": "BusinessMobile",
}


def contacts_of(client: ExactOnlineClient, account: str) -> list[Contact]:
    """The contacts of an account as they stand now; one call for up to sixty of them."""
    return _read(client, f"Account eq guid'{account}'")


def contact_there(client: ExactOnlineClient, contact_id: str) -> Contact | None:
    """The contact as it stands now, at whichever account; None when it is gone."""
    return next(iter(_read(client, f"ID eq guid'{contact_id}'")), None)


def make_contact(client: ExactOnlineClient, values: Mapping[str, str | None], *, again: bool = False) -> str:
    """Makes a contact and returns its id, which is all that the answer tells.

    Raises HoldRow when Exact refuses it, OutcomeUnknown when it may have been made all the same. `again` says that the
    same was sent before and found undone: an error Exact gives a reason for is a refusal then, whatever its status.
    """
    answer = _write(client, "POST", PATH, values, again=again)
    try:
        return str(rows_of(answer)[0][_ID])
    except (LookupError, RetryLater):
        raise OutcomeUnknown(f"Exact Online answered POST {PATH} without the new contact's ID") from None


def change_contact(
    client: ExactOnlineClient, contact_id: str, values: Mapping[str, str | None], *, again: bool = False
) -> None:
    """Changes those fields of a contact; raises as `make_contact` does."""
    _write(client, "PUT", f"{PATH}(guid'{contact_id}')", values, again=again)


def _read(client: ExactOnlineClient, condition: str) -> list[Contact]:
    pages = client.pages(PATH, select=",".join([_ID, *_FIELDS.values()]), filter=condition)
    return [
        Contact(str(row[_ID]), **{name: _trimmed(row.get(field)) for name, field in _FIELDS.items()})
        for page in pages
        for row in page
    ]


def _write(client: ExactOnlineClient, method: str, path: str, values: Mapping[str, str | None], *, again: bool) -> Any:
    response = client.send(method, path, {_FIELDS[name]: value for name, value in values.items()})
    said, status = limits.reason_of(response), response.status_code
    is_broken = status == 408 or status >= 500
    if status == 400 or (status == 404 and method == "PUT") or (is_broken and again and said):
        raise HoldRow(f"Exact Online refused it: {status} {said or 'without a reason'}")
    if is_broken:
        raise OutcomeUnknown(f"Exact Online answered {method} {PATH} with {status} {said}".strip())
    checked(response)
    try:
        return response.json() if response.content else {}
    except ValueError:
        raise OutcomeUnknown(f"Exact Online's answer to {method} {PATH} can't be read") from None


def _trimmed(value: object) -> str | None:
    text = plain(value)
    return (text.strip() or None) if isinstance(text, str) else None
