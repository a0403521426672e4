"""/metrics as Prometheus reads it: figures of a real warehouse, few labels, and an answer when there is no database."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import promql_parser as promql
import pytest
import yaml
from dagster._core.storage.runs.schema import RunStorageSqlMetadata
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, make_url, text
from starlette.applications import Starlette
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.monitoring.collector import reading_engine
from pipeline.monitoring.figures import DAGSTERS, OURS
from pipeline.monitoring.serving import application
from pipeline.presentation import status_text
from pipeline.steps.backup import LAST_BACKUP
from pipeline.steps.status import status
from pipeline.warehouse import memory
from pipeline_tests.automation.factory import told
from pipeline_tests.webhooks.receiving import serving
from pipeline_tests.webhooks.sending import notification
from pipeline_tests.world import World
from pipeline_tests.worlds import Worlds, first_sync

ROOT = Path(__file__).resolve().parents[2]
RULES = yaml.safe_load((ROOT / "deploy" / "alerts.yaml").read_text("utf-8"))["groups"][0]["rules"]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text("utf-8"))
EXPRESSIONS = {rule["alert"]: rule["expr"] for rule in RULES} | {
    f"{panel['title']} {target['refId']}": target["expr"]
    for panel in DASHBOARD["panels"]
    for target in panel["targets"]
}
pytestmark = pytest.mark.postgres
PROMETHEUS_OWN = {"up": {"job", "instance"}}
HELD = """
INSERT INTO crm.held (administration, entity, key, number, reason, stops_deal, since) VALUES
    ('nl', 'order', 'a', '1', 'no rule covers status open, delivery x, invoice y; add one', true, now()),
    ('nl', 'order', 'b', '2', '3 of its lines name no item', true, now()),
    ('nl', 'customer', 'c', '3', 'the customer shares debtor code 7 with 1 more', true, now())
"""
REFUSED = """
INSERT INTO pipedrive.rejected (administration, kind, key, number, reason, since)
VALUES ('nl', 'persons', 'p', 'p', 'Pipedrive refused it: 400 jan@x.example', now())
"""
RUN = """
INSERT INTO dagster.runs (run_id, pipeline_name, status, run_body, start_time, end_time)
SELECT number::text, 'orders_delta', CASE number WHEN 1 THEN 'FAILURE' ELSE 'SUCCESS' END, '{}',
    extract(epoch FROM now()) - 100, extract(epoch FROM now()) - 60 - number FROM generate_series(1, 3) AS number
"""


class Scraped:
    """What a scrape told."""

    def __init__(self, answer: str) -> None:
        self.families: dict[str, Metric] = {family.name: family for family in text_string_to_metric_families(answer)}
        self.samples = [sample for family in self.families.values() for sample in family.samples]

    def value(self, name: str, **labels: str) -> float:
        """The one sample of that name with those labels among its own."""
        (found,) = [one for one in self.samples if one.name == name and labels.items() <= one.labels.items()]
        return found.value

    def labels(self) -> dict[str, set[str]]:
        """The labels of each name."""
        found: dict[str, set[str]] = {}
        for sample in self.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
        return found


def asked(served: Starlette, path: str) -> httpx.Response:
    """The answer to one request."""

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://metrics") as http:
            return await http.get(path)

    return asyncio.run(ask())


def scraped(engine: Engine, folder: Path) -> Scraped:
    reading = reading_engine(engine.url.render_as_string(hide_password=False))
    served = application(reading, {"backups": folder, "nowhere": folder / "none"})
    answer = asked(served, "/metrics")
    assert (answer.status_code, asked(served, "/health").status_code) == (200, 200)
    reading.dispose()
    return Scraped(answer.text)


@pytest.fixture(scope="module")
def busy(worlds: Worlds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Scraped]]:
    """A warehouse with one of everything there is to tell, and what was told of it."""
    with worlds.after(first_sync(orders=12, products=40)) as world:
        make_busy(world)
        yield world, scraped(world.engine, tmp_path_factory.mktemp("backups"))


def make_busy(world: World) -> None:
    told(world.engine, "x", "y")
    late = next(iter(world.company.orders.rows))
    with world.engine.begin() as tx:
        tx.execute(text("SET LOCAL search_path = dagster"))
        RunStorageSqlMetadata.create_all(tx)
        for statement in (HELD, REFUSED, RUN):
            tx.execute(text(statement))
        tx.execute(text("UPDATE erp.orders SET is_live = true, modified_at = now() - interval '1 hour'"))
        tx.execute(text("UPDATE pipedrive.deals SET written_at = now() - interval '2 hours'"))
        pending = "INSERT INTO state.pending (stage, administration, key) VALUES ('pipedrive/deals', 'nl', :key)"
        tx.execute(text(pending), {"key": late})
        tx.execute(
            text("INSERT INTO state.tokens VALUES ('exact', 'a', 'r', 'h', now() - interval '2 days', NULL, NULL)")
        )
        tx.execute(text("INSERT INTO marts.migration VALUES ('nl', '2026-01-01', 1, 1, 0, 1, 1, 30, NULL, NULL)"))
        tx.execute(
            text(
                "INSERT INTO dagster.daemon_heartbeats (daemon_type, timestamp) "
                "VALUES ('SENSOR', now() AT TIME ZONE 'UTC')"
            )
        )
        memory.note(tx, LAST_BACKUP, {"at": "2026-01-01T00:00:00+00:00", "file": "x", "bytes": 7, "was_restored": True})
        memory.note(tx, "nl months to read", ["2020-01-01", "2020-02-01"])


def test_the_figures_are_those_of_the_warehouse(busy: tuple[World, Scraped]):
    world, found = busy
    assert found.value("pipeline_up") == 1
    assert 0 <= found.value("pipeline_feed_age_seconds", administration="nl", feed="order_changes") < 600
    assert found.value("pipeline_backlog_records", administration="nl", table="pipedrive/deals") == 1
    assert 3600 <= found.value("pipeline_oldest_waiting_order_seconds", administration="nl") < 4000
    (spent,) = world.ask("SELECT sum(tokens) AS tokens FROM pipedrive.token_usage")
    assert found.value("pipeline_pipedrive_tokens_spent_total") == spent.tokens
    left = found.value("pipeline_pipedrive_tokens_limit") - found.value("pipeline_pipedrive_tokens_remaining")
    assert left == spent.tokens
    deals = [one for one in found.samples if one.name == "pipeline_deals_written"]
    assert sum(one.value for one in deals) == len(world.deals())
    assert (found.value("pipeline_webhook_events_waiting"), found.value("pipeline_webhook_events_kept")) == (2, 2)
    assert found.value("pipeline_webhook_oldest_waiting_seconds") >= 60
    assert found.value("pipeline_history_months_to_write") == 1
    assert found.value("pipeline_history_months_to_read") == 2
    assert found.value("pipeline_backup_size_bytes") == 7
    assert found.value("pipeline_backup_verified") == 1
    assert 172_800 <= found.value("pipeline_exact_token_age_seconds", chain="exact") < 173_400
    assert found.value("pipeline_exact_calls_remaining", window="day") <= found.value(
        "pipeline_exact_calls_limit", window="day"
    )
    assert found.value("pipeline_runs_of_a_day", job="orders_delta", status="success") == 2
    assert found.value("pipeline_run_last_duration_seconds", job="orders_delta") == pytest.approx(38)
    assert found.value("pipeline_daemon_heartbeat_age_seconds", daemon="sensor") < 600
    (size,) = world.ask("SELECT version_num FROM state.alembic_version")
    assert found.value("pipeline_schema_info", revision=size.version_num) == 1


def test_reasons_are_told_in_classes_that_name_nobody(busy: tuple[World, Scraped]):
    _, found = busy
    held = {tuple(one.labels.values()): one.value for one in found.samples if one.name == "pipeline_held_records"}
    assert {(kind, reason): count for (kind, reason), count in held.items()} == {
        ("order", "status without a rule"): 1,
        ("order", "line without an item"): 1,
        ("customer", "debtor code"): 1,
        ("person", "refused by Pipedrive"): 1,
    }


def test_every_figure_is_told_with_its_labels_and_its_name_is_prometheus_own_kind(busy: tuple[World, Scraped]):
    _, found = busy
    declared = {name: set(figures.labels) for figures in (*OURS, *DAGSTERS) for name, _ in figures.figures.values()} | {
        "pipeline_up": set(),
        "pipeline_build_info": {"version"},
        "pipeline_disk_free_bytes": {"folder"},
        "pipeline_disk_size_bytes": {"folder"},
    }
    rare = {"pipeline_exact_refusals", "pipeline_run_longest_duration_seconds"}
    assert found.labels() == {name: labels for name, labels in declared.items() if name in found.labels()}
    assert declared.keys() - found.labels().keys() <= rare
    units = re.compile(r"pipeline_[a-z_]+?(_seconds|_bytes|_total|_info|_ratio)?")
    assert [name for name in declared if not units.fullmatch(name) or name.endswith(("_minutes", "_count"))] == []
    assert all(family.documentation.endswith((".", ")")) for family in found.families.values())


def test_a_scrape_can_write_nothing(busy: tuple[World, Scraped]):
    reading = reading_engine(busy[0].engine.url.render_as_string(hide_password=False))
    with reading.connect() as connection, pytest.raises(Exception, match="read-only transaction"):
        connection.execute(text("DELETE FROM state.pending"))
    reading.dispose()


def test_with_the_database_away_there_is_an_answer_that_says_so(engine: Engine, tmp_path: Path):
    url = make_url(engine.url).set(database="nowhere").render_as_string(hide_password=False)
    served = application(reading_engine(url), {})
    answer = asked(served, "/metrics")
    assert (answer.status_code, asked(served, "/health").status_code) == (200, 503)
    found = Scraped(answer.text)
    assert found.value("pipeline_up") == 0
    assert found.labels().keys() == {"pipeline_up", "pipeline_build_info"}


def test_an_empty_warehouse_that_dagster_never_saw_is_told_too(engine: Engine, tmp_path: Path):
    found = scraped(engine, tmp_path)
    assert (found.value("pipeline_up"), found.value("pipeline_writes_in_doubt")) == (1, 0)
    assert "pipeline_backup_age_seconds" not in found.labels()
    assert status_text(status(engine)).count("Last backup: none") == 1


def test_a_port_that_is_taken_is_one_sentence(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    with serving(engine) as served:
        monkeypatch.setenv("WAREHOUSE_URL", engine.url.render_as_string(hide_password=False))
        ended = CliRunner().invoke(app, ["metrics", "--port", str(served.port)])
        assert (served.post(b"{}"), served.post(notification())) == (400, 200)
        counted = Scraped(served.http.get("/metrics").text)
    assert ended.exit_code == 1
    assert f"Cannot listen on 127.0.0.1:{served.port}" in ended.stderr
    assert [counted.value("pipeline_webhook_answers_total", status=status) for status in ("400", "200")] == [1, 1]


# --- alert rules and the dashboard ---


def selected(node: Any) -> Iterator[promql.VectorSelector]:
    """Every series an expression asks for."""
    if isinstance(node, promql.VectorSelector):
        yield node
    for name in ("expr", "lhs", "rhs", "args", "param", "vector_selector"):
        below = getattr(node, name, None)
        for one in below if isinstance(below, list) else [below] if below is not None else []:
            yield from selected(one)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_asks_for_what_is_told_by_the_labels_it_has(name: str, busy: tuple[World, Scraped]):
    told_of = busy[1].labels() | PROMETHEUS_OWN | {"pipeline_webhook_answers_total": {"status"}}
    told_of |= {
        "pipeline_exact_refusals": {"administration"},
        "pipeline_run_longest_duration_seconds": {"job", "status"},
    }
    series = list(selected(promql.parse(EXPRESSIONS[name])))
    assert series
    for one in series:
        assert {matcher.name for matcher in one.matchers.matchers} <= told_of[one.name]


def test_rules_name_only_feeds_that_are_read(busy: tuple[World, Scraped]):
    feeds = {one.labels["feed"] for one in busy[1].samples if one.name == "pipeline_feed_age_seconds"}
    named = {
        feed for rule in RULES for listed in re.findall(r'feed=~"([^"]+)"', rule["expr"]) for feed in listed.split("|")
    }
    assert named == feeds


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_how_grave_it_is_what_it_is_and_where_to_read_what_to_do(rule: dict[str, Any]):
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert re.fullmatch(r"\d+[mh]", rule["for"])
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    document = (ROOT / "docs" / "alerts.md").read_text("utf-8")
    assert rule["annotations"]["runbook_url"] == f"docs/alerts.md#{rule['alert'].lower()}"
    assert f"\n### {rule['alert']}\n" in document
    used = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
    assert all(label in str(sorted(known_labels(rule["expr"]))) for label in used)


def known_labels(expression: str) -> set[str]:
    """The labels that a rule's figures have."""
    by_name = {name: set(figures.labels) for figures in (*OURS, *DAGSTERS) for name, _ in figures.figures.values()}
    by_name |= {"pipeline_disk_free_bytes": {"folder"}, "pipeline_disk_size_bytes": {"folder"}}
    return {label for one in selected(promql.parse(expression)) for label in by_name.get(str(one.name), set())}


def test_the_runbook_has_no_alert_that_is_gone_and_every_sentence_of_our_own_mails():
    document = (ROOT / "docs" / "alerts.md").read_text("utf-8")
    assert set(re.findall(r"^### (\w+)$", document, re.MULTILINE)) == {rule["alert"] for rule in RULES}
    mails = (ROOT / "pipeline" / "automation" / "alerting.py").read_text("utf-8")
    for said in ("works again.", "failed unexpectedly (", "it was ended from outside, or its process died."):
        assert said in mails
        assert said in document


def test_the_dashboard_asks_whatever_prometheus_there_is_and_its_panels_do_not_overlap():
    (variable,) = DASHBOARD["templating"]["list"]
    assert (variable["name"], variable["type"], variable["query"]) == ("datasource", "datasource", "prometheus")
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} == {"${datasource}"}
    places = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert (DASHBOARD["uid"], DASHBOARD["id"]) == (None, None)


# --- the role of docs/monitoring.md ---


def test_the_role_in_the_documentation_may_read_every_figure_and_no_person(busy: tuple[World, Scraped]):
    (recipe,) = re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "monitoring.md").read_text("utf-8"), re.DOTALL)
    engine, role = busy[0].engine, "metrics_of_a_test"
    with engine.connect() as connection, connection.begin() as everything:
        connection.exec_driver_sql(re.sub(r"\bmetrics\b", role, recipe))
        connection.execute(text(f"SET LOCAL ROLE {role}"))
        for figures in (*OURS, *DAGSTERS):
            connection.execute(text(figures.sql))
        for personal in (
            "e_mail FROM pipedrive.person_changes",
            "content FROM inbox.webhook_events",
            "* FROM erp.contacts",
        ):
            with pytest.raises(Exception, match="permission denied"), connection.begin_nested():
                connection.execute(text(f"SELECT {personal}"))
        everything.rollback()
