"""An ``.onnx`` file as a :class:`~tinysearch.networks.real.nodes.RealNetwork`, read with the ``onnx`` package.

Constants that lie in files of their own are read where these lie in the folder of the network.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinysearch.core.errors import UserError
from tinysearch.distribution import install_line
from tinysearch.files import real_path
from tinysearch.networks.file import MOST_BYTES, MOST_ELEMENTS, network_content
from tinysearch.networks.real.nodes import Array, Attribute, RealInput, RealNetwork, RealNode, check_nodes

LEAST_OPSET, MOST_OPSET = 7, 27
"""Versions of ONNX's operators whose meaning is known here."""

_DAMAGE = (ValueError, TypeError, IndexError, KeyError, OverflowError, AttributeError, MemoryError)
"""What the package raises on tensors and attributes that contradict themselves."""

_STANDARD = ("", "ai.onnx")


def read_onnx(path: Path) -> RealNetwork:
    """Read a network.

    Raises:
        UserError: the file is missing, too long, damaged, or of another format or version.
    """
    return onnx_network(network_content(path), path)


def onnx_network(content: bytes, path: Path) -> RealNetwork:
    """The network that a file's bytes hold.

    Args:
        path: whence they are; constants outside of the file lie in its folder.

    Raises:
        UserError: they are damaged, or of another format or version.
    """
    onnx = _library()
    from google.protobuf.message import DecodeError, EncodeError

    try:
        model = onnx.load_model_from_string(content)
        return _Reading(onnx, model, path).network()
    except (DecodeError, EncodeError, RecursionError, *_DAMAGE) as error:
        raise UserError(
            "an .onnx file must be whole",
            value=f"{path}: {type(error).__name__}: {error}",
            remedy="copy or export it again",
        ) from None


def _library() -> Any:
    try:
        import onnx
    except ImportError:
        raise UserError(
            "the package onnx must be installed to read an .onnx file",
            value="it is not",
            remedy=f"run {install_line('network')}",
        ) from None
    return onnx


class _Reading:
    """One pass over one model."""

    def __init__(self, onnx: Any, model: Any, path: Path) -> None:
        self._onnx = onnx
        self._model = model
        self._path = path
        self._left = MOST_BYTES
        self._outside: dict[str, bytes] = {}

    def network(self) -> RealNetwork:
        graph = self._model.graph
        check_nodes(len(graph.node))
        if len(graph.sparse_initializer):
            raise UserError("constants must be dense", value="sparse initializers", remedy="export it again")
        constants = {_text(tensor.name): self._array(tensor) for tensor in graph.initializer}
        return RealNetwork(
            name=self._path.stem,
            opset=self._opset(),
            nodes=tuple(self._node(node, number) for number, node in enumerate(graph.node)),
            inputs=tuple(self._input(value) for value in graph.input if _text(value.name) not in constants),
            outputs=tuple(_text(value.name) for value in graph.output),
            constants=constants,
        )

    def _opset(self) -> int:
        found = [entry.version for entry in self._model.opset_import if entry.domain in _STANDARD]
        version = int(found[0]) if found else 0
        if not LEAST_OPSET <= version <= MOST_OPSET:
            raise UserError(
                f"an .onnx file must use an opset from {LEAST_OPSET} to {MOST_OPSET}",
                value=version,
                remedy="export the network with opset 17",
            )
        return version

    def _input(self, value: Any) -> RealInput:
        kind = value.type.tensor_type
        name = self._onnx.TensorProto.DataType.Name(kind.elem_type)
        if name != "FLOAT":
            raise UserError(
                "inputs of an .onnx network must be float tensors",
                value=f"{_text(value.name)[:60]}: {name.lower()}",
                remedy="export the network with float inputs",
            )
        sides = [side.dim_value if side.HasField("dim_value") else None for side in kind.shape.dim]
        return RealInput(
            name=_text(value.name), shape=tuple(None if side is None or side < 1 else side for side in sides)
        )

    def _node(self, node: Any, number: int) -> RealNode:
        operator, domain = _text(node.op_type), _text(node.domain)
        if domain not in _STANDARD:
            operator = f"{domain}.{operator}"
        return RealNode(
            operator=operator,
            name=_text(node.name) or f"{operator} {number}",
            inputs=tuple(_text(name) for name in node.input),
            outputs=tuple(_text(name) for name in node.output),
            attributes=self._attributes(node),
        )

    def _attributes(self, node: Any) -> Mapping[str, Attribute]:
        kinds = self._onnx.AttributeProto
        found: dict[str, Attribute] = {}
        for entry in node.attribute:
            name = _text(entry.name)
            if entry.type == kinds.FLOAT:
                found[name] = float(entry.f)
            elif entry.type == kinds.INT:
                found[name] = int(entry.i)
            elif entry.type == kinds.STRING:
                found[name] = entry.s.decode("utf-8", "replace")
            elif entry.type == kinds.TENSOR:
                found[name] = self._array(entry.t)
            elif entry.type == kinds.FLOATS:
                found[name] = tuple(float(value) for value in entry.floats)
            elif entry.type == kinds.INTS:
                found[name] = tuple(int(value) for value in entry.ints)
            elif entry.type == kinds.STRINGS:
                found[name] = tuple(text.decode("utf-8", "replace") for text in entry.strings)
        return found

    def _array(self, tensor: Any) -> Array:
        if any(side < 0 for side in tensor.dims) or math.prod(tensor.dims) > MOST_ELEMENTS:
            raise UserError(
                f"a constant must have at most {MOST_ELEMENTS} values",
                value=f"{_text(tensor.name)[:60]}: {list(tensor.dims)[:8]}",
                remedy="give a network for a microcontroller",
            )
        if tensor.data_location == self._onnx.TensorProto.EXTERNAL:
            self._bring(tensor)
        values: Array = np.asarray(self._onnx.numpy_helper.to_array(tensor))
        return values

    def _bring(self, tensor: Any) -> None:
        """Put the bytes of a constant that lies in another file of the folder into it."""
        told = {_text(entry.key): _text(entry.value) for entry in tensor.external_data}
        place = told.get("location", "")
        if place not in self._outside:
            self._outside[place] = self._file(place)
        content = self._outside[place]
        start = int(told.get("offset", 0))
        length = int(told.get("length", len(content) - start))
        if not 0 <= start <= start + length <= len(content):
            raise ValueError(f"{_text(tensor.name)[:60]} lies beyond the end of {place[:60]}")
        tensor.raw_data = content[start : start + length]
        tensor.data_location = self._onnx.TensorProto.DEFAULT
        del tensor.external_data[:]

    def _file(self, place: str) -> bytes:
        folder = real_path(self._path).parent
        try:
            path = real_path(folder / place)
        except (OSError, ValueError):
            path = folder
        if not place or path == folder or not path.is_relative_to(folder):
            raise UserError(
                "constants of an .onnx file must lie in its folder",
                value=place[:200] or "no location",
                remedy="copy the file of constants beside the network and export again",
            )
        if not path.exists():
            raise UserError(
                "an .onnx file must have the file of its constants beside it",
                value=f"{self._path} without {place[:200]}",
                remedy="copy both, or export into one file",
            )
        content = network_content(path, most=self._left)
        self._left -= len(content)
        return content


def _text(value: str | bytes) -> str:
    """A text of the file, which the package gives as bytes where it is no UTF-8."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
