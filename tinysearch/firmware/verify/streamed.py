"""Driving an application that decides on windows: a classification or an anomaly task.

Drawn windows go through the project's ``main/`` with stand-ins for its networks (``make -C host scripted``): an
embedding is the first bytes of an input. Held-out samples go through the networks themselves (``make -C host app``).
Either answers with a JSON line a window.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UserError
from tinysearch.firmware.verify.facts import branch_order, branch_sizes, embeds_floats, file_bytes
from tinysearch.firmware.verify.held_out import NO_RUN
from tinysearch.firmware.verify.host import INSTALL, TOOLS
from tinysearch.firmware.verify.objects import TIMEOUT_S, Objects, at_hand
from tinysearch.firmware.verify.rung import Rung, WrongAnswerError, climbed, not_run, run_tool

BUILD_TIMEOUT_S = 600.0

Drawn = Mapping[str, npt.NDArray[np.int8]]
"""Embeddings [N, E] by branch."""

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldOutSamples:
    """Held-out samples of a classification or an anomaly task.

    Attributes:
        inputs: by modality, int8 [N, height, width, channels]; row n of each belongs to sample n.
        labels: int32 [N].
        error: as it was measured, the share of wrongly classified samples or the EER; None where it was not.
        normal: of an anomaly task, how many labels are normal, the first ones.
    """

    inputs: Mapping[str, npt.NDArray[np.int8]]
    labels: npt.NDArray[np.int32]
    error: float | None = None
    normal: int | None = None


Source = Callable[[], HeldOutSamples]


def climb(name: str, judge: Callable[[], str]) -> Rung:
    """A rung that needs a compiler."""
    return not_run(name, TOOLS, install=INSTALL) or climbed(name, judge)


def climb_held_out(source: Source | None, judge: Callable[[HeldOutSamples], str]) -> Rung:
    """Rung ``error``, which needs held-out samples as well."""
    if source is None:
        return Rung(name="error", status="not run", detail=NO_RUN)
    try:
        held_out = source()
    except UserError as problem:
        return Rung(name="error", status="not run", detail=f"not run: {problem}")
    return climb("error", lambda: judge(held_out))


def branches_of(project: Path, point: Mapping[str, Any]) -> list[str]:
    """Branches in the order of the application.

    Raises:
        WrongAnswerError: they are not those of candidate.json.
    """
    order = branch_order(project)
    if sorted(order) != sorted(point["branches"]):
        raise WrongAnswerError(f"main/candidate.c has the branches {', '.join(order)}")
    return order


def is_exact(point: Mapping[str, Any]) -> bool:
    """Whether C and Python compute the same integers: no branch embeds in float32."""
    return not any(embeds_floats(point, name) for name in point["branches"])


def drawn_windows(project: Path, embeddings: Drawn, objects: Objects | None) -> list[Line]:
    """What the application says to a stream of windows with these embeddings, given in the order of its branches."""
    with tempfile.TemporaryDirectory(prefix="tinysearch-windows-") as name:
        folder = Path(name)
        with at_hand(objects) as shared:
            built = shared.link(project / "host", folder / "scripted", goal="list-scripted", options=["-O1"])
        if not built.passed:
            raise WrongAnswerError(built.reason(timeout_s=TIMEOUT_S))
        for branch, rows in embeddings.items():
            _write(folder / f"{branch}.inputs", rows, project, branch)
        files = " ".join(f"{name}.inputs" for name in embeddings)
        lines = _said(folder / "scripted", folder, [f"stream {files}"])
    count = len(next(iter(embeddings.values())))
    if len(lines) != count:
        raise WrongAnswerError(f"the application answers {len(lines)} of {count} windows")
    return lines


def _write(path: Path, rows: npt.NDArray[np.int8], project: Path, branch: str) -> None:
    """Inputs whose first bytes are these embeddings; the rest varies, so that they hold a signal."""
    size = branch_sizes(project, branch)["INPUT_BYTES"][0]
    if rows.shape[1] > size:
        raise WrongAnswerError(f"{branch}: an input of {size} bytes must hold an embedding of {rows.shape[1]}")
    inputs = np.random.default_rng(1).integers(-128, 128, (len(rows), size)).astype(np.int8)
    inputs[:, : rows.shape[1]] = rows
    path.write_bytes(file_bytes(inputs))


def held_still(
    drawn: Drawn, values: npt.NDArray[np.int64], threshold: int, among: npt.NDArray[np.bool_], *, windows: int
) -> list[Drawn]:
    """The drawn embeddings closest to a threshold from below and from above, each for some windows.

    Args:
        values: int64 [N], what is compared with the threshold.
        among: bool [N], which of the embeddings may be taken.
    """
    parts: list[Drawn] = []
    for side in (values >= threshold, values < threshold):
        places = np.flatnonzero(side & among)
        if len(places):
            closest = places[np.abs(values[places] - threshold).argmin()]
            parts.append({name: rows[np.full(windows, closest)] for name, rows in drawn.items()})
    return parts


def joined(parts: Sequence[Drawn]) -> Drawn:
    """Windows of all parts, one after the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def compare(
    lines: Sequence[Line], wanted: Iterable[Line], *, agree: Callable[[Line, Line], bool] | None = None
) -> None:
    """Refuse lines that say something else than they must.

    Args:
        agree: whether a line is as wanted; None: in everything that is wanted.

    Raises:
        WrongAnswerError: the first that does.
    """
    for place, (line, must) in enumerate(zip(lines, wanted, strict=True)):
        if not (agree or _says)(line, must):
            raise WrongAnswerError(f"to window {place} the application must say {dict(must)}, it says {dict(line)}")


def _says(line: Line, must: Line) -> bool:
    return all(line.get(key) == value for key, value in must.items())


def single_windows(project: Path, command: str, order: Sequence[str], held_out: HeldOutSamples) -> list[Line]:
    """What the application says to each held-out sample by itself, by its networks."""
    count = len(held_out.labels)
    with tempfile.TemporaryDirectory(prefix="tinysearch-windows-") as name:
        folder = Path(name)
        make = ("make", "-s", "-C", project / "host", f"BUILD={folder}", "CC=gcc", "app")
        built = run_tool(make, timeout_s=BUILD_TIMEOUT_S, folder=folder)
        if not built.passed:
            raise WrongAnswerError(built.reason(timeout_s=BUILD_TIMEOUT_S))
        for branch in order:
            for number, row in enumerate(held_out.inputs[branch]):
                (folder / f"{branch}{number}.inputs").write_bytes(file_bytes(row))
        typed = [f"{command} {' '.join(f'{branch}{number}.inputs' for branch in order)}" for number in range(count)]
        lines = _said(folder / "app", folder, typed)
    refused = [line["error"] for line in lines if "error" in line]
    if refused or len(lines) != count:
        raise WrongAnswerError(f"{len(refused)} of {count} held-out samples are refused: {', '.join(refused[:1])}")
    return lines


def _said(program: Path, folder: Path, typed: Sequence[str]) -> list[Line]:
    """The windows that the application answers with."""
    outcome = run_tool((program,), timeout_s=TIMEOUT_S, folder=folder, typed="".join(f"{line}\n" for line in typed))
    if not outcome.passed:
        raise WrongAnswerError(outcome.reason(timeout_s=TIMEOUT_S))
    return [json.loads(line) for line in outcome.text.splitlines() if line.startswith("{")]
