"""The people by whom a run judged its networks, for verifying what it emitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tinysearch.app.building.branches import branches_of_document
from tinysearch.app.config.tasks import task_of
from tinysearch.app.run import run_dir as files
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.program import Array, FrozenNetwork
from tinysearch.core.protocols import samples_of
from tinysearch.evaluation.entries import RECORD, BrokenEntryError, check_entry, read_embeddings, read_network
from tinysearch.firmware.verify.facts import cascade_of, read_point

if TYPE_CHECKING:
    from tinysearch.firmware.verify.held_out import HeldOut
    from tinysearch.firmware.verify.streamed import HeldOutSamples


def held_out_source(project: Path, run_dir: Path | None) -> Callable[[], HeldOut | HeldOutSamples] | None:
    """What loads the held-out people of an emitted project, once.

    Args:
        project: the project's folder.
        run_dir: the run that it comes from; None takes the one that it lies in as ``firmware/<id>``.

    Returns:
        None where the project lies in no run and none is named.
    """
    folder = files.run_of(project) if run_dir is None else run_dir
    return None if folder is None else cache(lambda: load_held_out(project, folder))


def load_held_out(project: Path, run_dir: Path) -> HeldOut | HeldOutSamples:
    """Test samples, their embeddings as measured, and pairs of a project of a run.

    Raises:
        UserError: the run keeps no such model, or its data cannot be loaded, or are others than the models were
            measured on.
    """
    from tinysearch.app.building.datasets import build_dataset
    from tinysearch.data.pairs import evaluation_pairs, matched_samples
    from tinysearch.evaluation.judge import labels_of
    from tinysearch.firmware.rounding import tolerances
    from tinysearch.firmware.verify.held_out import HeldOut
    from tinysearch.firmware.verify.streamed import HeldOutSamples

    config = files.read_config(run_dir)
    point = read_point(project)
    task = task_of(config)
    branches = branches_of_document(task, point)
    kept = {branch.modality: _kept(run_dir, branch) for branch in branches}
    embeddings = {modality: model.embeddings for modality, model in kept.items()}
    dataset = build_dataset(config)
    shapes = {branch.modality: branch.sample_shape for branch in branches}
    inputs = {modality: samples_of(dataset, modality, "test", shape).inputs for modality, shape in shapes.items()}
    for modality, rows in embeddings.items():
        if len(rows) != len(inputs[modality]):
            raise UserError(
                "a run's models must be verified on the data that they were measured on",
                value=f"{len(rows)} {modality} embeddings, {len(inputs[modality])} samples of data={dataset.name}",
                remedy="bring back the data of the run, or search again",
            )
    measured = point["evidence"]["eer"] == "trained"
    if task.decision != "verification":
        samples, labels = matched_samples(labels_of(dataset, "test", shapes), people=dataset.people("test"))
        return HeldOutSamples(
            inputs={modality: rows[samples[modality]] for modality, rows in inputs.items()},
            labels=labels,
            error=point["values"]["error"] if measured else None,
            normal=dataset.normal,
        )
    return HeldOut(
        inputs=inputs,
        embeddings=embeddings,
        tolerances={
            modality: tolerances(model.rounded, inputs[modality])
            for modality, model in kept.items()
            if model.rounded is not None
        },
        pairs=evaluation_pairs(dataset, "test", shapes),
        eer=point["values"]["eer"] if measured else None,
        weights=point.get("firmware_facts", {}).get("fusion_weights", {}),
        cascade=cascade_of(point),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What a run has kept of a branch.

    Attributes:
        embeddings: of the test samples, as they were measured.
        rounded: the network where it computes with float32, so that another order of sums gives other last digits; None
            of integers, which are compared bit for bit.
    """

    embeddings: Array
    rounded: FrozenNetwork | None


def _kept(run_dir: Path, branch: BranchSpec) -> _Kept:
    path = run_dir / "models" / branch.key
    try:
        if (path / RECORD).is_file():
            check_entry(path, branch)
        rounded = read_network(path, branch) if branch.precision.kind == "float32" else None
        return _Kept(embeddings=read_embeddings(path)["test"], rounded=rounded)
    except (OSError, KeyError, BrokenEntryError) as error:
        raise UserError(
            "a run must have kept the models of its front with their embeddings of the test samples",
            value=f"{path}: {error}",
            remedy="verify a project of a run with trainer=torch and keep_embeddings=true, in its run directory",
        ) from error
