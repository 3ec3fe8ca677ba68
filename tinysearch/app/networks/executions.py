"""Ways to execute a network of one's own, from which every board takes the one that it runs fastest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tinysearch.app.building.wiring import Config
from tinysearch.catalog.catalog import Catalog
from tinysearch.core.errors import UserError
from tinysearch.core.execution import Execution
from tinysearch.evaluation.own_profile import OwnNetwork
from tinysearch.firmware.backends import VectorBackend
from tinysearch.firmware.networks.vectors import accelerated
from tinysearch.networks.arena import plan
from tinysearch.networks.bands import LEAST_ARENA_BYTES, banded
from tinysearch.networks.lowering import LoweredNetwork

BANDS = "bands"
MEMORIES = ("arena", BANDS)
"""Values of the option ``memory``."""


def executions_of(
    config: Config,
    name: str,
    lowered: LoweredNetwork,
    *,
    labels: tuple[str, ...],
    catalog: Catalog,
    units: Sequence[VectorBackend],
) -> tuple[OwnNetwork, ...]:
    """The network on whole maps, and in bands where some chip has no room for these; with ``memory=bands`` these alone.

    Args:
        units: whose kernels may compute what they can.

    Raises:
        UserError: ``memory`` is something else.
    """
    memory = str(config["memory"])
    if memory not in MEMORIES:
        raise UserError(
            f"memory of a network of one's own must be {' or '.join(MEMORIES)}", value=memory, remedy="leave it out"
        )
    whole = OwnNetwork(name=name, lowered=lowered, memory=plan(lowered), labels=labels)
    by_rows = _by_rows(whole, room_bytes=LEAST_ARENA_BYTES if memory == BANDS else _least_room(catalog))
    wanted = (whole, *by_rows) if memory != BANDS or not by_rows else by_rows
    return tuple(replace(network, accelerated=accelerated(network.lowered, units)) for network in wanted)


def _least_room(catalog: Catalog) -> int:
    """Bytes that any chip has in one piece."""
    return min(int(chip.largest_block_bytes.value) for chip in catalog.chips.values())


def _by_rows(whole: OwnNetwork, *, room_bytes: int) -> tuple[OwnNetwork, ...]:
    """The network in bands; nothing where none are needed, or none help."""
    lowered = banded(whole.lowered, room_bytes=room_bytes)
    if lowered is whole.lowered:
        return ()
    return (replace(whole, lowered=lowered, memory=plan(lowered), execution=Execution(bands=True)),)
