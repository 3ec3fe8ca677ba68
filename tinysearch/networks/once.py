"""Requantization that rounds a real number once, halves to even, as PyTorch and ONNX define it.

An output is ``round((x * product / count + addend) / result)`` for an integer x of a known range: a sum of products,
the scales of its factors, a real bias, the output's scale. Kernels have no such numbers. They compute
``(x * multiplier + addend) >> (32 + shift)`` in 64 bits, less one where the result is odd and the bits that were
shifted out are below ``ties``. Both are staircases: they are equal for every x when they step at the same ones, of
which there are at most 255. Where the real staircase steps is computed exactly; a multiplier and an addend are searched
that step there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from tinysearch.core.quantization import Int64
from tinysearch.networks.graph import Array

Reals = npt.NDArray[np.float64]

WORD = 32
_MULTIPLIER_BITS = 31
_MOST_SHIFT = 22
"""Beyond the word: 255 steps of an output stay below 2^62 then."""

_TIES = (1, 1 << 12, 1 << 20, 1 << 28)
"""Tried in this order: halves are met exactly where the factor is a binary fraction, else nearly."""

_NEIGHBORS = 256
_FAR = 1 << 33
"""Beyond every x."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Once:
    """Constants of one requantization a channel.

    Attributes:
        multiplier, addend, shift: int64 [C]; the multiplier below 2^31, the shift from 0 to 22.
        ties: of all channels; below 2^32.
    """

    multiplier: Int64
    addend: Int64
    shift: Int64
    ties: int

    def rounded(self, values: Array) -> Int64:
        """Outputs less their zero point, not clamped, of integers [.., C]."""
        steps: Int64 = self._sums(values) >> (WORD + self.shift)
        steps -= self.tied(values) & (steps % 2 == 1)
        return steps

    def tied(self, values: Array) -> npt.NDArray[np.bool_]:
        """Whether the output of each is a half."""
        rest = self._sums(values) & ((np.int64(1) << (WORD + self.shift)) - 1)
        return np.asarray(rest < self.ties)

    def _sums(self, values: Array) -> Int64:
        return np.asarray(values.astype(np.int64) * self.multiplier + self.addend)

    def fields(self) -> tuple[int, ...]:
        """Members of ``ts_once`` of the first channel, in order."""
        addend = int(self.addend[0])
        low = addend & 0xFFFFFFFF
        return int(self.multiplier[0]), int(self.shift[0]), addend >> WORD, low - (low >> 31 << WORD), self.ties

    def constants(self) -> dict[str, Array]:
        """Arrays of a kernel; of an addend the high word and then the low one."""
        words = np.stack([self.addend >> WORD, self.addend & 0xFFFFFFFF], axis=-1).reshape(-1)
        return {
            "multiplier": self.multiplier.astype(np.int32),
            "addend": words.astype(np.uint32).view(np.int32),
            "shift": self.shift.astype(np.int8),
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Staircase:
    """The real numbers that are to be rounded: ``(x * product / count + addend) / result``.

    Attributes:
        product: > 0, float64 [C]: exactly the product of two float32 scales, or one.
        count: x is divided by.
        addend: float64 [C].
        result: the output's scale.
        lowest, highest: of x: int64 [C].
        low, high: clamp of the output less its zero point.
    """

    product: Reals
    addend: Reals
    result: float
    lowest: Int64
    highest: Int64
    low: int
    high: int
    count: int = 1

    @property
    def levels(self) -> Int64:
        """Outputs that are stepped to from below."""
        return np.arange(self.low + 1, self.high + 1)

    def steps(self) -> Int64:
        """The least x that gives a level or more, from the lowest x to one behind the highest: int64 [C, levels]."""
        halves = (self.levels - 0.5) * self.result
        near = (halves - self.addend[:, None]) * self.count / self.product[:, None]
        size = (np.abs(halves) + np.abs(self.addend)[:, None]) * self.count / self.product[:, None]
        nearest = np.rint(near)
        found = np.ceil(np.clip(near, -_FAR, _FAR)).astype(np.int64)
        for channel, place in np.argwhere(np.abs(near - nearest) <= size * 2.0**-50):
            found[channel, place] = self._exact_step(channel, place)
        return np.clip(found, self.lowest[:, None], self.highest[:, None] + 1)

    def _exact_step(self, channel: int, place: int) -> int:
        """As :meth:`steps` for one level, in fractions; a half belongs to the even level."""
        level = int(self.levels[place])
        half = Fraction(2 * level - 1, 2) * Fraction(self.result) - Fraction(float(self.addend[channel]))
        exact = half * self.count / Fraction(float(self.product[channel]))
        step = -(-exact.numerator // exact.denominator)
        return max(-_FAR, min(_FAR, step + (exact.denominator == 1 and level % 2)))


def once(stairs: Staircase) -> Once | None:
    """Constants that give every x its output exactly; None where there are none, as for factors of one half or more.

    A clamp that leaves one value needs none.
    """
    factor = stairs.product / (stairs.count * stairs.result)
    _, exponent = np.frexp(factor)
    if (exponent >= 0).any() or not stairs.levels.size:
        return None
    shift = np.minimum(-exponent - 1, _MOST_SHIFT).astype(np.int64)
    start = np.minimum(np.rint(np.ldexp(factor, WORD + shift)), (1 << _MULTIPLIER_BITS) - 1).astype(np.int64)
    steps = stairs.steps()
    for ties in _TIES:
        found = _fitted(stairs, steps, start, shift, ties)
        if found is not None:
            return found
    return None


def _fitted(stairs: Staircase, steps: Int64, start: Int64, shift: Int64, ties: int) -> Once | None:
    multiplier = start.copy()
    least, most = _bounds(stairs, steps, multiplier, shift, ties)
    for offset in _offsets():
        (left,) = np.nonzero(least > most)
        if not left.size:
            addend = least + (most - least) // 2
            fits = np.abs(addend).max(initial=0) < 1 << 61
            return Once(multiplier=multiplier, addend=addend, shift=shift, ties=ties) if fits else None
        if abs(offset) > 1 and left.size == len(start) > 1:
            return None  # not one channel near to its factor: another rule of ties
        multiplier[left] = np.clip(start[left] + offset, 1, (1 << _MULTIPLIER_BITS) - 1)
        least[left], most[left] = _bounds(_some(stairs, left), steps[left], multiplier[left], shift[left], ties)
    return None


def _offsets() -> list[int]:
    return [sign * size for size in range(1, _NEIGHBORS) for sign in (1, -1)] + [0]


def _some(stairs: Staircase, channels: npt.NDArray[np.intp]) -> Staircase:
    return replace(
        stairs,
        product=stairs.product[channels],
        addend=stairs.addend[channels],
        lowest=stairs.lowest[channels],
        highest=stairs.highest[channels],
    )


def _bounds(stairs: Staircase, steps: Int64, multiplier: Int64, shift: Int64, ties: int) -> tuple[Int64, Int64]:
    """The least and the greatest addend with which a multiplier steps where it must."""
    levels = stairs.levels
    width = (np.int64(1) << (WORD + shift))[:, None]
    lines = levels * width + ties * (levels % 2)
    at_step = lines - steps * multiplier[:, None]
    before = at_step + multiplier[:, None] - 1
    far = width[:, 0]
    reached = np.where(steps <= stairs.highest[:, None], at_step, np.iinfo(np.int64).min)
    kept = np.where(steps > stairs.lowest[:, None], before, np.iinfo(np.int64).max)
    least, most = reached.max(1), kept.min(1)
    least = np.where(least == np.iinfo(np.int64).min, most - far, least)
    return least, np.where(most == np.iinfo(np.int64).max, least + far, most)
