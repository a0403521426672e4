"""The simulator itself: one request after another, through faults, login, limits and endpoint to its answer.

No endpoint's own rules here; which endpoints there are, the request modules list.
"""

import threading
import uuid
from typing import Any

from pipeline.sandbox.pipedrive import (
    activity_requests,
    control,
    deal_extra_requests,
    deal_product_requests,
    deal_requests,
    field_requests,
    filters,
    lookup_requests,
    note_requests,
    organization_requests,
    person_requests,
    pipeline_requests,
    product_requests,
    queries,
    refusals,
    search_requests,
    sending,
    user_requests,
    webhook_requests,
)
from pipeline.sandbox.pipedrive.clock import Clock
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.faults import BEFORE, Fault, Faults, broken
from pipeline.sandbox.pipedrive.metering import Meter
from pipeline.sandbox.pipedrive.oauth import OAuth
from pipeline.sandbox.pipedrive.requests import Call, Route, body_of
from pipeline.sandbox.pipedrive.routing import Routing, path_values
from pipeline.sandbox.pipedrive.settings import Settings
from pipeline.sandbox.pipedrive.snapshot import snapshot
from pipeline.sandbox.wire import Request, Response

_MODULES = (
    deal_requests,
    deal_product_requests,
    deal_extra_requests,
    product_requests,
    organization_requests,
    person_requests,
    pipeline_requests,
    field_requests,
    filters,
    search_requests,
    user_requests,
    lookup_requests,
    note_requests,
    activity_requests,
    webhook_requests,
)
ROUTES = [route for module in _MODULES for route in module.ROUTES]
_ROUTING = Routing(ROUTES)

_APP = "sandbox"


class Pipedrive:
    """A simulated account: call it with a request. One request at a time, whichever thread it comes from."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings, self.clock = settings, clock
        self.company = Company(settings, clock)
        self.meter = Meter(settings, clock)
        self.faults = Faults()
        self.company.event_fault = self.faults.next_event
        self._pages: dict[str, tuple[str, bytes]] = {}  # by endpoint, the page that was shown last
        self.counters = control.Counters()
        self.oauth = OAuth(clock)
        self._sender: sending.Sender | None = None
        self.lock = threading.RLock()

    def __call__(self, request: Request) -> Response:
        if request.path.startswith(control.PREFIX):
            return control.respond(self, request)
        with self.lock:
            if request.path.startswith("/oauth/"):
                return self.oauth.respond(request)
            response = self._respond(request)
            if self._sender is None and self.company.deliveries and self.settings.sends_webhooks:
                self._sender = sending.Sender(self.deliver)
            return response

    def state(self, *only: str) -> dict[str, Any]:
        """What GET /__sandbox/state tells, without HTTP."""
        with self.lock:
            return snapshot(self.company, set(only) or None)

    def advance(self, seconds: float) -> None:
        """Moves the clock, and does what becomes due on the way."""
        with self.lock:
            self.clock.advance(seconds)
            self.company.settle()

    def deliver(self, post: sending.Post = sending.post) -> int:
        """Posts the webhook events that are due, and tells how many there were."""
        if self.company.deliveries is None:
            return 0
        with self.lock:
            self.company.settle()
            ready = self.company.deliveries.due()
        for delivery in ready:
            status = sending.send(delivery, post)
            with self.lock:
                self.company.deliveries.done(delivery, status)
        return len(ready)

    def close(self) -> None:
        """Ends what runs beside the requests."""
        if self._sender is not None:
            self._sender.stop()

    def _respond(self, request: Request) -> Response:
        routes, texts = _ROUTING.find(request.path)
        route = routes.get(request.method)
        template = route.template if route else next((r.template for r in routes.values()), "(unknown path)")
        endpoint = f"{request.method} {template}"
        fault = self._fault(request, template) if self.faults.open else None
        if fault is not None and fault.kind in BEFORE:
            response = self._broken_before(fault, request, route)
        else:
            response = self._answered(request, routes, texts, endpoint)
            path, page_before = self._pages.get(template, ("", None))
            if route is not None and route.has_pages:
                self._pages[template] = (request.path, response.body)
            if fault is not None:
                response = broken(fault, response, page_before if path == request.path else None)
        self.counters.count(endpoint, 0 if response.dropped else response.status)
        return response

    def _fault(self, request: Request, template: str) -> Fault | None:
        is_next_page = request.method == "GET" and "cursor=" in request.query
        return self.faults.next(request.method, request.path, template, is_next_page=is_next_page)

    def _broken_before(self, fault: Fault, request: Request, route: Route | None) -> Response:
        if not fault.kind.endswith("429"):
            return broken(fault, Response())
        is_search = route is not None and route.is_search
        caller = self._caller(request) or self.settings.api_token
        daily = fault.kind == "daily_429"
        return self.meter.refuse(caller, is_search=is_search, burst=not daily, daily=daily)

    def _answered(self, request: Request, routes: dict[str, Route], texts: tuple[str, ...], endpoint: str) -> Response:
        caller = self._caller(request)
        if caller is None:
            return refusals.unauthorized(str(uuid.uuid4()))
        route = routes.get(request.method)
        if route is None:
            is_v2 = not request.path.startswith(("/v1/", "/api/v1/"))
            html = is_v2 and self.settings.unknown_v2_path == "html"
            return refusals.wrong_method(list(routes)) if routes else refusals.unknown_path(html=html)
        self.company.settle()
        cost = route.cost if isinstance(route.cost, int) else route.cost(self.company)
        if refusal := self.meter.admit(caller, cost, is_search=route.is_search, is_write=route.is_write):
            return refusal
        response = self._handled(route, texts, request, endpoint)
        if response.status < 400 or self.settings.charge_refused:
            self.meter.charge(endpoint, cost)
        response.headers |= self.meter.headers(caller, is_search=route.is_search)
        return response

    def _handled(self, route: Route, texts: tuple[str, ...], request: Request, endpoint: str) -> Response:
        try:
            ids = path_values(route, texts)
            pairs = [pair for pair in request.params if pair[0] != "api_token"] if request.query else []
            query = queries.parsed(pairs, route.query, self.settings)
            body = body_of(route, self.company, request.body)
            response = route.handler(Call(self.company, ids, query, body, endpoint))
        except refusals.Refused as refusal:
            return refusal.response()
        self.company.settle()
        return response

    def _caller(self, request: Request) -> str | None:
        """Whose request it is: the header comes first, the query is still taken."""
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and "x-api-token" not in request.headers:
            return f"app {_APP}" if self.oauth.knows(bearer) else None
        token = request.headers.get("x-api-token")
        if token is None and "api_token" in request.query and self.settings.query_token == "taken":
            token = dict(request.params).get("api_token")
        return token if token == self.settings.api_token else None
