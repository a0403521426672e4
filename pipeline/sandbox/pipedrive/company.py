"""The simulated company's account: its people, records and fields, and what every write entails.

No HTTP and no request shapes: the request modules check, then write through here.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from pipeline.sandbox.pipedrive import deal_value, rows, search_documents
from pipeline.sandbox.pipedrive.clock import COMPANY_ZONE, Clock, days_before
from pipeline.sandbox.pipedrive.fields import Fields
from pipeline.sandbox.pipedrive.search_index import SearchIndex
from pipeline.sandbox.pipedrive.settings import Settings

Row = TypeVar("Row", bound=Any)
Listener = Callable[[str, str, Any, dict[str, Any] | None], None]
KEPT_DAYS = 30
_FIRST_USER = 20_480_001
_TEAM = (
    ("Sanne de Vries", "sanne"),
    ("Daan Bakker", "daan"),
    ("Lotte Jansen", "lotte"),
    ("Bram Visser", "bram"),
    ("Femke Smit", "femke"),
    ("Jonas Becker", "jonas"),
)
_STAGES = ("Qualified", "Contact Made", "Demo Scheduled", "Proposal Made", "Negotiations Started")


class Table(Generic[Row]):
    """Records of one kind by id; ids only ever grow, so their list is always sorted."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.ids: list[int] = []
        self.next_id = 1

    def add(self, row: Row) -> Row:
        """Keeps a record made with `next_id`."""
        self.rows[row.id] = row
        self.ids.append(row.id)
        self.next_id = row.id + 1
        return row

    def get(self, record_id: Any) -> Row | None:
        """The record while it is not deleted."""
        row = self.rows.get(record_id)
        return row if row is not None and not row.is_deleted else None

    def drop(self, record_id: int) -> None:
        """Forgets a record altogether."""
        del self.rows[record_id]
        place = bisect_left(self.ids, record_id)
        del self.ids[place : bisect_right(self.ids, record_id)]

    def live(self) -> Iterator[Row]:
        """Every record that is not deleted."""
        return (row for row in self.rows.values() if not row.is_deleted)


class Lines:
    """Every deal's product lines by attachment id. The deals hold them in order; this finds one."""

    def __init__(self) -> None:
        self.rows: dict[int, rows.DealProduct] = {}
        self.next_id = 1


class Company:
    """The whole state of one account."""

    currency = "EUR"
    zone = COMPANY_ZONE
    company_id = 7_654_321
    change_source = "api"  # who works at the moment: the API, or people in the app

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings, self.clock = settings, clock
        self.fields = Fields(settings.seed)
        self.deals: Table[rows.Deal] = Table()
        self.organizations: Table[rows.Organization] = Table()
        self.persons: Table[rows.Person] = Table()
        self.products: Table[rows.Product] = Table()
        self.pipelines: Table[rows.Pipeline] = Table()
        self.stages: Table[rows.Stage] = Table()
        self.lines = Lines()
        self.notes: Table[rows.Note] = Table()
        self.activities: Table[rows.Activity] = Table()
        self.filters: Table[Any] = Table()
        self.search = SearchIndex(settings.search_lag_seconds)
        self.listeners: list[Listener] = []
        self.pictures: Callable[[str, Any], dict[str, Any]] | None = None  # how listeners want a record drawn
        self.notes_of: dict[tuple[str, int], list[int]] = {}
        self.deals_counted = 0  # what the plan's cap counts: not deleted, not archived
        self.deals_of_org: dict[int, list[int]] = {}
        self._revaluing: deque[tuple[float, rows.Deal]] = deque()
        self.deliveries: Any = None  # webhooks, once there is one
        self.event_fault: Callable[[str], Any] = lambda name: None  # what a test has ordered to befall a webhook event
        self.users = {user.id: user for user in _team()}
        self.me = self.users[_FIRST_USER]
        self._first_pipeline()

    def table(self, entity: str) -> Table[Any]:
        """The records of an entity by its API name."""
        return getattr(self, f"{entity}s" if entity != "activity" else "activities")

    def active_user(self, user_id: Any) -> rows.User | None:
        """A colleague who can own records."""
        user = self.users.get(user_id)
        return user if user is not None and user.is_active else None

    def created(self, entity: str, row: Any) -> None:
        """A record is new: the index and the listeners learn of it."""
        self._index(entity, row)
        for listener in self.listeners:
            listener(entity, "create", row, None)

    @contextmanager
    def editing(self, entity: str, row: Any) -> Iterator[None]:
        """Around every change of a record: its update_time moves, the index and the listeners learn of it."""
        before = self.pictures(entity, row) if self.listeners and self.pictures else None
        yield
        row.update_time = self.clock.text()
        self._index(entity, row)
        for listener in self.listeners:
            listener(entity, "change", row, before)

    def delete(self, entity: str, row: Any) -> None:
        """Soft: the record is kept for thirty days and shown nowhere but on request."""
        if row.is_deleted:
            return
        before = self.pictures(entity, row) if self.listeners and self.pictures else None
        if entity == "deal":
            self.deals_counted -= not row.is_archived
        row.is_deleted, row.deleted_at = True, self.clock.text()
        row.update_time = row.deleted_at
        self.search.note(self.clock.now(), entity, row.id, None)
        for listener in self.listeners:
            listener(entity, "delete", row, before)

    def line_changed(self, action: str, line: rows.DealProduct, before: dict[str, Any] | None = None) -> None:
        """The listeners learn of a product line."""
        for listener in self.listeners:
            listener("deal_product", action, line, before)

    def purged_before(self) -> str:
        """What was deleted before this moment is gone for good."""
        return days_before(self.clock.now(), KEPT_DAYS)

    def lines_changed(self, deal: rows.Deal) -> None:
        """The value follows a deal's product lines, a while later."""
        self._revaluing.append((self.clock.now() + self.settings.recalculation_seconds, deal))

    def settle(self) -> None:
        """Does the account's own bookkeeping that has become due: deal values, search index."""
        now = self.clock.now()
        while self._revaluing and self._revaluing[0][0] <= now:
            _, deal = self._revaluing.popleft()
            figures = deal_value.figures(deal, self.settings)
            if figures != (deal.value, deal.acv, deal.arr, deal.mrr) or self.settings.lines_touch_deal:
                with self.editing("deal", deal):
                    deal.value, deal.acv, deal.arr, deal.mrr = figures
        self.search.settle(now)

    def reindexed(self, entity: str, row: Any) -> None:
        """Something beside the record that search looks at has changed."""
        self._index(entity, row)

    def first_stage(self, pipeline_id: int) -> rows.Stage | None:
        """Where a deal of the pipeline starts."""
        stages = [stage for stage in self.stages.live() if stage.pipeline_id == pipeline_id]
        return min(stages, key=lambda stage: (stage.order_nr, stage.id), default=None)

    def default_pipeline(self) -> rows.Pipeline | None:
        """The pipeline deals go to when none is named."""
        return min(self.pipelines.live(), key=lambda pipeline: (pipeline.order_nr, pipeline.id), default=None)

    def _index(self, entity: str, row: Any) -> None:
        if entity in ("deal", "organization", "person", "product") and not row.is_deleted:
            notes = [self.notes.rows[note].content for note in self.notes_of.get((entity, row.id), ())]
            words = search_documents.document(self.fields, entity, row, notes)
            self.search.note(self.clock.now(), entity, row.id, words)

    def _first_pipeline(self) -> None:
        now = self.clock.text()
        self.pipelines.add(rows.Pipeline(id=1, add_time=now, name="Pipeline"))
        for place, name in enumerate(_STAGES, start=1):
            self.stages.add(rows.Stage(id=place, add_time=now, name=name, order_nr=place, pipeline_id=1))


def _team() -> Iterator[rows.User]:
    yield rows.User(_FIRST_USER, "Admin", "admin@sandbox.example", is_admin=True)
    for place, (name, mailbox) in enumerate(_TEAM, start=1):
        yield rows.User(_FIRST_USER + place, name, f"{mailbox}@sandbox.example")
