"""What docker-compose.yml says, as docker compose reads it: each service's command, environment, check and order.

Here: reading. Not here: starting anything (`stage.py`), and what the image is made of (`image.py`).
"""

import graphlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.yml"
_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?:(?P<how>:?[-?])(?P<more>[^}]*))?\}|(?P<bare>\w+))")


class Missing(Exception):
    """A variable that compose asks for is not there; the message is compose's own."""


@dataclass(frozen=True)
class Service:
    """One service, with every variable filled in."""

    name: str
    command: list[str]
    environment: dict[str, str]
    check: list[str]  # empty for one that only runs to its end
    waits_for: dict[str, str]  # services, each with the condition
    is_ours: bool  # made of our own image
    stays: bool  # started again when it ends

    @property
    def ports(self) -> list[str]:
        """Those it listens on."""
        return [self.command[place + 1] for place, word in enumerate(self.command) if word == "--port"]


def declared() -> dict[str, Any]:
    """The file with its anchors resolved and its variables as they stand."""
    return yaml.safe_load(FILE.read_text("utf-8"))


def services(dotenv: str) -> dict[str, Service]:
    """Every service that starts with that text as `.env`, each behind all that it waits for; raises Missing.

    Those of a profile start only when they are asked for.
    """
    values = {name: value for name, value in dotenv_values(stream=io.StringIO(dotenv)).items() if value is not None}
    started = {name: said for name, said in declared()["services"].items() if "profiles" not in said}
    found = {name: _service(name, _filled_in(said, values), values) for name, said in started.items()}
    order = graphlib.TopologicalSorter({name: service.waits_for for name, service in found.items()}).static_order()
    return {name: found[name] for name in order}


def _service(name: str, said: Mapping[str, Any], dotenv: Mapping[str, str]) -> Service:
    kind, *check = said.get("healthcheck", {}).get("test", ["CMD"])
    return Service(
        name=name,
        command=list(said.get("command", [])),
        environment={**(dotenv if said.get("env_file") == ".env" else {}), **said.get("environment", {})},
        check=["sh", "-c", *check] if kind == "CMD-SHELL" else check,
        waits_for={other: how["condition"] for other, how in said.get("depends_on", {}).items()},
        is_ours="build" in said,
        stays=said["restart"] != "no",
    )


def _filled_in(said: Any, values: Mapping[str, str]) -> Any:
    if isinstance(said, dict):
        return {name: _filled_in(value, values) for name, value in said.items()}
    if isinstance(said, list):
        return [_filled_in(value, values) for value in said]
    return _VARIABLE.sub(lambda found: _value(found, values), said) if isinstance(said, str) else said


def _value(found: re.Match[str], values: Mapping[str, str]) -> str:
    if found["dollar"]:
        return "$"
    name, how = found["name"] or found["bare"], found["how"] or ""
    value = values.get(name)
    if value is None or (how.startswith(":") and not value):
        if how.endswith("?"):
            raise Missing(f"required variable {name} is missing a value: {found['more']}")
        return found["more"] or ""
    return value
