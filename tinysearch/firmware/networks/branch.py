"""A network of somebody's own as the branch of an application. See :class:`tinysearch.firmware.branch.Branch`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.core.network import Shape
from tinysearch.firmware.branch import common_branch_values
from tinysearch.firmware.golden import Embeddings, pattern_inputs
from tinysearch.firmware.identifiers import modality_name
from tinysearch.firmware.networks.source import NetworkSource, network_values
from tinysearch.firmware.packing import PackedStep
from tinysearch.firmware.rendering import c_number, c_values
from tinysearch.firmware.rounding import LEAST_TOLERANCE
from tinysearch.networks.arena import ArenaPlan
from tinysearch.networks.oracle import run


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnBranch:
    """A network with one int8 input and one float32 output, which are copied into and out of its arena.

    Attributes:
        source: whose prefix is the component.
        input_shape: as it is sensed.
    """

    modality: str
    source: NetworkSource
    input_shape: Shape
    backend_folder: Path | None = None
    is_float: bool = True
    golden_crc: int = 0
    trained: bool = True
    shared: bool = False

    @property
    def component(self) -> str:
        return self.source.prefix

    @property
    def backend(self) -> str:
        return "portable" if self.source.accelerated is None else self.source.accelerated.backend

    @property
    def accelerated(self) -> Mapping[str, PackedStep]:
        found = self.source.accelerated
        return {} if found is None else {str(number): packed for number, packed in found.packed.items()}

    @property
    def memory(self) -> ArenaPlan:
        return self.source.memory

    @property
    def packed(self) -> tuple[PackedStep, ...]:
        return self.source.packed

    @property
    def model_id(self) -> int:
        return self.source.model_id

    @property
    def embedding(self) -> int:
        graph = self.source.network.graph
        return graph.tensors[graph.outputs[0]].elements

    @property
    def embedding_bytes(self) -> int:
        return 4 * self.embedding

    @property
    def macs(self) -> int:
        return self.source.network.macs

    @property
    def headers(self) -> tuple[str, ...]:
        return self.source.headers

    @property
    def weight_bytes(self) -> int:
        constants = sum(array.nbytes for packed in self.accelerated.values() for array in packed.arrays.values())
        return self.source.network.parameter_bytes + constants

    def renamed(self, prefix: str) -> OwnBranch:
        """See :class:`~tinysearch.firmware.branch.Branch`."""
        return replace(self, source=replace(self.source, prefix=f"{prefix}_{self.modality}"))

    def embed(self, inputs: npt.NDArray[np.int8]) -> Embeddings:
        """See :class:`~tinysearch.firmware.branch.Branch`."""
        graph = self.source.network.graph
        values = inputs.reshape(len(inputs), *graph.tensors[graph.inputs[0]].shape)
        return run(graph, [values])[0].reshape(len(inputs), -1).astype(np.float32)

    def tolerance_of(self, inputs: npt.NDArray[np.int8]) -> float:  # noqa: ARG002 - integers until the last step
        """See :class:`~tinysearch.firmware.branch.Branch`."""
        return float(np.float32(LEAST_TOLERANCE))

    def values(self, *, in_psram: bool) -> dict[str, Any]:
        """See :class:`~tinysearch.firmware.branch.Branch`."""
        shape, network = self.input_shape, network_values(self.source)
        inputs = pattern_inputs((shape.height, shape.width, shape.channels))
        return common_branch_values(self, in_psram=in_psram) | {
            "title": "A network of one's own, int8",
            "seed": 0,
            "input_offset": self._input_offset,
            "weight_bytes": self.source.network.parameter_bytes,
            "golden": c_values(self.embed(inputs)),
            "tolerance": c_number(self.tolerance_of(inputs)),
            "backend_planned": True,
            "buffers": network["buffers"],
            "steps": list(self._steps(network)),
            "moves": True,
        }

    @property
    def _input_offset(self) -> int:
        network = self.source.network
        return self.memory.offsets[network.owners[network.graph.inputs[0]]]

    def _steps(self, network: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Its calls; the first takes the input, the last gives the output, constants that calls read stand first."""
        graph, steps = self.source.network.graph, network["steps"]
        output = self.memory.offsets[self.source.network.owners[graph.outputs[0]]]
        for number, step in enumerate(steps):
            layers, constants = step["layers"], step["constants"]
            before, after = list[str](), list[str]()
            if number == 0:
                given = [(each["type"], f"{each['symbol']}[{each['count']}]") for each in network["constants"]]
                layers = [*layers, *given]
                constants = "\n\n".join([*(each["text"] for each in network["constants"]), constants])
                before.append(f"memmove(arena + {self._input_offset}, input, {self.input_shape.elements})")
            if number == len(steps) - 1:
                after.append(f"memmove(embedding, arena + {output}, {self.embedding_bytes})")
            yield {
                **step,
                "layers": layers,
                "constants": constants,
                "before": before,
                "after": after,
                "shared": False,
            }


def own_branch_source(modality: str, source: NetworkSource, input_shape: Shape) -> OwnBranch:
    """The branch of a project.

    Raises:
        UserError: a name that cannot be an identifier.
    """
    prefix = f"model_{modality_name(modality)}"
    return OwnBranch(modality=modality, source=replace(source, prefix=prefix), input_shape=input_shape)
