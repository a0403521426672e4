"""Kill -9 in the middle of answering: what was answered 200 has to be in the table afterwards, whoever was killed."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import Engine, create_engine

from pipeline.warehouse.connection import warehouse_url
from pipeline.warehouse.embedded import embedded_postgres
from pipeline_tests.webhooks.receiving import environment, receiver, stored, until_it_answers
from pipeline_tests.webhooks.sending import Answers, Sender, notifications

CONNECTIONS = 40


@dataclass
class Outcome:
    """What one kill left."""

    at: int  # answers given when it fell
    answers: Answers
    missing: set[str]  # answered 200 and not in the table

    def __str__(self) -> str:
        counted = ", ".join(f"{count} × {status or 'broken'}" for status, count in sorted(self.answers.counted.items()))
        return f"killed after {self.at:>5} answers: {counted}; lost {len(self.missing)}"


def kill_receiver(home: Path, engine: Engine, at: int, events: int) -> Outcome:
    """Kills the receiver after so many answers."""
    url = engine.url.render_as_string(hide_password=False)
    with receiver(environment(home, url)) as running:
        sender = Sender(running.port, CONNECTIONS, answered=Once(at, running.process.pid))
        answers = sender.send(notifications(events))
    return Outcome(at, answers, answers.accepted - stored(engine))


@contextmanager
def own_server(folder: Path) -> Iterator[str]:
    """A PostgreSQL to be killed, which by its own habit would lose the last commits."""
    with embedded_postgres(folder) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_commit = off")
            connection.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
            connection.execute("SELECT pg_reload_conf()")
        yield url


def kill_database(home: Path, folder: Path, moments: Sequence[int], events: int) -> Iterator[Outcome]:
    """Kills the database after so many answers, several times under one receiver, which goes on when it is back."""
    with own_server(folder) as url:
        engine = create_engine(warehouse_url(url))
        with receiver(environment(home, url)) as running:
            for at in moments:
                pid = int((folder / "postgres" / "postmaster.pid").read_text().splitlines()[0])
                sender = Sender(running.port, CONNECTIONS, answered=Once(at, pid, whole_group=True))
                answers = sender.send(notifications(events))
                until_it_answers(running, 503)
                engine.dispose()
                with embedded_postgres(folder):
                    until_it_answers(running)
                    yield Outcome(at, answers, answers.accepted - stored(engine))
                    engine.dispose()
        engine.dispose()


@dataclass
class Once:
    """Kills a process when so many answers were given, once."""

    at: int
    pid: int
    whole_group: bool = False
    done: bool = False

    def __call__(self, answers: Answers) -> None:
        if not self.done and len(answers.statuses) >= self.at:
            self.done = True
            if self.whole_group:
                _kill_with_children(self.pid)
            else:
                os.kill(self.pid, signal.SIGKILL)


def _kill_with_children(pid: int) -> None:
    import psutil

    server = psutil.Process(pid)
    for process in [server, *server.children(recursive=True)]:
        process.kill()
