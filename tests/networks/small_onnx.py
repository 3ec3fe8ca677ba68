"""Small ``.onnx`` files of one idea each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto, helper, numpy_helper


def model(
    nodes: Sequence,
    *,
    shape: Sequence[int | str],
    out: str = "y",
    constants: dict[str, np.ndarray] | None = None,
    opset: int = 17,
) -> bytes:
    """A network from ``x`` to ``out``."""
    arrays = [
        numpy_helper.from_array(np.asarray(values, np.float32 if values.dtype == np.float64 else None), name)
        for name, values in (constants or {}).items()
    ]
    graph = helper.make_graph(
        list(nodes),
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info(out, TensorProto.FLOAT, None)],
        arrays,
    )
    whole = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return whole.SerializeToString()


def node(operator: str, inputs: str, output: str, **attributes):
    """A node whose inputs are words."""
    return helper.make_node(
        operator, ["" if name == "-" else name for name in inputs.split()], output.split(), **attributes
    )


def reals(seed: int, *shape: int) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=shape) / max(np.prod(shape[1:]), 1) ** 0.5).astype(np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def _statistics(channels: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(channels)
    return {
        "g": random.uniform(0.5, 1.5, channels),
        "s": random.normal(size=channels),
        "m": random.normal(size=channels),
        "v": random.uniform(0.5, 2, channels),
    }


def image() -> bytes:
    """A convolution of odd padding, normalization, clamp, pools, flattened into a Gemm; a batch of any size."""
    nodes = [
        node("Conv", "x w b", "a", pads=[1, 0, 0, 2], strides=[2, 1], kernel_shape=[3, 3]),
        node("BatchNormalization", "a g s m v", "c"),
        node("Clip", "c low high", "d"),
        node("MaxPool", "d", "e", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
        node("Conv", "e k -", "f", pads=[1, 1, 1, 1], group=6),
        node("HardSwish", "f", "h"),
        node("AveragePool", "h", "i", kernel_shape=[2, 2], pads=[1, 1, 0, 0], count_include_pad=1),
        node("Shape", "i", "n"),
        node("Gather", "n zero", "n0", axis=0),
        node("Unsqueeze", "n0 axes0", "n1"),
        node("Concat", "n1 rest", "wished", axis=0),
        node("Reshape", "i wished", "j"),
        node("Gemm", "j u t", "l", transB=1),
        node("Softmax", "l", "y", axis=-1),
    ]
    constants = {
        "w": reals(0, 6, 3, 3, 3),
        "b": reals(1, 6),
        **_statistics(6),
        "low": np.float32(0).reshape(()),
        "high": np.float32(6).reshape(()),
        "k": reals(2, 6, 1, 3, 3),
        "zero": np.array(0, np.int64),
        "axes0": ints(0),
        "rest": ints(-1),
        "u": reals(3, 5, 6 * 3 * 6),
        "t": reals(4, 5),
    }
    return model(nodes, shape=["N", 3, 10, 11], constants=constants)


def shuffled() -> bytes:
    """Groups, a channel shuffle, slices and a concatenation, squeeze and excitation."""
    nodes = [
        node("Conv", "x w b", "a", kernel_shape=[1, 1], group=2),
        node("Relu", "a", "c"),
        node("Reshape", "c five", "d"),
        node("Transpose", "d", "e", perm=[0, 2, 1, 3, 4]),
        node("Reshape", "e four", "f"),
        node("Split", "f sizes", "left right", axis=1),
        node("Slice", "right starts ends axes steps", "part"),
        node("Pad", "part pads", "wide"),
        node("Concat", "left wide", "h", axis=1),
        node("GlobalAveragePool", "h", "i"),
        node("Conv", "i k -", "j"),
        node("HardSigmoid", "j", "l", alpha=1 / 6, beta=0.5),
        node("Mul", "h l", "n"),
        node("Sum", "n per n", "o"),
        node("ReduceMean", "o", "y", axes=[2, 3], keepdims=0),
    ]
    constants = {
        "w": reals(0, 8, 2, 1, 1),
        "b": reals(1, 8),
        "five": ints(1, 2, 4, 6, 7),
        "four": ints(0, 8, 6, 7),
        "sizes": ints(5, 3),
        "starts": ints(1, 0),
        "ends": ints(9999, 7),
        "axes": ints(2, 3),
        "steps": ints(1, 2),
        "pads": ints(0, 0, 1, 2, 0, 0, 0, 1),
        "k": reals(2, 8, 8, 1, 1),
        "per": reals(3, 1, 8, 1, 1),
    }
    return model(nodes, shape=[1, 4, 6, 7], constants=constants)


def last_first() -> bytes:
    """Channels last outside, as Keras exports, functions of functions, and a mean over other axes."""
    nodes = [
        node("Sub", "x mean", "a"),
        node("Div", "a deviation", "c"),
        node("Transpose", "c", "d", perm=[0, 3, 1, 2]),
        node("Conv", "d w b", "e", auto_pad="SAME_UPPER", strides=[2, 2], kernel_shape=[3, 3]),
        node("Sigmoid", "e", "f"),
        node("Mul", "e f", "g"),
        node("Transpose", "g", "h", perm=[0, 2, 3, 1]),
        node("MatMul", "h u", "i"),
        node("Add", "t i", "bias"),
        node("LeakyRelu", "bias", "j", alpha=0.2),
        node("ReduceMean", "j", "y", axes=[1, 3], keepdims=1),
    ]
    constants = {
        "mean": np.array([0.1, 0.2, 0.3], np.float32),
        "deviation": np.array([0.5, 0.6, 0.7], np.float32),
        "w": reals(0, 5, 3, 3, 3),
        "b": reals(1, 5),
        "u": reals(2, 5, 4),
        "t": reals(3, 4),
    }
    return model(nodes, shape=["batch", 7, 8, 3], constants=constants)


def sequence() -> bytes:
    """One spatial axis: convolutions over time, dilated; the end of an audio or motion network."""
    nodes = [
        node("Conv", "x w b", "a", pads=[2, 2], dilations=[2], kernel_shape=[3]),
        node("Elu", "a", "c"),
        node("MaxPool", "c", "d", kernel_shape=[3], strides=[2], pads=[1, 1]),
        node("Transpose", "d", "e", perm=[0, 2, 1]),
        node("Flatten", "e", "f", axis=1),
        node("Gemm", "f u t", "y"),
    ]
    constants = {"w": reals(0, 4, 2, 3), "b": reals(1, 4), "u": reals(2, 4 * 8, 3), "t": reals(3, 3)}
    return model(nodes, shape=[1, 2, 16], constants=constants, opset=11)


def decoder() -> bytes:
    """Images that become larger, and smaller again."""
    nodes = [
        node("ConvTranspose", "x w b", "a", strides=[2, 2], pads=[1, 0, 0, 1], output_padding=[1, 1]),
        node("PRelu", "a slopes", "c"),
        node("Resize", "c - double", "d", mode="nearest", nearest_mode="floor", **ASYMMETRIC),
        node("Conv", "d k -", "e", kernel_shape=[1, 1]),
        node("Resize", "e - - sizes", "f", mode="linear", coordinate_transformation_mode="half_pixel"),
        node("ConvTranspose", "f each t", "g", kernel_shape=[2, 2], strides=[1, 2], dilations=[2, 1]),
        node("Resize", "g - - smaller", "h", mode="linear", coordinate_transformation_mode="align_corners"),
        node("Pad", "h pads", "i", mode="reflect"),
        node("Slice", "i from to axis by", "j"),
        node("ReduceMax", "j", "y", axes=[2], keepdims=0),
    ]
    constants = {
        "w": reals(0, 4, 6, 3, 3),
        "b": reals(1, 6),
        "slopes": reals(2, 6, 1, 1),
        "double": np.array([1, 1, 2, 2], np.float32),
        "k": reals(3, 3, 6, 1, 1),
        "sizes": ints(1, 3, 15, 11),
        "each": reals(4, 3, 3, 2, 2),
        "t": reals(5, 3),
        "smaller": ints(1, 3, 9, 8),
        "pads": ints(0, 0, 2, 0, 0, 0, 8, 1),
        "from": ints(-1),
        "to": ints(-(2**31)),
        "axis": ints(3),
        "by": ints(-2),
    }
    return model(nodes, shape=[1, 4, 5, 4], constants=constants, opset=17)


ASYMMETRIC = {"coordinate_transformation_mode": "asymmetric"}


def memory() -> bytes:
    """Two LSTMs over a sequence, the second's last values."""
    nodes = [
        node("Transpose", "x", "turned", perm=[1, 0, 2]),
        node("LSTM", "turned w r b", "a", hidden_size=6),
        node("Squeeze", "a one", "c"),
        node("LSTM", "c v s", "every last", hidden_size=5),
        node("Squeeze", "last zero", "d"),
        node("Gemm", "d u t", "y"),
    ]
    constants = {
        "w": reals(0, 1, 24, 3),
        "r": reals(1, 1, 24, 6),
        "b": reals(2, 1, 48),
        "one": ints(1),
        "v": reals(3, 1, 20, 6),
        "s": reals(4, 1, 20, 5),
        "zero": ints(0),
        "u": reals(5, 5, 4),
        "t": reals(6, 4),
    }
    return model(nodes, shape=[1, 7, 3], constants=constants, opset=17)


SMALL = {
    **{"image": image, "shuffled": shuffled, "last_first": last_first, "sequence": sequence},
    **{"decoder": decoder, "memory": memory},
}


def stated_scales() -> bytes:
    """A convolution between QuantizeLinear and DequantizeLinear, as quantizers write it: uint8 activations."""
    weights = np.random.default_rng(5).integers(-127, 128, (4, 2, 3, 3)).astype(np.int8)
    nodes = [
        node("QuantizeLinear", "x sx zx", "xq"),
        node("DequantizeLinear", "xq sx zx", "xd"),
        node("DequantizeLinear", "wq sw zw", "w", axis=0),
        node("DequantizeLinear", "bq sb", "b"),
        node("Conv", "xd w b", "a", pads=[1, 1, 1, 1]),
        node("Relu", "a", "r"),
        node("QuantizeLinear", "r sr zr", "rq"),
        node("DequantizeLinear", "rq sr zr", "rd"),
        node("MaxPool", "rd", "p", kernel_shape=[2, 2], strides=[2, 2]),
        node("QuantizeLinear", "p sr zr", "pq"),
        node("DequantizeLinear", "pq sr zr", "y"),
    ]
    constants = {
        "sx": np.float32(0.02).reshape(()),
        "zx": np.uint8(120).reshape(()),
        "wq": weights,
        "sw": np.array([0.01, 0.02, 0.005, 0.015], np.float32),
        "zw": np.zeros(4, np.int8),
        "bq": np.array([100, -50, 3, 0], np.int32),
        "sb": np.float32(0.0002).reshape(()),
        "sr": np.float32(0.05).reshape(()),
        "zr": np.uint8(0).reshape(()),
    }
    return model(nodes, shape=[1, 2, 6, 6], constants=constants, opset=21)
