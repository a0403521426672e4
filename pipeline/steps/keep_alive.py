"""Keeps the chain of tokens alive: a refresh token that nobody uses for thirty days is lost, and a person must come."""

from datetime import timedelta

from sqlalchemy import Engine, text

from pipeline.exact_online.client import ExactOnlineClient

RENEWED_EVERY = timedelta(days=1)


def keep_alive(engine: Engine, client: ExactOnlineClient) -> bool:
    """Renews the tokens when the last renewal was a day ago, by a question that costs no call of the day."""
    with engine.connect() as connection:
        recent = connection.execute(text(_RECENT), {"every": RENEWED_EVERY}).scalar()
    if not recent:
        client.me()
    return not recent


_RECENT = "SELECT bool_or(issued_at > now() - CAST(:every AS interval)) FROM state.tokens WHERE name = 'exact_online'"
