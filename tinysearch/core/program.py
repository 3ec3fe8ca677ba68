"""A network lowered to the steps that the C runtime executes: the one list that plans, times, trains and emits.

``lower`` turns a network spec and a precision into a :class:`Program`: tensors with an element type, and steps that
name a kernel. Memory planning, latency, flash, quantization-aware training, the NumPy oracle and the emitter all read
this list, so they cannot disagree about what runs. Parameters of a step (:class:`FrozenNetwork`) come from training.

How units become steps:

- Convolution and Linear become one step; pool, batch normalization and ReLU fold into it.
- Addition with batch normalization: its scale and shift fold into the steps that feed it where these are linear and
  feed nothing else; another input gets a ``scale`` step (a 1x1 depthwise convolution, in place where its input dies).
- GlobalAveragePool with batch normalization: ``average``, then ``scale``.
- XNOR: the first convolution reads int8 (``weight_bits`` B); the residual stream is int8; ``pack`` turns it into bit
  planes once for all its readers; between two binary layers activations stay bit planes. With a first binary stage
  (``Precision.from_stage``) the layers before it are those of int8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from tinysearch.core.errors import UnsupportedLayerError, UserError
from tinysearch.core.network import (
    INPUT,
    Addition,
    Convolution,
    GlobalAveragePool,
    Linear,
    NetworkSpec,
    Operator,
    Shape,
    Unit,
)
from tinysearch.core.quantization import Precision
from tinysearch.core.steps import LANE, Bands, Element, Step, Tensor

__all__ = [
    "LANE",
    "Array",
    "Bands",
    "Element",
    "FrozenNetwork",
    "Operator",
    "Program",
    "Step",
    "Tensor",
    "last_stage",
    "lower",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Program:
    """Steps in execution order over named tensors; ``input`` is int8 for every precision. Compared by identity.

    Attributes:
        bands: steps that are not computed one after the other on whole maps (:mod:`tinysearch.core.bands`); what
            comes out is the same.
        shared: steps, by number, of whose output two cores may compute half of the rows each; in no band.
    """

    network: NetworkSpec
    precision: Precision
    tensors: Mapping[str, Tensor]
    steps: tuple[Step, ...]
    bands: tuple[Bands, ...] = ()
    shared: tuple[int, ...] = ()

    @property
    def output(self) -> Tensor:
        """The embedding."""
        return self.tensors[self.steps[-1].output]

    def binary(self, step: Step) -> bool:
        """Whether a step reads bit planes."""
        return self.tensors[step.inputs[0]].element is Element.BITS

    def weight_shape(self, step: Step) -> tuple[int, ...]:
        """Shape of the weights: [O, kH, kW, I], for depthwise and scale [C, kH, kW], for fully connected [O, I]."""
        source, out = self.tensors[step.inputs[0]].shape, self.tensors[step.output].shape
        match step.operator:
            case Operator.CONV:
                return (out.channels, step.kernel, step.columns, source.channels)
            case Operator.DEPTHWISE | Operator.SCALE:
                return (out.channels, step.kernel, step.columns)
            case Operator.FULLY_CONNECTED:
                return (out.channels, source.elements)
            case _:
                return ()


Array = npt.NDArray[Any]
"""Of the element type that its place says."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrozenNetwork:
    """A program with its parameters: what is evaluated, stored and emitted.

    Attributes:
        parameters: arrays by step name and key. Keys by step:
            float32 ``weights``, ``bias`` (float32);
            int8 and the first convolution of an XNOR network ``weights`` (int8 levels), ``bias`` (int32),
            ``multiplier``, ``shift`` (int32, one a channel);
            binary step to bit planes ``weights`` (int8 levels -1, 1 or -3, -1, 1, 3), ``thresholds`` (int32
            [O, 2^A - 1], ascending): level = number of thresholds that the accumulator reaches;
            binary step to int8 ``weights``, ``bias``, ``multiplier``, ``shift``, applied to (accumulator << 8) + bias;
            ``pack``: ``thresholds`` (int32 [2^A - 1]) on the int8 values;
            ``add``: ``multiplier``, ``shift`` (int32 [3]: left, right, output; TFLite's add with left shift 20; the
            shift of an input may be 0).
        scales, zero_points: of every int8 tensor by name; a tensor of bit planes has the value of one level as scale.
        seed: seed of the training, or of the random weights where ``trained`` is false.
    """

    program: Program
    parameters: Mapping[str, Mapping[str, Array]]
    scales: Mapping[str, float] = field(default_factory=dict)
    zero_points: Mapping[str, int] = field(default_factory=dict)
    trained: bool = False
    seed: int = 0


def lower(network: NetworkSpec, precision: Precision) -> Program:
    """Lower a network to the steps of one precision.

    Raises:
        UserError: a precision that begins behind the last stage.
        UnsupportedLayerError: a unit that the runtime has no kernel for.
    """
    lowering = _Lowering(network, precision)
    last = max(lowering.stages.values())
    if precision.from_stage > last:
        raise UserError(
            f"a precision must begin in a stage of the network, the last of which is {last}",
            value=f"{precision} of {network.name}",
            remedy="use int8, which this would be",
        )
    return lowering.run()


def last_stage(network: NetworkSpec) -> int:
    """Number of the last stage, see :class:`~tinysearch.core.quantization.Precision`."""
    return max(_stages(network, network.shapes()).values())


def _stages(network: NetworkSpec, shapes: Mapping[str, Shape]) -> dict[str, int]:
    """The stage of each unit: 0 for the first layer, then 1, and one more wherever a map is smaller than all before."""
    stages: dict[str, int] = {}
    smallest, stage = 0, 1
    for unit in network.units:
        area = shapes[unit.name].height * shapes[unit.name].width
        if INPUT in unit.inputs:
            stages[unit.name], smallest = 0, area
            continue
        stage += area < smallest
        smallest = min(smallest, area)
        stages[unit.name] = stage
    return stages


class _Lowering:
    """State of one lowering: tensors and steps so far, and who reads what. Every unit adds its own steps."""

    def __init__(self, network: NetworkSpec, precision: Precision) -> None:
        self.network, self.precision = network, precision
        self.shapes = network.shapes()
        self.readers: dict[str, list[Unit]] = {}
        for unit in network.units:
            for source in unit.inputs:
                self.readers.setdefault(source, []).append(unit)
        self.stream = Element.FLOAT32 if precision.kind == "float32" else Element.INT8
        self.tensors = {INPUT: Tensor(name=INPUT, shape=network.input_shape, element=Element.INT8)}
        self.steps: list[Step] = []
        self.stages = _stages(network, self.shapes)

    def run(self) -> Program:
        for unit in self.network.units:
            unit.lower(self)
        return Program(network=self.network, precision=self.precision, tensors=self.tensors, steps=tuple(self.steps))

    def emit(
        self, unit: Unit, operator: str, inputs: tuple[str, ...], output: str, *, bits: int = 0, **fields: Any
    ) -> None:
        """Add a step and the tensor that it writes, of the unit's shape (``pack``: of its input's).

        Args:
            bits: planes of an output of bit planes, 0 for the element type of the network's stream.
            fields: of :class:`Step`.
        """
        element = Element.BITS if bits else self.stream
        self.tensors[output] = Tensor(
            name=output,
            shape=self.shapes[unit.name] if operator != Operator.PACK else self.tensors[inputs[0]].shape,
            element=element,
            bits=bits,
        )
        self.steps.append(Step(name=output, operator=operator, unit=unit.name, inputs=inputs, output=output, **fields))

    def weighted(self, unit: Convolution | Linear) -> None:
        """A sum of products, with all that follows it in the unit.

        Raises:
            UnsupportedLayerError: what no binary kernel computes.
        """
        xnor = self.precision.kind == "xnor"
        depthwise = isinstance(unit, Convolution) and unit.depthwise
        few_bits = self._few_bits(unit)
        binary = few_bits and unit.input != INPUT
        if xnor and unit.input == INPUT and isinstance(unit, Linear):
            raise UnsupportedLayerError(
                "the first layer of an XNOR network must be a convolution",
                value=unit.name,
                remedy="start the architecture with a Convolution",
            )
        if binary and isinstance(unit, Convolution) and unit.pool > 1:
            raise UnsupportedLayerError(
                "a binary convolution must not have a fused pool", value=unit.name, remedy="use a MaxPool unit after it"
            )
        source = self._packed(unit) if binary else unit.input
        to_bits = self.precision.activation_bits if binary and unit.relu and self._feeds_only_binary(unit.name) else 0
        folded: tuple[str, ...] = (unit.name,) if unit.batch_norm else ()
        follower = self._foldable_addition(unit)
        if follower is not None:
            folded += (follower.name,)
        common: dict[str, Any] = {
            "bits": to_bits,
            "relu": unit.relu,
            "weight_bits": self.precision.weight_bits if few_bits or not xnor else 8,
            "activation_bits": self.precision.activation_bits if binary else 0,
            "folded": folded,
        }
        if isinstance(unit, Linear):
            self.emit(
                unit,
                unit.operator,
                (source,),
                unit.name,
                macs=self.network.counts()[unit.name].macs,
                **common,
            )
            return
        out, depth = self.shapes[unit.name], self.shapes[unit.input].channels
        macs = out.elements * unit.pool**2 * unit.kernel * unit.columns * (1 if depthwise else depth)
        window = {"kernel": unit.kernel, "stride": unit.stride, "padding": unit.padding, "flat": unit.flat}
        self.emit(
            unit,
            unit.operator,
            (source,),
            unit.name,
            macs=macs,
            pool=unit.pool,
            **window,
            **common,
        )

    def _few_bits(self, unit: Unit) -> bool:
        """Whether a unit has binary weights."""
        weighted = isinstance(unit, Linear) or (isinstance(unit, Convolution) and not unit.depthwise)
        return self.precision.kind == "xnor" and weighted and self.stages[unit.name] >= self.precision.from_stage

    def _feeds_only_binary(self, name: str) -> bool:
        readers = self.readers.get(name, [])
        return bool(readers) and all(self._few_bits(reader) for reader in readers)

    def _packed(self, unit: Convolution | Linear) -> str:
        """Name of the bit planes of a unit's input, packing an int8 tensor at its first reader."""
        if self.tensors[unit.input].element is Element.BITS:
            return unit.input
        name = f"{unit.input}_bits"
        if name not in self.tensors:
            self.emit(
                unit,
                Operator.PACK,
                (unit.input,),
                name,
                bits=self.precision.activation_bits,
                activation_bits=self.precision.activation_bits,
            )
        return name

    def _foldable_addition(self, unit: Unit) -> Addition | None:
        """The addition whose batch normalization folds into this unit: its only reader, nothing non-linear between."""
        readers = self.readers.get(unit.name, [])
        linear = isinstance(unit, Convolution | Linear) and not unit.relu
        if (
            linear
            and len(readers) == 1
            and isinstance(readers[0], Addition)
            and readers[0].batch_norm
            and readers[0].left != readers[0].right
        ):
            return readers[0]
        return None

    def addition(self, unit: Addition) -> None:
        """An addition, and a ``scale`` of each input that its batch normalization cannot be folded into."""
        inputs = []
        units = {other.name: other for other in self.network.units}
        for source in unit.inputs:
            producer = units.get(source)
            if unit.batch_norm and (producer is None or self._foldable_addition(producer) is not unit):
                inputs.append(self._scale(unit, source, folded=(unit.name,), relu=False))
            else:
                inputs.append(source)
        self.emit(unit, Operator.ADD, (inputs[0], inputs[1]), unit.name, relu=unit.relu)

    def _scale(self, unit: Unit, source: str, *, folded: tuple[str, ...], relu: bool, output: str | None = None) -> str:
        name = output or f"{unit.name}_{source}_scaled"
        bits = self.precision.weight_bits if self.precision.kind != "xnor" else 8
        self.emit(
            unit,
            Operator.SCALE,
            (source,),
            name,
            weight_bits=bits,
            folded=folded,
            relu=relu,
            macs=self.shapes[unit.name].elements,
        )
        return name

    def average(self, unit: GlobalAveragePool) -> None:
        """A mean, and a ``scale`` for its batch normalization."""
        if not unit.batch_norm:
            self.emit(unit, Operator.AVERAGE, (unit.input,), unit.name, relu=unit.relu)
            return
        mean = f"{unit.name}_mean"
        self.emit(unit, Operator.AVERAGE, (unit.input,), mean)
        self._scale(unit, mean, folded=(unit.name,), relu=unit.relu, output=unit.name)
