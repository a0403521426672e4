"""The receiver under fire, so many seconds with each of two fuzzers: `python -m pipeline_tests.fuzz SECONDS`.

Schemathesis sends to a real port whatever docs/webhooks.openapi.yaml allows and forbids; atheris searches the code that
reads a body. Afterwards nothing unsigned may stand in the inbox, and a signed notification has to be taken.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from sqlalchemy import create_engine

from pipeline.warehouse.connection import warehouse_url
from pipeline.warehouse.embedded import embedded_postgres
from pipeline.warehouse.migrating import migrate
from pipeline.webhooks.receiver import UNSIGNED
from pipeline_tests.webhooks.receiving import serving, stored
from pipeline_tests.webhooks.sending import hash_code, notification

ROOT = Path(__file__).resolve().parents[2]
DESCRIPTION, CORPUS = ROOT / "docs" / "webhooks.openapi.yaml", ROOT / ".cache" / "fuzz-corpus"


def by_description(seconds: int, home: Path) -> None:
    """Schemathesis against a receiver with a database."""
    UNSIGNED.update(a_second=1e9, at_once=10**9)  # else most of it would be answered 429 and nothing looked at
    with embedded_postgres(home) as url:
        engine = create_engine(warehouse_url(url))
        migrate(engine)
        with serving(engine) as served:
            address = f"http://127.0.0.1:{served.port}"
            program = [str(Path(sys.executable).with_name("schemathesis")), "--no-color", "fuzz", str(DESCRIPTION)]
            # Whatever is well formed and not signed is refused, which its schema can't say.
            options = ["--url", address, "--max-time", str(seconds), "--exclude-checks", "positive_data_acceptance"]
            subprocess.run([*program, *options, "--suppress-health-check", "all"], cwd=home, check=True)
            assert stored(engine) == set(), "something unsigned stands in the inbox"
            signed = notification()
            assert served.post(signed) == 200, "a signed notification is no longer taken"
            assert stored(engine) == {hash_code(signed)}
        engine.dispose()


def by_coverage(seconds: int) -> None:
    """Atheris against what reads a body."""
    limits = [
        f"-max_total_time={seconds}",
        "-max_len=70000",
        "-timeout=20",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
    ]
    files = [str(CORPUS), f"-artifact_prefix={CORPUS}-", f"-dict={Path(__file__).with_name('words.dict')}"]
    command = [sys.executable, "-m", "pipeline_tests.fuzz.coverage", *files, *limits]
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    how_long = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        by_description(how_long, Path(folder))
    by_coverage(how_long)
    print(f"{how_long} seconds with each fuzzer: nothing answered wrongly, nothing unsigned kept")
