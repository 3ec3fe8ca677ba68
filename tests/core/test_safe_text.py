from __future__ import annotations

import pickle

import pytest

from tinysearch.core import safe_text
from tinysearch.core.errors import UserError
from tinysearch.core.safe_text import printable, redacted, redacted_tree, remember_secrets

ADDRESSES = [
    "postgresql://user:hunter2@host/db",
    "postgresql+psycopg://user:hunter2@host:5432/db?sslmode=require",
    "postgresql://user:hun@hunter2@host/db",
    "postgresql://user:h/hunter2/@host/db",
    "postgresql://user:a?hunter2@host/db",
    "postgresql://user:a?b=hunter2&c@host/db",
    "postgresql://user@host/db?password=hunter2",
    "postgresql://user@host/db?sslpassword=hunter2&sslmode=require",
    "postgresql://user@host/db?pass%77ord=hunter2",
    "postgresql://host:5432/db?user=u&password=a@hunter2",
    "postgresql://user@host/db?options=-c+x%3Dhunter2",
    "postgresql://:hunter2@/db?host=/tmp",
    "postgres://user:h%40hunter2@host/db",
    "host=h dbname=d user=u password=hunter2",
    "host=h password = 'my hunter2' user=u",
    "{'password': 'hunter2', 'user': 'u'}",
    "SSLPASSWORD=hunter2",
]


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_text, "_secrets", set())


@pytest.mark.parametrize("address", ADDRESSES)
def test_passwords_of_any_form_are_hidden(address: str) -> None:
    assert "hunter2" not in redacted(f"could not open {address}")


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://user@host:5432/db",
        "postgresql://user@host/db?sslmode=require&host=/tmp",
        "https://example.org/@somebody/page?id=3",
        "trainer.path=/home/me/rates.csv",
        "ray://host:10001",
        "passfile=/home/me/.pgpass",
    ],
)
def test_what_holds_no_password_stays_or_keeps_its_place(text: str) -> None:
    assert redacted(text) == text


def test_a_typed_password_is_hidden_wherever_a_library_repeats_it() -> None:
    remember_secrets("postgresql://user:my%20pass word@host/db?sslpassword=second%21")
    for said in ("got my pass word", "wrong second!", "second%21"):
        remember = redacted(said)
        assert "pass word" not in remember and "second" not in remember


def test_trees_are_redacted() -> None:
    given = {
        "storage": "postgresql://u:hunter2@h/d",
        "settings": {"token": "abc", "list": ["password=hunter2"], "n": 3},
    }
    assert redacted_tree(given) == {
        "storage": "postgresql://u:***@h/d",
        "settings": {"token": "***", "list": ["password=***"], "n": 3},
    }


@pytest.mark.parametrize("code", [0x00, 0x07, 0x1B, 0x0D, 0x7F, 0x9B, 0x200F, 0x202E, 0x2066, 0x2028, 0xDCFF, 0xE0041])
def test_characters_that_steer_are_spelled_out(code: int) -> None:
    shown = printable(f"name{chr(code)}[2J")
    assert chr(code) not in shown
    assert shown.startswith("name\\") and shown.endswith("[2J")
    shown.encode()


def test_other_characters_stay() -> None:
    text = "Müller, 山田 \u200d\n\tאבג 😀"
    assert printable(text) == text


def test_an_error_is_safe_to_show() -> None:
    error = UserError("a name must be plain", value="a\x1b]0;x\x07\nb", remedy="see postgresql://u:hunter2@h/d")
    assert "\x1b" not in str(error) and "hunter2" not in str(error) and "\n" not in str(error)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - made here
    assert str(again) == str(error)


def test_what_a_library_takes_for_the_server_is_hidden() -> None:
    remember_secrets("postgresql://user:one@two@3@db.example:5432/name")
    for rest in ("one@two@3@db.example:5432", "two@3@db.example", "3@db.example:5432"):
        shown = redacted(f"failed to resolve host '{rest}': not known")
        assert "two" not in shown and "3@" not in shown
