"""Firmware of points: which ones, with whose weights, into which folder."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tinysearch.app.resources import data_dir
from tinysearch.app.training import build_errors
from tinysearch.app.wiring import Config, build_models
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.objectives import ErrorEvidence, Evaluation
from tinysearch.core.program import FrozenNetwork
from tinysearch.core.protocols import ErrorModel
from tinysearch.data.log_mel import LogMelSettings
from tinysearch.data.samples import AudioOptions
from tinysearch.evaluation.analytic import AnalyticModels
from tinysearch.firmware.project import emit
from tinysearch.firmware.untrained import untrained

if TYPE_CHECKING:
    from tinysearch.app.run import Setup


def top_of(config: Config, *, evidence: ErrorEvidence, available: int) -> int:
    """How many points of a front to emit: ``all``, ``none``, a number, or ``auto`` (all where branches were trained).

    Raises:
        UserError: none of these.
    """
    top = config["emit"]["top"]
    if top == "auto":
        return available if evidence == "trained" else 0
    if top in ("all", "none", None):
        return available if top == "all" else 0
    if not isinstance(top, int) or isinstance(top, bool) or top < 0:
        raise UserError("emit.top is all, none, auto or a number of points", value=top, remedy="write emit.top=3")
    return min(top, available)


def emit_point(setup: Setup, evaluation: Evaluation, target: Path) -> Path:
    """Write the project of a point of a run; branches that were not trained get seeded random weights, marked so."""
    return _emit(setup.config, setup.models, setup.errors, evaluation, target)


def emit_candidate(config: Config, evaluation: Evaluation, target: Path) -> Path:
    """Write the project of one spelled-out candidate with the configured trainer's weights, as far as it has them."""
    return _emit(config, build_models(config), build_errors(config), evaluation, target)


def _emit(config: Config, models: AnalyticModels, errors: ErrorModel, evaluation: Evaluation, target: Path) -> Path:
    candidate = evaluation.candidate
    modalities = [branch.modality for branch in candidate.branches]
    networks = {branch.modality: _network(config, models, errors, branch) for branch in candidate.branches}
    voice = next((branch for branch in candidate.branches if branch.modality == "voice"), None)
    return emit(
        evaluation,
        networks,
        chip=models.catalog.chip(candidate.platform.processor),
        out=target,
        templates=data_dir("firmware_templates"),
        version=version("tinysearch"),
        digest=_digest(networks, candidate.id),
        board=models.catalog.board_option(candidate.platform.board, modalities),
        sound=None if voice is None else _sound(config, voice),
        far=float(min(config["far"])),
    )


def _network(config: Config, models: AnalyticModels, errors: ErrorModel, branch: BranchSpec) -> FrozenNetwork:
    memo = getattr(errors, "memo", None)
    if memo is not None and memo.has(branch):
        network: FrozenNetwork = memo.network(branch)
        return network
    return untrained(models.needs(branch).program, config["seed"])


def _sound(config: Config, branch: BranchSpec) -> LogMelSettings:
    audio = dict(config["data"].get("audio", {}))
    return AudioOptions(clip_s=float(config["task"]["clip_s"]), **audio).settings(branch.input_size)


def _digest(networks: dict[str, FrozenNetwork], identity: str) -> str:
    """Of the candidate and every weight: two projects with one digest are the same bytes."""
    hashed = hashlib.sha256(identity.encode())
    for modality in sorted(networks):
        for step, values in sorted(networks[modality].parameters.items()):
            for key, array in sorted(values.items()):
                hashed.update(f"{modality}.{step}.{key}".encode())
                hashed.update(array.tobytes())
    return hashed.hexdigest()[:16]
