"""The constants of a layer as C."""

from __future__ import annotations

from tinysearch.firmware.identifiers import c_identifier
from tinysearch.firmware.packing import PackedStep
from tinysearch.firmware.rendering import c_array, c_number


def layer_constants(packed: PackedStep, symbol: str, *, arrays_of: str = "", again: bool = False) -> str:
    """C text of one layer: its arrays, then ``const <layer_type> <symbol>``.

    Args:
        arrays_of: what the arrays are named after where several layers share them; empty for the symbol.
        again: whether they stand before already.
    """
    c_identifier(symbol)
    owner = arrays_of or symbol
    arrays = [
        c_array(f"{owner}_{c_identifier(key)}", array, aligned=packed.aligned)
        for key, array in packed.arrays.items()
        if not again
    ]
    members = [f"    .{c_identifier(key)} = {_member(value)}," for key, value in packed.fields.items()]
    members += [f"    .{key} = {owner}_{key}," for key in packed.arrays]
    layer = "\n".join([f"const {c_identifier(packed.layer_type)} {symbol} = {{", *members, "};"])
    return "\n".join([*arrays, layer])


def _member(value: float | tuple[int, ...]) -> str:
    if isinstance(value, tuple):
        return "{" + ", ".join(c_number(item) for item in value) + "}"
    return c_number(value)
