"""Geometry of sliding windows: convolutions and pools over [batch, height, width, channels]."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tinysearch.networks.file import MOST_ELEMENTS
from tinysearch.networks.graph import Array, Tensor
from tinysearch.networks.operators.kind import require
from tinysearch.networks.options import Sides, WindowOptions

_LARGEST = 1 << 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Where the windows of an operator lie on its input; sides are (height, width).

    Attributes:
        before: rows and columns of padding above and to the left; what is needed below and to the right follows.
    """

    inputs: Sides
    outputs: Sides
    channels: int
    kernel: Sides
    stride: Sides
    dilation: Sides
    before: Sides

    @property
    def reach(self) -> Sides:
        """Padded rows and columns that the windows cover."""
        return _pair(
            (outputs - 1) * stride + (kernel - 1) * dilation + 1
            for outputs, stride, kernel, dilation in zip(
                self.outputs, self.stride, self.kernel, self.dilation, strict=True
            )
        )

    @property
    def is_point(self) -> bool:
        """Whether every output sees just the input at its own place."""
        return self.kernel == (1, 1) and self.stride == (1, 1) and self.before == (0, 0) and self.inputs == self.outputs

    def span(self, first: int, end: int) -> Sides:
        """First input row under some output rows, and the one behind the last; they may lie beside the input."""
        stride, before = self.stride[0], self.before[0]
        return first * stride - before, (end - 1) * stride + (self.kernel[0] - 1) * self.dilation[0] + 1 - before

    def part(self, first: int, end: int) -> Window:
        """The windows of some output rows on the input rows under them alone."""
        low, high = self.span(first, end)
        rows = min(high, self.inputs[0]) - max(low, 0)
        return replace(
            self,
            inputs=(rows, self.inputs[1]),
            outputs=(end - first, self.outputs[1]),
            before=(max(-low, 0), self.before[1]),
        )

    def rows_of(self, axis: int) -> npt.NDArray[np.int64]:
        """Input row (column for axis 1) under every kernel row for every output row: [outputs, kernel]."""
        starts = np.arange(self.outputs[axis]) * self.stride[axis] - self.before[axis]
        return starts[:, None] + np.arange(self.kernel[axis]) * self.dilation[axis]

    def inside(self, axis: int) -> npt.NDArray[np.bool_]:
        """Which of :meth:`rows_of` lie inside the input."""
        rows = self.rows_of(axis)
        return (rows >= 0) & (rows < self.inputs[axis])

    def lowest_reads(self) -> npt.NDArray[np.int64]:
        """The least input pixel that an output or a later one reads, for every output in order: [outputs + 1].

        Beyond the last output nothing is read: the end of the input.
        """
        height, width = self.inputs
        end = height * width
        first = [np.where(inside, self.rows_of(axis), _LARGEST).min(1) for axis, inside in self._insides()]
        rows, columns = first[0][:, None], first[1][None, :]
        pixels = np.where((rows < height) & (columns < width), rows * width + columns, end).reshape(-1)
        return np.append(np.minimum.accumulate(pixels[::-1])[::-1], end)

    def highest_reads(self) -> npt.NDArray[np.int64]:
        """One pixel behind the last that an output or an earlier one reads, for every output in order: [outputs]."""
        last = [np.where(inside, self.rows_of(axis), -1).max(1) for axis, inside in self._insides()]
        rows, columns = last[0][:, None], last[1][None, :]
        pixels = np.where((rows >= 0) & (columns >= 0), rows * self.inputs[1] + columns + 1, 0).reshape(-1)
        return np.asarray(np.maximum.accumulate(pixels), np.int64)

    def _insides(self) -> tuple[tuple[int, npt.NDArray[np.bool_]], ...]:
        return (0, self.inside(0)), (1, self.inside(1))

    def fields(self, out_channels: int) -> tuple[int, ...]:
        """Members of ``ts_tfl_window`` in order."""
        return (
            *self.inputs,
            self.channels,
            *self.outputs,
            out_channels,
            *self.kernel,
            *self.stride,
            *self.dilation,
            *self.before,
        )

    def padded(self, source: Array, value: int) -> Array:
        """The part of [N, height, width, channels] that windows cover, with padding."""
        after = [
            max(reach - before - side, 0)
            for reach, before, side in zip(self.reach, self.before, self.inputs, strict=True)
        ]
        sides = [(before, more) for before, more in zip(self.before, after, strict=True)]
        whole = np.pad(source, ((0, 0), *sides, (0, 0)), constant_values=source.dtype.type(value))
        return whole[:, : self.reach[0], : self.reach[1]]

    def views(self, source: Array, value: int) -> Array:
        """Windows of [N, height, width, channels]: [N, rows, columns, channels, kernel height, kernel width]."""
        reach = _pair((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))
        views = np.lib.stride_tricks.sliding_window_view(self.padded(source, value), reach, axis=(1, 2))
        stride, dilation = self.stride, self.dilation
        return views[:, :: stride[0], :: stride[1], :, :: dilation[0], :: dilation[1]]


def window_of(source: Tensor, options: WindowOptions, kernel: Sides) -> Window:
    """Windows of an operator on one input.

    Raises:
        Unfit: sides or shapes that make no windows.
    """
    require(len(source.shape) == 4, f"has an input of {len(source.shape)} axes, not 4", "reshape it to 4 axes")
    sides = (*kernel, *options.stride, *options.dilation)
    require(
        all(0 < side < _LARGEST for side in sides), f"has the window {sides}", "use positive kernel, stride, dilation"
    )
    inputs = _pair(source.shape[1:3])
    reaches = _pair((k - 1) * d + 1 for k, d in zip(kernel, options.dilation, strict=True))
    before, outputs = _places(inputs, options, reaches)
    require(min(outputs) > 0, f"has a window of {reaches} on {inputs}", "use a larger input or SAME padding")
    window = Window(
        inputs=inputs,
        outputs=outputs,
        channels=source.shape[3],
        kernel=kernel,
        stride=options.stride,
        dilation=options.dilation,
        before=before,
    )
    covered = math.prod(window.reach) * window.channels
    require(covered <= MOST_ELEMENTS, f"covers {covered} values with its padding", "use less padding")
    return window


def _places(inputs: Sides, options: WindowOptions, reaches: Sides) -> tuple[Sides, Sides]:
    """Padding before the input, and outputs, along both axes."""
    axes = tuple(zip(inputs, options.stride, reaches, strict=True))
    if options.padding is not None:
        before, after = options.padding
        require(min(*before, *after) >= 0, "has negative padding", "cut the input with a slice")
        require(max(*before, *after) < _LARGEST, f"has the padding {before}, {after}", "use less padding")
        more = (low + high for low, high in zip(before, after, strict=True))
        outputs = ((side + pad - reach) // stride + 1 for (side, stride, reach), pad in zip(axes, more, strict=True))
        return before, _pair(outputs)
    if not options.same:
        return (0, 0), _pair((side - reach) // stride + 1 for side, stride, reach in axes)
    same = _pair(-(-side // stride) for side, stride, _ in axes)
    missing = ((out - 1) * stride + reach - side for out, (side, stride, reach) in zip(same, axes, strict=True))
    return _pair(max(count, 0) // 2 for count in missing), same


def flat(values: Array) -> Array:
    """[N, batch, height, width, channels] with the batch in N."""
    return values.reshape(-1, *values.shape[-3:])


def _pair(values: Iterable[int]) -> Sides:
    height, width = values
    return height, width
