"""A whole world in one process: the simulated ERP, the simulated CRM, a warehouse between them, and the steps in order.

Journeys that need real processes start those (`flows/`); this one is for what only needs real answers and a real
database, quickly.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any

import httpx
from sqlalchemy import Engine, text

from pipeline.config import Config
from pipeline.domain.oauth_tokens import Tokens
from pipeline.exact_online import feeds
from pipeline.exact_online import limits as exact_limits
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.exact_online.limits import LimitedTransport
from pipeline.exact_online.oauth import RefreshingAuth
from pipeline.pipedrive import limits as pipedrive_limits
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.ledger import Ledger
from pipeline.pipedrive.limits import BurstWindow, MeteredTransport
from pipeline.retry import RetryTransport
from pipeline.sandbox.company import Company, seeded_company
from pipeline.sandbox.company_clock import SandboxClock
from pipeline.sandbox.exact_online import simulated_exact_online
from pipeline.sandbox.pipedrive import simulated_pipedrive
from pipeline.steps import landing, refresh_crm, refresh_erp, refresh_invoices
from pipeline.steps.apply import apply
from pipeline.steps.contacts_to_exact import Sent, contacts_to_exact
from pipeline.steps.division_move import read_again_if_needed
from pipeline.steps.dormant_customers import refresh_dormant_customers
from pipeline.steps.invoices import land_payment_terms, land_sales_invoices
from pipeline.steps.order_history import land_history, window
from pipeline.steps.order_status import rebuild_order_status
from pipeline.steps.outcomes import Report
from pipeline.steps.refresh_persons import refresh_persons
from pipeline.steps.refresh_salespeople import refresh_salespeople
from pipeline.steps.revenue import refresh_revenue
from pipeline.steps.standard_prices import land_standard_prices
from pipeline.warehouse.exact_limits import SharedLimits
from pipeline.warehouse.tables import exact_online as tables
from pipeline_tests.sandbox.simulator_transport import SimulatorTransport

EXACT, PIPEDRIVE = "http://exact.sandbox.example", "http://pipedrive.sandbox.example"
SALESPEOPLE = {
    f"6f9619ff-8b86-d011-b42d-00cf4fc9640{number}": f"{name}@sandbox.example"
    for number, name in enumerate(("sanne", "daan", "lotte", "bram", "femke", "jonas"), start=1)
}
SETTINGS: dict[str, Any] = {
    "administrations": [{"name": "nl", "source": "exact_online", "division": 123456, "time_zone": "Europe/Amsterdam"}],
    "salespeople": SALESPEOPLE,
}


class TokensByTheClock:
    """One chain of Exact's tokens in memory, whose age goes by the simulated clock."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock, self._issued_ms, self._tokens = clock, 0, Tokens("sandbox")

    def read(self) -> Tokens:
        """The tokens as they stand."""
        return Tokens(self._tokens.refresh, self._tokens.access, (self._clock.now_ms - self._issued_ms) / 1000)

    @contextmanager
    def locked(self) -> Iterator["TokensByTheClock"]:
        """Nobody else is there."""
        yield self

    def save(self, refresh: str, access: str) -> None:
        """Keeps a new pair."""
        self._tokens, self._issued_ms = Tokens(refresh, access), self._clock.now_ms

    def stop(self, sentence: str, credentials: str, seconds: float | None) -> None:
        """Nothing is remembered: what a chain that ended does is tried with the real store."""


class SimulatedWindow(BurstWindow):
    """A burst window on the simulated clock: waiting for it moves that clock and takes no time."""

    def __init__(self, world: "World", limit: int | None) -> None:
        super().__init__(limit, clock=world.pipedrive.clock.now)
        self._world = world

    def _pause(self, seconds: float) -> None:
        self._world.wait(seconds)
        self._changed.wait(0.001)  # lets the others in, whose answers give slots back


@dataclass
class World:
    """Both sides and the warehouse between them. Waiting moves the simulated clocks and takes no time.

    `erp` and `account` are settings of the simulated Exact Online and of the simulated Pipedrive; our own clock goes
    `skew` seconds ahead of Exact's.
    """

    engine: Engine
    company: Company = field(default_factory=lambda: seeded_company(orders=40))
    settings: dict[str, Any] = field(default_factory=lambda: SETTINGS)
    erp: dict[str, Any] = field(default_factory=dict)
    account: dict[str, Any] = field(default_factory=dict)
    slept: list[float] = field(default_factory=list)
    skew: float = 0.0

    def __post_init__(self) -> None:
        self.config = Config.model_validate(self.settings)
        erp: dict[str, Any] = {"limits": False} | self.erp
        self.exact = simulated_exact_online(self.company, **erp)
        limits = {"burst": None, "search_burst": None, "daily_tokens": None, "search_lag_seconds": 0.0}
        self.pipedrive = simulated_pipedrive(**(limits | self.account))
        self.client = self._exact_client()

    def again_on(self, engine: Engine) -> "World":
        """This world once more, on a copy of its warehouse; what is done to one does not reach the other."""
        not_to_copy = {id(self.company.listeners): [], id(self.pipedrive.lock): RLock()}
        company, pipedrive = deepcopy((self.company, self.pipedrive), not_to_copy)
        again = replace(self, engine=engine, company=company, slept=[])
        again.pipedrive = pipedrive
        return again

    def wait(self, seconds: float) -> None:
        """Lets time pass on both sides."""
        self.slept.append(seconds)
        self.company.clock.advance(seconds)
        self.pipedrive.advance(seconds)

    def consent_again(self) -> None:
        """Begins a new chain of tokens: the one before has ended, or is given up."""
        self.control_exact("tokens", {})
        self.client = self._exact_client()

    def _exact_client(self) -> ExactOnlineClient:
        def now() -> float:
            return self.company.clock.now_ms / 1000 + self.skew

        shared = SharedLimits(self.engine, self.config.administrations[0].name, now=now)
        limited = LimitedTransport(SimulatorTransport(self.exact), shared, sleep=self.wait, now=now)
        credentials = {"client_id": "sandbox", "client_secret": "sandbox"}
        http = httpx.Client(
            base_url=EXACT,
            auth=RefreshingAuth(TokensByTheClock(self.company.clock), base_url=EXACT, **credentials),
            headers={"Accept": "application/json"},
            transport=RetryTransport(limited, exact_limits.retry_policy(now), sleep=self.wait),
        )
        return ExactOnlineClient(http, self.company.division, sleep=self.wait, now=now)

    def pipedrive_client(self, ledger: Ledger) -> PipedriveClient:
        """A client for the simulated account."""
        transport = RetryTransport(
            MeteredTransport(
                SimulatorTransport(self.pipedrive), ledger, window=lambda limit: SimulatedWindow(self, limit)
            ),
            pipedrive_limits.retry_policy(jitter=lambda: 0.0),
            sleep=self.wait,
        )
        return PipedriveClient(transport, PIPEDRIVE, "sandbox", ledger)

    def land(self) -> None:
        """Everything from the ERP into `exact_online`."""
        administration = self.config.administrations[0]
        with self.engine.connect() as connection:
            landed = connection.execute(text("SELECT count(*) FROM state.landed_months")).scalar_one()
        if not landed:
            months = window(administration, self.config.history.months)
            land_history(self.engine, lambda _: self.client, self.config, {administration.name: months})
        read_again_if_needed(self.engine, self.client, self.config, administration.name)
        self._feed(feeds.ACCOUNTS, tables.accounts, ("erp/customers",), "id")
        self._feed(feeds.CONTACTS, tables.contacts, ("erp/contacts",), "id")
        items = feeds.items_with(self.config.pipedrive.collection_field)
        self._feed(items, tables.items, ("erp/products",), "id")
        self._feed(feeds.ITEM_PRICES, tables.item_prices, ("erp/products",), "item")
        land_standard_prices(self.engine, self.client, administration)
        landing.land_item_groups(self.engine, self.client, administration.name)
        landing.land_order_changes(self.engine, self.client, administration)
        landing.land_order_line_changes(self.engine, self.client, administration.name)
        land_sales_invoices(self.engine, self.client, administration, months=self.config.history.months)
        land_payment_terms(self.engine, self.client, administration.name)
        landing.land_deletions(self.engine, self.client, administration.name)

    def _feed(self, feed: feeds.Feed, table: Any, pending: tuple[str, ...], key: str) -> None:
        landing.land_changes(self.engine, self.client, "nl", feed, table, pending=pending, pending_key=key)

    def refresh(self) -> None:
        """What landed on into `erp`, `crm` and the marts."""
        administration = self.config.administrations[0]
        refresh_erp.refresh_customers(self.engine, administration)
        refresh_erp.refresh_contacts(self.engine, administration)
        refresh_erp.refresh_item_groups(self.engine, administration)
        refresh_erp.refresh_products(self.engine, administration)
        refresh_salespeople(self.engine, administration)
        refresh_erp.refresh_orders(self.engine, administration)
        refresh_erp.refresh_order_lines(self.engine, administration)
        refresh_invoices.refresh_invoices(self.engine, administration)
        refresh_invoices.refresh_invoice_orders(self.engine, administration)
        refresh_invoices.refresh_receivables(self.engine, administration)
        refresh_crm.refresh_held(self.engine, self.config)
        refresh_crm.refresh_organizations(self.engine, self.config)
        refresh_persons(self.engine, self.config)
        refresh_crm.refresh_deals(self.engine, self.config)
        refresh_crm.refresh_deal_products(self.engine, self.config)
        refresh_crm.refresh_products(self.engine, self.config)
        refresh_revenue(self.engine)
        refresh_dormant_customers(self.engine, self.config)
        rebuild_order_status(self.engine, self.config)

    def write(self, daily_tokens: int = 10_000_000) -> Report:
        """What `crm` wants into Pipedrive."""
        return apply(self.engine, self.pipedrive_client, self.config, daily_tokens=daily_tokens)

    def carry_back(self) -> Sent:
        """Persons with the label "Naar Exact" to the ERP."""
        return contacts_to_exact(
            self.engine, self.pipedrive_client, lambda _: self.client, self.config, daily_tokens=10_000_000
        )

    def sync(self) -> Report:
        """One whole synchronisation."""
        self.land()
        self.refresh()
        report = self.write()
        self.carry_back()
        return report

    def ask(self, query: str, **parameters: Any) -> list[Any]:
        """Rows of the warehouse."""
        with self.engine.connect() as connection:
            return list(connection.execute(text(query), parameters).all())

    def control(self, path: str, body: Any = None) -> Any:
        """A control call to the simulated Pipedrive."""
        http = httpx.Client(base_url=PIPEDRIVE, transport=SimulatorTransport(self.pipedrive))
        response = http.request("GET" if body is None else "POST", f"/__sandbox/{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def control_exact(self, path: str, body: Any = None) -> Any:
        """A control call to the simulated Exact Online."""
        http = httpx.Client(base_url=EXACT, transport=SimulatorTransport(self.exact))
        response = http.request("GET" if body is None else "POST", f"/__sandbox/{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def control_off(self, path: str) -> None:
        """Takes back what a control call set."""
        httpx.Client(base_url=PIPEDRIVE, transport=SimulatorTransport(self.pipedrive)).delete(f"/__sandbox/{path}")

    def deals(self) -> dict[str, Any]:
        """The deals in Pipedrive by their "Exact order-ID"."""
        return {deal["custom_fields"]["Exact order-ID"]: deal for deal in self.control("state")["deals"]}

    def requests(self) -> dict[str, int]:
        """How often each endpoint of Pipedrive was asked."""
        return self.control("counters")["requests"]
