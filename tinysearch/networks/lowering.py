"""A graph as calls of the C runtime over buffers that live from one call to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.networks.call import Alias, Call
from tinysearch.networks.checking import check
from tinysearch.networks.graph import ABSENT, Graph
from tinysearch.networks.operators import KINDS
from tinysearch.networks.rewriting import rewritten
from tinysearch.networks.variables import ASSIGN, READ, read_in_place, written_in_place


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoweredNetwork:
    """Calls in execution order.

    Attributes:
        graph: whose nodes became the calls: the file's, or one that computes the same by other operators.
        owners: for every tensor that is computed, the tensor whose buffer it shares (itself, but for a new shape).
    """

    graph: Graph
    calls: tuple[Call, ...]
    owners: Mapping[int, int]

    @property
    def constant_inputs(self) -> tuple[int, ...]:
        """Constant tensors that calls read as they are, in order."""
        wholes = [whole for call in self.calls for whole in call.wholes]
        read = {index for call in wholes for index in call.inputs if index not in self.owners} - {ABSENT}
        read |= {state.first for state in self.graph.states}
        return tuple(sorted(read))

    @property
    def parameter_bytes(self) -> int:
        """Bytes of all constants in flash."""
        constants = sum(self.graph.tensors[index].size_bytes for index in self.constant_inputs)
        return constants + sum(call.parameter_bytes for call in self.calls)

    @property
    def macs(self) -> int:
        """MACs of one inference."""
        return sum(call.macs for call in self.calls)


def lower(graph: Graph) -> LoweredNetwork:
    """Lower a graph.

    Raises:
        UnsupportedLayerError: an operator without a kernel; the message lists all of them.
    """
    check(graph)
    graph = rewritten(graph)
    owners = {index: index for index in (*graph.inputs, *(state.tensor for state in graph.states))}
    reads = read_in_place(graph)
    writes = written_in_place(graph, reads)
    calls: list[Call] = []
    for node in graph.nodes:
        if node.operator == READ and node.outputs[0] in reads:
            owners[node.outputs[0]] = node.inputs[0]
            continue
        if node.operator == ASSIGN and owners.get(node.inputs[1]) == node.inputs[0]:
            continue
        lowered = KINDS[node.operator].lower(graph, node)
        if isinstance(lowered, Alias):
            if lowered.source not in owners:
                raise UnsupportedLayerError(
                    "a shape must be given to a computed tensor", value=node.name, remedy="fold the constant"
                )
            owners[lowered.result] = owners[lowered.source]
            continue
        owners.update((index, writes.get(index, index)) for index in node.outputs)
        calls += lowered
    if not calls:
        raise UnsupportedLayerError("a network must compute something", value=graph.name, remedy="give another file")
    return LoweredNetwork(graph=graph, calls=tuple(calls), owners=owners)
