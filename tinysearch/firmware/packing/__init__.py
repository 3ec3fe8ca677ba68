"""From the parameters of a frozen step to the constants of a C layer: one file an arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinysearch.core.program import Array, Element, FrozenNetwork, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedStep:
    """One step as the emitter writes it.

    The emitter turns it into ``static const <layer_type> <name> = { .<field> = <value>, ... }`` and the call
    ``<function>(&<name>, <inputs...>, <output>, <scratch>)``; every kernel has this one signature.

    Attributes:
        function: C function of the kernel, for example ``ts_conv_s8``.
        layer_type: its parameter struct, for example ``ts_conv_s8_layer``.
        header: header that declares both, for example ``ts_conv_s8.h``.
        fields: struct members that are numbers; floats are emitted as C99 hex floats; a tuple becomes a brace list.
        arrays: struct members that point to constant arrays, in the kernel's own layout; int8, uint8, int16, uint16,
            int32, uint32 or float32, one-dimensional.
        aligned: bytes that the arrays are aligned to, where that is more than their type asks for.
    """

    function: str
    layer_type: str
    header: str
    fields: Mapping[str, int | float | tuple[int, ...]]
    arrays: Mapping[str, Array]
    aligned: int = 0


def pack(frozen: FrozenNetwork, step: Step) -> PackedStep:
    """Constants of one step.

    Raises:
        UnsupportedLayerError: no kernel computes this step.
    """
    from tinysearch.firmware.packing import float32, int8, xnor

    program = frozen.program
    if program.binary(step) or program.tensors[step.output].element is Element.BITS:
        return xnor.pack(frozen, step)
    if program.precision.kind == "float32":
        return float32.pack(frozen, step)
    return int8.pack(frozen, step)
