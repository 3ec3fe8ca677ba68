"""A network of one's own as the one branch of a task: what it must be like, and the models that price it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinysearch.analytic.flash import decision_bytes
from tinysearch.analytic.latency import PORTABLE, LatencyTable
from tinysearch.analytic.latency import Accelerated as BranchAccelerated
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.network import NetworkSpec, Shape
from tinysearch.core.protocols import LatencyEstimate
from tinysearch.core.quantization import COSINE_FRACTION_BITS, MOST_VALUES, Precision
from tinysearch.core.task import Input, Stream, Task
from tinysearch.evaluation.analytic import AnalyticModels
from tinysearch.evaluation.answers import Classifier
from tinysearch.evaluation.needs import BranchSizes
from tinysearch.evaluation.own_network import latency_of
from tinysearch.evaluation.own_profile import OwnNetwork
from tinysearch.evaluation.requirement import Floats
from tinysearch.metrics.windows import Answers
from tinysearch.networks.accelerated import Accelerated
from tinysearch.networks.graph import Element, Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnArchitecture:
    """A network that somebody brought. See :class:`~tinysearch.core.candidate.Architecture`.

    Attributes:
        digest: SHA-256 of its file.
    """

    family: ClassVar[str] = "network"
    width: ClassVar[int] = 0
    depth: ClassVar[int] = 0

    name: str
    digest: str
    embedding: int

    @property
    def layout(self) -> str:
        return self.digest[:8]

    @property
    def label(self) -> str:
        return f"network-{self.layout}"

    @property
    def extras(self) -> tuple[str, ...]:
        return ()

    def parameters(self) -> dict[str, Any]:
        """See :class:`~tinysearch.core.candidate.Architecture`."""
        return {"name": self.name, "sha256": self.digest, "embedding": self.embedding}

    def build(self, shape: Shape) -> NetworkSpec:
        """Its layers are none of a search.

        Raises:
            UserError: always.
        """
        raise UserError(
            "a network of one's own must be given as a file",
            value=f"{self.name} for {shape}",
            remedy="add network=FILE",
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnTaskModels(AnalyticModels):
    """The analytic models of a task whose one branch is a network of one's own.

    Attributes:
        network: with its output as floats.
        table: of latencies.
    """

    network: OwnNetwork
    table: LatencyTable

    def sizes(self, branch: BranchSpec) -> BranchSizes:
        """See :class:`~tinysearch.evaluation.analytic.AnalyticModels`."""
        own, memory = self.network, self.network.memory
        return BranchSizes(
            kernels=own.kernels,
            params=own.lowered.parameter_bytes,
            macs=own.lowered.macs,
            code_bytes=own.code_bytes(self.software.code)
            + decision_bytes(self.task.decision, embedding=branch.architecture.embedding),
            weight_bytes=own.weight_bytes,
            arena_bytes=memory.peak_bytes,
            arena_bound_bytes=memory.bound_bytes,
        )

    def branch_latency(
        self,
        branch: BranchSpec,
        *,
        processor: str,
        arena_in_psram: bool,
        backend: bool = True,
    ) -> LatencyEstimate:
        """See :class:`~tinysearch.evaluation.analytic.AnalyticModels`."""
        unit = self.unit(branch, processor) if backend else None
        return latency_of(self.table, self.network, unit, processor=processor, arena_in_psram=arena_in_psram)

    def portable_seconds(self, sizes: Sequence[BranchSizes], *, processor: str, arena_in_psram: bool) -> Floats:
        """See :class:`~tinysearch.evaluation.analytic.AnalyticModels`; all branches are the one network."""
        found = latency_of(self.table, self.network, None, processor=processor, arena_in_psram=arena_in_psram)
        return np.full(len(sizes), found.seconds)

    def accelerated(self, branch: BranchSpec, processor: str) -> BranchAccelerated:
        """See :class:`~tinysearch.evaluation.analytic.AnalyticModels`."""
        unit = self.unit(branch, processor)
        if unit is None:
            return PORTABLE
        return BranchAccelerated(
            name=unit.backend,
            steps=frozenset(str(number) for number in unit.packed),
            shared=True,
            arena_bytes=unit.memory.peak_bytes,
            constant_bytes=unit.constant_bytes,
        )

    def unit(self, branch: BranchSpec, processor: str) -> Accelerated | None:
        """The network with a processor's vector unit, unless only the portable kernels' arena fits internal RAM."""
        chip = self.catalog.chip(processor)
        found = self.network.accelerated.get(chip.idf_target)
        if found is None:
            return None
        room = self.reserve_bytes(chip, [branch.modality]) - self.capture(branch).size_bytes
        room = min(room, int(chip.largest_block_bytes.value))
        return None if self.network.memory.peak_bytes <= room < found.memory.peak_bytes else found


def one_input(task: Task) -> Input:
    """What the network is fed with.

    Raises:
        UserError: a task of several inputs, or one that needs more than a network.
    """
    if task.decision == "anomaly":
        raise UserError(
            "the task of a network of one's own must be a classification or a verification",
            value=f"task={task.name}, an anomaly task",
            remedy="leave task out: what is normal would have to be learned from data",
        )
    if len(task.inputs) != 1:
        raise UserError(
            "the task of a network of one's own must have one input",
            value=f"task={task.name} with {', '.join(task.names)}",
            remedy="write a task of one input into a YAML file, and task=FILE",
        )
    return task.inputs[0]


def own_branch(given: Input, graph: Graph, *, name: str, digest: str) -> BranchSpec:
    """The network as the branch of an input.

    Raises:
        UserError: it does not take what the input gives, or has not one output of a kind that answers can be read from.
    """
    source = graph.tensors[graph.inputs[0]]
    if len(graph.inputs) != 1 or source.element is not Element.INT8 or graph.states:
        raise UserError(
            "a network in an application must have one int8 input and keep nothing from run to run",
            value=f"{len(graph.inputs)} inputs, the first {source.element}, {len(graph.states)} states",
            remedy="leave task out: the console runs it",
        )
    shape = _sensed(given, source.shape)
    result = graph.tensors[graph.outputs[0]]
    if len(graph.outputs) != 1 or result.element is Element.UINT8 or not 1 < result.elements <= MOST_VALUES:
        raise UserError(
            f"a network in an application must have one output of 2 to {MOST_VALUES} values",
            value=f"{len(graph.outputs)} outputs, the first {result.element} {list(result.shape)}",
            remedy="leave task out: the console runs it",
        )
    architecture = OwnArchitecture(name=name, digest=digest, embedding=result.elements)
    return BranchSpec(modality=given.name, architecture=architecture, precision=Precision.parse("int8"), shape=shape)


def _sensed(given: Input, shape: tuple[int, ...]) -> Shape:
    """The shape of an input, if what senses it delivers one of this size."""
    sides = shape[1:] if len(shape) == 4 else (*shape[1:], 1) if len(shape) == 3 else None
    delivered = None if sides is None else given.kind.shape(input_size=max(sides[:2]), channels=sides[2])
    if sides is None or delivered != (wanted := Shape(height=sides[0], width=sides[1], channels=sides[2])):
        told = "height, width and channels" if delivered is None else "x".join(map(str, _sides(delivered)))
        raise UserError(
            f"a network for the input {given.name} must take what its {given.kind.name} gives, {told}",
            value=f"an input of {'x'.join(map(str, shape))}",
            remedy="choose another task, or leave task out: the console runs it",
        )
    return wanted


def _sides(shape: Shape) -> tuple[int, int, int]:
    return shape.height, shape.width, shape.channels


def own_classifier(network: OwnNetwork, modality: str, *, count: int, stream: Stream) -> Classifier:
    """The class of the largest output: a prototype is an output of this class alone, every score is an answer."""
    names = network.labels or tuple(f"class {index}" for index in range(count))
    least = -(1 << COSINE_FRACTION_BITS)
    return Classifier(
        answers=Answers(
            names=names, thresholds=(least,) * count, smooth=stream.smooth, hold_off=stream.hold_off_windows
        ),
        prototypes={modality: np.eye(count, dtype=np.float32)},
        hop_s=stream.hop_s,
        reject=None,
    )
