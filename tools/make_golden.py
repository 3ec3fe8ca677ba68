"""Remake the golden files of tests/golden: fronts, the enumerated space, keys of branches and of the memo, projects.

  python tools/make_golden.py            write them
  python tools/make_golden.py --check    say what would change, exit status 1 if anything does

A change that is meant to keep every number runs ``--check``; one that is meant to move numbers or firmware writes them
in the same commit and says so in its body.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import math
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinysearch.app.building.branches import branches_of
from tinysearch.app.building.errors import build_errors
from tinysearch.app.building.spaces import build_space
from tinysearch.app.building.wiring import build_models, wish_of
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.run.firmware import emit_candidate
from tinysearch.app.run.setup import set_up
from tinysearch.evaluation.enumeration import COLUMNS, NO_OPTION, enumerate_designs
from tinysearch.search.loop import search

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests" / "golden"

BUDGETS = ("9usd", "15usd", "25usd")
SEEDS = (0, 1)
TRIALS = 5

PROJECTS = (
    ("modality=face", "face.blocks=[2,2]", "face.precision=int8"),
    ("modality=face", "face.blocks=[1,1]", "face.precision=xnor2/1", "platform.processor=esp32s3"),
    ("modality=voice", "voice.blocks=[2,1]", "voice.precision=float32", "platform.processor=esp32"),
    ("modality=voice", "voice.blocks=[1,1]", "voice.precision=int8", "platform.processor=esp32c3"),
    (
        *("modality=fusion", "face.blocks=[1,1]", "face.precision=int8", "voice.blocks=[2,2]"),
        *("voice.precision=xnor1/1", "platform.processor=esp32s3", "firmware.backend=auto"),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """One golden file: its name and the text that the code gives today."""

    name: str
    text: Callable[[], str]


BRANCH_FIELDS = (
    "blocks",
    "precision",
    "width",
    "input_size",
    "channels",
    "embedding",
    "params",
    "macs",
    "weight_bytes",
)
BOM_FIELDS = ("part", "usd", "quantity", "seller", "date", "kind", "source")
VALUES = (
    *("eer", "eer_ci95", "bom_cost_usd", "latency_s", "latency_range_s", "acquisition_s"),
    *("effective_latency_far1_s", "effective_latency_far10_s", "energy_mj"),
)
SHOWN = ("eer", "bom_cost_usd", "latency_s", "energy_mj")


def fronts() -> str:
    """The fronts of a table's search for some budgets and seeds: their points, and a digest of each whole point."""
    rows: list[Sequence[object]] = [("search", "id", *SHOWN, "digest")]
    for budget in BUDGETS:
        words = ["trainer=table", f"trainer.path={ROOT / 'benchmarks/data/embedded.csv'}", f"budget={budget}"]
        setup = set_up(plain(compose_config([*words, f"n_trials={TRIALS}"])))
        for seed in SEEDS:
            with tempfile.TemporaryDirectory() as folder:
                result = search(setup.problem, replace(setup.options, seed=seed), run_dir=Path(folder))
            for found in result.points:
                point = _stable(setup.evaluate(found.candidate, found.rates).to_dict())
                shown = [point["values"][name] for name in SHOWN]
                rows.append((f"{budget} {seed}", point["id"], *shown, _digest(json.dumps(point).encode())))
    return _csv(rows)


def _stable(point: Mapping[str, Any]) -> dict[str, Any]:
    """What every point had since the first schema of front.json; fields that are added later change no digest."""
    kept = {name: point[name] for name in ("id", "modality", "platform", "requires", "bom", "evidence")}
    kept["bom"] = [{name: part[name] for name in BOM_FIELDS} for part in point["bom"]]
    kept["branches"] = {
        modality: {name: branch[name] for name in BRANCH_FIELDS} for modality, branch in point["branches"].items()
    }
    kept["values"] = {name: point["values"][name] for name in VALUES}
    stable: dict[str, Any] = _rounded(kept)
    return stable


def _rounded(value: Any) -> Any:
    """Nine digits of every float, so that another machine's last bit is no difference."""
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


def space() -> str:
    """Every model of the paper's space on the cheapest board that carries it, the fastest of equal prices."""
    config = plain(compose_config([]))
    models, every = build_models(config), build_space(config)
    best: dict[tuple[str, ...], tuple[float, ...]] = {}
    boards: dict[tuple[str, ...], str] = {}
    for chunk in enumerate_designs(models, every):
        lists = [every.branches(modality) for modality in chunk.modalities]
        for chosen, option, values in zip(chunk.branches, chunk.option, chunk.values.tolist(), strict=True):
            model = tuple(branch[place].short for branch, place in zip(lists, chosen, strict=True))
            if option != NO_OPTION and tuple(values) < best.get(model, (math.inf,)):
                best[model], boards[model] = tuple(values), chunk.options[option].id
    rows = [(" + ".join(model), boards[model], *_rounded(values)) for model, values in best.items()]
    return _csv([("model", "board", *COLUMNS), *rows])


def keys() -> str:
    """Keys of branches, by which trainings are remembered, and the memo's own for the default trainer and data."""
    every = build_space(plain(compose_config([])))
    branches = [branch for modality in every.branch_modalities() for branch in every.branches(modality)]
    memos = {}
    chosen: tuple[list[str], ...] = ([], ["fusion.rule=learned"], ["trainer.epochs=2"])
    for words in chosen:
        errors: Any = build_errors(plain(compose_config(words)))
        memos[" ".join(words) or "defaults"] = errors.memo.key
    return json.dumps({"branches": [branch.key for branch in branches], "memo": memos}, indent=1) + "\n"


def projects() -> str:
    """A digest of every file of some emitted projects."""
    found = {}
    for words in PROJECTS:
        config = plain(compose_config([*words, "trainer=none"]))
        evaluation = build_models(config).choose(branches_of(config), wish_of(config))
        with tempfile.TemporaryDirectory() as folder:
            project = emit_candidate(config, evaluation, Path(folder) / "project")
            files = sorted(path for path in project.rglob("*") if path.is_file())
            found[" ".join(words)] = {str(path.relative_to(project)): _digest(path.read_bytes()) for path in files}
    return json.dumps(found, indent=1) + "\n"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _csv(rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


GOLDEN = (
    Golden(name="fronts.csv", text=fronts),
    Golden(name="space.csv", text=space),
    Golden(name="keys.json", text=keys),
    Golden(name="projects.json", text=projects),
)


def main() -> int:
    """Write or check all golden files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    changed = 0
    for golden in GOLDEN:
        path, text = FOLDER / golden.name, golden.text()
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        changed += 1
        print(f"{'would change' if arguments.check else 'written'}: {path.relative_to(ROOT)}")
        if not arguments.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 1 if arguments.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
