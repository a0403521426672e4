"""`make bench`: measures everything, prints one table, writes it to benchmarks/RESULTS.md.

`python -m benchmarks` measures all parts, each in a process of its own; `python -m benchmarks PART` measures one and
writes nothing; `python -m benchmarks PART --help` says what it can be told. Ends non-zero when a figure is worse than
its line, or a part did not come to its end. `--orders-from FILE.parquet` loads real order lines in place of seeded
ones; `--peers` installs n8n and dlt, some 2 GB, in .cache/peers, to be measured beside.
"""

import argparse
import importlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import table
from benchmarks.table import Row

RESULTS = Path(__file__).parent / "RESULTS.md"
# In this order, and with what each is told when all are measured.
PARTS: dict[str, list[str]] = {
    "counts": [],
    "imports": [],
    "burst": [],
    "transforms": [],
    "quiet": [],
    "marts": [],
    "checks": [],
    "catalogue": [],
    "receiver": [],
    "migration": ["--orders", "800", "--daily-tokens", "6000"],
    "load": [],
    "live": ["--rounds", "3"],
    "reading": [],
    "n8n": [],
}
LONGEST = 1_200  # seconds for one part


def main() -> None:
    """One part, or all of them."""
    given = sys.argv[1:]
    if given and given[0] in PARTS:
        part = importlib.import_module(f"benchmarks.{given[0]}")
        table.run(part.__doc__, part.options, part.measure, given[1:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, help="of the large first load")
    parser.add_argument("--orders-from", type=Path)
    parser.add_argument("--peers", action="store_true")
    parser.epilog = f"parts: {', '.join(PARTS)}"
    chosen = parser.parse_args(given)
    sys.exit(int(not measured(chosen)))


def measured(chosen: argparse.Namespace) -> bool:
    """Everything; whether every line is kept."""
    began, at = time.monotonic(), datetime.now(UTC)
    rows = table.in_order(
        row for part, told in PARTS.items() for row in rows_of(part, [*told, *passed_on(part, chosen)])
    )
    page = table.as_page(rows, at=at, seconds=time.monotonic() - began, machine=table.machine())
    RESULTS.write_text(page, "utf-8")
    print(table.as_text(rows))
    return all(row.holds for row in rows)


def passed_on(part: str, chosen: argparse.Namespace) -> list[str]:
    """What the part is told of what was given for all."""
    told = ["--peers"] if chosen.peers and part in {"reading", "n8n"} else []
    if part == "load":
        told += ["--orders", str(chosen.orders)] if chosen.orders is not None else []
        told += ["--orders-from", str(chosen.orders_from.resolve())] if chosen.orders_from else []
    return told


def rows_of(part: str, told: Sequence[str]) -> list[Row]:
    """The rows of one part, measured by a process of its own; a row that says so where it came to no end."""
    print(f"--- {part} {' '.join(told)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks", part, *told, "--rows-to", str(file)]
        child = subprocess.Popen(command)
        try:
            child.wait(LONGEST)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGINT)  # so that it ends what it started
            child.wait()
            return [Row(what=part, said=f"not done within {LONGEST} seconds", failed=True)]
        return table.taken_from(file) if file.exists() else [Row(what=part, said="came to no end", failed=True)]


if __name__ == "__main__":
    main()
