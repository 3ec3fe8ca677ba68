"""The tab key, as bash asks for it."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys

import pytest

from tinysearch.app.cli import VERBS, main
from tinysearch.app.config.compose import all_keys
from tinysearch.app.config.words import GROUPS, options_of
from tinysearch.app.verbs.completion import VALUES, WORDS


@pytest.fixture(scope="module")
def script() -> str:
    command = [sys.executable, "-m", "tinysearch", "completion", "bash"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def completed(script: str, *words: str) -> list[str]:
    """What bash offers for the last word; like bash, ``=`` stands apart."""
    typed = " ".join(shlex.quote(word) for word in ("tinysearch", *words))
    code = f"{script}\nCOMP_WORDS=({typed}); COMP_CWORD={len(words)}; _tinysearch; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("eva",), ["evaluate"]),
        (("catalog", "pr"), ["price_level=", "price"]),
        (("bud",), ["budget="]),
        (("evaluate", "face.bl"), ["face.blocks="]),
        (("catalog", "=", "pap"), ["paper2023"]),
        (("sampler", "=", "n"), ["nsga2", "nsga3"]),
        (("evaluate", "memory", "="), ["arena", "bands", "paper"]),
        (("sampler=tp",), ["sampler=tpe"]),
        (("--js",), ["--json"]),
    ],
)
def test_bash_offers_what_fits(script: str, words: tuple[str, ...], offered: list[str]) -> None:
    assert completed(script, *words) == offered


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_first_word_may_be_any_verb_or_option(script: str) -> None:
    offered = set(completed(script, ""))
    assert set(VERBS) <= offered
    assert {f"{group}=" for group in GROUPS} <= offered


def test_offered_names_exist() -> None:
    assert set(WORDS) <= set(VERBS)
    assert set(VALUES) <= set(all_keys())
    assert all(options_of(group) for group in GROUPS)


@pytest.mark.parametrize("shell", WORDS["completion"])
def test_every_shell_gets_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    text = capsys.readouterr().out
    assert "complete -" in text
    assert all(verb in text for verb in VERBS)
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=text, text=True, check=True)


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
