"""A file that is there whole or not at all: written beside its place, and put there when nothing is missing."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def written_whole(path: Path, *, private: bool = False) -> Iterator[Path]:
    """Where to write what takes that file's place in the end; after an error nothing is left of it.

    A `private` one only its owner reads, and its folder is made where it is missing. OSError is the caller's to tell.
    """
    unfinished = path.with_name(f".{path.name}.unfinished-{os.getpid()}")
    try:
        if private:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        yield unfinished
        unfinished.replace(path)
    finally:
        with suppress(OSError):  # gone already, or never made
            unfinished.unlink()
