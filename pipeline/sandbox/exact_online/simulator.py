"""The simulator as a whole: takes a request apart, checks token, limits and division, and hands it on."""

import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_clock import SandboxClock
from pipeline.sandbox.company_day import TradingDay
from pipeline.sandbox.company_hours import BusinessHours
from pipeline.sandbox.exact_online.answers import Refusal
from pipeline.sandbox.exact_online.control import Control
from pipeline.sandbox.exact_online.division import Division
from pipeline.sandbox.exact_online.faults import BEFORE, Fault, Faults, instead_of_work, upon
from pipeline.sandbox.exact_online.limits import Limits
from pipeline.sandbox.exact_online.oauth import Tokens
from pipeline.sandbox.exact_online.settings import Settings
from pipeline.sandbox.exact_online.values import WallClock
from pipeline.sandbox.wire import Request, Response

_API = re.compile(r"/api/v1/(?P<division>\d{1,9})/(?P<rest>.+)")
ME = "/api/v1/current/Me"
TOKEN_ENDPOINT = "oauth2/token"


class ExactOnlineSimulator:
    """Exact Online for the companies it was given; call it with a request."""

    def __init__(self, companies: Mapping[int, Company], settings: Settings) -> None:
        self.settings = settings
        self.companies = dict(companies)
        self.home = next(iter(self.companies))
        self.clock: SandboxClock = self.companies[self.home].clock
        for number, company in self.companies.items():
            company.division, company.clock = number, self.clock
        self.tokens = Tokens(settings, lambda: self.clock.now_ms)
        self.limits = Limits(settings)
        self.faults = Faults()
        self.calls: Counter[str] = Counter()
        wall_clock = WallClock(settings.time_zone)
        self.divisions = {number: Division(number, self.companies, settings, wall_clock) for number in self.companies}
        self._control = Control(self)
        self._lock = threading.RLock()
        self._trading = threading.Event()

    def __call__(self, request: Request) -> Response:
        """Answers one request, faults included."""
        with self._lock:
            if request.path.startswith("/__sandbox/"):
                return self._control(request)
            fault = self.faults.next_for(request)
            if fault and fault.kind in BEFORE:
                return self._refused_by(fault, request)
            response = self._answer(request)
            return upon(response, fault, request) if fault else response

    def _refused_by(self, fault: Fault, request: Request) -> Response:
        """What a fault makes of a request that is not worked on."""
        _, division = self._endpoint(request.path)
        if fault.kind == "expired_token":
            self.tokens.expire()
            return self._unauthorized()
        if fault.kind in ("minute_limit", "day_limit"):
            return self.limits.hit(division, self.clock.now_ms, daily=fault.kind == "day_limit")
        return instead_of_work(fault)

    def _unauthorized(self) -> Response:
        return Response(401, {}, self.settings.body_of_401.encode())

    def live(
        self,
        *,
        events_per_minute: float = 6.0,
        speed: float | None = None,
        seed: int = 1,
        told: Callable[[str], None] = lambda line: None,
    ) -> TradingDay:
        """From now on the first company trades by itself, in a thread of its own; with `speed`, in business hours."""
        self.stop()
        hours = BusinessHours(speed=speed) if speed is not None else None
        company = self.companies[self.home]
        day = TradingDay(company, events_per_minute=events_per_minute, hours=hours, seed=seed)
        self._trading = stopped = threading.Event()

        def trade() -> None:
            while not stopped.wait(0.25):
                with self._lock:
                    news = [day.happened[-place] for place in range(day.pass_time(), 0, -1)]
                for line in news:
                    told(f"{hours.hour_at(day.seconds)}  {line}" if hours else line)

        threading.Thread(target=trade, name="trading day", daemon=True).start()
        return day

    def stop(self) -> None:
        """Nobody trades any more."""
        self._trading.set()

    def _answer(self, request: Request) -> Response:
        if request.path == "/api/oauth2/token":
            return self._token(request)
        if request.path == "/api/oauth2/auth" and request.method == "GET":
            return self.tokens.consent(request)
        header = request.headers.get("authorization", "")
        endpoint, division = self._endpoint(request.path)
        self.calls[endpoint] += 1
        now = self.clock.now_ms
        if not self.tokens.is_valid(header):
            if self.tokens.was_valid(header):
                self.limits.note(division, endpoint, 401, now)
            return self._unauthorized()
        refused = self.limits.refusal(division, endpoint, now, daily=request.path != ME)
        if refused:
            return refused
        response = self._from_division(request, division)
        self.limits.note(division, endpoint, response.status, now)
        response.headers.update(self.limits.headers(division, now))
        return response

    def _token(self, request: Request) -> Response:
        self.calls[TOKEN_ENDPOINT] += 1
        if self.limits.is_blocked(0, TOKEN_ENDPOINT, self.clock.now_ms):
            return self.limits.blocked(self.home, self.clock.now_ms)
        response = self.tokens.token(request)
        self.limits.note(0, TOKEN_ENDPOINT, response.status, self.clock.now_ms)
        return response

    def _endpoint(self, path: str) -> tuple[str, int]:
        """What limits count by: the resource without its key, and the division."""
        match = _API.fullmatch(path)
        rest, division = (
            (match["rest"], int(match["division"])) if match else (path.removeprefix("/api/v1/"), self.home)
        )
        return re.sub(r"\(.*?\)", "", rest).removesuffix("/$count"), division

    def _from_division(self, request: Request, division: int) -> Response:
        try:
            if request.path == ME:
                return self.divisions[self.home].me(request)
            match = _API.fullmatch(request.path)
            if not match:
                raise Refusal(404, f"Resource not found for the segment '{request.path.rsplit('/', 1)[-1]}'.")
            if division not in self.divisions:
                raise Refusal(403, "Forbidden", reason="NoDivisionAccess")
            return self.divisions[division].answer(request, match["rest"])
        except Refusal as refusal:
            return refusal.response()
