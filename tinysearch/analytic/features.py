"""What a kernel does to compute a step, counted: the quantities that time is linear in.

| feature | coefficient | counts |
|---|---|---|
| ``macs`` | ``per_mac`` | multiply-accumulates of the layer |
| ``lane_macs`` | ``per_lane_mac`` | those that the kernel executes, with what fills up its tiles, groups and lanes |
| ``patch`` | ``per_patch`` | values gathered for windows |
| ``rows`` | ``per_row`` | contiguous pieces in which they are gathered |
| ``moved`` | ``per_move`` | values that a binary kernel keeps from window to window; for depthwise, rows of windows |
| ``sums`` | ``per_sum`` | accumulators set up and put away |
| ``outputs`` | ``per_output`` | values written; for an average and a packing, values read |
| ``steps`` | ``per_step`` | 1, the call |

A feature that an operator does not have is 0. The int8 kernels of depthwise convolutions and max pools have a loop
written out for one side and a general one; work in the latter counts as ``lane_macs`` (depthwise), ``patch`` and
``rows`` (max pool). Tiles, sections and lists are those of ``firmware_templates/runtime``.
"""

from __future__ import annotations

from tinysearch.analytic.kernels.xnor import geometry
from tinysearch.core.program import LANE, Element, Operator, Program, Step

FEATURES = ("macs", "lane_macs", "patch", "rows", "moved", "sums", "outputs", "steps")
COEFFICIENTS = (
    *("per_mac", "per_lane_mac", "per_patch", "per_row"),
    *("per_move", "per_sum", "per_output", "per_step"),
)
"""Cycles for one of each feature, as a table spells them; one that it leaves out is 0."""

_TILE_CHANNELS = 4  # output channels that ts_conv_s8.c and ts_conv_f32.c work on at a time
_TILE_PIXELS = {Element.INT8: 4, Element.FLOAT32: 2}
_FULLY_CONNECTED_OUTPUTS = {Element.INT8: 8, Element.FLOAT32: 4}
_UNROLLED_KERNEL = 3  # side that ts_depthwise_s8.c has loops of its own for, without a pool
_UNROLLED_POOL = 2  # side that ts_max_pool_s8.c has a loop of its own for
_TABLE_INPUTS = 4  # inputs whose signed sums ts_conv_bwn_s8.c tabulates together
_SECTION = 20  # tables that it has at a time
_APPENDED_BITS = 8  # bits that ts_xnor_window.c looks at together


def step_features(program: Program, step: Step) -> dict[str, float]:
    """Features of one step, by the names of :data:`FEATURES`."""
    source, out = program.tensors[step.inputs[0]].shape, program.tensors[step.output].shape
    element = program.tensors[step.output].element
    counted = dict.fromkeys(FEATURES, 0.0) | {"macs": step.macs, "outputs": out.elements, "steps": 1}
    if step.has_weights and program.binary(step):
        counted |= _binary(program, step)
    elif step.operator is Operator.CONV:
        counted |= _tiled(program, step)
    elif step.operator is Operator.FULLY_CONNECTED:
        counted["lane_macs"] = source.elements * _up(out.channels, _FULLY_CONNECTED_OUTPUTS[element])
    elif step.operator is Operator.PACK:
        words = source.height * source.width * _up(source.channels, LANE) // LANE
        counted |= {"outputs": source.elements, "sums": words}
    elif step.operator is Operator.AVERAGE:
        counted |= {"outputs": source.elements, "sums": out.channels}
    elif step.operator is Operator.SCALE:  # channel by channel
        counted["sums"] = out.channels
    elif step.operator is Operator.DEPTHWISE:
        counted |= _depthwise_float(program, step) if element is Element.FLOAT32 else _depthwise(program, step)
    elif step.operator is Operator.MAX_POOL:
        counted |= _max_pool(program, step)
    return {name: float(value) for name, value in counted.items()}


def _tiled(program: Program, step: Step) -> dict[str, int]:
    """Convolutions that gather a tile of windows first: int8, float32, and binary weights on int8 inputs."""
    source, out = program.tensors[step.inputs[0]].shape, program.tensors[step.output].shape
    tile = _TILE_PIXELS[program.tensors[step.output].element]
    places = out.height * out.width
    pixels = places * _up(step.pool**2, tile) if step.pool > 1 else _up(places, tile)
    depth = step.kernel**2 * source.channels
    found = {"patch": depth * pixels, "rows": step.kernel * pixels}
    if program.precision.kind == "xnor":
        groups = -(-depth // _TABLE_INPUTS)
        channels, sections = out.channels, -(-groups // _SECTION)
        return found | {
            "lane_macs": groups * _TABLE_INPUTS * pixels * channels,
            "sums": sections * pixels * channels,
        }
    channels = _up(out.channels, _TILE_CHANNELS)
    return found | {"lane_macs": depth * pixels * channels, "sums": pixels * channels}


def _depthwise(program: Program, step: Step) -> dict[str, int]:
    """int8: a channel's plane is copied with its padding, then convolved; only 3x3 without a pool is written out."""
    out = program.tensors[step.output].shape
    if step.kernel == step.stride == step.pool == 1 and not step.padding:  # a scale, straight from the input
        return {}
    height, width = ((side * step.pool - 1) * step.stride + step.kernel for side in (out.height, out.width))
    found = {"patch": height * width * out.channels, "rows": height * out.channels}
    if step.kernel != _UNROLLED_KERNEL or step.pool > 1:
        windows = step.macs // step.kernel**2
        pooled = windows if step.pool > 1 else 0  # compared before they are put away
        return found | {"lane_macs": step.macs, "moved": windows * step.kernel, "sums": pooled}
    if step.stride > 1:
        return found | {"moved": out.elements * step.kernel}
    return found | {"moved": height * out.width * out.channels}  # down the columns every row is read once


def _depthwise_float(program: Program, step: Step) -> dict[str, int]:
    """float32: every place of every window is looked at, and those inside the input are multiplied."""
    source, out = program.tensors[step.inputs[0]].shape, program.tensors[step.output].shape
    sides = ((source.height, out.height), (source.width, out.width))
    rows, columns = (
        _inside(side, outputs * step.pool, step.kernel, stride=step.stride, padding=step.padding)
        for side, outputs in sides
    )
    inside = rows * columns * out.channels
    converted = program.tensors[step.inputs[0]].element is Element.INT8
    return {
        "lane_macs": inside,
        "patch": inside if converted else 0,
        "moved": step.macs // step.kernel,
        "sums": out.elements * step.pool**2,
    }


def _max_pool(program: Program, step: Step) -> dict[str, int]:
    """Windows, and in the general loop their values and rows; int8 has 2x2 written out."""
    out = program.tensors[step.output].shape
    windows = {"sums": out.height * out.width}
    if step.pool == _UNROLLED_POOL and program.tensors[step.output].element is Element.INT8:
        return windows
    return windows | {"patch": out.elements * step.pool**2, "rows": out.elements * step.pool}


def _binary(program: Program, step: Step) -> dict[str, int]:
    """Kernels that count the set bits under a window, 32 output channels at a time; padding is not under it."""
    g = geometry(program, step)
    lanes = g.groups * LANE
    rows = _inside(g.input_height, g.output_height, g.kernel_height, stride=g.stride, padding=g.padding)
    columns = _inside(g.input_width, g.output_width, g.kernel_width, stride=g.stride, padding=g.padding)
    fresh = columns
    if g.holds_window:  # of every window but a row's first only the columns that enter
        entering = min(g.stride, g.kernel_width)
        first = min(g.kernel_width - g.padding, g.input_width)
        later = {"stride": g.stride, "padding": g.padding - g.stride - (g.kernel_width - entering)}
        fresh = first + _inside(g.input_width, g.output_width - 1, entering, **later)
    return {
        "lane_macs": rows * columns * g.input_channels * lanes,
        "patch": rows * fresh * _up(g.input_channels, _APPENDED_BITS),
        "rows": rows * fresh,
        "moved": rows * (columns - fresh) * g.input_channels,
        "sums": g.output_height * g.output_width * lanes,
    }


def _inside(side: int, outputs: int, kernel: int, *, stride: int, padding: int) -> int:
    """Rows (or columns) of the kernel that lie inside the input, over all outputs."""
    starts = [place * stride - padding for place in range(outputs)]
    return sum(max(min(start + kernel, side) - max(start, 0), 0) for start in starts)


def _up(count: int, multiple: int) -> int:
    return -(-count // multiple) * multiple
