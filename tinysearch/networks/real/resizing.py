"""Images of another size: Resize, Upsample, and ConvTranspose as a convolution of pixels that were set apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from tinysearch.networks.operators.kind import Unfit, require
from tinysearch.networks.operators.resizing import nearest, places
from tinysearch.networks.operators.window import window_of
from tinysearch.networks.options import ResizeOptions, Sides, SpreadOptions, WindowOptions
from tinysearch.networks.real.builder import Value
from tinysearch.networks.real.step import AGAIN, Operand, Step, axis_of
from tinysearch.networks.real.windows import back, bias_of, image, padding_of, sides_of

_PLACES: Mapping[str, ResizeOptions] = {
    "asymmetric": ResizeOptions(align_corners=False, half_pixel_centers=False),
    "half_pixel": ResizeOptions(align_corners=False, half_pixel_centers=True),
    "pytorch_half_pixel": ResizeOptions(align_corners=False, half_pixel_centers=True),
    "align_corners": ResizeOptions(align_corners=True, half_pixel_centers=False),
}
"""By ONNX's transformation of coordinates."""

_ROUNDINGS: Mapping[str, Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]] = {
    "round_prefer_floor": lambda places: np.ceil(places - 0.5),
    "round_prefer_ceil": lambda places: np.floor(places + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}
_INSTEAD = "resize by nearest or linear"
_WHOLE = "state sizes, or scales that give whole ones"


def _resize(step: Step) -> list[Operand]:
    build, mode = step.build, step.text("mode", "nearest")
    older = step.node.operator == "Upsample" or step.opset < 11
    placed = "asymmetric" if older else step.text("coordinate_transformation_mode", "half_pixel")
    require(mode in ("nearest", "linear"), f"resizes by {mode}", _INSTEAD)
    require(placed in _PLACES, f"places pixels by {placed}", _INSTEAD)
    require(not step.integer("antialias", 0), "smooths before it resizes", "use an average pool")
    tensor, like = image(step)
    shape = build.tensors[tensor].shape
    inputs, scales = (shape[1], shape[2]), _scales(step, like, older=older)
    sizes = _sizes(step, like, scales)
    if placed == "pytorch_half_pixel":
        require(min(sizes) > 1, "places pixels by pytorch_half_pixel in one row", _INSTEAD)
    options = _PLACES[placed]
    reached = _reached(inputs, sizes, scales if placed != "align_corners" else None)
    if mode == "nearest":
        rounding = "floor" if older else step.text("nearest_mode", "round_prefer_floor")
        options = _nearest(options, _ROUNDINGS.get(rounding), inputs, sizes, reached)
    else:
        require(np.allclose(reached, sizes, rtol=1e-6, atol=0), f"scales {inputs} to parts of pixels", _WHOLE)
    operator = "RESIZE_NEAREST_NEIGHBOR" if mode == "nearest" else "RESIZE_BILINEAR"
    constant = build.constant(np.array(sizes, np.int32), f"{step.name} sizes")
    found = build.emit(operator, (tensor, constant), (1, *sizes, shape[3]), step.name, options)
    return [back(step, found, like)]


def _axes(step: Step, rank: int) -> list[int]:
    """Of which axes sizes or scales are stated."""
    return [axis_of(axis, rank) for axis in step.integers("axes") or range(rank)]


def _scales(step: Step, like: Value, *, older: bool) -> dict[int, np.float32] | None:
    """Scales by axis; None where sizes are stated."""
    require(step.text("keep_aspect_ratio_policy", "stretch") == "stretch", "keeps a ratio of sides", "state both sides")
    if step.integers("sizes", 3) is not None:
        return None
    given = step.node.attributes.get("scales")
    values = np.asarray(given if given is not None else step.reals(1 if older else 2, "scales"), np.float32)
    return dict(zip(_axes(step, len(like.order)), values.reshape(-1), strict=True))


def _sizes(step: Step, like: Value, scales: Mapping[int, np.float32] | None) -> Sides:
    """Rows and columns of the output: as stated, or what scales leave whole, in single precision as ONNX has it."""
    shape = step.build.shape(like)
    rank = len(shape)
    if scales is None:
        found = dict(zip(_axes(step, rank), step.integers("sizes", 3) or (), strict=True))
    else:
        found = {axis: int(np.floor(np.float32(shape[axis]) * scale)) for axis, scale in scales.items()}
    require(all(found.get(axis, shape[axis]) == shape[axis] for axis in (0, 1)), "resizes channels", "resize sides")
    sizes = [found.get(axis, shape[axis]) for axis in range(2, rank)]
    require(min(sizes, default=0) > 0, f"gives the sides {sizes}", AGAIN)
    return sides_of(sizes, 1)


def _reached(inputs: Sides, sizes: Sides, scales: Mapping[int, np.float32] | None) -> tuple[float, float]:
    """How many rows and columns of output the whole input covers; more than ``sizes`` where scales leave a part over.

    Pixels are placed by the scale that is stated, not by the one that whole sizes have.
    """
    if scales is None:
        return sizes
    vertical, horizontal = (inputs[side] * float(scales.get(2 + side, 1.0)) for side in (0, 1))
    return vertical, horizontal


def _nearest(
    options: ResizeOptions,
    rounding: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]] | None,
    inputs: Sides,
    sizes: Sides,
    reached: tuple[float, float],
) -> ResizeOptions:
    """TensorFlow Lite's options that choose the same pixels.

    Raises:
        Unfit: none does.
    """
    require(rounding is not None, "has an odd nearest_mode", AGAIN)
    wished = [_chosen(options, rounding or np.floor, *side) for side in zip(inputs, sizes, reached, strict=True)]
    for candidate in (*_PLACES.values(), ResizeOptions(align_corners=True, half_pixel_centers=True)):
        found = [nearest(*pair, candidate) for pair in zip(inputs, sizes, strict=True)]
        if all(np.array_equal(left, right) for left, right in zip(wished, found, strict=True)):
            return candidate
    raise Unfit(f"takes other pixels of {inputs} for {sizes} than RESIZE_NEAREST_NEIGHBOR", "use asymmetric and floor")


def _chosen(
    options: ResizeOptions,
    rounding: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]],
    inputs: int,
    outputs: int,
    reached: float,
) -> npt.NDArray[np.int64]:
    """Which row of the input each of the output is, by ONNX's rule."""
    at = rounding(places(inputs, outputs, options, reached=reached))
    found: npt.NDArray[np.int64] = np.clip(at, 0, inputs - 1).astype(np.int64)
    return found


def _transposed(step: Step) -> list[Operand]:
    """Pixels set apart by the stride, then a convolution with the kernel turned around."""
    build = step.build
    weights = step.reals(1, "weights")
    require(weights.ndim in (3, 4), f"has weights of {weights.ndim} axes", "use one or two spatial axes")
    if weights.ndim == 3:
        weights = weights[:, :, None, :]
    tensor, like = image(step)
    _, height, width, channels = build.tensors[tensor].shape
    groups, inner, kernel = step.integer("group", 1), weights.shape[1], (weights.shape[2], weights.shape[3])
    require(groups > 0 and channels % groups == 0 and len(weights) == channels, f"has {groups} groups", AGAIN)
    stride, dilation = sides_of(step.integers("strides"), 1), sides_of(step.integers("dilations"), 1)
    require(min(*stride, *dilation) > 0, "has a stride or dilation of 0", AGAIN)
    padding = _outer_padding(step, kernel, stride, dilation)
    if stride != (1, 1):
        apart = (1, (height - 1) * stride[0] + 1, (width - 1) * stride[1] + 1, channels)
        tensor = build.emit("SPREAD", (tensor,), apart, f"{step.name} apart", SpreadOptions(stride=stride))
    out = inner * groups
    turned = weights[:, :, ::-1, ::-1].reshape(groups, channels // groups, inner, *kernel)
    moved = turned.transpose(0, 2, 3, 4, 1).reshape(out, *kernel, channels // groups)
    depthwise = groups == channels and groups > 1
    if depthwise:
        moved = moved.transpose(3, 1, 2, 0)
    constants = (
        build.constant(moved.astype(np.float32), f"{step.name} weights"),
        build.constant(bias_of(step, 2, out).astype(np.float32), f"{step.name} bias"),
    )
    options = WindowOptions(same=False, padding=padding, stride=(1, 1), dilation=dilation)
    shape = (1, *window_of(build.tensors[tensor], options, kernel).outputs, out)
    operator = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
    return [back(step, build.emit(operator, (tensor, *constants), shape, step.name, options), like)]


def _outer_padding(step: Step, kernel: Sides, stride: Sides, dilation: Sides) -> tuple[Sides, Sides]:
    """Rows and columns around the pixels that were set apart: what the kernel reaches, less what is cut off."""
    require(step.integers("output_shape") is None, "states its output's shape", "state its padding")
    automatic = step.text("auto_pad", "NOTSET")
    reach = [(side - 1) * step_ for side, step_ in zip(kernel, dilation, strict=True)]
    if automatic in ("SAME_UPPER", "SAME_LOWER"):
        cut = [max(side + 1 - step_, 0) for side, step_ in zip(reach, stride, strict=True)]
        less, more = [count // 2 for count in cut], [count - count // 2 for count in cut]
        before, after = (less, more) if automatic == "SAME_UPPER" else (more, less)
    else:
        pads = padding_of(step, (0, 0), kernel, stride, dilation)
        before, after = list(pads[0]), list(pads[1])
    extra: Sequence[int] = sides_of(step.integers("output_padding"), 0)
    first = [side - low for side, low in zip(reach, before, strict=True)]
    last = [side - high + more for side, high, more in zip(reach, after, extra, strict=True)]
    require(min(*first, *last) >= 0, "cuts off more than its kernel reaches", "use less padding")
    return (first[0], first[1]), (last[0], last[1])


RESIZING: Mapping[str, Callable[[Step], list[Operand]]] = {
    "Resize": _resize,
    "Upsample": _resize,
    "ConvTranspose": _transposed,
}
