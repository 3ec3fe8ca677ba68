"""A ``.tflite`` file as a :class:`~tinysearch.networks.graph.Graph`.

Read with the ``tflite`` package (the schema's generated accessors), which trusts every offset; so whatever a damaged
file makes it raise becomes one line, and every count is held against the length of the file before anything loops.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

from tinysearch.core.errors import UserError
from tinysearch.distribution import install_line
from tinysearch.networks.file import network_content
from tinysearch.networks.graph import ABSENT, Array, Element, Graph, Node, Quantization, Tensor
from tinysearch.networks.rewriting import without_dead_nodes
from tinysearch.networks.tflite_options import options_of
from tinysearch.networks.variables import check_size, with_states

_SUBGRAPHS = 16
_SCHEMA = 3
_DAMAGE = (struct.error, ValueError, IndexError, OverflowError, TypeError, AttributeError, MemoryError)
"""What the accessors raise on offsets and lengths that lead nowhere."""


def read_tflite(path: Path) -> Graph:
    """Read a network.

    Raises:
        UserError: the file is missing, too long, damaged, of another format or version, or its graph cannot be run.
    """
    return tflite_graph(network_content(path), path)


def tflite_graph(content: bytes, path: Path) -> Graph:
    """The network that a file's bytes hold.

    Args:
        path: whence they are.

    Raises:
        UserError: they are damaged, of another format or version, or their graph cannot be run.
    """
    if content[4:8] != b"TFL3":
        raise UserError(
            "a .tflite file must have the identifier TFL3 in its bytes 4 to 7",
            value=f"{path}: {content[4:8]!r}",
            remedy="give the file that a TensorFlow Lite converter wrote",
        )
    try:
        return _Reading(content, name=path.stem).graph()
    except _DAMAGE as error:
        raise UserError(
            "a .tflite file must be whole",
            value=f"{path}: {type(error).__name__}: {error}",
            remedy="copy or convert it again",
        ) from None


def _library() -> Any:
    try:
        import tflite
    except ImportError:
        raise UserError(
            "the package tflite must be installed to read a .tflite file",
            value="it is not",
            remedy=f"run {install_line('network')}",
        ) from None
    return tflite


class _Reading:
    """One pass over one file."""

    def __init__(self, content: bytes, *, name: str) -> None:
        self._library = _library()
        self._length = len(content)
        self._name = name
        self._model = self._library.Model.GetRootAs(content, 0)
        enumeration = self._library.BuiltinOperator
        self._operators = {
            value: name for name, value in vars(enumeration).items() if name.isupper() and isinstance(value, int)
        }
        kinds = vars(self._library.TensorType)
        self._elements = {kinds[element.name]: element for element in Element if element is not Element.OTHER}

    def graph(self) -> Graph:
        version = self._model.Version()
        if version != _SCHEMA:
            raise UserError(
                f"a .tflite file must have schema version {_SCHEMA}",
                value=version,
                remedy="convert the network with a converter of 2019 or later",
            )
        count = self._model.SubgraphsLength()
        if not 1 <= count <= _SUBGRAPHS:
            raise ValueError(f"{count} subgraphs")
        first, *others = (self._subgraph(self._model.Subgraphs(number)) for number in range(count))
        graph = with_states(first, others)
        self._check_sizes(graph, [self._model.Subgraphs(0).Tensors(index) for index in graph.inputs])
        return without_dead_nodes(graph)

    def _subgraph(self, subgraph: Any) -> Graph:
        tensors = tuple(self._tensor(subgraph.Tensors(i)) for i in self._count(subgraph.TensorsLength()))
        nodes = tuple(self._node(subgraph.Operators(i), tensors) for i in self._count(subgraph.OperatorsLength()))
        return Graph(
            name=self._name,
            tensors=tensors,
            nodes=nodes,
            inputs=self._indices(subgraph.InputsAsNumpy(), len(tensors)),
            outputs=self._indices(subgraph.OutputsAsNumpy(), len(tensors)),
        )

    def _count(self, length: int) -> range:
        """Indices of a vector of the file, whose entries take at least four bytes each."""
        if length > self._length // 4:
            raise ValueError(f"a vector of {length} entries in {self._length} bytes")
        return range(length)

    def _indices(self, values: Any, tensors: int) -> tuple[int, ...]:
        found = () if isinstance(values, int) else tuple(int(value) for value in values)
        if any(not ABSENT <= index < tensors for index in found):
            raise ValueError("an index of no tensor")
        return found

    def _tensor(self, entry: Any) -> Tensor:
        shape = tuple(int(side) for side in entry.ShapeAsNumpy()) if entry.ShapeLength() else ()
        element = self._elements.get(entry.Type(), Element.OTHER)
        name = (entry.Name() or b"").decode("utf-8", "replace")
        return Tensor(
            name=name,
            shape=shape,
            element=element,
            quantization=self._quantization(entry.Quantization()),
            data=self._data(entry, shape, element),
        )

    def _quantization(self, entry: Any) -> Quantization | None:
        if entry is None or entry.ScaleLength() == 0:
            return None
        scales = np.array(entry.ScaleAsNumpy(), np.float32)
        stored = entry.ZeroPointAsNumpy() if entry.ZeroPointLength() else np.zeros(len(scales))
        zero_points = np.array(stored, np.int64)
        if len(zero_points) != len(scales) or not np.all(np.isfinite(scales) & (scales > 0)):
            raise ValueError("a quantization without one positive scale a zero point")
        return Quantization(scales=scales, zero_points=zero_points, axis=entry.QuantizedDimension())

    def _data(self, entry: Any, shape: tuple[int, ...], element: Element) -> Array | None:
        index = entry.Buffer()
        if index >= self._model.BuffersLength():
            raise ValueError(f"buffer {index} of {self._model.BuffersLength()}")
        buffer = self._model.Buffers(index)
        if buffer.Offset() > 1:
            raise ValueError("constants outside of the file's table, as files beyond 2 GB have them")
        if buffer.DataLength() == 0 or element is Element.OTHER or entry.Sparsity() is not None:
            return None
        values = np.frombuffer(buffer.DataAsNumpy().tobytes(), element.dtype.newbyteorder("<"))
        return values.astype(element.dtype).reshape(shape)

    def _node(self, entry: Any, tensors: tuple[Tensor, ...]) -> Node:
        code = self._model.OperatorCodes(self._checked(entry.OpcodeIndex(), self._model.OperatorCodesLength()))
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        operator = self._operators.get(number, f"operator {number}")
        if operator == "CUSTOM":
            operator = f"CUSTOM {(code.CustomCode() or b'').decode('utf-8', 'replace')}"
        outputs = self._indices(entry.OutputsAsNumpy(), len(tensors))
        return Node(
            name=tensors[outputs[0]].name if outputs else operator,
            operator=operator,
            inputs=self._indices(entry.InputsAsNumpy(), len(tensors)),
            outputs=outputs,
            options=options_of(self._library, operator, entry),
        )

    def _checked(self, index: int, length: int) -> int:
        if not 0 <= index < length:
            raise ValueError(f"entry {index} of {length}")
        return int(index)

    def _check_sizes(self, graph: Graph, inputs: list[Any]) -> None:
        used = {*graph.inputs, *graph.outputs}.union(*(set(node.inputs) | set(node.outputs) for node in graph.nodes))
        for index, tensor in enumerate(graph.tensors):
            if index not in used:
                continue  # what an operator keeps to itself, and may leave without a shape
            check_size(tensor)
        for entry, index in zip(inputs, graph.inputs, strict=True):
            sides = entry.ShapeSignatureAsNumpy() if entry.ShapeSignatureLength() else ()
            if any(int(side) < 0 for side in sides[1:]):
                raise UserError(
                    "an input's shape must be fixed, but for its batch",
                    value=f"{graph.tensors[index].name[:60]}: {[int(side) for side in sides]}",
                    remedy="convert the network with a concrete input shape",
                )
