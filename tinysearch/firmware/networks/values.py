"""What templates need of a network, whether it becomes a project or a library."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from tinysearch.firmware.identifiers import markdown_text
from tinysearch.firmware.networks.golden import random_inputs, rows, selftest_crc
from tinysearch.firmware.networks.source import NetworkSource, network_values, shown
from tinysearch.firmware.rendering import c_values
from tinysearch.networks.oracle import run

GOLDEN_VECTORS, GOLDEN_BYTES = 6, 200_000
"""At most so many golden vectors, and so many bytes of their inputs, but at least one."""

_SEED = 0


def common_values(source: NetworkSource, banner: str) -> dict[str, Any]:
    """Values for the templates but those of a board."""
    graph = source.network.graph
    described = {
        what: [_described(source, index) for index in indices]
        for what, indices in (("inputs", graph.inputs), ("outputs", graph.outputs))
    }
    return {
        **_constants(source),
        "banner": banner,
        "prefix": source.prefix,
        "macro": source.prefix.upper(),
        "title": markdown_text(source.name),
        "steps": len(source.network.calls),
        "arena_bytes": source.memory.peak_bytes,
        "bound_bytes": source.memory.bound_bytes,
        "weight_bytes": source.network.parameter_bytes,
        **described,
    }


@lru_cache(maxsize=1)
def _constants(source: NetworkSource) -> dict[str, Any]:
    """What is the same for all boards: constants as text, and what the oracle computes."""
    graph, network = source.network.graph, network_values(source)
    count = max(1, min(GOLDEN_VECTORS, GOLDEN_BYTES // network["input_bytes"]))
    inputs = random_inputs(graph, count, _SEED)
    return {
        "network": network,
        "golden": {"count": count, "inputs": c_values(rows(inputs)), "outputs": c_values(rows(run(graph, inputs)))},
        "selftest_crc": selftest_crc(graph),
    }


def _described(source: NetworkSource, index: int) -> str:
    tensor = source.network.graph.tensors[index]
    shape = " x ".join(str(side) for side in tensor.shape)
    return f"{markdown_text(shown(tensor.name))} ({tensor.element}, {shape})"
