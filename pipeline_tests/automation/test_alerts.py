"""Alerts: whom they reach, what they say, and that the same failure is told once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from sqlalchemy import Engine

from pipeline import alerts
from pipeline.assets.failures import failing_clearly
from pipeline.automation.alerting import AGAIN_AFTER, alert, run_failure_alert
from pipeline.errors import ConfigurationError, GiveUp, RetryLater
from pipeline.settings import Settings
from pipeline_tests.automation.listeners import Chat, Mailbox, chat, mailbox

A_DAY_AGO = timedelta(days=1)
SILENT = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def heard() -> Iterator[Chat]:
    with chat() as kept:
        yield kept


@pytest.fixture
def mailed() -> Iterator[Mailbox]:
    with mailbox() as kept:
        yield kept


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def to_chat(kept: Chat) -> Settings:
    return Settings({"ALERT_WEBHOOK_URL": kept.url, "DAGSTER_UI_URL": "https://dagster.example/"})


def ended(instance: dg.DagsterInstance, error: Exception | None = None, *, job: str = "orders_delta") -> str:
    """A run of a job of that name, which fails with the error if there is one."""

    @dg.op
    @failing_clearly
    def step() -> None:
        if error:
            raise error

    @dg.job(name=job)
    def work() -> None:
        step()

    return work.execute_in_process(
        SILENT, instance=instance, raise_on_error=False, tags={"dagster/partition": "nl"}
    ).run_id


def ticked(instance: dg.DagsterInstance, engine: Engine, cursor: str | None = None) -> dg.SensorResult:
    context = dg.build_sensor_context(instance=instance, cursor=cursor, resources={"engine": engine})
    result = run_failure_alert(context)
    assert isinstance(result, dg.SensorResult)
    return result


def told(instance: dg.DagsterInstance, engine: Engine, kept: Chat) -> list[str]:
    """What was said since this was asked last."""
    alert(instance, engine, to_chat(kept), datetime.now(UTC) - A_DAY_AGO)
    said = [message["text"] for message in kept.got]
    kept.got.clear()
    return said


# --- what is told ---


def test_a_failure_is_one_sentence_with_its_run(instance: dg.DagsterInstance, engine: Engine, heard: Chat):
    run = ended(instance, GiveUp("Exact Online refuses the refresh token; run pipeline connect exact."))
    assert told(instance, engine, heard) == [
        "orders_delta (nl) failed: Exact Online refuses the refresh token; run pipeline connect exact. "
        f"https://dagster.example/runs/{run}"
    ]


def test_the_same_failure_is_told_once_and_another_one_as_well(
    instance: dg.DagsterInstance, engine: Engine, heard: Chat
):
    ended(instance, GiveUp("Only 12 calls are left."))
    ended(instance, GiveUp("Only 9 calls are left."))
    ended(instance, GiveUp("The division is unknown."))
    said = told(instance, engine, heard)
    assert [text.split(" https")[0] for text in said] == [
        "orders_delta (nl) failed: Only 12 calls are left.",
        "orders_delta (nl) failed: The division is unknown.",
    ]
    assert told(instance, engine, heard) == []


def test_the_same_failure_is_told_again_after_six_hours(instance: dg.DagsterInstance, engine: Engine, heard: Chat):
    ended(instance, GiveUp("No."))
    assert len(told(instance, engine, heard)) == 1
    seconds = (AGAIN_AFTER + timedelta(minutes=1)).total_seconds()
    with engine.begin() as tx:
        tx.exec_driver_sql(
            "UPDATE state.remembered SET value = jsonb_set(value, '{told}', (SELECT jsonb_object_agg(key, "
            f"to_jsonb((value)::numeric - {seconds})) FROM jsonb_each_text(value->'told') AS one(key, value)))"
        )
    ended(instance, GiveUp("No."))
    assert len(told(instance, engine, heard)) >= 1


def test_that_it_works_again_is_told_once_and_only_after_a_failure_that_was(
    instance: dg.DagsterInstance, engine: Engine, heard: Chat
):
    ended(instance)
    assert told(instance, engine, heard) == []
    ended(instance, GiveUp("No."))
    assert len(told(instance, engine, heard)) == 1
    ended(instance, job="audit")
    assert told(instance, engine, heard) == []
    ended(instance)
    ended(instance)
    assert [text.split(" https")[0] for text in told(instance, engine, heard)] == ["orders_delta (nl) works again."]
    assert told(instance, engine, heard) == []


def test_a_job_that_fails_and_works_in_turn_is_not_told_each_time(
    instance: dg.DagsterInstance, engine: Engine, heard: Chat
):
    for error in (GiveUp("No."), None, GiveUp("No."), None, GiveUp("No."), None):
        ended(instance, error)
    assert len(told(instance, engine, heard)) == 2


def test_of_a_mistake_nobody_foresaw_only_its_kind_is_told(instance: dg.DagsterInstance, engine: Engine, heard: Chat):
    ended(instance, ValueError("customer Jan Jansen, Dorpsstraat 1"))
    (said,) = told(instance, engine, heard)
    assert "step failed unexpectedly (ValueError)" in said
    assert "Jan" not in said


def test_a_run_that_dagster_starts_again_by_itself_is_not_told(
    instance: dg.DagsterInstance, engine: Engine, heard: Chat
):
    run = ended(instance, GiveUp("No."))
    instance.add_run_tags(run, {"dagster/will_retry": "true"})
    assert told(instance, engine, heard) == []


@pytest.mark.parametrize(
    ("sentence", "discreet"),
    [
        ("No user jan@example.nl in Pipedrive", "No user (address) in Pipedrive"),
        ("Asked https://start.example/api?code=abc&x=1 twice", "Asked https://start.example/api twice"),
        ("two\nlines", "two lines"),
        ("x" * 9000, "x" * 500),
    ],
)
def test_what_leaves_the_house_names_nobody(sentence: str, discreet: str):
    assert alerts.discreet(sentence) == discreet


# --- how it gets there ---


def test_a_mail_says_the_same(mailed: Mailbox):
    settings = Settings({"SMTP_URL": mailed.url, "ALERT_EMAIL": "data@example.nl, it@example.nl"})
    alerts.send(settings, "orders_delta failed: the database is full. More follows", "http://localhost:3000/runs/1")
    (message,) = mailed.got
    assert message["To"] == "data@example.nl, it@example.nl"
    assert message["Subject"] == "orders_delta failed: the database is full"
    assert "http://localhost:3000/runs/1" in str(message.get_payload(decode=True))


@pytest.mark.parametrize(
    ("breakage", "said"),
    [
        ("chat answers 500", "ALERT_WEBHOOK_URL answered 500"),
        ("nobody at the chat", "ALERT_WEBHOOK_URL can't be reached (ConnectError)"),
        ("mail refused", "the mail server at SMTP_URL refused with 550"),
        ("nobody at the mail server", "the mail server at SMTP_URL failed (ConnectionRefusedError)"),
        ("a password without encryption", "the mail server at SMTP_URL failed (SMTPNotSupportedError)"),
    ],
)
def test_what_can_not_be_delivered_fails_with_a_sentence_that_gives_no_secret_away(
    heard: Chat, mailed: Mailbox, breakage: str, said: str
):
    heard.status = 500 if breakage == "chat answers 500" else 200
    mailed.refuses = "MAIL" if breakage == "mail refused" else ""
    nobody = "127.0.0.1:9"
    webhook = f"http://{nobody}/secret-of-the-chat" if breakage == "nobody at the chat" else heard.url
    server = f"smtp://{nobody}" if breakage == "nobody at the mail server" else mailed.url
    server = server.replace("//", "//user:hunter2@") if breakage == "a password without encryption" else server
    settings = Settings({"ALERT_WEBHOOK_URL": webhook, "SMTP_URL": server, "ALERT_EMAIL": "data@example.nl"})
    with pytest.raises(RetryLater) as failure:
        alerts.send(settings, "Something failed.")
    assert str(failure.value) == f"The alert could not be delivered: {said}"
    assert len(heard.got) + len(mailed.got) >= 1, "the other way is tried all the same"


@pytest.mark.parametrize("url", ["", "mail.example.nl", "http://mail.example.nl", "smtp://"])
def test_an_address_of_a_mail_server_that_is_none_is_named(url: str):
    with pytest.raises(ConfigurationError, match="SMTP_URL"):
        alerts.send(Settings({"ALERT_EMAIL": "data@example.nl", "SMTP_URL": url}), "Something failed.")


def test_a_failure_that_could_not_be_told_is_told_by_the_next_tick(
    instance: dg.DagsterInstance, engine: Engine, heard: Chat, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ALERT_WEBHOOK_URL", heard.url)
    monkeypatch.delenv("ALERT_EMAIL", raising=False)
    first = ticked(instance, engine)
    ended(instance, GiveUp("No."))
    heard.status = 500
    with pytest.raises(RetryLater):
        ticked(instance, engine, first.cursor)
    heard.status = 200
    heard.got.clear()
    second = ticked(instance, engine, first.cursor)
    assert len(heard.got) == 1
    assert str(second.cursor) > str(first.cursor)


def test_nobody_is_told_of_what_failed_before_the_sensor_ran_first(
    instance: dg.DagsterInstance, engine: Engine, heard: Chat, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("ALERT_WEBHOOK_URL", raising=False)
    monkeypatch.delenv("ALERT_EMAIL", raising=False)
    ended(instance, GiveUp("No."))
    result = ticked(instance, engine)
    assert heard.got == []
    assert "neither ALERT_WEBHOOK_URL nor ALERT_EMAIL is set" in str(result.skip_reason)
