"""`import pipeline.definitions` beside `import dagster`: what each process waits for before it does anything.

Each in a process of its own, in turns, in seconds of processor time; of each the least counts, since a loaded machine
only ever adds.
"""

import argparse
import subprocess
import sys

from benchmarks.table import Row, run

MOST = 1.3
OURS, PEER = "pipeline.definitions", "dagster"


def options(parser: argparse.ArgumentParser) -> None:
    """What it can be told."""
    parser.add_argument("--rounds", type=int, default=7)


def measure(chosen: argparse.Namespace) -> list[Row]:
    """Processor seconds of both."""
    took = [(seconds(OURS), seconds(PEER)) for _ in range(chosen.rounds)]
    ours, peer = (min(times) for times in zip(*took, strict=True))
    return [Row(what=f"import {OURS}", ours=ours, beside=peer, named=f"s, {PEER}", line=MOST, unit="s")]


def seconds(module: str) -> float:
    """Processor seconds of importing it, the interpreter's own start apart."""
    clock = f"import time; began = time.process_time(); import {module}; print(time.process_time() - began)"
    command = [sys.executable, "-W", "ignore", "-c", clock]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    run(__doc__, options, measure)
