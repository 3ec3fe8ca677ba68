"""Candidates with untrained networks, evaluated by the real analytic models and catalogue, for tests of the emitter."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from tinysearch.architectures.resnet import resnet_branch
from tinysearch.catalog.catalog import Catalog, load_catalog
from tinysearch.catalog.tables import load_latency_table, load_software_sizes
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.network import NetworkSpec
from tinysearch.core.objectives import Evaluation
from tinysearch.core.platform import BoardOption
from tinysearch.core.program import FrozenNetwork, lower
from tinysearch.core.quantization import Precision
from tinysearch.core.task import Input, Task
from tinysearch.evaluation.analytic import AnalyticModels, PlatformWish
from tinysearch.firmware.project import emit
from tinysearch.firmware.untrained import untrained
from tinysearch.inputs.camera import Camera
from tinysearch.inputs.microphone import Microphone

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "firmware_templates"
VERSION, DIGEST = "0.0.0", "0123abcd"
TASK = Task(
    name="door",
    decision="verification",
    inputs=(Input(name="face", kind=Camera()), Input(name="voice", kind=Microphone())),
    combinations=(("face",), ("voice",), ("face", "voice")),
)


def network(branch: BranchSpec) -> NetworkSpec:
    return branch.network()


@cache
def models() -> AnalyticModels:
    root = ROOT / "hardware_catalog"
    catalog: Catalog = load_catalog("espressif", root=root)
    return AnalyticModels(
        catalog=catalog,
        latency=load_latency_table(root / "latency" / "default.yaml", catalog.chips.values()),
        software=load_software_sizes(root / "software" / "espidf.yaml"),
        task=TASK,
    )


def face(precision: str = "int8", blocks: tuple[int, ...] = (1, 1), **sizes: int) -> BranchSpec:
    options = {"width": 8, "input_size": 32, "channels": 3, "embedding": 32} | sizes
    return resnet_branch("face", blocks=blocks, precision=precision, **options)


def voice(precision: str = "int8", blocks: tuple[int, ...] = (1, 1), **sizes: int) -> BranchSpec:
    options = {"width": 8, "input_size": 64, "channels": 1, "embedding": 32} | sizes
    return resnet_branch("voice", blocks=blocks, precision=precision, **options)


def evaluated(*branches: BranchSpec, processor: str | None = None) -> Evaluation:
    return models().choose(tuple(branches), PlatformWish(processor=processor))


def networks(*branches: BranchSpec, seed: int = 1) -> dict[str, FrozenNetwork]:
    return {b.modality: untrained(lower(network(b), Precision.parse(b.precision)), seed) for b in branches}


def board_of(evaluation: Evaluation) -> BoardOption:
    modalities = [branch.modality for branch in evaluation.candidate.branches]
    options = models().board_options(modalities)
    return next(option for option in options if option.id == evaluation.candidate.platform.board)


def emitted(
    *branches: BranchSpec,
    out: Path,
    processor: str | None = None,
    seed: int = 1,
    weights: dict[str, int] | None = None,
    threshold: int | None = None,
) -> Path:
    evaluation = evaluated(*branches, processor=processor)
    if threshold is not None:
        evaluation = replace(evaluation, errors=replace(evaluation.errors, thresholds={0.01: threshold}))
    if weights is not None:
        evaluation = replace(evaluation, errors=replace(evaluation.errors, weights=weights))
    return emit(
        evaluation,
        networks(*branches, seed=seed),
        chip=models().catalog.chip(evaluation.candidate.platform.processor),
        task=TASK,
        out=out,
        templates=TEMPLATES,
        version=VERSION,
        digest=DIGEST,
        board=board_of(evaluation),
    )
