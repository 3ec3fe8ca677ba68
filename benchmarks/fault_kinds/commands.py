"""Command lines out of the grammar of options: right ones with one to three words that nobody meant."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from fault_kinds import Trial
from fault_kinds.answers import answer, typed
from fault_kinds.values import choice, word_value

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "benchmarks" / "data" / "embedded.csv"

_FACE = ("modality=face", "face.blocks=[1,1]", "face.precision=int8")
_BOTH = ("modality=fusion", *_FACE[1:], "voice.blocks=[1,1]", "voice.precision=xnor2/1")
_TINY = ("face.width=4", "face.input_size=24", "face.embedding=8", "trainer.epochs=2", "trainer.samples_per_epoch=32")
_SEARCH = (*("trainer=table", f"trainer.path={TABLE}", "n_trials=2", "timeout=6s", "sampler=random"), "emit.top=none")

BASES: tuple[tuple[int, tuple[str, ...]], ...] = (
    (26, ("evaluate", *_FACE)),
    (10, ("evaluate", *_BOTH)),
    (6, ("evaluate", "experiment=paper", "trainer=published", "catalog=paper2023", *_FACE)),
    (6, ("evaluate", "trainer=table", f"trainer.path={TABLE}", *_BOTH)),
    (6, ("evaluate", "task=motions", "modality=wrist", "wrist.blocks=[1,2]", "wrist.precision=int8")),
    (4, ("evaluate", "modality=face", "face.architecture=separable", "face.precision=int8")),
    (4, ("evaluate", "task=digits", *_FACE)),
    (8, ("enumerate", "out=candidates.csv")),
    (3, ("enumerate", "space=extended", "processors=[esp32s3]", "budget=9usd")),
    (7, ("search", *_SEARCH, "run_dir=run")),
    (2, (*_SEARCH, "sampler=auto", "run_dir=run", "far=[0.01,0.1]", "objectives=[eer,latency_s]")),
    (4, ("emit", *_FACE, "trainer=none", "out=project")),
    (5, ("catalog", "list")),
    (1, ("catalog", "list", "boards", "catalog=paper2023")),
    (2, ("data", "inspect", "data=motions", "task=motions")),
    (1, ("data", "list")),
    (1, ("report", "run_dir=nowhere")),
    (1, ("verify", "nowhere")),
    (1, ("calibrate", "log.txt", "project", "out=table.yaml")),
)
"""How often of a hundred, and what would be right."""

_NOT_TRIED = ("hydra", "engine", "defaults", "ray")
"""Engines start other programs."""

_TRAINED = 1
"""Of a hundred command lines, how many train (a network of seconds)."""


@cache
def keys() -> Mapping[str, tuple[str, ...]]:
    """Every key that configuration files name, with the choice of a group that has it (or nothing)."""
    found: dict[str, tuple[str, ...]] = {}
    files = [ROOT / "conf" / "config.yaml", *sorted((ROOT / "conf").glob("*/*.yaml"))]
    for file in files:
        group = () if file.parent.name == "conf" else (file.parent.name,)
        chosen = tuple(f"{name}={file.stem}" for name in group)
        for key in _leaves(yaml.safe_load(file.read_text()) or {}, group):
            if not key.startswith(_NOT_TRIED):
                found.setdefault(key, chosen)
    branch = ("blocks", "width", "input_size", "channels", "embedding", "precision", "architecture", "stages", "kernel")
    found |= {f"{name}.{key}": () for name in ("face", "voice", "wrist") for key in branch}
    groups = ("task", "space", "catalog", "trainer", "data", "sampler", "objectives", "report", "experiment")
    return found | dict.fromkeys(groups, ())


def _leaves(node: Any, way: tuple[str, ...]) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield ".".join((*way, str(key)))
            yield from _leaves(value, (*way, str(key)))


def generated(rng: np.random.Generator) -> list[str]:
    """One command line."""
    weights = np.array([weight for weight, _ in BASES], float)
    words = list(BASES[int(rng.choice(len(BASES), p=weights / weights.sum()))][1])
    for _ in range(int(rng.choice((1, 1, 1, 2, 3)))):
        match int(rng.integers(8)):
            case 0:
                place = int(rng.integers(len(words)))
                words[place] = _broken_word(words[place], rng)
            case 1 | 2 if any("=" in word for word in words):
                place = int(choice(rng, [i for i, word in enumerate(words) if "=" in word]))
                words[place] = words[place].split("=", 1)[0] + "=" + word_value(rng)
            case _:
                key = str(choice(rng, list(keys())))
                if key.startswith("trainer") and words[0] in ("evaluate", "train"):
                    words = _trained(rng)
                words += [*(keys()[key] if rng.random() < 0.7 else ()), f"{key}={word_value(rng)}"]
    return words


def _trained(rng: np.random.Generator) -> list[str]:
    """Few train: they would take seconds."""
    return (
        ["train", *_FACE, *_TINY] if rng.integers(100) < _TRAINED else ["emit", *_FACE, *_TINY, "trainer=none", "out=p"]
    )


def _broken_word(word: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(len(word) + 1))
    added = (
        "=",
        "[",
        "]",
        "{",
        ",",
        "'",
        '"',
        "$",
        "${",
        "\\",
        " ",
        "\n",
        "\x1b",
        "\udcc3",
        "é",
        "+",
        "~",
        "--",
        "#",
        "",
    )
    return str(
        choice(rng, (word[:at] + choice(rng, added) + word[at:], word[:at], word[at:], word + word, f"++{word}"))
    )


def command_line(folder: Path, rng: np.random.Generator, _case: int) -> Iterator[Trial]:
    """One generated command line."""
    words = generated(rng)
    yield Trial(what=" ".join(words), answers=(answer(words, folder=folder),))
    shutil.rmtree(folder, ignore_errors=True)


def typed_line(folder: Path, rng: np.random.Generator, _case: int) -> Iterator[Trial]:
    """One generated command line, in an interpreter of its own."""
    words = [word.replace("\0", "") for word in generated(rng)]
    yield Trial(what=" ".join(words), answers=(typed(words, folder=folder),))


KINDS = {"command lines": command_line, "command lines, typed": typed_line}
WARM = (
    *(base for _, base in BASES if base[0] in ("evaluate", "enumerate", "emit", "catalog", "data", "search")),
    _SEARCH,
)
