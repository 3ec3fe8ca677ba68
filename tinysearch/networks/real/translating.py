"""A float network as a float graph with TensorFlow Lite's operators, channels last.

Every shape is known when a node is looked at, for the batch is 1, so whatever depends on shapes alone is a constant.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinysearch.core.errors import UserError
from tinysearch.networks.file import MOST_ELEMENTS
from tinysearch.networks.graph import Element, Graph, Tensor
from tinysearch.networks.operators.kind import Unfit, require
from tinysearch.networks.real.builder import Builder, Known, Value, channels_last
from tinysearch.networks.real.dense import DENSE
from tinysearch.networks.real.folding import fold
from tinysearch.networks.real.memory import MEMORY
from tinysearch.networks.real.nodes import RealInput, RealNetwork, RealNode
from tinysearch.networks.real.pointwise import POINTWISE
from tinysearch.networks.real.resizing import RESIZING
from tinysearch.networks.real.scales import SCALES
from tinysearch.networks.real.shapes import SHAPES
from tinysearch.networks.real.step import Operand, Step
from tinysearch.networks.real.windows import WINDOWS
from tinysearch.networks.refusals import Refusal, refuse

TRANSLATIONS: Mapping[str, Callable[[Step], list[Operand]]] = {
    **WINDOWS,
    **RESIZING,
    **MEMORY,
    **DENSE,
    **POINTWISE,
    **SHAPES,
    **SCALES,
}
"""By ONNX's name."""

_INSTEAD = {
    "GRU": "use an LSTM, or convolutions over time",
    "RNN": "use an LSTM, or convolutions over time",
    "InstanceNormalization": "use batch normalization",
    "GroupNormalization": "use batch normalization",
    "LayerNormalization": "use batch normalization",
    "If": "export the network for one case",
    "Loop": "unroll it when exporting",
    "ArgMax": "take the largest output outside of the network",
}
_OTHERWISE = "compute it outside of the network"
_SEES_CHANNELS = frozenset(WINDOWS) | frozenset(RESIZING)
_PASSES = frozenset(POINTWISE) | {"Identity", "Dropout", "Pad", "Cast", "QuantizeLinear", "DequantizeLinear"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Translated:
    """A float graph, and where the author's axes lie in it.

    Attributes:
        inputs, outputs: for each, the author's axis at every place of its shape.
    """

    graph: Graph
    inputs: tuple[tuple[int, ...], ...]
    outputs: tuple[tuple[int, ...], ...]


def translate(network: RealNetwork, shapes: Sequence[Sequence[int] | None]) -> Translated:
    """Translate a network.

    Args:
        shapes: of the samples of every input, without the batch, which settle sides that are not fixed; or None.

    Raises:
        UnsupportedLayerError: operators without a kernel; the message lists all of them.
        UserError: nodes read what nobody writes before, or a side of an input is unknown.
    """
    return _Translation(network).translated(shapes)


class _Translation:
    """One pass over one network."""

    def __init__(self, network: RealNetwork) -> None:
        self._network = network
        self._build = Builder()
        self._readers = Counter(name for node in network.nodes for name in node.inputs)
        self._readers.update(network.outputs)
        self._known: dict[str, Operand] = {name: Known(values=values) for name, values in network.constants.items()}
        self._lost: set[str] = set()
        self._refusals: list[Refusal] = []

    def translated(self, shapes: Sequence[Sequence[int] | None]) -> Translated:
        network = self._network
        inputs = []
        for entry, shape in zip(network.inputs, shapes, strict=True):
            value = self._input(entry, shape)
            self._known[entry.name] = value
            inputs.append(value)
        for node in network.nodes:
            self._take(node)
        refuse(self._refusals)
        outputs = [self._output(name) for name in network.outputs]
        graph = self._build.graph(network.name, [value.tensor for value in inputs], [value.tensor for value in outputs])
        return Translated(
            graph=dataclasses.replace(graph, rounding=network.rounding),
            inputs=tuple(value.order for value in inputs),
            outputs=tuple(value.order for value in outputs),
        )

    def _input(self, entry: RealInput, sample: Sequence[int] | None) -> Value:
        sides = fixed_shape(entry, sample)
        order = channels_last(len(sides)) if self._is_image(entry) else tuple(range(len(sides)))
        shape = tuple(sides[axis] for axis in order)
        tensor = self._build.add(Tensor(name=entry.name, shape=shape, element=Element.FLOAT32))
        return Value(tensor=tensor, order=order)

    def _is_image(self, entry: RealInput) -> bool:
        """Whether a convolution or pool reads an input, also after functions of one value."""
        if len(entry.shape) not in (3, 4):
            return False
        names = {entry.name}
        for node in self._network.nodes:
            if names.intersection(node.inputs[:1] if node.operator in _SEES_CHANNELS else node.inputs):
                if node.operator in _SEES_CHANNELS:
                    return True
                if node.operator in _PASSES:
                    names.update(node.outputs)
        return False

    def _take(self, node: RealNode) -> None:
        operands: list[Operand | None] = []
        for name in node.inputs:
            if name in self._lost:
                self._lose(node)
                return
            if name and name not in self._known:
                raise UserError(
                    "operators must read what the network's inputs, constants and earlier operators give",
                    value=f"{node.operator} {node.name[:60]} reads {name[:60]}",
                    remedy="export the network again",
                )
            operands.append(self._known[name] if name else None)
        lonely = [self._readers[name] == 1 for name in node.inputs]
        step = Step(build=self._build, node=node, opset=self._network.opset, operands=operands, lonely=lonely)
        try:
            with np.errstate(all="ignore"):  # weights that are not finite are told when they are quantized
                found = _outputs(step)
        except Unfit as unfit:
            self._refuse(node, unfit)
            return
        except (ValueError, IndexError, TypeError, OverflowError, ZeroDivisionError, KeyError) as error:
            self._refuse(node, Unfit(f"contradicts itself ({error})", "export the network again"))
            return
        self._note(node, step, found)

    def _note(self, node: RealNode, step: Step, found: Sequence[Operand]) -> None:
        for position, operand in enumerate(step.operands):
            if isinstance(operand, Value) and not step.lonely[position]:
                same = any(isinstance(value, Value) and value.tensor == operand.tensor for value in found)
                self._build.shared.update([operand.tensor] if same else [])
        for name, operand in zip(node.outputs, found, strict=False):
            if name:
                self._known[name] = operand
        self._lost.update(name for name in node.outputs[len(found) :] if name)

    def _refuse(self, node: RealNode, unfit: Unfit) -> None:
        self._refusals.append(
            Refusal(operator=node.operator, reason=unfit.reason, instead=unfit.instead, node=node.name)
        )
        self._lost.update(node.outputs)

    def _lose(self, node: RealNode) -> None:
        """A node behind a refused one: told only if it could not be computed anyhow."""
        self._lost.update(node.outputs)
        if node.operator not in TRANSLATIONS and node.operator not in _FOLDED:
            self._refuse(node, _without_kernel(node))

    def _output(self, name: str) -> Value:
        found = self._known.get(name)
        if not isinstance(found, Value):
            raise UserError(
                "every output of a network must depend on its inputs",
                value=name[:60],
                remedy="export the network again",
            )
        if found.view is not None:
            found = self._build.plain_value(self._build.plain(found, name))
        return found


_FOLDED = frozenset({"Constant", "Shape", "Cast"})


def _outputs(step: Step) -> list[Operand]:
    """The outputs of one node."""
    folded = fold(step)
    if folded is not None:
        return folded
    translation = TRANSLATIONS.get(step.node.operator)
    if step.node.operator == "Cast" and isinstance(step.operand(0), Value):
        require(step.integer("to", 1) in (1, 10, 11, 16), "casts to integers", "use floats")
        return [step.value()]
    if translation is None:
        raise _without_kernel(step.node)
    found = translation(step)
    for operand in found:
        if isinstance(operand, Value):
            shape = step.build.tensors[operand.tensor].shape
            require(np.prod(shape, dtype=float) <= MOST_ELEMENTS, f"gives {list(shape)}", "use a smaller network")
    return found


def _without_kernel(node: RealNode) -> Unfit:
    return Unfit("has no kernel", _INSTEAD.get(node.operator, _OTHERWISE))


def fixed_shape(entry: RealInput, sample: Sequence[int] | None) -> tuple[int, ...]:
    """Sides of an input with a batch of 1.

    Raises:
        UserError: a side that neither the file nor a sample tells.
    """
    rest = entry.shape[1:]
    if sample is not None and len(sample) == len(rest):
        rest = tuple(given if side is None else side for side, given in zip(rest, sample, strict=True))
    sides = (1, *rest)
    if not entry.shape or any(side is None for side in sides) or entry.shape[0] not in (None, 1):
        shown = ["?" if side is None else side for side in entry.shape]
        raise UserError(
            "an input's shape must be fixed, but for its batch, which must be 1 or free",
            value=f"{entry.name[:60]}: {shown}",
            remedy="export the network with a fixed shape, or give calibration=FILE.npz whose samples have one",
        )
    found = tuple(side for side in sides if side is not None)
    if math.prod(found) > MOST_ELEMENTS:
        raise UserError(
            f"an input must have at most {MOST_ELEMENTS} values",
            value=f"{entry.name[:60]}: {list(found)[:8]}",
            remedy="export the network with a smaller shape",
        )
    return found
