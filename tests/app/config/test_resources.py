"""Where the user's cache lies."""

from pathlib import Path

import pytest

from tinysearch.app.config.resources import cache_dir

pytestmark = pytest.mark.skipif("sys.platform != 'linux'", reason="the folders of Linux")


@pytest.mark.parametrize(
    ("configured", "xdg", "expected"),
    [
        (None, None, "home/.cache/tinysearch"),
        (None, "", "home/.cache/tinysearch"),
        (None, "elsewhere", "elsewhere/tinysearch"),
        ("~/mine", "elsewhere", "home/mine"),
        ("mine", None, "mine"),
    ],
)
def test_the_cache_is_where_users_expect_it(
    configured: str | None, xdg: str | None, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if xdg is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / xdg) if xdg else xdg)
    assert cache_dir(configured) == tmp_path / expected
