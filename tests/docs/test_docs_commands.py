"""Every command line in the documentation parses, and its options compose; nothing is run here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import chdir
from functools import cache
from pathlib import Path

import pytest
from docs_pages import PAGES, ROOT, blocks, command_lines, spans, words

from tinysearch.app.building.branches import branches_of
from tinysearch.app.building.wiring import wish_of
from tinysearch.app.cli import VERBS, main, parse
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.core.errors import UserError

TAKE_WORDS = {"journal", "verify", "calibrate", "catalog", "data", "completion", "compare"}
"""Verbs that take words without ``=``."""

FILES = Path(__file__).parent / "files"
"""What the pages take for the reader's own files."""

ONE_CANDIDATE = {"evaluate", "train"}
OPTION = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*=\S")
SHELLS = {"", "sh", "bash", "console", "text"}


def commands() -> Iterator[tuple[str, str]]:
    """Places and command lines of all pages, code spans and helps of verbs."""
    for page in PAGES:
        name = str(page.relative_to(ROOT))
        for block in blocks(page):
            if block.language in SHELLS and block.comment != "run":  # test_docs_code.py runs those
                yield from ((block.place, line) for line in command_lines(block.text))
        yield from ((name, line) for span in spans(page) for line in command_lines(span) if " " in span)
    for path in sorted((ROOT / "tinysearch" / "app" / "verbs").glob("*.py")):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        yield from ((f"verbs/{path.name}", line) for line in command_lines(text))


COMMANDS = sorted({line: place for place, line in commands() if "[verb]" not in line and " VERB" not in line}.items())


def options() -> list[tuple[str, str]]:
    """Code spans that are nothing but options, and where they stand first."""
    found: dict[str, str] = {}
    for page in PAGES:
        for span in spans(page):
            text = re.sub(r'^"(.*)"', r"\1", span)
            if all(OPTION.match(word) for word in quoted_words(text)) and text.split("=")[0].split(".")[0] in ROOTS:
                found.setdefault(span, str(page.relative_to(ROOT)))
    return sorted(found.items())


def quoted_words(text: str) -> list[str]:
    return words(f"python -m tinysearch {text}") if text.count('"') % 2 == 0 and text.count("'") % 2 == 0 else ["?"]


def given(override: str) -> str:
    """An override with placeholders in capitals made into paths."""
    return re.sub(r"^(catalog|space)=(PATH|DIR|FILE)\b", r"\1=./\2", override)


@cache
def composed(overrides: tuple[str, ...]) -> dict:
    with chdir(FILES):
        return plain(compose_config([given(word) for word in overrides]))


ROOTS = set(plain(compose_config([]))) | {"experiment"}


@pytest.mark.parametrize(("line", "place"), COMMANDS, ids=[place for _, place in COMMANDS])
def test_command_lines_are_valid(line: str, place: str) -> None:
    invocation = parse(words(line))
    if invocation.flags & {"--help", "--version"}:
        return
    assert invocation.verb in TAKE_WORDS or not invocation.words
    if invocation.verb == "verify":  # its options are no keys of the configuration
        return
    config = composed(invocation.overrides)
    wish_of(config)
    if invocation.verb in ONE_CANDIDATE and config["network"] is None:
        assert branches_of(config)


def batches() -> list[list[str]]:
    """Spans that touch different groups of options and so can be composed at once, which saves most of the time."""
    found: list[tuple[set[str], list[str]]] = []
    for span, _ in options():
        touched = {word.split("=")[0].split(".")[0].replace("experiment", "task") for word in quoted_words(span)}
        place = next((batch for batch in found if not batch[0] & touched), None)
        if place is None:
            found.append(place := (set(), []))
        place[0].update(touched)
        place[1].append(span)
    return [spans_of for _, spans_of in found]


def wrong_options(batch: list[str]) -> list[str]:
    """What is wrong with a batch of spans; one by one if anything is."""
    try:
        composed(tuple(word for span in batch for word in quoted_words(span)))
    except UserError as error:
        if len(batch) == 1:
            return [f"{batch[0]}: {error}"]
        return [problem for span in batch for problem in wrong_options([span])]
    return []


@pytest.mark.slow
def test_code_spans_that_are_options_are_valid() -> None:
    wrong = [problem for batch in batches() for problem in wrong_options(batch)]
    assert not wrong
    assert wrong_options(["seed=1", "n_trails=3"])


def test_there_is_something_to_check() -> None:
    assert len(COMMANDS) > 30
    assert len(options()) > 20
    assert {parse(words(line)).verb for line, _ in COMMANDS} >= set(VERBS) - {"worker"}


def test_a_wrong_option_is_found() -> None:
    with pytest.raises(UserError, match="budget"):
        composed(("budgt=15usd",))


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_shows_how_it_is_called(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    if not (ROOT / "tinysearch" / "app" / "verbs" / f"{verb}.py").is_file():
        pytest.skip(f"the verb {verb} is not there yet")
    assert main([verb, "--help"]) == 0
    assert "python -m tinysearch" in capsys.readouterr().out
