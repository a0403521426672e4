"""The embedded PostgreSQL against the real server: starting, sharing, being killed, as root and as an ordinary user."""

import os
import pwd
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, text

from pipeline.warehouse import postmaster
from pipeline.warehouse.embedded import (
    EmbeddedPostgresUnavailable,
    embedded_postgres,
    postgres_programs,
    secret_key,
)
from pipeline.warehouse.embedded_account import let_reach

pytestmark = pytest.mark.postgres

# Everything is imported while still root: the interpreter itself may lie where an ordinary user has no access.
JOIN_AND_WAIT = """
import os, sys
from pathlib import Path
import psutil, psycopg
from pipeline.warehouse.embedded import embedded_postgres
home, user = Path(sys.argv[1]), int(sys.argv[2])
if user:
    os.setgroups([]), os.setgid(user), os.setuid(user)
with embedded_postgres(home) as url:
    with psycopg.connect(url) as connection:
        print(connection.execute("SELECT current_user").fetchone()[0], flush=True)
    sys.stdin.read()
"""


# Not pytest's folders: every pytest that starts closes their parent again, to the account of a server below it too.
@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def value(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
        return row and row[0]


def server_pid(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def is_served(home: Path) -> bool:
    return postmaster.is_served(home / "postgres")


@contextmanager
def another_process(home: Path, user: int = 0) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", JOIN_AND_WAIT, str(home), str(user)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "postgres\n"
        yield process
    finally:
        process.communicate(timeout=30)


@pytest.mark.parametrize("driver", ["postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_every_driver_takes_the_url(home: Path, driver: str):
    with embedded_postgres(home) as url:
        engine = create_engine(url.replace("postgresql:", f"{driver}:", 1))
        with engine.connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1
        engine.dispose()


def test_what_was_written_is_there_after_a_restart_and_the_server_is_gone_in_between(home: Path):
    with embedded_postgres(home) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert not is_served(home)
    with embedded_postgres(home) as url:
        assert value(url, "SELECT answer FROM kept") == 42


def test_a_port_meant_for_another_server_changes_nothing(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PGPORT", "7777")
    monkeypatch.setenv("PGDATA", "/nowhere")
    with embedded_postgres(home) as url:
        assert value(url, "SELECT 1") == 1


def test_text_sorts_by_its_bytes_and_folds_case_in_every_language_and_time_is_utc(home: Path):
    with embedded_postgres(home) as url:
        assert value(url, "SELECT 'Z' < 'a'") is True
        assert value(url, "SELECT lower('CAFÉ')") == "café"
        assert value(url, "SHOW timezone") == "UTC"


def test_a_commit_survives_a_killed_server(home: Path):
    with embedded_postgres(home) as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE counted AS SELECT generate_series(1, 100000) AS n")
        os.kill(server_pid(home), signal.SIGKILL)
    with embedded_postgres(home) as url:
        assert value(url, "SELECT count(*) FROM counted") == 100_000


def test_a_session_that_outlived_its_killed_server_does_not_stop_the_next_start(home: Path):
    busy = "DO $$ BEGIN LOOP END LOOP; END $$"
    with embedded_postgres(home) as url, closing(psycopg.connect(url, autocommit=True)) as connection:
        session = psutil.Process(connection.info.backend_pid)
        connection.pgconn.send_query(busy.encode())
        os.kill(server_pid(home), signal.SIGKILL)
        with embedded_postgres(home) as again:
            assert value(again, "SELECT 1") == 1
        assert not postmaster.serves(session, home / "postgres")


def test_a_server_number_that_is_a_strangers_after_a_reboot_is_not_believed(home: Path):
    with embedded_postgres(home):
        lock = (home / "postgres" / "postmaster.pid").read_text()
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        (home / "postgres" / "postmaster.pid").write_text(f"{stranger.pid}\n" + lock.split("\n", 1)[1])
        with embedded_postgres(home) as url:
            assert value(url, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_the_last_of_two_processes_stops_the_server(home: Path):
    with another_process(home):
        with embedded_postgres(home) as url:
            assert value(url, "SELECT 1") == 1
        assert is_served(home)
    assert not is_served(home)


def test_a_killed_process_is_not_waited_for(home: Path):
    with another_process(home) as other:
        with embedded_postgres(home) as url:
            other.kill()
            other.wait()
            assert value(url, "SELECT 1") == 1
        assert not is_served(home)


@pytest.mark.parametrize("name", ["met spatie", "komma, dubbele:punt", "l" * 100], ids=["blank", "comma", "long"])
def test_a_home_whose_path_no_socket_can_have_works_too(folder: Path, name: str):
    with embedded_postgres(folder / name) as url:
        sockets = Path(url.split("host=")[1].split("&")[0])
        assert (value(url, "SELECT 1"), stat.S_IMODE(sockets.stat().st_mode)) == (1, 0o700)
    assert not sockets.exists()


def test_a_first_start_that_was_cut_short_is_made_up_for(folder: Path):
    (folder / "postgres.new").mkdir()
    (folder / "postgres.new" / "PG_VERSION").write_text("18\n")
    with embedded_postgres(folder) as url:
        assert value(url, "SELECT 1") == 1


def test_data_of_another_major_version_is_left_alone_with_a_word_on_what_to_do(folder: Path):
    (folder / "postgres").mkdir()
    (folder / "postgres" / "PG_VERSION").write_text("16\n")
    with (
        pytest.raises(EmbeddedPostgresUnavailable, match=r"made by PostgreSQL 16 .* restore"),
        embedded_postgres(folder),
    ):
        pass


def test_a_server_that_does_not_start_says_why(folder: Path):
    with embedded_postgres(folder):
        pass
    (folder / "postgres" / "postgresql.auto.conf").write_text("shared_buffers = 'much'\n")
    with (
        pytest.raises(EmbeddedPostgresUnavailable, match=r"(?s)server\.log.*shared_buffers"),
        embedded_postgres(folder),
    ):
        pass


def test_without_the_extra_the_message_names_both_ways_out(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with (
        pytest.raises(EmbeddedPostgresUnavailable, match=r"WAREHOUSE_URL.*--extra embedded"),
        embedded_postgres(folder),
    ):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else; all other tests ran as one already")
def test_an_ordinary_user_has_a_server_of_its_own_which_root_can_join(folder: Path):
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    let_reach(folder, postgres_programs())
    with another_process(folder, user=nobody.pw_uid):
        assert psutil.Process(server_pid(folder)).uids().real == nobody.pw_uid
        with embedded_postgres(folder) as url:
            assert value(url, "SELECT 1") == 1
    assert not is_served(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="PostgreSQL refuses root alone")
def test_root_hands_the_data_to_an_account_and_keeps_the_folders_above_unreadable(folder: Path):
    above = folder / "above"
    above.mkdir(mode=0o700)
    with embedded_postgres(above / "home") as url:
        assert value(url, "SELECT 1") == 1
        assert psutil.Process(server_pid(above / "home")).uids().real != 0
    assert stat.S_IMODE(above.stat().st_mode) == 0o701
    assert stat.S_IMODE((above / "home" / "postgres").stat().st_mode) == 0o700


def test_the_key_is_made_once_is_a_fernet_key_and_nobody_else_may_read_it(folder: Path):
    keys = {secret_key(folder / "home") for _ in range(3)}
    assert len(keys) == 1
    Fernet(keys.pop())
    assert stat.S_IMODE((folder / "home" / "secret.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("ask", [embedded_postgres, secret_key])
def test_dagster_is_not_needed(ask: Callable[..., object]):
    modules = f"import sys, {ask.__module__}; sys.exit('dagster' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", modules], check=False).returncode == 0
