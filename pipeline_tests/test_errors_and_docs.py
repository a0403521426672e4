"""Errors say what to do next, in Dagster too; requests are repeated in one place; documents name what there is."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import httpx
import pytest

from pipeline import errors
from pipeline.assets.failures import failing_clearly
from pipeline.errors import (
    Blocked,
    BudgetSpent,
    ConfigurationError,
    Full,
    GiveUp,
    HoldRow,
    MadeWay,
    OutcomeUnknown,
    PipelineError,
    RecordsGone,
    RefusedAlike,
    RetryLater,
)
from pipeline.retry import Attempt, RetryTransport, is_broken

ROOT = Path(__file__).resolve().parent.parent
URL = "https://vendor.example/api/deals"
ALL_ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind.__module__ == errors.__name__]

# --- errors ---


def raising(error: BaseException) -> Callable[[], None]:
    def body() -> None:
        raise error

    return body


@pytest.mark.parametrize(
    ("error", "retried"),
    [
        (RetryLater("down"), True),
        (GiveUp("no"), False),
        (HoldRow("odd"), False),
        (BudgetSpent("spent"), False),
        (OutcomeUnknown("?"), False),
        (ConfigurationError("wrong"), False),
        (RefusedAlike("alike"), False),
        (RecordsGone("gone", kind="deals", keys=["A"]), False),
        (Full("full"), False),
        (Blocked("shut out"), False),
        (MadeWay("live first"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_becomes_a_failure_with_our_sentence_and_is_retried_only_when_that_may_help(
    error: PipelineError, retried: bool
):
    with pytest.raises(dg.Failure) as raised:
        failing_clearly(raising(error))()
    assert (raised.value.description, raised.value.allow_retries) == (str(error), retried)


def test_the_table_above_names_every_error():
    assert {kind.__name__ for kind in ALL_ERRORS} == {
        "PipelineError",
        "RetryLater",
        "GiveUp",
        "HoldRow",
        "BudgetSpent",
        "OutcomeUnknown",
        "ConfigurationError",
        "RefusedAlike",
        "RecordsGone",
        "Full",
        "Blocked",
        "MadeWay",
    }
    assert all(issubclass(kind, PipelineError) for kind in ALL_ERRORS)


def test_a_mistake_of_ours_keeps_its_stack_trace():
    with pytest.raises(ZeroDivisionError):
        failing_clearly(raising(ZeroDivisionError()))()


def test_what_works_is_handed_on_with_its_name_and_arguments():
    @failing_clearly
    def doubled(number: int, *, times: int = 2) -> int:
        return number * times

    assert (doubled(3), doubled(3, times=4), doubled.__name__) == (6, 12, "doubled")


def test_a_wrong_configuration_is_nothing_to_retry():
    assert issubclass(ConfigurationError, GiveUp)
    assert not any(issubclass(kind, RetryLater) for kind in ALL_ERRORS if kind is not RetryLater)


@pytest.mark.parametrize(
    "file", sorted((ROOT / "pipeline").rglob("*.py")), ids=lambda file: str(file.relative_to(ROOT))
)
def test_nothing_is_caught_silently(file: Path):
    handlers = [node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.ExceptHandler)]
    assert [node.lineno for node in handlers if node.type is None] == []


# --- one place that repeats ---


def sending(*outcomes: int | Exception) -> tuple[httpx.BaseTransport, list[str]]:
    """A transport with these outcomes, and what was sent through it."""
    left, sent = iter(outcomes), []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request.method)
        outcome = next(left)
        if isinstance(outcome, Exception):
            raise outcome
        return httpx.Response(outcome, json={})

    return httpx.MockTransport(handler), sent


def three_times(attempt: Attempt) -> float | None:
    return attempt.number * 1.5 if is_broken(attempt.status) and attempt.number < 3 else None


LOST, REFUSED = httpx.ReadTimeout("too late"), httpx.ConnectError("refused")


@pytest.mark.parametrize(
    ("method", "outcomes", "status", "waits"),
    [
        ("GET", [200], 200, []),
        ("GET", [503, 200], 200, [1.5]),
        ("GET", [LOST, 503, 200], 200, [1.5, 3.0]),
        ("GET", [503, 503, 503], 503, [1.5, 3.0]),
        ("POST", [400], 400, []),
    ],
)
def test_a_request_is_repeated_as_the_policy_says(method: str, outcomes: list, status: int, waits: list[float]):
    inner, sent = sending(*outcomes)
    slept: list[float] = []
    transport = RetryTransport(inner, three_times, sleep=slept.append)
    assert httpx.Client(transport=transport).request(method, URL).status_code == status
    assert (slept, len(sent), transport.meter.sent) == (waits, len(outcomes), {(method, "/api/deals"): len(outcomes)})


@pytest.mark.parametrize(
    ("method", "problem", "error"),
    [
        ("GET", LOST, RetryLater),
        ("GET", REFUSED, RetryLater),
        ("POST", LOST, OutcomeUnknown),
        ("PATCH", httpx.ReadError("reset"), OutcomeUnknown),
        ("DELETE", httpx.RemoteProtocolError("half an answer"), OutcomeUnknown),
        ("POST", REFUSED, RetryLater),
        ("POST", httpx.ConnectTimeout("nobody there"), RetryLater),
    ],
)
def test_without_an_answer_a_write_is_in_doubt_only_when_it_was_sent(method: str, problem: Exception, error: type):
    inner, _ = sending(problem)
    with pytest.raises(error, match=r"vendor\.example") as raised:
        httpx.Client(transport=RetryTransport(inner, lambda attempt: None)).request(method, f"{URL}?api_token=secret")
    assert type(raised.value) is error
    assert "secret" not in str(raised.value)


def test_a_policy_may_stop_the_work():
    def spent(attempt: Attempt) -> float | None:
        raise BudgetSpent(f"{attempt.method} {attempt.path} {attempt.status} {attempt.headers['x-left']}")

    inner = httpx.MockTransport(lambda request: httpx.Response(429, headers={"x-left": "0"}))
    with pytest.raises(BudgetSpent, match="GET /api/deals 429 0"):
        httpx.Client(transport=RetryTransport(inner, spent)).get(URL)


@pytest.mark.parametrize(
    ("status", "broken"), [(0, True), (408, True), (500, True), (504, True), (501, False), (429, False)]
)
def test_which_answers_are_a_fault_that_passes(status: int, broken: bool):
    assert is_broken(status) is broken


# --- documents ---

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\((?!https?://|mailto:|#)([^)\s#]+)")
CODE_PATH = re.compile(r"`((?:pipeline|docs|deploy|pipeline_tests|benchmarks)/[\w./-]+\.\w+)`")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_document_names_only_files_that_exist(document: Path):
    text = document.read_text("utf-8")
    linked = [document.parent / target for target in LINK.findall(text)]
    named = [ROOT / target for target in CODE_PATH.findall(text)]
    assert [str(target) for target in linked + named if not target.exists()] == []
