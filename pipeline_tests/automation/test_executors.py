"""Where steps are carried out is said by the environment, not by code; `make chaos` compares what comes of it."""

import subprocess
import sys

import pytest
import yaml

from pipeline.automation.executors import executor_of
from pipeline.config import PROJECT_FOLDER
from pipeline.errors import ConfigurationError


@pytest.mark.parametrize(
    ("said", "executor"),
    [("", "in_process"), ("in_process", "in_process"), ("multiprocess", "multiprocess"), ("celery", "celery")],
)
def test_the_environment_says_where_the_steps_of_a_run_are_carried_out(said: str, executor: str):
    assert executor_of(said).name == executor


def test_an_executor_that_is_none_is_named_with_those_there_are():
    with pytest.raises(
        ConfigurationError, match=r"PIPELINE_EXECUTOR is 'thread'; write in_process, multiprocess or celery\."
    ):
        executor_of("thread")


def test_celery_that_is_not_installed_is_said_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "dagster_celery", None)
    with pytest.raises(ConfigurationError, match="uv sync --extra celery"):
        executor_of("celery")


def test_whoever_asks_and_whoever_works_find_the_same_broker():
    services = yaml.safe_load((PROJECT_FOLDER / "deploy/celery/docker-compose.yaml").read_text("utf-8"))["services"]
    assert services["worker"]["environment"] == services["code"]["environment"]
    there = {"CELERY_BROKER_URL": "amqp://pipeline:sandbox@broker:5672//", "CELERY_RESULT_BACKEND": "rpc://"}
    assert {*there} <= {*services["worker"]["environment"]}
    said = "from dagster_celery.app import app as a; print(a.conf.broker_url, a.conf.result_backend)"
    asked = subprocess.run([sys.executable, "-c", said], env=there, capture_output=True, text=True, check=True)
    assert asked.stdout.split() == list(there.values())
