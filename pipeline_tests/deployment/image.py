"""The Dockerfile's steps in a clean folder, without Docker: what is copied is there, what is run is run.

Left out are the steps that change the machine itself: what apt-get and useradd do, and getting uv.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from pipeline_tests.deployment.compose import ROOT

_OF_THE_MACHINE = ("apt-get", "useradd", "pip install")
# The image has another Python and keeps no cache; here both are those of the set-up, or each try would fetch all anew.
_OURS = {"UV_NO_CACHE", "UV_COMPILE_BYTECODE"}
_TO_THE_INDEX = re.compile(r"^SSL_CERT_|_proxy$|^UV_(INDEX|DEFAULT_INDEX|NATIVE_TLS|SYSTEM_CERTS)", re.IGNORECASE)


@dataclass(frozen=True)
class Image:
    """A folder that stands for the image's root, and the environment that the image gives its processes."""

    root: Path
    environment: dict[str, str]
    left_out: list[str]

    @property
    def work(self) -> Path:
        """Where its processes begin."""
        return self.root / "srv/pipeline"

    def run(self, command: list[str], **more: str) -> subprocess.CompletedProcess[str]:
        """A command in it, with nothing of our own environment."""
        environment = {**self.environment, **more}
        program = shutil.which(command[0], path=environment["PATH"]) or command[0]
        return subprocess.run(
            [program, *command[1:]], cwd=self.work, env=environment, capture_output=True, text=True, check=False
        )


def instructions() -> Iterator[tuple[str, str]]:
    """Each instruction of the Dockerfile with what stands behind it."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.partition(" ")
            yield word, rest.strip()


def built(root: Path) -> Image:
    """Goes through the Dockerfile; ends the program with what a step said when it fails."""
    environment = {"HOME": str(root), "LANG": "C.UTF-8", "PATH": f"{_folder_of_uv()}:{os.environ['PATH']}"}
    stage, left_out = dict(environment), list[str]()
    work = root
    for word, rest in instructions():
        if word == "FROM":
            stage = (
                {**environment, "PATH": "/usr/local/bin:/usr/bin:/bin"} if "build" not in rest else dict(environment)
            )
        elif word == "WORKDIR":
            work = root / rest.lstrip("/")
            work.mkdir(parents=True, exist_ok=True)
        elif word == "ENV":
            stage |= _set(rest, stage, root)
        elif word == "COPY":
            _copy(rest, root, work)
        elif word == "RUN" and any(sign in rest for sign in _OF_THE_MACHINE):
            left_out.append(rest)
        elif word == "RUN":
            _run(rest, stage, work)
    return Image(root, stage, left_out)


def _folder_of_uv() -> Path:
    found = shutil.which("uv", path=f"{ROOT / '.tools/bin'}:{os.environ['PATH']}")
    if not found:
        raise SystemExit("There is no uv: run `make setup` first, without a .venv that is finished already.")
    return Path(found).parent


def _set(rest: str, stage: Mapping[str, str], root: Path) -> dict[str, str]:
    pairs = dict(pair.partition("=")[::2] for pair in shlex.split(rest))
    values = {name: Template(value).safe_substitute(stage) for name, value in pairs.items() if name not in _OURS}
    return {name: in_the_folder(value, root) for name, value in values.items()}


def in_the_folder(words: str, root: Path) -> str:
    """A path of the image as it is here."""
    return re.sub(r"(?<![\w.-])/(?=(?:srv|var/lib)/pipeline)", f"{root}/", words)


def _copy(rest: str, root: Path, work: Path) -> None:
    *sources, target = [word for word in rest.split() if not word.startswith("--")]
    if "--from=" in rest:
        return  # from the stage before, which has the same root here
    for name in sources:
        source, place = ROOT / name, root / target.lstrip("/") if target.startswith("/") else work / target
        if source.is_dir():
            shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
            continue
        place = place / source.name if target.endswith("/") else place
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)


def _run(command: str, stage: Mapping[str, str], work: Path) -> None:
    # How this machine reaches a package index is no part of the image.
    reach = {name: value for name, value in os.environ.items() if _TO_THE_INDEX.search(name)}
    cache = os.environ.get("UV_CACHE_DIR", str(ROOT / ".cache/uv"))
    environment = {**stage, **reach, "UV_CACHE_DIR": cache, "UV_PYTHON": sys.executable}
    done = subprocess.run(
        ["sh", "-ec", command], cwd=work, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"RUN {command}\n{done.stdout}{done.stderr}")
