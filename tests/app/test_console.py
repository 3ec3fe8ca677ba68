"""What reaches a terminal: no character that steers it, no password."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest
from rich.table import Table

from tinysearch.app.cli import main
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.console import SafeConsole, SafeFormatter, say
from tinysearch.app.run import run_dir as files
from tinysearch.core.errors import UserError
from tinysearch.search.study.postgresql import parse_url, shown

EVIL = "Eve\x1b[2J\x1b]0;owned\x07\u202e[link=http://x]\x9b"
ADDRESSES = [
    "postgresql://user:hunter2@host/db",
    "postgresql://user:hun@hunter2@host/db",
    "postgresql://user:hunter2/x@host/db",
    "postgresql://user@host/db?password=hunter2",
    "postgresql://user@host/db?sslpassword=hunter2",
    "postgresql://user@host/db?p%61ssword=hunter2",
    "host=h dbname=d user=u password=hunter2",
]


def test_tables_and_lines_spell_out_what_steers() -> None:
    out = io.StringIO()
    console = SafeConsole(file=out, force_terminal=True, width=200)
    table = Table("name", title=EVIL)
    table.add_row(EVIL)
    table.caption = EVIL
    console.print(table)
    console.print(EVIL)
    say(EVIL, file=out)
    shown = out.getvalue()
    for character in ("\x07", "\u202e", "\x9b", "\x1b[2J", "\x1b]"):
        assert character not in shown
    assert shown.count("Eve\\x1b[2J") == 5
    assert shown.count("[link=http://x]") == 5


def test_names_that_are_no_utf8_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    say(b"M\xfcller".decode("utf-8", "surrogateescape"))
    assert capsys.readouterr().out == "M\\udcfcller\n"


def test_log_lines_are_safe() -> None:
    record = logging.LogRecord("data", logging.WARNING, "", 0, "skipped %s of %s", (EVIL, ADDRESSES[0]), None)
    line = SafeFormatter().format(record)
    assert "\x1b" not in line and "hunter2" not in line


def test_errors_that_a_library_got_over_are_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """What SQLAlchemy logs with a traceback where a server goes away between two statements."""
    sqlalchemy = pytest.importorskip("sqlalchemy")
    engine = sqlalchemy.create_engine("sqlite://")

    def gone(_connection: object) -> None:
        raise OSError(f"the server is gone\n{ADDRESSES[0]}")

    with engine.connect():
        engine.dialect.do_rollback = gone
    (record,) = caplog.records
    assert record.exc_info
    record.exc_text = None  # what other formatters leave
    line = SafeFormatter("%(name)s: %(message)s").format(record).rstrip()
    assert line == f"{record.name}: Exception during reset or similar (OSError: the server is gone)"


def test_verbs_have_no_other_way_to_a_terminal() -> None:
    """Whoever adds a verb prints with ``say`` and draws on a ``SafeConsole``."""
    import re

    import tinysearch.app

    room = Path(tinysearch.app.__file__).parent
    found = [
        f"{path.relative_to(room)}: {line.strip()}"
        for path in room.rglob("*.py")
        for line in path.read_text().splitlines()
        if path.name != "console.py" and re.search(r"(?<![\w.])(print|Console|Text)\((?!safe\()", line)
    ]
    assert not found


def test_people_with_such_names_are_inspected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    person = tmp_path / "people" / "Eve\x1b[2J\u202e" / "face"
    person.mkdir(parents=True)
    (person / "broken\x1b]0;x\x07.png").write_bytes(b"no picture")
    main(["data", "inspect", "data=folder", f"data.root={tmp_path / 'people'}", f"cache.dir={tmp_path / 'cache'}"])
    captured = capsys.readouterr()
    said = captured.out + captured.err
    assert not {"\x1b", "\x07", "\u202e"} & set(said)


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_password_is_in_no_message_and_in_no_file(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    config = plain(compose_config([f"storage={address}", "run_dir=run"]))
    assert config["storage"] == address
    files.write_config(tmp_path, config)
    words = [
        ["worker", f"storage={address}", "seed=[2,"],
        ["worker", f"storag={address}"],
        ["worker", f"storage={address}", "engine=nowhere", "trainer=none"],
        ["worker", f"storage={address} {address}"],
        ["worker", f"storage='{address}"],
        ["emit", address],
    ]
    for line in words:
        assert main(line) == 2
    with pytest.raises(UserError) as caught:
        parse_url(address.replace("postgresql", "mysql"))
    said = capsys.readouterr()
    chain = [caught.value, caught.value.__cause__]
    written = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    told = [said.out, said.err, written, caplog.text, shown(address), *map(repr, chain)]
    assert not [text for text in told if "hunter2" in text]
    assert "storage" in written
