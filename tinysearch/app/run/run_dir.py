"""The files of a run directory, each written whole or not at all."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tinysearch.app.config.compose import check_kinds
from tinysearch.app.config.paths import PATHS, located, relocatable
from tinysearch.app.config.resources import note_people
from tinysearch.core.errors import UserError
from tinysearch.core.safe_text import redacted_tree
from tinysearch.evaluation.entries import EMBEDDINGS
from tinysearch.files import fresh_folder, home_path, real_path, replace_folder, write_atomically, writing
from tinysearch.reading import read_json, read_yaml
from tinysearch.search.study.storage import JOURNAL

if TYPE_CHECKING:
    import optuna

FRONT, MANIFEST, CONFIG, REPORT = "front.json", "manifest.json", "config.yaml", "report.html"
SCHEMA = 2
READABLE = (1, SCHEMA)
_PARTS = {"task", "space", "catalog", "trainer", "data", "sampler", "objectives", "latency", "far", "budget", "cache"}
"""Without which a config.yaml is none; what was added later may be missing."""

_NAMED = ("catalog", "data", "sampler", "trainer")
"""Groups of which one was chosen by name."""

_OF_BRANCHES = ("precision", "params", "macs", "weight_bytes")


SEARCH_FILES = (CONFIG, JOURNAL, MANIFEST)
RUN_FILES = (*SEARCH_FILES, FRONT, REPORT)
"""Files by which a folder is known to be a search's, or any run's."""


def make_run_dir(configured: str | None) -> Path:
    """The configured run directory, or a fresh one under ``runs/``; created.

    Raises:
        UserError: it cannot be created, is a file, or holds files of the names of a run's that no run has written.
    """
    if not configured:
        return _fresh_run_dir()
    path = home_path(configured)
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
    if not any((path / name).exists() for name in SEARCH_FILES):
        foreign = [name for name in (FRONT, REPORT) if (path / name).exists()]
        if foreign:
            raise UserError(
                "a run directory must be empty or that of a search",
                value=path / foreign[0],
                remedy="name another run_dir",
            )
    return path.absolute()


def _fresh_run_dir() -> Path:
    """A folder by date and time that no other search has; two may begin within a second."""
    name = datetime.now().strftime("%Y%m%d-%H%M%S")
    for number in itertools.count(1):
        path = Path("runs") / (name if number == 1 else f"{name}-{number}")
        with writing(path, remedy="name another run_dir"):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                path.mkdir()
            except FileExistsError:
                continue
        break
    return path.absolute()


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON file atomically."""
    with writing(path):
        write_atomically(path, (json.dumps(document, indent=2) + "\n").encode())


def write_config(run_dir: Path, config: Mapping[str, Any]) -> None:
    """Write the composed configuration, without passwords, so that the run can be used from any folder, and moved.

    Small files that it names are copied into the run, other paths become absolute.
    """
    with writing(run_dir):
        kept = relocatable(run_dir, config)
        text = yaml.safe_dump(redacted_tree(kept), sort_keys=False, allow_unicode=True)
        write_atomically(run_dir / CONFIG, text.encode())


def read_front(run_dir: Path) -> dict[str, Any]:
    """The front of a finished run.

    Raises:
        UserError: there is none, or it is not readable.
    """
    path = run_dir / FRONT
    try:
        document = read_json(path)
    except OSError as error:
        raise UserError(
            "a finished run must have a front.json",
            value=f"{path}: {error.strerror}",
            remedy="run the search again in this run_dir: what is recorded stays",
        ) from error
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema not in READABLE:
        raise UserError(f"front.json must have schema {SCHEMA}", value=repr(schema), remedy="run the search again")
    points = document.get("points")
    if not isinstance(points, list) or not all(isinstance(p, dict) and _is_name(p.get("id")) for p in points):
        raise UserError(
            "front.json must list points, each with an id that can be a file's name",
            value=path,
            remedy="run the search again in this run_dir: what is recorded stays",
        )
    return dict(document)


_FIRST_EMITTED = {"format": "esp_idf", "name": "tinysearch_model"}
"""How runs were emitted before they could say it."""


def run_of(project: Path) -> Path | None:
    """The run in which a project lies as ``firmware/<id>``; None where it lies in none."""
    firmware = real_path(project).parent
    return firmware.parent if firmware.name == "firmware" and (firmware.parent / CONFIG).is_file() else None


def point_of(front: Mapping[str, Any], identity: object) -> Mapping[str, Any]:
    """A point of front.json by id.

    Raises:
        UserError: the front has no such point.
    """
    points: Sequence[Mapping[str, Any]] = front["points"]
    found = next((point for point in points if point["id"] == identity), None)
    if found is None:
        example = f", for example {points[0]['id']}" if points else ""
        raise UserError(
            "id must name a point of the run's front", value=identity, remedy=f"name an id of front.csv{example}"
        )
    return found


def read_config(run_dir: Path) -> dict[str, Any]:
    """The composed configuration of a run.

    Raises:
        UserError: there is none.
    """
    try:
        document = read_yaml(run_dir / CONFIG)
    except OSError as error:
        raise UserError(
            "a run directory must have a config.yaml",
            value=f"{run_dir}: {error.strerror}",
            remedy="name the run_dir of a search",
        ) from error
    if not isinstance(document, dict) or not set(document) >= _PARTS:
        missing = ", ".join(sorted(_PARTS - set(document))) if isinstance(document, dict) else "everything"
        raise UserError(
            "config.yaml of a run must be whole",
            value=f"{run_dir / CONFIG}: {missing} is missing",
            remedy="run the search again in this run_dir: what is recorded stays",
        )
    check_kinds(document)
    _check_named(document, run_dir / CONFIG)
    document["emit"] = {**_FIRST_EMITTED, **document.get("emit", {})}
    return WholeConfig(_with_inputs(located(run_dir, document)), place=str(run_dir / CONFIG))


class WholeConfig(dict[str, Any]):
    """The configuration of a run, or a part of it: asked for what it lacks it says so, as damaged files lack anything.

    Args:
        values: by key; mappings within become parts.
        place: of the file and of the part within it.
    """

    def __init__(self, values: Mapping[str, Any], *, place: str) -> None:
        self._place = place
        parts = {k: WholeConfig(v, place=f"{place}: {k}") if isinstance(v, dict) else v for k, v in values.items()}
        super().__init__(parts)

    def __missing__(self, key: str) -> Any:
        """Refuse a key that is not there.

        Raises:
            UserError: always.
        """
        raise UserError(
            "config.yaml of a run must be whole",
            value=f"{self._place}: {key} is missing",
            remedy="run the search again in this run_dir: what is recorded stays",
        )

    def __or__(self, other: Mapping[str, Any]) -> WholeConfig:  # type: ignore[override]
        """With other values in the place of some."""
        return WholeConfig({**self, **other}, place=self._place)


def _is_name(identity: object) -> bool:
    """Whether an id can be the name of a file beside others, and of none elsewhere."""
    return isinstance(identity, str) and identity not in ("", ".", "..") and not set(identity) & set("/\\\0")


def _inner(document: Mapping[str, Any], key: str) -> Any:
    """The value of a key of two parts, None where it is missing or its group is none."""
    group, _, name = key.partition(".")
    holder = document.get(group)
    return holder.get(name) if isinstance(holder, Mapping) else None


def _check_named(document: Mapping[str, Any], path: Path) -> None:
    """Refuse groups without the name of what was chosen, and paths that are no text; Hydra would have made them so.

    Raises:
        UserError: there is one.
    """
    wrong = [f"{group}.name" for group in _NAMED if not isinstance(_inner(document, f"{group}.name"), str)]
    wrong += [key for key in PATHS if not isinstance(_inner(document, key), str | None)]
    if wrong:
        raise UserError(
            "names and paths in config.yaml of a run must be text",
            value=f"{path}: {wrong[0]}",
            remedy="run the search again in this run_dir: what is recorded stays",
        )


def _with_inputs(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration that was written before inputs had kinds: faces were seen and voices heard."""
    task = config.get("task")
    if not isinstance(task, dict) or "inputs" in task:
        return config
    kinds = {"face": {"kind": "camera"}, "voice": {"kind": "microphone", "clip_s": task.get("clip_s", 1.6)}}
    inputs = {name: {**kind, **task[name]} for name, kind in kinds.items() if name in task}
    decision = "classification" if task.get("error") == "classification" else "verification"
    return {"branches": {}, **config, "task": {"name": task.get("name"), "decision": decision, "inputs": inputs}}


def write_front(
    run_dir: Path, *, budget_usd: float | None, objectives: Sequence[str], points: Sequence[dict[str, Any]]
) -> None:
    """Write front.json and front.csv."""
    document = {"schema": SCHEMA, "budget_usd": budget_usd, "objectives": list(objectives), "points": list(points)}
    write_json(run_dir / FRONT, document)
    _write_rows(run_dir / "front.csv", [flat_point(point) for point in points])


def flat_point(point: Mapping[str, Any]) -> dict[str, Any]:
    """A point as one row: nested names joined by dots, lists as text."""
    row: dict[str, Any] = {"id": point["id"], "modality": point["modality"]}
    for modality, branch in point["branches"].items():
        parameters = branch.get("parameters", {})
        for name in dict.fromkeys(["architecture", "blocks", *parameters, *_OF_BRANCHES]):
            value = parameters.get(name, branch.get(name))
            row[f"{modality}.{name}"] = "-".join(map(str, value)) if isinstance(value, list) else value
    row |= {f"platform.{name}": _cell(value) for name, value in point["platform"].items()}
    row |= {f"requires.{name}": value for name, value in point["requires"].items()}
    for name, value in point["values"].items():
        if isinstance(value, list):
            row |= {f"{name}.low": value[0], f"{name}.high": value[1]}
        else:
            row[name] = value
    for name, value in (point["operating_point"] or {}).items():
        if isinstance(value, list):
            row |= {f"operating_point.{name}.low": value[0], f"operating_point.{name}.high": value[1]}
        else:
            row[f"operating_point.{name}"] = value
    row |= {f"evidence.{name}": value for name, value in point["evidence"].items()}
    order = point.get("order") or {}
    row |= {f"order.{name}": order.get(name) for name in ("ready", "build", "quantity")}
    row["firmware"] = point["firmware"]
    return row


def write_trials(run_dir: Path, study: optuna.Study, *, operating_far: float | None = None) -> None:
    """Write trials.csv: every trial with its parameters, objectives, attributes, and FRR at the operating point."""
    rows = []
    names = study.metric_names or []
    for trial in study.get_trials(deepcopy=False):
        row: dict[str, Any] = {"number": trial.number, "state": trial.state.name}
        # What an infeasible design costs is known all the same.
        free = trial.user_attrs.get("analytic", {})
        row |= dict(zip(names, trial.values or [free.get(name) for name in names], strict=False))
        row |= {f"param.{name}": value for name, value in trial.params.items()}
        row |= {name: _cell(value) for name, value in trial.user_attrs.items()}
        row |= _operating_columns(trial.user_attrs, operating_far)
        rows.append(row)
    _write_rows(run_dir / "trials.csv", rows)


def _operating_columns(attributes: Mapping[str, Any], far: float | None) -> dict[str, Any]:
    """What a trial's rates are at the run's operating point, as in front.csv."""
    low, high = attributes.get("frr_ci95_at_far", {}).get(str(far), (None, None))
    return {
        "operating_point.far": far,
        "operating_point.frr": attributes.get("frr_at_far", {}).get(str(far)),
        "operating_point.frr_ci95.low": low,
        "operating_point.frr_ci95.high": high,
    }


def copy_model(source: Path, run_dir: Path, key: str, *, embeddings: bool = True) -> None:
    """Keep a trained branch with the run: network, embeddings and record, as remembered in the cache.

    One that is there already stays, unless another training of it counts by now, or a byte of it has changed.
    """
    wanted = [path for path in source.iterdir() if embeddings or path.name != EMBEDDINGS]
    target = run_dir / "models" / key
    with writing(target):
        note_people(target.parent)
        if all(_same(path, target / path.name) for path in wanted) and len(wanted) == _count(target):
            return
        with fresh_folder(target, private=True) as fresh:
            for path in wanted:
                write_atomically(fresh / path.name, path.read_bytes(), private=True)
            replace_folder(fresh, target)


def _count(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())


def _same(left: Path, right: Path) -> bool:
    return left.is_file() and right.is_file() and left.read_bytes() == right.read_bytes()


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict | tuple) else value


def _write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=columns)
    writer.writeheader()
    writer.writerows(rows)
    with writing(path):
        write_atomically(path, text.getvalue().encode())
