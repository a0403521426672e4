"""Logs for machines: every line is one JSON object, and none of a whole run names a person or gives a secret away."""

import json
import logging
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import dagster as dg
import dagster._loggers as dagster_loggers
import pytest
from dagster_shared.serdes import serialize_value
from sqlalchemy import text

from pipeline import logs
from pipeline.automation import logs as dagsters_logs
from pipeline.automation.alerting import said_of
from pipeline.automation.jobs import catalogue_delta, orders_delta
from pipeline.errors import ConfigurationError, GiveUp
from pipeline.presentation import status_text
from pipeline.sandbox.company_rows import Contact
from pipeline.sandbox.pipedrive import person_requests
from pipeline.sandbox.pipedrive.refusals import invalid
from pipeline.sentences import sentences
from pipeline.steps.status import status
from pipeline_tests.automation.factory import at_work_on, location, told
from pipeline_tests.webhooks.receiving import serving
from pipeline_tests.webhooks.sending import SECRET, notification
from pipeline_tests.world import World
from pipeline_tests.worlds import Worlds, first_sync

pytestmark = pytest.mark.postgres
SECRETS = {
    "EXACT_CLIENT_SECRET": "client-secret-7f31",
    "EXACT_REFRESH_TOKEN": "refresh-token-7f32",
    "EXACT_WEBHOOK_SECRET": "webhook-secret-7f33",
    "PIPEDRIVE_API_TOKEN": "api-token-7f34",
    "PIPELINE_SECRET_KEY": "secret-key-7f35",
    "ALERT_WEBHOOK_URL": "https://chat.example/hook-7f36",
}


@pytest.fixture
def json_lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process as one of production; afterwards its logging is what it was."""
    root, factory, hook, console = (
        logging.getLogger(),
        logging.getLogRecordFactory(),
        sys.excepthook,
        dagster_loggers.create_console_logger,
    )
    before, level, shown = list(root.handlers), root.level, warnings.showwarning
    for name, value in (SECRETS | {"PIPELINE_LOG": "json"}).items():
        monkeypatch.setenv(name, value)
    dagsters_logs.set_up()
    yield
    root.handlers[:], sys.excepthook = before, hook
    root.setLevel(level)
    logging.captureWarnings(False)
    warnings.showwarning = shown
    logging.setLogRecordFactory(factory)
    dagster_loggers.create_console_logger = console


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_says_when_how_grave_who_and_what(json_lines: None, capsys: pytest.CaptureFixture[str]):
    logging.getLogger("pipeline").info("two\nlines for %s", "jan@x.example", extra={"administration": "nl"})
    (line,) = lines(capsys)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "pipeline",
        "message": "two\nlines for (address)",
        "administration": "nl",
    }


def test_of_an_error_only_ours_is_told_in_words(json_lines: None, capsys: pytest.CaptureFixture[str]):
    for error in (GiveUp("look at api-token-7f34"), ValueError("Jan de Vries")):
        try:
            raise error
        except Exception:
            logging.getLogger("pipeline").exception("it failed")
    ours, unforeseen = lines(capsys)
    assert (ours["error"], ours["said"]) == ("GiveUp", "look at (secret)")
    assert (unforeseen["error"], "said" in unforeseen, "Jan" in str(unforeseen)) == ("ValueError", False, False)
    assert "test_logs.py" in unforeseen["trace"][0]


def test_warnings_and_the_end_of_a_process_are_lines_too(json_lines: None, capsys: pytest.CaptureFixture[str]):
    warnings.showwarning("old way", DeprecationWarning, "x.py", 1)
    sys.excepthook(KeyError, KeyError("Jan"), None)
    assert [(line["logger"], line["level"]) for line in lines(capsys)] == [
        ("py.warnings", "warning"),
        ("pipeline", "critical"),
    ]


def test_a_command_that_fails_says_so_in_a_line(json_lines: None, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(Exception, match="1"), sentences():
        raise GiveUp("it can't be")
    assert [line["message"] for line in lines(capsys)] == ["it can't be"]


def test_a_person_at_a_terminal_sees_sentences(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.delenv("PIPELINE_LOG", raising=False)
    with pytest.raises(Exception, match="1"), sentences():
        raise GiveUp("it can't be")
    assert capsys.readouterr().err == "pipeline: it can't be\n"


def test_another_form_than_the_two_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PIPELINE_LOG", "xml")
    with pytest.raises(ConfigurationError, match="PIPELINE_LOG is 'xml'; write json, or text"):
        logs.set_up()


# --- a whole run ---


def ran(world: World, job: str, instance: dg.DagsterInstance) -> dg.DagsterRun:
    """One run whose lines go to standard error, as in production."""
    definition = location().resolve_job_def(job)
    config = definition.partitioned_config.get_run_config_for_partition_key("nl")
    with at_work_on(world):
        result = definition.execute_in_process(config, instance, partition_key="nl", raise_on_error=False)
    return result.dagster_run if not result.success else instance.get_run_by_id(result.run_id)  # type: ignore[return-value]


def people(world: World) -> set[str]:
    """What must not be found: names, addresses and numbers of all contacts."""
    known: set[str] = set()
    for contact in world.company.contacts:
        parts = (contact.first_name, contact.middle_name, contact.last_name)
        known |= {" ".join(filter(None, parts)), *(contact.last_name or "").split(",")}
        known |= {contact.email or "", contact.business_email or ""}
        known |= {
            contact.phone or "",
            contact.business_phone or "",
            contact.mobile or "",
            contact.business_mobile or "",
        }
    return {value for value in known if len(value) >= 7}


def tokens(world: World) -> set[str]:
    """Every token that the simulated Exact Online ever issued, but the first, which is an everyday word."""
    issued = world.exact.tokens
    return {*issued._access, *issued._used, issued.refresh_token} - {"sandbox"}


def test_a_whole_day_of_trouble_names_nobody_and_gives_no_secret_away(
    worlds: Worlds, json_lines: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    check = person_requests._check

    def refuse(company: Any, body: dict[str, Any], row: Any = None) -> None:
        check(company, body, row)
        if any("geweigerd" in one["value"] for one in body.get("emails", ())):
            raise invalid([f"emails: {body['emails'][0]['value']} of {body['name']} is refused"])

    monkeypatch.setattr(person_requests, "_check", refuse)
    with worlds.after(first_sync(orders=12, products=40)) as world, dg.DagsterInstance.ephemeral() as instance:
        first = next(iter(world.company.contacts))
        world.company.add(
            "contacts",
            Contact(
                world.company.new_id(), first.account_id, 9_998, "Gerda", "Geweigerd", email="gerda@geweigerd.example"
            ),
        )
        world.company.change("contacts", first.id, last_name="Achternaamsen", business_email="nieuw@adres.example")
        told(world.engine, first.id, topic="Contacts")
        runs = [ran(world, catalogue_delta.name, instance)]
        # A refusal of each side in the middle, then a rule of the database that the next row breaks.
        world.control_exact(
            "fault", {"kind": "status", "status": 403, "times": 1, "path": "sync/SalesOrder/SalesOrderLines"}
        )
        runs.append(ran(world, orders_delta.name, instance))
        order = next(iter(world.company.orders.rows))
        world.control_exact("change", {"kind": "set_order", "order": order, "fields": {"your_ref": "as told"}})
        world.control(
            "fault", {"kind": "status", "status": 401, "method": "PATCH", "path": "/api/v2/deals", "times": 9}
        )
        runs.append(ran(world, orders_delta.name, instance))
        with world.engine.begin() as tx:
            tx.execute(
                text("ALTER TABLE crm.persons ADD CONSTRAINT nobody CHECK (e_mail NOT LIKE '%anders%') NOT VALID")
            )
        world.company.change("contacts", first.id, email="anders@adres.example", business_email="anders@adres.example")
        runs.append(ran(world, catalogue_delta.name, instance))
        with serving(world.engine) as served:
            served.post(notification(Key=first.id, Extra="anders@adres.example"))
            served.post(b'{"Content":{"Mail":"anders@adres.example"},"HashCode":"0"}')
            served.http.get("/webhooks/exact", params={"mail": "anders@adres.example"})
            served.http.post("/webhooks/exact", content=b"x", headers={"Authorization": f"Bearer {SECRET}"})
        events = [serialize_value(entry) for run in runs for entry in instance.all_logs(run.run_id)]
        alerts = [said_of(instance, run) for run in runs if run.status == dg.DagsterRunStatus.FAILURE]
        shown = status_text(status(world.engine))
        found = lines(capsys)
        assert [run.status for run in runs].count(dg.DagsterRunStatus.FAILURE) == 3
        said = {"lines": [json.dumps(line, ensure_ascii=False) for line in found], "events": events, "alerts": alerts}
        known = people(world) | set(SECRETS.values()) | tokens(world)
        leaks = {
            (where, value): text[max(0, text.find(value) - 80) :][:200]
            for where, texts in (said | {"status": [shown]}).items()
            for text in texts
            for value in known
            if value in text
        }
        assert leaks == {}
        assert {line.get("event") for line in found} >= {"PIPELINE_START", "STEP_FAILURE", "ASSET_MATERIALIZATION"}
        assert {line["run_id"] for line in found if "run_id" in line} == {run.run_id for run in runs}
        assert "violates check constraint" in "".join(events)
