"""The rungs that judge a project by people whom training has not seen: its C gives the error rate that was promised.

Embeddings of the whole test split and scores of all its pairs come from the emitted C on this machine; a sample of the
pairs is computed on RV32IMC as well. int8 and XNOR must agree bit for bit with what was measured in Python, and so give
the same equal error rate to the last digit; float32 must agree within rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinysearch.core.cascade import Cascade
from tinysearch.core.errors import UserError
from tinysearch.firmware.folder import MARKER
from tinysearch.firmware.golden import Embeddings
from tinysearch.firmware.rounding import score_tolerance
from tinysearch.firmware.verify import emulator, host
from tinysearch.firmware.verify.facts import read_point
from tinysearch.firmware.verify.files import FileProgram, host_program, rv32_program
from tinysearch.firmware.verify.rung import Rung, not_run
from tinysearch.metrics import Pairs, fused, fused_scores
from tinysearch.metrics.rates import det_curve, equal_error_rate

SAMPLED_PAIRS = 16
SAMPLED_INSTRUCTIONS = 4e9
"""At most so many pairs, and about so many instructions, under emulation."""

INSTRUCTIONS_PER_MAC = {"float32": 160.0, "int8": 4.0}
"""Rough, to choose the size of the sample; binary arithmetic is cheaper than int8."""

NO_RUN = "not run: needs the run that the project comes from (verify RUN_DIR/firmware/ID, or add run_dir=RUN_DIR)"

Scores = npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldOut:
    """Held-out people, and what the networks of a project made of them in Python.

    Attributes:
        inputs: test samples by modality, int8 [N, height, width, channels].
        embeddings: what was measured, by modality, int8 or float32 [N, E].
        tolerances: what rounding may make of float32 embeddings, as fractions of their largest values [N], by modality
            (:func:`tinysearch.firmware.rounding.tolerances`); those of int8 must be equal.
        pairs: comparisons of these samples.
        eer: the equal error rate that was promised; None where none was.
        weights: of the fusion by modality, see :mod:`tinysearch.metrics.fusion`; empty for the plain sum.
        cascade: when one branch decides alone; None where all always run.
    """

    inputs: Mapping[str, npt.NDArray[np.int8]]
    embeddings: Mapping[str, Embeddings]
    pairs: Pairs
    tolerances: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    eer: float | None = None
    weights: Mapping[str, int] = field(default_factory=dict)
    cascade: Cascade | None = None


Source = Callable[[], HeldOut]
"""Loads the held-out people when a rung needs them; raises UserError where they are not there."""


def error_rate(project: Path, source: Source | None) -> Rung:
    """All pairs on this machine."""
    return _climb("eer", project, source, tools=host.TOOLS, install=host.INSTALL, judge=_on_host)


def sampled_error_rate(project: Path, source: Source | None) -> Rung:
    """A sample of pairs on emulated RV32IMC."""
    tools = (emulator.COMPILER, emulator.SIZE, emulator.EMULATOR, "make")
    return _climb("eer_rv32", project, source, tools=tools, install=emulator.INSTALL, judge=_on_rv32)


def _climb(
    name: str,
    project: Path,
    source: Source | None,
    *,
    tools: tuple[str, ...],
    install: str,
    judge: Callable[[Path, HeldOut], str],
) -> Rung:
    if source is None:
        return Rung(name=name, status="not run", detail=NO_RUN)
    lacking = not_run(name, tools, install=install)
    if lacking is not None:
        return lacking
    try:
        held_out = source()
    except UserError as error:
        return Rung(name=name, status="not run", detail=f"not run: {error}")
    try:
        return Rung(name=name, status="passed", detail=judge(project, held_out))
    except (_DisagreementError, RuntimeError) as error:
        return Rung(name=name, status="failed", detail=str(error))


class _DisagreementError(Exception):
    """The emitted C computes something else than was measured."""


def _on_host(project: Path, held_out: HeldOut) -> str:
    with host_program(project) as program:
        eer = _agree(program, held_out)
    if held_out.eer is not None and eer != held_out.eer and _exact(held_out):
        raise _DisagreementError(f"DIFFERS: EER {eer!r} of the C code for {held_out.eer!r} in {MARKER}")
    return _told(held_out, eer)


def _on_rv32(project: Path, held_out: HeldOut) -> str:
    sample = sampled(held_out, pairs=_sample_size(project))
    with rv32_program(project) as program:
        eer = _agree(program, sample)
    return f"on RV32IMC, {_told(sample, eer)}"


def _told(held_out: HeldOut, eer: float) -> str:
    samples = ", ".join(f"{len(rows)} {modality}" for modality, rows in held_out.embeddings.items())
    how = ("equal bit for bit", "equal") if _exact(held_out) else ("within rounding", "within rounding")
    return f"{samples} embeddings {how[0]}, {len(held_out.pairs)} pair scores {how[1]}; EER {eer:.4%} as in Python"


def _exact(held_out: HeldOut) -> bool:
    return all(rows.dtype == np.int8 for rows in held_out.embeddings.values())


def _agree(program: FileProgram, held_out: HeldOut) -> float:
    """The EER by the C code.

    Raises:
        _DisagreementError: embeddings, scores or the EER are not those of Python.
        RuntimeError: the program fails.
    """
    apart: dict[str, npt.NDArray[np.int64]] = {}
    tolerance = 0
    for modality, expected in held_out.embeddings.items():
        actual = program.embeddings(modality, held_out.inputs[modality], dtype=expected.dtype)
        allowed = held_out.tolerances.get(modality, np.zeros(len(expected)))
        _compare(modality, actual, expected, allowed)
        tolerance += score_tolerance(float(allowed.max()))
        apart[modality] = np.asarray(program.scores(modality, actual, held_out.pairs.samples[modality]), np.int64)
    scores = fused(apart, weights=held_out.weights, cascade=held_out.cascade)
    known = fused_scores(held_out.embeddings, held_out.pairs, weights=held_out.weights, cascade=held_out.cascade)
    differing = int(np.sum(np.abs(scores - known) > tolerance))
    if differing:
        raise _DisagreementError(f"DIFFERS: {differing} of {len(known)} pair scores")
    eer, eer_known = (_eer(values, held_out.pairs) for values in (scores, known))
    if eer != eer_known and not tolerance:
        raise _DisagreementError(f"DIFFERS: EER {eer!r} of the C code, {eer_known!r} in Python")
    return eer


def _compare(modality: str, actual: Embeddings, expected: Embeddings, allowed: npt.NDArray[np.float64]) -> None:
    if actual.shape != expected.shape:
        raise _DisagreementError(f"DIFFERS: {modality} embeddings are {actual.shape}, measured ones {expected.shape}")
    if expected.dtype == np.int8:
        wrong = np.any(actual != expected, axis=1)
    else:
        error = np.abs(actual.astype(np.float64) - expected).max(axis=1)
        wrong = ~(error <= allowed * np.abs(expected).max(axis=1))
    if wrong.any():
        raise _DisagreementError(f"DIFFERS: {int(wrong.sum())} of {len(wrong)} {modality} embeddings")


def _eer(scores: Scores, pairs: Pairs) -> float:
    return equal_error_rate(det_curve(scores[pairs.genuine], scores[~pairs.genuine]))


def sampled(held_out: HeldOut, *, pairs: int) -> HeldOut:
    """Every so-manieth genuine and impostor pair, ``pairs`` or the next even number in all, and only their samples."""
    half = max(1, -(-pairs // 2))
    kinds = (np.flatnonzero(held_out.pairs.genuine), np.flatnonzero(~held_out.pairs.genuine))
    chosen = np.concatenate([kind[np.unique(np.linspace(0, len(kind) - 1, half).astype(int))] for kind in kinds])
    inputs: dict[str, npt.NDArray[np.int8]] = {}
    embeddings: dict[str, Embeddings] = {}
    tolerances: dict[str, npt.NDArray[np.float64]] = {}
    samples: dict[str, npt.NDArray[np.int32]] = {}
    for modality, listed in held_out.pairs.samples.items():
        kept, numbers = np.unique(listed[chosen], return_inverse=True)
        inputs[modality] = held_out.inputs[modality][kept]
        embeddings[modality] = held_out.embeddings[modality][kept]
        if modality in held_out.tolerances:
            tolerances[modality] = held_out.tolerances[modality][kept]
        samples[modality] = numbers.reshape(-1, 2).astype(np.int32)
    left, right = held_out.pairs.left_person[chosen], held_out.pairs.right_person[chosen]
    fewer = Pairs(samples=samples, left_person=left, right_person=right)
    return HeldOut(
        inputs=inputs,
        embeddings=embeddings,
        tolerances=tolerances,
        pairs=fewer,
        weights=held_out.weights,
        cascade=held_out.cascade,
    )


def _sample_size(project: Path) -> int:
    """Pairs that the emulator computes in reasonable time; two networks' inputs are embedded for each."""
    point = read_point(project)
    cost = sum(
        branch["macs"] * INSTRUCTIONS_PER_MAC.get(branch["precision"], INSTRUCTIONS_PER_MAC["int8"])
        for branch in point["branches"].values()
    )
    return int(max(2, min(SAMPLED_PAIRS, SAMPLED_INSTRUCTIONS / (2 * cost))))
