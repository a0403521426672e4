"""One table for all that is measured: what, ours, what stands beside it, the ratio, the line, and whether it holds.

A part is a module of this folder with `options`, which adds what it can be told, and `measure`, which returns its rows.
Counts go first in the table, since they don't depend on the machine; times are to be read as ratios.
"""

import argparse
import json
import os
import platform
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

COLUMNS = ("what", "ours", "beside", "ratio", "line", "ok")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure. With something `beside` it the line is for the ratio of the two, else for the figure itself."""

    what: str
    ours: float | None = None
    beside: float | None = None
    named: str = ""  # what stands beside it: floor, pages, n8n
    line: float | None = None  # None: told for its own sake
    at_least: bool = False  # the line is the least, else the most
    counted: bool = False  # calls, tokens, rows, bytes: the same on every machine
    unit: str = ""
    said: str = ""  # why there is no figure
    failed: bool = False  # there had to be one

    @property
    def ratio(self) -> float | None:
        """Ours by what stands beside it."""
        return self.ours / self.beside if self.ours is not None and self.beside else None

    @property
    def holds(self) -> bool:
        """Whether the line is kept. What can't be measured here, such as a peer that isn't installed, breaks none."""
        if self.failed:
            return False
        judged = self.ratio if self.beside else self.ours
        if self.line is None or judged is None:
            return True
        return judged >= self.line if self.at_least else judged <= self.line

    def cells(self) -> tuple[str, ...]:
        """As the table shows it."""
        sign = "≥" if self.at_least else "≤"
        line = "" if self.line is None else f"{sign} {shown(self.line)}{' ×' if self.beside else ''}"
        ours = self.said if self.ours is None else f"{shown(self.ours)} {self.unit}".strip()
        beside = "" if self.beside is None else f"{shown(self.beside)} {self.named}".strip()
        ratio = "" if self.ratio is None else f"{self.ratio:.3f} ×"
        verdict = "no" if not self.holds else "" if self.line is None or self.ours is None else "yes"
        return (self.what, ours, beside, ratio, line, verdict)


def shown(figure: float) -> str:
    """Whole numbers as such; of others as many digits as tell something."""
    if figure == int(figure) or abs(figure) >= 1_000:
        return f"{figure:,.0f}"
    return f"{figure:,.1f}" if abs(figure) >= 100 else f"{figure:.2f}"


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Counts first, each kind in the order it was measured in."""
    return sorted(rows, key=lambda row: not row.counted)


def as_text(rows: Sequence[Row]) -> str:
    """For a terminal."""
    lines = [COLUMNS, *(row.cells() for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(COLUMNS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def as_page(rows: Sequence[Row], *, at: datetime, seconds: float, machine: str) -> str:
    """benchmarks/RESULTS.md."""
    broken = sum(not row.holds for row in rows)
    verdict = "Every line is kept." if not broken else f"{broken} of {len(rows)} rows are worse than their line."
    head = f"""# Results of `make bench`

Written by the command, never by hand. {at:%Y-%m-%d %H:%M} UTC, {machine}; it took {seconds / 60:.0f} minutes.
{verdict} Counts come first: they are the same on every machine. docs/performance.md says where the time goes.

"""
    lines = [COLUMNS, ("---",) * len(COLUMNS), *(row.cells() for row in rows)]
    return head + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def machine() -> str:
    """What it was measured on, without the machine's name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = ""
    if (cpus := Path("/proc/cpuinfo")).exists():
        found = re.search(r"^model name\s*: (.+)$", cpus.read_text("utf-8"), re.MULTILINE)
        model = f" ({found[1]})" if found else ""
    system = f"{platform.system()} {platform.machine()}"
    return f"{system}, {os.cpu_count()} cores{model}, {memory:.0f} GB, Python {platform.python_version()}"


def handed_over(rows: Sequence[Row], file: Path) -> None:
    """Rows for the process that asked for them."""
    file.write_text(json.dumps([asdict(row) for row in rows]), "utf-8")


def taken_from(file: Path) -> list[Row]:
    """The rows another process handed over."""
    return [Row(**row) for row in json.loads(file.read_text("utf-8"))]


def run(
    description: str | None,
    options: Callable[[argparse.ArgumentParser], None],
    measure: Callable[[argparse.Namespace], list[Row]],
    arguments: Sequence[str] | None = None,
) -> None:
    """One part: measures, prints its rows, and ends with 1 when one of them is worse than its line."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    options(parser)
    parser.add_argument("--rows-to", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    rows = measure(chosen)
    if chosen.rows_to:
        handed_over(rows, chosen.rows_to)
    print(as_text(rows), f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", sep="\n", flush=True)
    sys.exit(int(not all(row.holds for row in rows)))
