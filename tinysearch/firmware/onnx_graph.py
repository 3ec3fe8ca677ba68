"""A trained branch as an ONNX graph that computes what the board computes: ``emit.format=onnx``.

int8 and XNOR networks are written as integer operations (``ConvInteger``, ``MatMulInteger``, products and shifts in
int64), so every byte of an embedding is that of the C code. The usual form of quantized ONNX, QDQ, scales by float32
factors and rounds halves to even, which is another network by up to a step a layer. Bit planes are levels here, one
value a channel. A float32 network is written in float32, and agrees within rounding.

Input and output are those of the firmware: int8 ``[N, height, width, channels]`` (byte - 128) and ``[N, E]``. Between
them integers are int32 ``[N, channels, height, width]``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UnsupportedLayerError, UserError
from tinysearch.core.network import INPUT
from tinysearch.core.program import Array, Element, FrozenNetwork, Step
from tinysearch.core.quantization import INPUT_SCALE, INT8_HIGH, INT8_LOW, XNOR_FRACTION_BITS
from tinysearch.distribution import install_line
from tinysearch.files import make_folder, write_atomically
from tinysearch.operators.add import LEFT_SHIFT

OPSET, IR_VERSION = 18, 8

_BYTE = 128


def write_networks(networks: Mapping[str, FrozenNetwork], folder: Path, *, version: str) -> Path:
    """Write ``NAME.onnx`` for every branch.

    Args:
        networks: branches by name.
        folder: made if need be; other files in it stay.
        version: of tinysearch, for the files.

    Raises:
        UserError: the package onnx is not installed.
        UnsupportedLayerError: an operator without such a form.
        OSError: the files cannot be written.
    """
    contents = {name: onnx_bytes(frozen, name=name, version=version) for name, frozen in networks.items()}
    make_folder(folder)
    for name, content in contents.items():
        write_atomically(folder / f"{name}.onnx", content)
    return folder


def onnx_bytes(frozen: FrozenNetwork, *, name: str, version: str) -> bytes:
    """The serialized model of a network; arguments and errors are those of :func:`write_networks`."""
    try:
        import onnx
    except ImportError:
        raise UserError(
            "the package onnx must be installed for emit.format=onnx",
            value="it is not",
            remedy=f"run {install_line('onnx')}",
        ) from None
    return bytes(_Graph(frozen, onnx).model(name, version).SerializeToString())


class _Graph:
    """Nodes so far, and the value that stands for each tensor of the program."""

    def __init__(self, frozen: FrozenNetwork, onnx: ModuleType) -> None:
        self.frozen = frozen
        self.onnx = onnx
        self.is_float = frozen.program.precision.kind == "float32"
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.values: dict[str, str] = {}

    def model(self, name: str, version: str) -> Any:
        """The whole model, checked by the package's own checker."""
        helper, kinds = self.onnx.helper, self.onnx.TensorProto
        program = self.frozen.program
        shape = program.network.input_shape
        wide = self.cast(self.node("Transpose", "input", perm=[0, 3, 1, 2]), "float32" if self.is_float else "int32")
        self.values[INPUT] = self.node("Mul", wide, self.constant(np.float32(INPUT_SCALE))) if self.is_float else wide
        for step in program.steps:
            value = self.step(step)
            self.values[step.output] = self.node("Relu", value) if self.is_float and step.relu else value
        flat = self.flat(self.values[program.output.name])
        self.node("Identity" if self.is_float else "Cast", flat, output="embedding", **self._output_type())
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info("input", kinds.INT8, ["N", shape.height, shape.width, shape.channels])],
            [
                helper.make_tensor_value_info(
                    "embedding", kinds.FLOAT if self.is_float else kinds.INT8, ["N", program.output.shape.elements]
                )
            ],
            initializer=self.constants,
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="tinysearch",
            producer_version=version,
        )
        facts = {"precision": str(program.precision), "trained": str(self.frozen.trained).lower()}
        helper.set_model_props(model, facts)
        self.onnx.checker.check_model(model, full_check=True)
        return model

    def _output_type(self) -> dict[str, int]:
        return {} if self.is_float else {"to": self.onnx.TensorProto.INT8}

    # ---- words of the graph ----

    def node(self, operation: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Append a node; the name of its output."""
        name = output or f"v{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(operation, list(inputs), [name], **attributes))
        return name

    def constant(self, value: npt.ArrayLike) -> str:
        """An initializer; its name."""
        name = f"c{len(self.constants)}"
        self.constants.append(self.onnx.numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def cast(self, value: str, kind: str) -> str:
        return self.node("Cast", value, to=self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind)))

    def wide(self, value: npt.ArrayLike) -> str:
        """A constant of int64; one value a channel stands along the axis of channels."""
        array = np.asarray(value, np.int64)
        return self.constant(array.reshape(-1, 1, 1) if array.ndim else array)

    def flat(self, value: str) -> str:
        """``[N, values]`` in the order of the firmware: height, width, channels."""
        return self.node("Flatten", self.node("Transpose", value, perm=[0, 2, 3, 1]))

    def floor_divided(self, value: str, divisor: npt.ArrayLike) -> str:
        """``value / divisor`` rounded down, as a shift to the right does; ``Div`` rounds towards zero."""
        by = self.wide(divisor)
        return self.node("Div", self.node("Sub", value, self.node("Mod", value, by)), by)

    def scaled(self, value: str, multiplier: npt.ArrayLike, shift: npt.ArrayLike) -> str:
        """int64 value * multiplier / 2^31 / 2^shift, rounded as :mod:`tinysearch.core.quantization` does."""
        product = self.node("Mul", value, self.wide(multiplier))
        high = self.floor_divided(self.node("Add", product, self.wide(1 << 30)), 1 << 31)
        divisor = np.int64(1) << np.asarray(shift, np.int64)
        negative = self.cast(self.node("Less", high, self.wide(0)), "int64")
        away = self.node("Mul", negative, self.wide((divisor > 1).astype(np.int64)))
        nudged = self.node("Sub", self.node("Add", high, self.wide(divisor // 2)), away)
        return self.floor_divided(nudged, divisor)

    def as_int8(self, value: str, step: Step) -> str:
        """int32 from int64 with the output's zero point, within what an int8 (behind a ReLU) holds."""
        zero = self.frozen.zero_points[step.output]
        shifted = self.node("Add", value, self.wide(zero))
        return self.cast(self.node("Clip", shifted, self.low(step), self.wide(INT8_HIGH)), "int32")

    def low(self, step: Step) -> str:
        return self.wide(self.frozen.zero_points[step.output] if step.relu else INT8_LOW)

    # ---- steps ----

    def step(self, step: Step) -> str:
        sources = [self.values[name] for name in step.inputs]
        match str(step.operator):
            case "pack":
                return self.levels(sources[0], self.parameters(step)["thresholds"])
            case "add":
                return self.added(step, sources)
            case "max_pool":
                return self.max_pool(step, sources[0])
            case "average":
                return self.averaged(step, sources[0])
            case "conv" | "depthwise" | "scale" | "fully_connected":
                return self.weighted(step, sources[0])
            case other:
                raise UnsupportedLayerError(
                    "every operator must have a form in ONNX",
                    value=f"{step.name}: {other}",
                    remedy="emit firmware, which has it",
                )

    def parameters(self, step: Step) -> Mapping[str, Array]:
        return self.frozen.parameters[step.name]

    def weighted(self, step: Step, source: str) -> str:
        """A step with weights: sums of products, its pool, its bias, and what makes the next tensor of them."""
        program, given = self.frozen.program, self.parameters(step)
        sums = self.products(step, source, given["weights"])
        if step.pool > 1:
            sums = self.max_pool(step, sums)
        if self.is_float:
            return self.node("Add", sums, self.constant(given["bias"].astype(np.float32).reshape(-1, 1, 1)))
        if program.tensors[step.output].element is Element.BITS:
            return self.levels(sums, given["thresholds"])
        wide = self.cast(sums, "int64")
        if program.binary(step):
            wide = self.node("Mul", wide, self.wide(1 << XNOR_FRACTION_BITS))
        biased = self.node("Add", wide, self.wide(given["bias"]))
        return self.as_int8(self.scaled(biased, given["multiplier"], given["shift"]), step)

    def products(self, step: Step, source: str, weights: Array) -> str:
        """Sums of products, ``[N, O, height, width]``."""
        tensor = self.frozen.program.tensors[step.inputs[0]]
        levels = tensor.element is Element.BITS
        zero = 0 if levels or self.is_float else self.frozen.zero_points.get(step.inputs[0], 0)
        if str(step.operator) == "fully_connected":
            shape = self.constant(np.array([0, -1, 1, 1], np.int64))
            matrix = np.ascontiguousarray(weights.reshape(len(weights), -1).T)
            rows = self.flat(source)
            if self.is_float:
                return self.node("Reshape", self.node("MatMul", rows, self.constant(matrix)), shape)
            data, point = self.unsigned(rows, zero, levels=levels)
            return self.node("Reshape", self.node("MatMulInteger", data, self.constant(matrix), point), shape)
        depthwise = weights.ndim == 3
        kernel = weights[:, None] if depthwise else np.moveaxis(weights, 3, 1)
        attributes: dict[str, Any] = {"strides": [step.stride] * 2, "group": tensor.shape.channels if depthwise else 1}
        if step.padding:
            around = np.array([0, 0, step.padding, step.beside] * 2, np.int64)
            value = np.float32(0) if self.is_float else np.int32(zero)
            source = self.node("Pad", source, self.constant(around), self.constant(value))
        if self.is_float:
            return self.node("Conv", source, self.constant(kernel), **attributes)
        data, point = self.unsigned(source, zero, levels=levels)
        return self.node("ConvInteger", data, self.constant(kernel), point, **attributes)

    def unsigned(self, source: str, zero: int, *, levels: bool) -> tuple[str, str]:
        """A value and its zero point as uint8, which is all that integer products read everywhere."""
        offset = 0 if levels else _BYTE
        data = self.cast(self.node("Add", source, self.constant(np.int32(offset))), "uint8")
        return data, self.constant(np.uint8(zero + offset))

    def levels(self, source: str, thresholds: Array) -> str:
        """How many thresholds each value reaches; ``[levels]`` shared, or ``[channels, levels]``."""
        reached: list[str] = []
        for index in range(thresholds.shape[-1]):
            limit = thresholds[..., index].astype(np.int32)
            limits = self.constant(limit.reshape(-1, 1, 1) if limit.ndim else limit)
            reached.append(self.cast(self.node("GreaterOrEqual", source, limits), "int32"))
        return self.total(reached)

    def total(self, parts: Sequence[str]) -> str:
        total = parts[0]
        for part in parts[1:]:
            total = self.node("Add", total, part)
        return total

    def added(self, step: Step, sources: Sequence[str]) -> str:
        if self.is_float:
            return self.total(sources)
        multipliers, shifts = self.parameters(step)["multiplier"], self.parameters(step)["shift"]
        parts = []
        for index, (name, source) in enumerate(zip(step.inputs, sources, strict=True)):
            centered = self.node("Sub", self.cast(source, "int64"), self.wide(self.frozen.zero_points[name]))
            raised = self.node("Mul", centered, self.wide(1 << LEFT_SHIFT))
            parts.append(self.scaled(raised, multipliers[index], shifts[index]))
        return self.as_int8(self.scaled(self.total(parts), multipliers[2], shifts[2]), step)

    def max_pool(self, step: Step, source: str) -> str:
        """The largest of each square, by a reshape: ``MaxPool`` is not for int32. Rows that fill no square go."""
        out, pool = self.frozen.program.tensors[step.output].shape, step.pool
        ends = self.constant(np.array([out.height * pool, out.width * pool], np.int64))
        starts, axes = self.constant(np.array([0, 0], np.int64)), self.constant(np.array([2, 3], np.int64))
        cropped = self.node("Slice", source, starts, ends, axes)
        squares = self.constant(np.array([0, 0, out.height, pool, out.width, pool], np.int64))
        within = self.constant(np.array([3, 5], np.int64))
        return self.node("ReduceMax", self.node("Reshape", cropped, squares), within, keepdims=0)

    def averaged(self, step: Step, source: str) -> str:
        """Mean of each channel; halves away from zero where it is an integer."""
        axes = self.constant(np.array([2, 3], np.int64))
        if self.is_float:
            return self.node("ReduceMean", source, axes, keepdims=1)
        shape = self.frozen.program.tensors[step.inputs[0]].shape
        count = shape.height * shape.width
        total = self.node("ReduceSum", self.cast(source, "int64"), axes, keepdims=1)
        rounded = self.node("Add", self.node("Abs", total), self.wide(count // 2))
        mean = self.node("Mul", self.node("Sign", total), self.node("Div", rounded, self.wide(count)))
        return self.cast(self.node("Max", mean, self.low(step)), "int32")
