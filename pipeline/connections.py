"""Environment → ready clients. Where a client's transports, timeouts and credentials meet; nothing is asked here."""

import httpx
from sqlalchemy import Engine

from pipeline.config import Config
from pipeline.exact_online import limits as exact_limits
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.exact_online.limits import LimitedTransport
from pipeline.exact_online.oauth import RefreshingAuth
from pipeline.pipedrive import limits as pipedrive_limits
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.connection import KeptConnection
from pipeline.pipedrive.ledger import Ledger
from pipeline.pipedrive.limits import MeteredTransport
from pipeline.pipedrive.parallel import TransportPerThread
from pipeline.retry import RetryTransport
from pipeline.settings import Settings
from pipeline.warehouse.exact_limits import SharedLimits
from pipeline.warehouse.tokens import StoredTokens, cipher_of

_EXACT_TIMEOUT = httpx.Timeout(120.0, connect=10.0)  # seconds; a bulk page of 1,000 orders takes Exact a while


def exact_client(settings: Settings, config: Config, engine: Engine, administration: str) -> ExactOnlineClient:
    """A client for one administration's division."""
    base_url = settings.exact_base_url
    limited = LimitedTransport(httpx.HTTPTransport(), SharedLimits(engine, administration))
    http = httpx.Client(
        base_url=base_url,
        auth=RefreshingAuth(
            exact_tokens(settings, engine),
            base_url=base_url,
            client_id=settings.required("EXACT_CLIENT_ID"),
            client_secret=settings.required("EXACT_CLIENT_SECRET"),
        ),
        headers={"Accept": "application/json"},
        timeout=_EXACT_TIMEOUT,
        transport=RetryTransport(limited, exact_limits.retry_policy()),
    )
    return ExactOnlineClient(http, config.administration(administration).division)


def exact_tokens(settings: Settings, engine: Engine) -> StoredTokens:
    """The chain of tokens that all administrations have in common: one app, one user."""
    return StoredTokens(
        engine,
        "exact_online",
        cipher_of(settings.required("PIPELINE_SECRET_KEY")),
        settings.environment.get("EXACT_REFRESH_TOKEN", "").strip(),
    )


def pipedrive_client(settings: Settings, ledger: Ledger) -> PipedriveClient:
    """A client for the account; what it spends is booked in the ledger."""
    context = httpx.create_ssl_context()  # one for all threads: each takes a while to make
    inner = TransportPerThread(lambda: KeptConnection(context))
    transport = RetryTransport(MeteredTransport(inner, ledger), pipedrive_limits.retry_policy())
    return PipedriveClient(transport, settings.pipedrive_base_url, settings.required("PIPEDRIVE_API_TOKEN"), ledger)
