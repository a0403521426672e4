"""The files people run the project with agree with each other, with the programs they start and with the code."""

import graphlib
import os
import re
import subprocess
import tempfile
import tomllib
from pathlib import Path

import pytest
import typer
import yaml
from cryptography.fernet import Fernet

from pipeline.automation.schedules import READS_EXACT
from pipeline.config import load_config
from pipeline.warehouse.connection import connected
from pipeline.warehouse.embedded import embedded_postgres
from pipeline.warehouse.migrating import migrate

ROOT = Path(__file__).resolve().parents[2]

# What other programs and people's scripts rely on.
PRODUCT_VARIABLES = {
    "EXACT_BASE_URL",
    "EXACT_CLIENT_ID",
    "EXACT_CLIENT_SECRET",
    "EXACT_REFRESH_TOKEN",
    "EXACT_WEBHOOK_SECRET",
    "PIPEDRIVE_BASE_URL",
    "PIPEDRIVE_API_TOKEN",
    "PIPEDRIVE_DAILY_TOKENS",
    "WAREHOUSE_URL",
    "PIPELINE_SECRET_KEY",
    "PUBLIC_URL",
    "ALERT_WEBHOOK_URL",
    "SMTP_URL",
    "ALERT_EMAIL",
    "DAGSTER_UI_URL",
    "PIPELINE_HOME",
    "PIPELINE_CONFIG",
    "PIPELINE_EXECUTOR",
    "PIPELINE_LOG",
}
COMPOSE_VARIABLES = {"POSTGRES_PASSWORD"}
SECRETS = {"EXACT_CLIENT_SECRET", "EXACT_REFRESH_TOKEN", "EXACT_WEBHOOK_SECRET", "PIPEDRIVE_API_TOKEN"}
EVERY_TEST = "-q -n 3 --dist loadfile --no-loadscope-reorder"
SALESPEOPLE = ["sanne", "daan", "lotte", "bram", "femke", "jonas"]


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def compose() -> dict:
    return yaml.safe_load(text("docker-compose.yml"))


def dockerfile(instruction: str) -> list[str]:
    joined = text("Dockerfile").replace("\\\n", " ")
    return [
        line.removeprefix(instruction).strip() for line in joined.splitlines() if line.startswith(f"{instruction} ")
    ]


def commands() -> list[list[str]]:
    """Everything compose starts from our own image: services and the health checks in them."""
    ours = [service for service in compose()["services"].values() if "build" in service]
    checks = [service["healthcheck"]["test"] for service in ours if "healthcheck" in service]
    return [service["command"] for service in ours] + [check[1:] for check in checks if check[0] == "CMD"]


# --- the environment ---


def test_every_variable_of_the_product_is_in_the_example_and_nothing_else():
    named = set(re.findall(r"^#?([A-Z][A-Z_]+)=", text(".env.example"), re.MULTILINE))
    assert named == PRODUCT_VARIABLES | COMPOSE_VARIABLES


def test_the_example_gives_no_secret_away():
    values = dict(re.findall(r"^([A-Z][A-Z_]+)=(.*)$", text(".env.example"), re.MULTILINE))
    assert {name: values[name] for name in SECRETS} == dict.fromkeys(SECRETS, "")


def test_compose_asks_only_for_variables_of_the_example():
    asked = set(re.findall(r"\$\{([A-Z_]+)", text("docker-compose.yml"))) | set(
        re.findall(r'env "([A-Z_]+)"', text("deploy/proxy.yaml"))
    )
    assert asked <= PRODUCT_VARIABLES | COMPOSE_VARIABLES


def test_the_recipe_for_a_secret_key_makes_a_fernet_key():
    (recipe,) = re.findall(r"python3 -c \"(.*)\"", text(".env.example"))
    made = subprocess.run(["python3", "-c", recipe], capture_output=True, text=True, check=True)
    Fernet(made.stdout.strip())


# --- pipeline.yaml ---


def test_the_default_configuration_is_that_of_the_simulated_company():
    config = load_config(ROOT / "pipeline.yaml", environment={})
    (administration,) = config.administrations
    assert (administration.name, administration.division) == ("nl", 123456)
    assert config.salespeople == {
        f"6f9619ff-8b86-d011-b42d-00cf4fc9640{number}": f"{name}@sandbox.example"
        for number, name in enumerate(SALESPEOPLE, start=1)
    }


def test_what_is_commented_out_of_the_configuration_shows_the_defaults(tmp_path: Path):
    shown = re.sub(r"^(\s*)#(?=[a-z_]+:|  [a-z_]+:)", r"\1", text("pipeline.yaml"), flags=re.MULTILINE)
    (tmp_path / "pipeline.yaml").write_text(shown.replace("status_rules:", "status_rules: null"), "utf-8")
    assert "\nhistory:" in shown
    assert load_config(tmp_path / "pipeline.yaml", environment={}) == load_config(
        ROOT / "pipeline.yaml", environment={}
    )


def test_the_status_rules_shown_as_an_example_are_valid(tmp_path: Path):
    rules = re.sub(r"^#(?=status_rules:|  - \{status)", "", text("pipeline.yaml"), flags=re.MULTILINE)
    (tmp_path / "pipeline.yaml").write_text(rules, "utf-8")
    assert len(load_config(tmp_path / "pipeline.yaml", environment={}).rules) == 2


# --- compose, the image and Dagster ---


def parse(command: list[str]) -> None:
    """Lets the program's own parser read its arguments, without running it."""
    from dagster._cli import create_dagster_cli
    from dagster._daemon.cli import create_dagster_daemon_cli
    from dagster_webserver.cli import create_dagster_webserver_cli

    from pipeline.cli import app

    programs = {
        "pipeline": lambda: typer.main.get_command(app),
        "dagster": create_dagster_cli,
        "dagster-daemon": create_dagster_daemon_cli,
        "dagster-webserver": create_dagster_webserver_cli,
    }
    copied = str(ROOT / "deploy" / "workspace.yaml")
    program, arguments = (
        programs[command[0]](),
        [word.replace("/srv/pipeline/workspace.yaml", copied) for word in command[1:]],
    )
    while hasattr(program, "commands") and not arguments[0].startswith("-"):
        program, arguments = program.commands[arguments[0]], arguments[1:]
    program.make_context("program", arguments)


@pytest.mark.parametrize("command", [c for c in commands() if c[0] != "python"], ids=" ".join)
def test_every_command_of_compose_is_understood_by_its_program(command: list[str]):
    parse(command)


def test_one_name_for_the_code_location_everywhere():
    local = yaml.safe_load(text("workspace.yaml"))["load_from"][0]["python_module"]
    remote = yaml.safe_load(text("deploy/workspace.yaml"))["load_from"][0]["grpc_server"]
    code = compose()["services"]["code"]["command"]
    module = tomllib.loads(text("pyproject.toml"))["tool"]["dagster"]["module_name"]
    assert {local["location_name"], remote["location_name"], code[code.index("--location-name") + 1]} == {"pipeline"}
    assert {local["module_name"], module, code[code.index("--module-name") + 1]} == {"pipeline.definitions"}
    assert (remote["host"], str(remote["port"])) == ("code", code[code.index("--port") + 1])


def test_only_the_proxy_is_reached_from_outside_and_it_asks_who_is_there_but_for_webhooks():
    published = {name: service["ports"] for name, service in compose()["services"].items() if "ports" in service}
    proxy = yaml.safe_load(text("deploy/proxy.yaml"))["http"]
    public = {name: router for name, router in proxy["routers"].items() if "login" not in router.get("middlewares", [])}
    assert published == {"proxy": ["443:443"]}
    assert "basicAuth" in proxy["middlewares"]["login"]
    assert [router["rule"].split(" && ")[1:] for router in public.values()] == [["Path(`/webhooks/exact`)"]]
    assert all(router["entryPoints"] == ["websecure"] and router["tls"] for router in proxy["routers"].values())


def test_the_proxy_leads_to_services_on_the_ports_they_listen_on():
    services = yaml.safe_load(text("deploy/proxy.yaml"))["http"]["services"]
    urls = {server["url"] for service in services.values() for server in service["loadBalancer"]["servers"]}
    listening = {
        f"http://{name}:{service['command'][service['command'].index('--port') + 1]}"
        for name, service in compose()["services"].items()
        if "--port" in service.get("command", [])
    }
    assert urls <= listening


def test_credentials_reach_only_the_services_that_need_them():
    services = compose()["services"]
    assert [name for name, service in services.items() if ".env" in service.get("env_file", "")] == [
        "tables",
        "code",
        "consent",
    ]
    assert set(services["webhooks"]["environment"]) == {"WAREHOUSE_URL", "EXACT_WEBHOOK_SECRET"}
    for name in ("migrate", "daemon", "webserver"):
        assert set(services[name]["environment"]) == {"WAREHOUSE_URL"}, name


@pytest.mark.parametrize("name", compose()["services"])
def test_a_service_can_change_nothing_but_its_volumes_and_take_no_more_than_its_share(name: str):
    service = compose()["services"][name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    is_nobody = "build" in service or service["user"] not in {"root", "0"}
    assert is_nobody or (service["network_mode"], service["restart"]) == ("none", "no")


@pytest.mark.parametrize("name", compose()["services"])
def test_a_service_stays_up_and_says_whether_it_is_well_or_ends_and_is_waited_for(name: str):
    services = compose()["services"]
    waits = [service.get("depends_on", {}).get(name, {}).get("condition") for service in services.values()]
    if services[name].get("profiles") == ["consent"]:
        assert (services[name]["restart"], {*waits}) == ("no", {None}), "a person runs it"
    elif services[name]["restart"] == "no":
        assert "service_completed_successfully" in waits
    else:
        assert services[name]["restart"] == "unless-stopped"
        assert services[name]["healthcheck"]["test"]
        assert {*waits} <= {None, "service_healthy"}


def test_what_a_service_waits_for_never_goes_round():
    waits = {name: set(service.get("depends_on", {})) for name, service in compose()["services"].items()}
    assert list(graphlib.TopologicalSorter(waits).static_order())[-1] in {"proxy", "offsite"}


def test_the_example_for_copies_elsewhere_names_the_remote_that_is_written_to_and_no_secret():
    settings = dict(re.findall(r"^([A-Z_]+)=(.*)$", text("deploy/offsite.example.env"), re.MULTILINE))
    (command,) = compose()["services"]["offsite"]["command"]
    (remote,) = re.findall(r" (\w+): ", command)
    assert settings[f"RCLONE_CONFIG_{remote.upper()}_TYPE"] == "crypt"
    assert {value for name, value in settings.items() if "PASSWORD" in name or "KEY" in name} == {""}
    assert "/deploy/offsite.env" in text(".gitignore")


def test_the_image_carries_the_programs_of_the_server_it_dumps():
    (server,) = re.findall(r"\d+", compose()["services"]["postgres"]["image"])
    assert f"postgresql-client-{server}" in text("Dockerfile")


def test_everything_that_compose_mounts_is_there_or_made_by_its_instructions():
    mounts = [volume for service in compose()["services"].values() for volume in service.get("volumes", [])]
    files = {mount.split(":")[0] for mount in mounts if mount.startswith("./")}
    assert all((ROOT / name).is_file() for name in files)
    volumes = {mount.split(":")[0] for mount in mounts} - files
    assert volumes == set(compose()["volumes"])
    assert text("docker-compose.yml").count("deploy/logins") == 2
    assert "/deploy/logins" in text(".gitignore")


def test_the_image_is_made_of_files_that_exist_and_that_docker_is_shown():
    sources = {
        word for line in dockerfile("COPY") if "--from" not in line for word in line.split()[:-1] if word[0] != "-"
    }
    shown = {line[1:] for line in text(".dockerignore").splitlines() if line.startswith("!")}
    assert sources == shown
    assert all((ROOT / source).exists() for source in sources)


def test_the_image_runs_as_nobody_special_on_a_python_we_support_with_the_uv_of_the_set_up():
    assert dockerfile("USER") == ["pipeline"]
    supported = tomllib.loads(text("pyproject.toml"))["project"]["requires-python"]
    assert supported == ">=3.11,<3.15"
    assert all(re.fullmatch(r"python:3\.1[1-4]-slim-trixie( AS build)?", base) for base in dockerfile("FROM"))
    (pinned,) = re.findall(r"^UV_VERSION=(.*)$", text("deploy/setup.sh"), re.MULTILINE)
    assert f"uv=={pinned}" in text("Dockerfile")


def test_dagster_accepts_its_settings():
    from dagster._core.instance.config import dagster_instance_config

    settings, _ = dagster_instance_config(str(ROOT))
    first, *_ = settings["concurrency"]["runs"]["tag_concurrency_limits"]
    assert first == {"key": READS_EXACT, "value": {"applyLimitPerUniqueValue": True}, "limit": 1}
    assert (settings["telemetry"], settings["nux"]) == ({"enabled": False}, {"enabled": False})


@pytest.mark.postgres
def test_dagster_starts_with_its_settings_on_an_empty_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from dagster import DagsterInstance

    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text(text("dagster.yaml"))
    with tempfile.TemporaryDirectory() as home, embedded_postgres(Path(home)) as url:
        monkeypatch.setenv("WAREHOUSE_URL", url)
        with connected(url) as engine:
            migrate(engine)
            engine.dispose()
        with DagsterInstance.get() as instance:
            assert instance.get_runs_count() == 0
            assert not instance.telemetry_enabled
            assert instance.run_monitoring_enabled


# --- make, CI and hooks ---


def test_ci_runs_what_make_check_runs_and_every_script_is_sound():
    assert "exec make check" in text(".ci/run")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    for shell, script in [
        ("bash", ".ci/run"),
        ("sh", "deploy/setup.sh"),
        ("sh", "deploy/chromium.sh"),
        ("sh", "deploy/audit.sh"),
    ]:
        assert subprocess.run([shell, "-n", str(ROOT / script)], check=False).returncode == 0, script


def make(*arguments: str) -> str:
    """What make prints, whatever make it was that started these tests."""
    ours = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKEOVERRIDES", "ARGS"}}
    command = ["make", "-s", "-C", str(ROOT), *arguments]
    return subprocess.run(command, env=ours, capture_output=True, text=True, check=True).stdout


def test_make_names_every_target_that_a_person_may_want():
    shown = make("help")
    assert {line.split()[0] for line in shown.splitlines()} >= {"setup", "demo", "test", "check", "bench", "clean"}


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["demo"], ".venv/bin/pipeline demo"),
        (["demo", "ONCE=1"], ".venv/bin/pipeline demo --once"),
        (["demo", "ONCE=1", "ARGS=--orders 5"], ".venv/bin/pipeline demo --once --orders 5"),
        (["test", "ARGS=-k orders"], f"PYTHONHASHSEED=0 .venv/bin/pytest {EVERY_TEST} -k orders"),
    ],
)
def test_make_hands_its_options_on(arguments: list[str], command: str):
    planned = make("--dry-run", *arguments)
    assert " ".join(planned.splitlines()[-1].split()) == command


def test_every_local_hook_runs_from_the_environment_that_make_sets_up():
    hooks = [hook for repo in yaml.safe_load(text(".pre-commit-config.yaml"))["repos"] for hook in repo["hooks"]]
    programs = [hook["entry"].split()[0] for hook in hooks if "entry" in hook]
    assert programs
    assert all(program.startswith(".venv/bin/") for program in programs)
