"""Networks of a few random layers that between them have every kernel, padding, stride and scale."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from small_tflite import Op, T, model

SAME, VALID = 0, 1
NONE, RELU, RELU6 = 0, 1, 3


@dataclass
class Builder:
    """A network as it grows; ``last`` is the tensor that the next layer reads."""

    random: np.random.Generator
    tensors: list[T] = field(default_factory=list)
    operators: list[Op] = field(default_factory=list)
    last: int = 0

    @classmethod
    def start(cls, seed: int, shape: tuple[int, ...]) -> Builder:
        builder = cls(np.random.default_rng(seed))
        builder.last = builder.activation(shape)
        return builder

    def activation(self, shape: tuple[int, ...], *, like: int | None = None) -> int:
        scale = float(self.random.uniform(0.02, 0.2)) if like is None else self.tensors[like].scale
        zero = int(self.random.integers(-128, 128)) if like is None else self.tensors[like].zero
        return self._add(T(shape=shape, scale=scale, zero=zero, name=f"t{len(self.tensors)}"))

    def _add(self, tensor: T) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def constant(self, shape: tuple[int, ...], channels: int, axis: int, *, spread: float = 1.0) -> tuple[int, int]:
        """int8 weights with a scale a channel, and biases."""
        weights = self.random.integers(-127, 128, shape).astype(np.int8)
        scales = self.random.uniform(0.001, 0.01, channels) * spread
        bias = self.random.integers(-3000, 3000, channels).astype(np.int32)
        return (
            self._add(T(shape=shape, scale=scales, axis=axis, data=weights)),
            self._add(T(shape=(channels,), kind="int32", scale=None, data=bias)),
        )

    def ints(self, values) -> int:
        """An int32 constant."""
        data = np.array(values, np.int32)
        return self._add(T(shape=data.shape, kind="int32", scale=None, data=data))

    def reals(self, shape: tuple[int, ...]) -> int:
        """A float activation."""
        return self._add(T(shape=shape, kind="float32", scale=None))

    def then(
        self, code: str, inputs: list[int], shape: tuple[int, ...], options: dict, *, like: int | None = None
    ) -> int:
        out = self.activation(shape, like=like)
        self.operators.append(Op(code=code, inputs=inputs, outputs=[out], options=options))
        self.last = out
        return out

    def conv(
        self,
        channels: int,
        kernel: tuple[int, int],
        *,
        stride=(1, 1),
        dilation=(1, 1),
        padding=SAME,
        fused=NONE,
        spread=1.0,
    ) -> int:
        source = self.tensors[self.last].shape
        weights = self.constant((channels, *kernel, source[3]), channels, 0, spread=spread)
        shape = (1, *self._sides(source, kernel, stride, dilation, padding), channels)
        options = self._window(stride, padding, fused) | _dilated(dilation)
        return self.then("CONV_2D", [self.last, *weights], shape, options)

    def depthwise(
        self, kernel: tuple[int, int], *, multiplier=1, stride=(1, 1), dilation=(1, 1), padding=SAME, fused=NONE
    ) -> int:
        source = self.tensors[self.last].shape
        channels = source[3] * multiplier
        weights = self.constant((1, *kernel, channels), channels, 3)
        shape = (1, *self._sides(source, kernel, stride, dilation, padding), channels)
        options = self._window(stride, padding, fused) | _dilated(dilation) | {"DepthMultiplier": multiplier}
        return self.then("DEPTHWISE_CONV_2D", [self.last, *weights], shape, options)

    def pool(self, code: str, kernel: tuple[int, int], *, stride=(1, 1), padding=SAME, fused=NONE) -> int:
        source = self.tensors[self.last].shape
        shape = (1, *self._sides(source, kernel, stride, (1, 1), padding), source[3])
        options = self._window(stride, padding, fused) | {"FilterHeight": kernel[0], "FilterWidth": kernel[1]}
        return self.then(code, [self.last], shape, options, like=self.last)

    def join(self, code: str, left: int, right: int, *, fused=NONE) -> int:
        return self.then(code, [left, right], self.tensors[left].shape, {"FusedActivationFunction": fused})

    def dense(self, outputs: int, *, fused=NONE) -> int:
        count = int(np.prod(self.tensors[self.last].shape))
        weights = self.constant((outputs, count), 1, 0)
        bias = self._add(T(shape=(outputs,), kind="int32", scale=None, data=np.arange(outputs, dtype=np.int32) * 100))
        options = {"FusedActivationFunction": fused}
        return self.then("FULLY_CONNECTED", [self.last, weights[0], bias], (1, outputs), options)

    def prelu(self, shape: tuple[int, ...]) -> int:
        """A slope for every place of a shape."""
        data = self.random.integers(-128, 128, shape).astype(np.int8)
        slopes = self._add(T(shape=shape, scale=0.008, zero=3, data=data))
        return self.then("PRELU", [self.last, slopes], self.tensors[self.last].shape, {})

    def lstm(self, units: int, *, cell_bits: int = 12, clip: float = 0.0) -> int:
        """A long short-term memory that keeps hidden values and cell from run to run."""
        source = self.tensors[self.last]
        sides = [*[source.shape[2]] * 4, *[units] * 4]
        weights = [self._add(self._symmetric((units, side))) for side in sides]
        biases = [self._integers(units) for _ in range(4)]
        result = self.activation((1, source.shape[1], units))
        kept = self.tensors[result]
        kept.scale, kept.zero = 1 / 128, int(self.random.integers(-5, 5))
        hidden = self._add(T(shape=(1, units), scale=kept.scale, zero=kept.zero, variable=True))
        cell = self._add(T(shape=(1, units), kind="int16", scale=2.0**-cell_bits, variable=True))
        inputs = [self.last, *weights, *[-1] * 3, *biases, *[-1] * 2, hidden, cell, *[-1] * 4]
        options = {"FusedActivationFunction": 4, "CellClip": clip}
        self.operators.append(Op(code="UNIDIRECTIONAL_SEQUENCE_LSTM", inputs=inputs, outputs=[result], options=options))
        self.last = result
        return result

    def _symmetric(self, shape: tuple[int, ...]) -> T:
        data = self.random.integers(-127, 128, shape).astype(np.int8)
        return T(shape=shape, scale=float(self.random.uniform(0.002, 0.006)), data=data)

    def _integers(self, count: int) -> int:
        data = self.random.integers(-3000, 3000, count).astype(np.int32)
        return self._add(T(shape=(count,), kind="int32", scale=None, data=data))

    def softmax(self) -> int:
        out = self._add(T(shape=self.tensors[self.last].shape, scale=1 / 256, zero=-128, name="softmax"))
        self.operators.append(Op(code="SOFTMAX", inputs=[self.last], outputs=[out], options={"Beta": 1.0}))
        self.last = out
        return out

    def flatten(self) -> int:
        count = int(np.prod(self.tensors[self.last].shape))
        return self.then("RESHAPE", [self.last], (1, count), {}, like=self.last)

    def file(self) -> bytes:
        return model(self.tensors, self.operators, [0], [self.last])

    def _window(self, stride: tuple[int, int], padding: int, fused: int) -> dict[str, int]:
        return {"Padding": padding, "StrideH": stride[0], "StrideW": stride[1], "FusedActivationFunction": fused}

    @staticmethod
    def _sides(source, kernel, stride, dilation, padding) -> tuple[int, int]:
        reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
        sides = zip(source[1:3], stride, reach, strict=True)
        return tuple(-(-n // s) if padding == SAME else (n - r) // s + 1 for n, s, r in sides)


def _dilated(dilation: tuple[int, int]) -> dict[str, int]:
    return {"DilationHFactor": dilation[0], "DilationWFactor": dilation[1]}


def kill_channel(net: Builder) -> None:
    """Leave the last convolution's first channel as converters do: no weights, a scale near zero, a bias of 2^30."""
    weights, bias = (net.tensors[index] for index in net.operators[-1].inputs[1:])
    weights.data[0], weights.scale[0], bias.data[0] = 0, 2e-9, 1 << 30


def residual(net: Builder) -> None:
    """Convolutions of all kinds around an addition, from an input [1, 9, 7, 3] on."""
    first = net.conv(6, (3, 3), fused=RELU)
    net.conv(6, (1, 1), fused=RELU6)
    kill_channel(net)
    second = net.conv(6, (3, 3))
    net.join("ADD", first, second, fused=RELU)
    net.conv(5, (2, 3), stride=(2, 1), padding=VALID)
    net.pool("MAX_POOL_2D", (2, 2), stride=(2, 2))
    net.flatten()
    net.dense(10)
    net.softmax()


def separable(net: Builder) -> None:
    """Depthwise convolutions of all kinds, a product, both pools, from an input [1, 11, 8, 4] on."""
    net.depthwise((3, 3), fused=RELU)
    net.depthwise((3, 3), stride=(2, 2))
    net.depthwise((3, 3), multiplier=2)
    left = net.depthwise((5, 2), dilation=(1, 2), fused=RELU6)
    right = net.conv(8, (3, 2), dilation=(2, 1))
    net.join("MUL", left, right)
    net.pool("AVERAGE_POOL_2D", (3, 2), stride=(2, 2))
    net.conv(9, (1, 1), spread=60.0)
    net.pool("AVERAGE_POOL_2D", net.tensors[net.last].shape[1:3], padding=VALID)
    net.flatten()
    net.dense(8)


POINTWISE = ("RELU", "RELU6", "LEAKY_RELU", "LOGISTIC", "TANH", "HARD_SWISH", "QUANTIZE")


def pointwise(net: Builder) -> list[int]:
    """Operators that become tables, each on the same tensor; their outputs."""
    start, outputs = net.last, []
    for code in POINTWISE:
        out = net.activation(net.tensors[start].shape)
        fixed = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0), "RELU6": (0.05, net.tensors[start].zero)}
        net.tensors[out].scale, net.tensors[out].zero = fixed.get(code, (0.07, net.tensors[out].zero))
        options = {"Alpha": 0.3} if code == "LEAKY_RELU" else {}
        net.operators.append(Op(code=code, inputs=[start], outputs=[out], options=options))
        outputs.append(out)
    return outputs


def moved(net: Builder) -> None:
    """Operators that move values, and a mean, from an input [1, 5, 6, 3] on."""
    start = net.last
    paddings = net.ints([[0, 0], [1, 2], [0, 1], [0, 0]])
    net.then("PAD", [start, paddings], (1, 8, 7, 3), {}, like=start)
    bounds = [net.ints(row) for row in SLICE]
    net.then("STRIDED_SLICE", [net.last, *bounds], (1, 5, 6, 3), {"BeginMask": 1, "EndMask": 9}, like=start)
    options = {"Axis": 3, "FusedActivationFunction": NONE}
    net.then("CONCATENATION", [start, net.last, start], (1, 5, 6, 9), options, like=start)
    joined = net.last
    net.then("TRANSPOSE", [joined, net.ints([0, 2, 3, 1])], (1, 6, 9, 5), {}, like=start)
    net.join("SUB", net.last, net.last)
    net.then("MEAN", [net.last, net.ints([1, 3])], (1, 9), {"KeepDims": False})
    means = net.last
    net.then("MEAN", [joined, net.ints([1, 2])], (1, 9), {"KeepDims": False})
    net.join("SUB", means, net.last, fused=RELU)
    parts = [net.activation((1, 1, width), like=start) for width in (2, 4, 3)]
    net.then("RESHAPE", [net.last], (1, 1, 9), {}, like=net.last)
    for part in parts:
        net.tensors[part].scale, net.tensors[part].zero = (net.tensors[net.last].scale, net.tensors[net.last].zero)
    inputs = [net.last, net.ints([2, 4, 3]), net.ints([2])]
    net.operators.append(Op(code="SPLIT_V", inputs=inputs, outputs=parts, options={"NumSplits": 3}))
    halves = [net.activation((1, 1, 2), like=parts[1]) for _ in range(2)]
    inputs = [net.ints([-1]), parts[1]]
    net.operators.append(Op(code="SPLIT", inputs=inputs, outputs=halves, options={"NumSplits": 2}))
    options = {"Axis": 2, "FusedActivationFunction": NONE}
    net.then("CONCATENATION", [halves[1], parts[2], halves[0], parts[0]], (1, 1, 9), options, like=parts[0])


def unsigned(net: Builder, start: int, inputs: list[int], *, back: bool) -> int:
    """uint8 at the edge of a network: as its output, or as another input of it."""
    out = net.activation((1, 200))
    if back:
        net.tensors[out].kind, net.tensors[out].zero = "uint8", 140
    else:
        start = net.activation((1, 200))
        net.tensors[start].kind, net.tensors[start].zero = "uint8", 100
        inputs.append(start)
    net.operators.append(Op(code="QUANTIZE", inputs=[start], outputs=[out]))
    return out


SLICE = ((0, 1, 0, 0), (1, 6, -1, 0), (1, 1, 1, 1))


def everything(seed: int = 2) -> bytes:
    """All of them side by side, each with an input and an output of its own; floats come in and go out."""
    net = Builder(np.random.default_rng(seed))
    inputs, outputs = [], []
    for grow, shape in ((residual, (1, 9, 7, 3)), (separable, (1, 11, 8, 4)), (moved, (1, 5, 6, 3))):
        net.last = net.activation(shape)
        inputs.append(net.last)
        grow(net)
        outputs.append(net.last)
    inputs.append(net.reals((1, 200)))
    start = net.then("QUANTIZE", [inputs[-1]], (1, 200), {})
    net.tensors[start].scale, net.tensors[start].zero = 0.05, -10
    outputs += pointwise(net)
    for there, back in ((start, True), (inputs[-1], False)):
        outputs.append(unsigned(net, there, inputs, back=back))
    outputs.append(net.reals((1, 200)))
    net.operators.append(Op(code="DEQUANTIZE", inputs=[start], outputs=[outputs[-1]]))
    return model(net.tensors, net.operators, inputs, outputs)
