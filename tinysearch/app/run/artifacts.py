"""What optuna-dashboard offers beside the trials: the report, firmware as zip files, DET curves.

They belong to the study, since a trial cannot be changed once it is told; the dashboard shows those of a point, and the
report, with the trials of the front. The store is the folder ``artifacts`` of the run, laid out as Optuna's
FileSystemArtifactStore. A file keeps its place through all runs of a study.
"""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from tinysearch.app.run import run_dir as files
from tinysearch.core.error_rates import ErrorRates
from tinysearch.core.evaluation import Evaluation
from tinysearch.files import write_atomically, writing

if TYPE_CHECKING:
    import optuna

FOLDER = "artifacts"
_OF_STUDY = "artifacts:"
_OF_TRIAL = "dashboard:artifacts:"
"""Begin the system attributes of a study by which Optuna knows its artifacts, and the dashboard those of trials."""

_NAMESPACE = uuid.UUID("6f4e1c0e-6b0b-4f0e-9f57-0d6a7c2f8a11")
_BUILT = {"build", "__pycache__"}
_FIRST_TIME = (1980, 1, 1, 0, 0, 0)


def publish(
    study: optuna.Study, folder: Path, evaluations: Sequence[Evaluation], documents: Sequence[Mapping[str, Any]]
) -> Path:
    """Offer what a run has written as artifacts of its study, in place of what an earlier run offered.

    Args:
        folder: the run directory.
        evaluations, documents: of the front, in the same order.

    Returns:
        The artifact store, for ``optuna-dashboard --artifact-dir``.

    Raises:
        UserError: they cannot be written.
    """
    store = folder / FOLDER
    trials = {trial.user_attrs.get("id"): trial._trial_id for trial in study.get_trials(deepcopy=False)}
    points = [evaluation.candidate.id for evaluation in evaluations]
    offered: dict[str, str] = {}
    for point, name, kind, content in _artifacts(folder, evaluations, documents):
        number = str(uuid.uuid5(_NAMESPACE, name))
        with writing(store):
            write_atomically(store / number, content)
        meta = json.dumps({"artifact_id": number, "filename": name, "mimetype": kind, "encoding": None}, sort_keys=True)
        offered[_OF_STUDY + number] = meta
        for owner in points if point is None else [point]:
            if owner in trials:
                offered[f"{_OF_TRIAL}{trials[owner]}:{number}"] = meta
    _declare(study, offered)
    return store


def _artifacts(
    folder: Path, evaluations: Sequence[Evaluation], documents: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str | None, str, str, bytes]]:
    """Of every artifact the point that it belongs to (None: all of them), name, media type and content."""
    if (folder / files.REPORT).is_file():
        yield None, files.REPORT, "text/html", (folder / files.REPORT).read_bytes()
    for evaluation, document in zip(evaluations, documents, strict=True):
        name = evaluation.candidate.id
        picture = det_picture(evaluation.errors, title=name)
        if picture is not None:
            yield name, f"det-{name}.svg", "image/svg+xml", picture
        if document["firmware"]:
            yield name, f"firmware-{name}.zip", "application/zip", _zipped(folder / str(document["firmware"]))


def _declare(study: optuna.Study, offered: Mapping[str, str]) -> None:
    """Tell the study of its artifacts; an entry that is null stands for a deleted one."""
    storage, number = study._storage, study._study_id
    attributes = storage.get_study_system_attrs(number)
    gone = [name for name in attributes if name.startswith((_OF_STUDY, _OF_TRIAL)) and name not in offered]
    for name, meta in [*offered.items(), *((name, "null") for name in gone)]:
        if attributes.get(name) != meta:
            storage.set_study_system_attr(number, name, meta)


def _zipped(project: Path) -> bytes:
    """A project as a zip file that holds its sources, equal for equal sources."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(project.rglob("*")):
            inside = path.relative_to(project)
            if path.is_file() and not _BUILT & set(inside.parts):
                entry = zipfile.ZipInfo(str(Path(project.name) / inside), _FIRST_TIME)
                entry.external_attr = (0o755 if path.stat().st_mode & 0o100 else 0o644) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes(), compresslevel=1)
    return out.getvalue()


_SIDE, _MARGIN = 360, 56
_TICKS = (0.001, 0.01, 0.05, 0.1, 0.2, 0.4)
_LEAST, _MOST = 0.0005, 0.6
_PROBIT = NormalDist().inv_cdf


def det_picture(rates: ErrorRates, *, title: str) -> bytes | None:
    """The DET curve, FRR over FAR on normal deviates, as SVG; None where the curve is not known."""
    far, frr = rates.curves.get("far"), rates.curves.get("frr")
    if not far or not frr:
        return None
    line = " ".join(f"{_along(x):.1f},{_SIDE - _along(y) + 2 * _MARGIN:.1f}" for x, y in zip(far, frr, strict=True))
    marks = []
    for tick in _TICKS:
        at, other = _along(tick), _SIDE - _along(tick) + 2 * _MARGIN
        low, high = _MARGIN, _MARGIN + _SIDE
        marks.append(f'<path d="M{at:.1f} {low}V{high}M{low} {other:.1f}H{high}" stroke="#ddd"/>')
        marks.append(f'<text x="{at:.1f}" y="{high + 16}" text-anchor="middle">{tick * 100:g}</text>')
        marks.append(f'<text x="{low - 6}" y="{other + 4:.1f}" text-anchor="end">{tick * 100:g}</text>')
    whole, middle = _SIDE + 2 * _MARGIN, _MARGIN + _SIDE / 2
    eer = "" if rates.eer is None else f", EER {rates.eer:.2%}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {whole}" width="{whole}" height="{whole}"',
        'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>',
        *marks,
        f'<polyline points="{line}" fill="none" stroke="#1f5fa8" stroke-width="2"/>',
        f'<text x="{middle}" y="28" text-anchor="middle" font-size="14">{title}{eer}</text>',
        f'<text x="{middle}" y="{whole - 12}" text-anchor="middle">false accepts (%)</text>',
        f'<text transform="translate(16 {middle}) rotate(-90)" text-anchor="middle">false rejects (%)</text></svg>',
    ]
    return "\n".join(parts).encode()


def _along(rate: float) -> float:
    """Place of a rate along an axis."""
    low, high = _PROBIT(_LEAST), _PROBIT(_MOST)
    return _MARGIN + _SIDE * (_PROBIT(min(max(rate, _LEAST), _MOST)) - low) / (high - low)
