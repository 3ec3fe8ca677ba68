"""What one call of a kernel is: the step, and the tensors that it reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tinysearch.core.layers import Shape

LANE = 32
"""Channels in one word of a bit plane."""


class Element(StrEnum):
    """Element type of a tensor."""

    FLOAT32 = "float32"
    INT8 = "int8"
    BITS = "bits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One activation buffer.

    Attributes:
        bits: bit planes of a ``BITS`` tensor (A); layout [height, width, A, ceil(channels / 32)] 32-bit words,
            channel 32 w + i in bit i of word w, unused bits zero. 0 for other element types.
    """

    name: str
    shape: Shape
    element: Element
    bits: int = 0

    @property
    def size_bytes(self) -> int:
        """Bytes of the buffer."""
        if self.element is Element.BITS:
            return self.shape.height * self.shape.width * self.bits * -(-self.shape.channels // LANE) * 4
        return self.shape.elements * (4 if self.element is Element.FLOAT32 else 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call of a kernel.

    Attributes:
        operator: the kernel family, a key of :data:`tinysearch.operators.RECORDS`.
        unit: name of the unit that it comes from.
        inputs, output: names of tensors.
        kernel, stride, padding, pool: as in :class:`~tinysearch.core.layers.Convolution`.
        cut: rows of the padding above that a part of a map does not have (:mod:`tinysearch.core.bands`).
        flat: windows are one column wide and not padded beside (:class:`~tinysearch.core.layers.SeriesConvolution`).
        function: which function of one value the step applies, where its operator has several.
        relu: the output is clamped at real zero.
        weight_bits: 32, 8, or B of a binary layer; 0 for steps without weights.
        activation_bits: A where the step reads bit planes or writes them, else 0.
        folded: names of the units whose batch normalization folds into this step, in order of application.
        macs: multiply-accumulates that the kernel executes (pixels that a pool drops are not computed).
    """

    name: str
    operator: str
    unit: str
    inputs: tuple[str, ...]
    output: str
    kernel: int = 1
    stride: int = 1
    padding: int = 0
    pool: int = 1
    cut: int = 0
    flat: bool = False
    function: str = ""
    relu: bool = False
    weight_bits: int = 0
    activation_bits: int = 0
    folded: tuple[str, ...] = ()
    macs: int = 0

    @property
    def has_weights(self) -> bool:
        return self.weight_bits > 0

    @property
    def columns(self) -> int:
        """Columns of a kernel."""
        return 1 if self.flat else self.kernel

    @property
    def beside(self) -> int:
        """Columns of padding to either side."""
        return 0 if self.flat else self.padding


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Steps ``first`` to ``last``, by number, that are computed ``rows`` rows of the last one's output at a time."""

    first: int
    last: int
    rows: int

    @property
    def steps(self) -> range:
        """Numbers of its steps."""
        return range(self.first, self.last + 1)
