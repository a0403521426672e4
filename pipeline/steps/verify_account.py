"""The Pipedrive account as it is now: users, custom fields and deals, by list requests only; nothing is made there."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import BudgetSpent
from pipeline.pipedrive import setup
from pipeline.pipedrive.client import PAGE, PipedriveClient
from pipeline.pipedrive.fields import PATHS
from pipeline.pipedrive.schema import User

MOST_PAGES = 40  # of deals, 10 tokens each
_RECOVERY = ("deal", "Exact order-ID")


@dataclass
class Account:
    """What was seen; `users` is None when not even they were. What was not seen has a sentence each."""

    users: dict[str, User] | None = None  # by e-mail, lower case
    fields: list[tuple[str, str, str]] = field(default_factory=list)  # entity, name, type of each custom field
    deals: int = 0  # outside the archive
    ours: int = 0  # of those, how many carry an order's id
    unseen: list[str] = field(default_factory=list)

    @property
    def seats(self) -> int:
        """Users who are active; Pipedrive does not tell how many seats are paid for."""
        return sum(user.is_active for user in (self.users or {}).values()) or 1

    @property
    def types(self) -> dict[tuple[str, str], str]:
        """The type of each custom field, by entity and name."""
        return {(entity, name): kind for entity, name, kind in self.fields}


def read_account(client: PipedriveClient) -> Account:
    """Reads it as far as the day's tokens for history go."""
    account = Account()
    try:
        account.users = setup.users(client)
        keys: list[str] = []
        for entity in PATHS:
            found = setup.custom_fields_of(client, entity)
            account.fields += [(entity, str(one["field_name"]), str(one["field_type"])) for one in found]
            keys += [str(one["field_code"]) for one in found if (entity, one["field_name"]) == _RECOVERY]
        _count_deals(client, account, keys)
    except BudgetSpent as spent:
        account.unseen.append(f"Pipedrive: {spent}")
    return account


def _count_deals(client: PipedriveClient, account: Account, keys: Iterable[str]) -> None:
    for number, page in enumerate(client.pages("/api/v2/deals"), start=1):
        account.deals += len(page)
        account.ours += sum(_is_ours(deal, keys) for deal in page)
        if len(page) < PAGE:
            return
        if number == MOST_PAGES or client.ledger.may_spend(live=False) <= 0:
            account.unseen.append(f"Pipedrive: deals after the first {account.deals:,}")
            return


def _is_ours(deal: dict[str, Any], keys: Iterable[str]) -> bool:
    fields = deal.get("custom_fields") or {}
    return any(fields.get(key) for key in keys)
