"""Locks between processes and threads: one holder, who is named, and who may die or stop."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinysearch import locks


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A lock, and another process that holds it."""
    path, (ours, theirs) = tmp_path / "deep" / "x.lock", os.pipe()
    pid = os.fork()
    if not pid:
        with locks.exclusive(path, waiting=lambda _: None):
            os.write(theirs, b"1")
            time.sleep(60)
        os._exit(0)
    os.read(ours, 1)
    yield path, pid
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(ours)
    os.close(theirs)


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "POLL_S", 0.02)


def test_one_thread_at_a_time(tmp_path: Path) -> None:
    waits, order = threading.Event(), []

    def second() -> None:
        with locks.exclusive(tmp_path / "x.lock", waiting=lambda _: waits.set()):
            order.append("second")

    with locks.exclusive(tmp_path / "x.lock", waiting=lambda _: None):
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_the_holder_is_named_and_its_death_gives_the_lock_back(holder: tuple[Path, int]) -> None:
    path, pid = holder
    told: list[str] = []

    def waiting(who: str) -> None:
        told.append(who)
        os.kill(pid, signal.SIGKILL)

    with locks.exclusive(path, waiting=waiting):
        assert f"process {pid} on {os.uname().nodename} in {Path.cwd()} since" in told[0]


def test_a_holder_that_was_stopped_is_passed_over_where_that_harms_nobody(holder: tuple[Path, int], caplog) -> None:
    path, pid = holder
    os.kill(pid, signal.SIGSTOP)
    with locks.exclusive(path, waiting=lambda _: None, patience_s=0.1):
        assert "waited for no longer" in caplog.text
    with pytest.raises(TimeoutError), locks.exclusive(path, waiting=_give_up):
        pass


def test_a_holder_that_goes_on_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "BEAT_S", 0.02)
    until = time.monotonic() + 0.5

    def waiting(_: str) -> None:
        if time.monotonic() > until:
            raise TimeoutError

    path = tmp_path / "x.lock"
    with (
        locks.exclusive(path, waiting=_give_up),
        pytest.raises(TimeoutError),
        locks.exclusive(path, waiting=waiting, patience_s=0.25),
    ):
        pass


def test_whoever_raises_while_it_waits_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with locks.exclusive(path, waiting=_give_up):
        with pytest.raises(TimeoutError), locks.exclusive(path, waiting=_give_up):
            pass
        assert locks.hold(path) is None
    descriptor = locks.hold(path)
    assert descriptor is not None
    locks.release(descriptor)


def _give_up(_: str) -> None:
    raise TimeoutError
