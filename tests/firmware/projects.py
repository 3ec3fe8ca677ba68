"""Candidates with untrained networks, evaluated by the real analytic models and catalogue, for tests of the emitter."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from tinysearch.analytic.execution import smallest_room_bytes
from tinysearch.architectures.resnet import resnet_branch
from tinysearch.catalog.catalog import Catalog
from tinysearch.catalog.loading import load_catalog
from tinysearch.catalog.tables import load_latency_table, load_software_sizes
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.cascade import Cascade
from tinysearch.core.evaluation import Evaluation
from tinysearch.core.network import NetworkSpec
from tinysearch.core.platform import BoardOption
from tinysearch.core.program import FrozenNetwork, lower
from tinysearch.core.quantization import Precision
from tinysearch.core.schedule import parse_schedule
from tinysearch.core.task import Input, Task
from tinysearch.evaluation.analytic import AnalyticModels
from tinysearch.evaluation.answers import Classifier, Decider, Detector
from tinysearch.evaluation.boards import PlatformWish
from tinysearch.evaluation.networks import Networks
from tinysearch.evaluation.operating import rated
from tinysearch.firmware.integer_network import run
from tinysearch.firmware.project import emit
from tinysearch.firmware.untrained import untrained
from tinysearch.inputs.camera import Camera
from tinysearch.inputs.microphone import Microphone
from tinysearch.inputs.motion import Motion
from tinysearch.inputs.signal import Signal
from tinysearch.metrics import anomaly_distances, normal_model
from tinysearch.metrics.scores import Embeddings
from tinysearch.metrics.windows import Alarms, Answers

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "firmware_templates"
VERSION, DIGEST = "0.0.0", "0123abcd"
CLIP_S = 1.6


def task_of(clip_s: float) -> Task:
    return Task(
        name="door",
        decision="verification",
        inputs=(Input(name="face", kind=Camera()), Input(name="voice", kind=Microphone(clip_s=clip_s))),
        combinations=(("face",), ("voice",), ("face", "voice")),
    )


TASK = task_of(CLIP_S)


def network(branch: BranchSpec) -> NetworkSpec:
    return branch.network()


WATCH = Task(
    name="watch",
    decision="classification",
    inputs=(
        Input(name="eye", kind=Camera()),
        Input(name="hum", kind=Signal(window_s=0.5, rate_hz=800)),
        Input(name="word", kind=Microphone(clip_s=1.0)),
        Input(name="wrist", kind=Motion()),
    ),
    combinations=(("wrist",),),
)
"""A classification with every kind of input."""

GUARD = replace(WATCH, name="guard", decision="anomaly")
"""An anomaly task with the same inputs."""


@cache
def models(task: str = TASK.name) -> AnalyticModels:
    root = ROOT / "hardware_catalog"
    catalog: Catalog = load_catalog("espressif", root=root)
    chosen = {given.name: given for given in (TASK, WATCH, GUARD)}[task]
    return AnalyticModels(
        catalog=catalog,
        latency=load_latency_table(root / "latency" / "default.yaml", catalog.chips.values()),
        networks=Networks(
            software=load_software_sizes(root / "software" / "espidf.yaml"),
            decision=chosen.decision,
            room_bytes=smallest_room_bytes(catalog.chips.values()),
        ),
        task=chosen,
    )


def face(precision: str = "int8", blocks: tuple[int, ...] = (1, 1), **sizes: int) -> BranchSpec:
    options = {"width": 8, "input_size": 32, "channels": 3, "embedding": 32} | sizes
    return resnet_branch("face", blocks=blocks, precision=precision, **options)


def voice(precision: str = "int8", blocks: tuple[int, ...] = (1, 1), **sizes: int) -> BranchSpec:
    options = {"width": 8, "input_size": 64, "channels": 1, "embedding": 32} | sizes
    return resnet_branch("voice", blocks=blocks, precision=precision, **options)


def wrist(precision: str = "int8", blocks: tuple[int, ...] = (1,), **sizes: int) -> BranchSpec:
    options = {"width": 4, "input_size": 10, "channels": 6, "embedding": 16} | sizes
    return resnet_branch("wrist", blocks=blocks, precision=precision, **options)


def watching(name: str, precision: str = "int8", **sizes: int) -> BranchSpec:
    """A branch of :data:`WATCH` other than ``wrist``."""
    options = {"width": 4, "input_size": 28, "channels": 1, "embedding": 16} | sizes
    return resnet_branch(name, blocks=(1,), precision=precision, **options)


def evaluated(*branches: BranchSpec, processor: str | None = None, in_turn: bool = False) -> Evaluation:
    judged = replace(models(), in_turn=True) if in_turn else models()
    return judged.choose(tuple(branches), PlatformWish(processor=processor))


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
    cascade: Cascade | None = None,
    threshold: int | None = None,
    clip_s: float = CLIP_S,
    component: str | None = None,
) -> Path:
    evaluation = evaluated(*branches, processor=processor, in_turn=cascade is not None)
    if threshold is not None:
        evaluation = replace(evaluation, errors=replace(evaluation.errors, thresholds={0.01: threshold}))
    if weights is not None:
        evaluation = replace(evaluation, errors=replace(evaluation.errors, weights=weights))
    if cascade is not None:
        evaluation = rated(evaluation, replace(evaluation.errors, cascade=cascade))
    return emit(
        evaluation,
        networks(*branches, seed=seed),
        chip=models().catalog.chip(evaluation.candidate.platform.processor),
        task=task_of(clip_s),
        out=out,
        templates=TEMPLATES,
        version=VERSION,
        digest=DIGEST,
        board=board_of(evaluation),
        component=component,
    )


def classified(
    *branches: BranchSpec,
    out: Path,
    classes: int = 3,
    answers: Answers | None = None,
    processor: str | None = "esp32s3",
    hop_s: float = 0.5,
    seed: int = 1,
    schedule: str = "always",
    board: BoardOption | None = None,
    bmi270_config: bytes = b"",
) -> tuple[Path, dict[str, FrozenNetwork], Classifier]:
    """The project of a classification with random networks, which compares with the embeddings of random inputs."""
    frozen = networks(*branches, seed=seed)
    prototypes = _drawn(frozen, count=classes, seed=seed)
    names = tuple(f"class {index}" for index in range(classes))
    chosen = answers or Answers(names=names, thresholds=(0,) * classes)
    classifier = Classifier(answers=chosen, prototypes=prototypes, hop_s=hop_s, reject=None)
    task = replace(WATCH, schedule=parse_schedule(schedule))
    project = _decided(
        branches, frozen, classifier, task=task, processor=processor, out=out, board=board, bmi270_config=bmi270_config
    )
    return project, frozen, classifier


def alarmed(
    *branches: BranchSpec, out: Path, smooth: int = 1, hold_off: int = 0, seed: int = 1
) -> tuple[Path, dict[str, FrozenNetwork], Detector]:
    """The project of an anomaly task with random networks: normal are three groups of random inputs."""
    frozen = networks(*branches, seed=seed)
    embedded = _drawn(frozen, count=60, seed=seed)
    labels = np.arange(60, dtype=np.int32) % 3
    normal = {name: normal_model(rows, labels, classes=3) for name, rows in embedded.items()}
    threshold = int(np.median(anomaly_distances(embedded, normal)))
    alarms = Alarms(threshold=threshold, smooth=smooth, hold_off=hold_off)
    detector = Detector(alarms=alarms, normal=normal, hop_s=0.5, far=None)
    project = _decided(branches, frozen, detector, task=GUARD, processor="esp32s3", out=out)
    return project, frozen, detector


def _drawn(frozen: dict[str, FrozenNetwork], *, count: int, seed: int) -> dict[str, Embeddings]:
    """Embeddings of random inputs."""
    random = np.random.default_rng(seed)
    found = {}
    for name, network in frozen.items():
        shape = network.program.network.input_shape
        inputs = random.integers(-128, 128, (count, shape.height, shape.width, shape.channels)).astype(np.int8)
        found[name] = run(network, inputs)
    return found


def _decided(
    branches: tuple[BranchSpec, ...],
    frozen: dict[str, FrozenNetwork],
    decider: Decider,
    *,
    task: Task,
    processor: str | None,
    out: Path,
    board: BoardOption | None = None,
    bmi270_config: bytes = b"",
) -> Path:
    evaluation = models(task.name).choose(branches, PlatformWish(processor=processor))
    return emit(
        evaluation,
        frozen,
        chip=models().catalog.chip(evaluation.candidate.platform.processor),
        task=task,
        out=out,
        templates=TEMPLATES,
        version=VERSION,
        digest=DIGEST,
        decider=decider,
        board=board,
        bmi270_config=bmi270_config,
    )
