"""docker-compose.yml as compose reads it, and what the proxy shows to whom. `make rehearsal` starts all of it."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import Draft202012Validator

from pipeline_tests.deployment.compose import ROOT, Missing, declared, services
from pipeline_tests.deployment.image import instructions

COMPOSE_SPEC = "vendor.compose-spec"
DOTENV = """PUBLIC_URL=https://pipeline.example.nl
ALERT_EMAIL=you@example.nl
POSTGRES_PASSWORD=0123
EXACT_WEBHOOK_SECRET='s'
"""


def test_compose_reads_the_file_by_its_own_schema():
    validator = Draft202012Validator(get_builtin_schema(COMPOSE_SPEC))
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(declared())] == []
    wrong = declared() | {"services": {"code": {"restart": "unless-stopped", "mem-limit": "4g"}}}
    assert list(validator.iter_errors(wrong)), "the schema would let anything pass"


@pytest.mark.parametrize("name", ["PUBLIC_URL", "ALERT_EMAIL", "POSTGRES_PASSWORD", "EXACT_WEBHOOK_SECRET"])
def test_compose_starts_nothing_without_a_variable_that_a_service_needs(name: str):
    with pytest.raises(Missing, match=f"required variable {name} is missing a value: set it in .env"):
        services(re.sub(rf"^{name}=.*$", f"{name}=", DOTENV, flags=re.MULTILINE))


def test_compose_starts_everything_behind_what_it_waits_for():
    order = list(services(DOTENV))
    places = {name: order.index(name) for name in ("postgres", "tables", "migrate", "code", "daemon", "webserver")}
    assert sorted(places, key=places.__getitem__)[:4] == ["postgres", "tables", "migrate", "code"]
    assert order[-1] == "proxy"
    assert not {"offsite", "consent"} & set(order), "those of a profile are started by hand"


def test_no_two_services_of_ours_listen_on_one_port():
    ports = [port for service in services(DOTENV).values() for port in service.ports if service.is_ours]
    assert len(ports) == len(set(ports))
    assert len(ports) >= 3


def test_the_file_holds_no_secret_but_only_the_names_of_variables():
    for name, service in declared()["services"].items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|KEY|URL", variable):
                assert re.search(r"\$\{\w+:\?", value), f"{name}: {variable}"


# --- the proxy ---

HOST = "pipeline.example.nl"


def routed(url: str) -> tuple[str, bool] | None:
    """The service that a request goes to, and whether a login is asked; None where Traefik answers 404.

    Traefik takes the route with the longest rule of those that fit.
    """
    address = 'env "PUBLIC_URL" | trimPrefix "https://" | trimSuffix "/"'
    text = (ROOT / "deploy/proxy.yaml").read_text("utf-8")
    assert re.findall(r"{{ (.*?) }}", text) == [address] * text.count("{{")
    routers = yaml.safe_load(re.sub(r"{{.*?}}", HOST, text))["http"]["routers"].values()
    fitting = [router for router in routers if all(fits(part, url) for part in router["rule"].split(" && "))]
    if not fitting:
        return None
    router: dict[str, Any] = max(fitting, key=lambda router: len(router["rule"]))
    return router["service"], "login" in router.get("middlewares", [])


def fits(part: str, url: str) -> bool:
    matcher, wanted = re.fullmatch(r"(\w+)\(`(.*)`\)", part).groups()  # type: ignore[union-attr]
    parsed = urlsplit(url)
    path = parsed.path or "/"
    return {
        "Host": parsed.hostname == wanted,
        "Path": path == wanted,
        "PathPrefix": path.startswith(wanted),
    }[matcher]


@pytest.mark.parametrize(
    ("url", "goes_to"),
    [
        (f"https://{HOST}/webhooks/exact", ("webhooks", False)),
        (f"https://{HOST}/webhooks/exact?x=1", ("webhooks", False)),
        (f"https://{HOST}/oauth/exact?code=1&state=2", ("consent", True)),
        (f"https://{HOST}/", ("user-interface", True)),
        (f"https://{HOST}/graphql", ("user-interface", True)),
        (f"https://{HOST}/webhooks/exact/", ("user-interface", True)),
        (f"https://{HOST}/webhooks", ("user-interface", True)),
        (f"https://{HOST}/health", ("user-interface", True)),
        (f"https://{HOST}/metrics", ("user-interface", True)),
        (f"https://{HOST}/oauth/exact/more", ("user-interface", True)),
        (f"https://{HOST}/WEBHOOKS/exact", ("user-interface", True)),
        ("https://203.0.113.7/webhooks/exact", None),
        ("https://other.example.nl/", None),
    ],
)
def test_the_proxy_shows_one_path_to_everybody_and_the_rest_behind_a_login(url: str, goes_to: tuple[str, bool] | None):
    assert routed(url) == goes_to


# --- the image ---


def test_the_image_is_put_together_from_instructions_that_the_rehearsal_follows():
    words = [word for word, _ in instructions()]
    assert set(words) == {"FROM", "ARG", "RUN", "ENV", "WORKDIR", "COPY", "USER", "CMD"}
    assert [rest for word, rest in instructions() if word == "RUN" and "uv sync" in rest] == [
        "uv sync --locked --no-dev --no-install-project ${EXTRAS:-}",
        "uv sync --locked --no-dev ${EXTRAS:-}",
    ]
