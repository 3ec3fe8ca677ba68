"""A PostgreSQL server of Debian's package for tests: its own folder, its own socket, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "s3cret-of-the-tests"  # noqa: S105  of a server that lives for a test
_DEADLINE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server: listens on a socket in ``folder`` and nowhere else."""

    folder: Path

    @property
    def url(self) -> str:
        return f"postgresql://tester:{PASSWORD}@/postgres?host={self.folder}"

    def query(self, sql: str) -> list[tuple[object, ...]]:
        import psycopg

        with psycopg.connect(host=str(self.folder), user="tester", password=PASSWORD, dbname="postgres") as connection:
            return connection.execute(sql).fetchall()


def programs() -> Path | None:
    """Where initdb and postgres are; Debian keeps them off PATH."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").is_file()), None)


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Server]:
    """Start a server with its data in ``folder``, new or left by an earlier one, and stop it in the end."""
    where = programs()
    assert where is not None
    user = _unprivileged(folder)
    if not (folder / "data").exists():
        (folder / "password").write_text(PASSWORD)
        make = [where / "initdb", "-D", folder / "data", "-U", "tester", "-A", "scram-sha-256"]
        _run([*make, "--pwfile", folder / "password", "--no-sync", "-E", "UTF8"], user)
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
    log = (folder / "log").open("wb")
    process = subprocess.Popen([where / "postgres", "-D", folder / "data", *options], user=user, stdout=log, stderr=log)
    try:
        running = Server(folder=folder)
        _await(running, process)
        yield running
    finally:
        process.send_signal(signal.SIGINT)  # "fast": disconnects everybody and writes what there is
        process.wait(timeout=_DEADLINE_S)
        log.close()


def stop(folder: Path) -> None:
    """Stop the server of a folder in the midst of its work and wait for its end."""
    pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGINT)  # "fast": disconnects everybody and writes what there is
    until = time.monotonic() + _DEADLINE_S
    while (folder / "data" / "postmaster.pid").exists() and time.monotonic() < until:
        time.sleep(0.05)


def _unprivileged(folder: Path) -> str | None:
    """PostgreSQL refuses to run as root: the user of Debian's package, who then owns the folder."""
    if os.getuid() != 0:
        return None
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return user.pw_name


def _run(command: Sequence[object], user: str | None) -> None:
    subprocess.run([str(word) for word in command], user=user, check=True, capture_output=True)


def _await(running: Server, process: subprocess.Popen[bytes]) -> None:
    import psycopg

    until = time.monotonic() + _DEADLINE_S
    while True:
        try:
            running.query("SELECT 1")
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() >= until:
                raise
            time.sleep(0.1)
        else:
            return
