"""Somebody who was erased is let in again: by mistake, or because he came back. Exact Online still knows him."""

from pathlib import Path

from sqlalchemy import Engine, text

from pipeline.config import Config
from pipeline.domain.erasure import Asked
from pipeline.errors import GiveUp
from pipeline.exact_online import feeds
from pipeline.steps import erasures
from pipeline.steps.erase import feeds_at_rest, meant
from pipeline.steps.erasures import CONTACT, PERSON, PIPEDRIVE
from pipeline.steps.landing import begin_feed

_FEEDS = {CONTACT: feeds.CONTACTS, erasures.ACCOUNT: feeds.ACCOUNTS}
_PERSON = "SELECT person_id FROM pipedrive.persons WHERE administration = :administration AND contact_id = :key"


def let_in_again(engine: Engine, config: Config, asked: Asked, folder: Path) -> None:
    """Forgets that the record was erased, and lets its feed be read from the beginning: what Exact says comes back.

    Raises GiveUp when it was not erased here. Contacts of an account are let in one by one.
    """
    with feeds_at_rest(engine, config), engine.begin() as tx:
        ((name, kind, key),) = meant(tx, config, asked)
        if not erasures.forget(tx, (name, kind, key), folder):
            raise GiveUp(f"The {kind} {key} was not erased here, so there is nothing to let in again.")
        if kind == CONTACT:
            for row in tx.execute(text(_PERSON), {"administration": name, "key": key}).all():
                erasures.forget(tx, (PIPEDRIVE, PERSON, str(row.person_id)), folder)
        begin_feed(tx, name, _FEEDS[kind], 0)
