"""A layer of sums of products as the packers of vector kernels see it.

A search's steps have square kernels and the same padding on all sides; networks of one's own have neither. The kernels
themselves take all sides and paddings apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinysearch.core.network import Shape
from tinysearch.core.program import FrozenNetwork, Program, Step
from tinysearch.core.quantization import INT8_HIGH, INT8_LOW

Sides = tuple[int, int]
"""Of height and width."""

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Windows of a convolution over its input.

    Attributes:
        out: of the output, behind a fused max pool.
        before: rows and columns of padding above and to the left; what is missing below and to the right follows.
        pool: side of the max pool that is fused, 1 for none.
    """

    source: Shape
    out: Shape
    kernel: Sides
    stride: Sides
    before: Sides
    pool: int = 1

    @property
    def is_point(self) -> bool:
        """Whether every output sees just the input at its own place."""
        same = (self.source.height, self.source.width) == (self.out.height, self.out.width)
        return self.kernel == self.stride == (1, 1) and self.before == (0, 0) and self.pool == 1 and same

    @property
    def columns(self) -> int:
        """Columns of the input with padding that windows reach."""
        return (self.out.width * self.pool - 1) * self.stride[1] + self.kernel[1]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Products:
    """Constants of a layer.

    Attributes:
        weights: [O, ..].
        bias: [O], less the input's zero point times the weights of a channel.
        multiplier, shift: [O]; the shift goes to the right.
        in_zero, zero: zero points of input and output.
        low, high: clamp of the outputs.
    """

    weights: Int64
    bias: Int64
    multiplier: Int64
    shift: Int64
    in_zero: int
    zero: int
    low: int
    high: int = INT8_HIGH


def window_of(program: Program, step: Step) -> Window:
    """Windows of a step of a search."""
    return Window(
        source=program.tensors[step.inputs[0]].shape,
        out=program.tensors[step.output].shape,
        kernel=(step.kernel, step.kernel),
        stride=(step.stride, step.stride),
        before=(step.padding, step.padding),
        pool=step.pool,
    )


def point(inputs: int, outputs: int) -> Window:
    """The windows of a fully connected layer."""
    source, out = Shape(height=1, width=1, channels=inputs), Shape(height=1, width=1, channels=outputs)
    return Window(source=source, out=out, kernel=(1, 1), stride=(1, 1), before=(0, 0))


def products_of(frozen: FrozenNetwork, step: Step) -> Products:
    """Constants of a step of a search."""
    parameters = frozen.parameters[step.name]
    weights, bias, multiplier, shift = (
        np.asarray(parameters[name]).astype(np.int64) for name in ("weights", "bias", "multiplier", "shift")
    )
    in_zero, zero = frozen.zero_points.get(step.inputs[0], 0), frozen.zero_points[step.output]
    return Products(
        weights=weights,
        bias=bias - in_zero * weights.reshape(len(weights), -1).sum(1),
        multiplier=multiplier,
        shift=shift,
        in_zero=in_zero,
        zero=zero,
        low=zero if step.relu else INT8_LOW,
    )
