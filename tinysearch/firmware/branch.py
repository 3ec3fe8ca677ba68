"""A network in a project or a library, as its writer sees it: what every branch tells of itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tinysearch.core.network import Shape
from tinysearch.firmware.backends import MANAGED
from tinysearch.firmware.golden import Embeddings
from tinysearch.firmware.packing import PackedStep


class Branch(Protocol):
    """A network in a project or a library as its writer sees it: a branch of a search, or a network of one's own.

    Attributes:
        modality: also the name of its component.
        component: beginning of everything that its C defines.
        memory: of its arena.
        is_float: whether its embedding is float32, else int8.
        golden_crc: of the self-test's embeddings; 0 for float32, whose last bits are the compiler's.
        weight_bytes: of all constant arrays.
        backend: whose kernels compute the steps of ``accelerated``, ``portable`` where there are none.
        accelerated: constants of steps for the backend, by step.
        backend_folder: of the component of a user's own backend.
    """

    @property
    def modality(self) -> str: ...
    @property
    def component(self) -> str: ...
    @property
    def memory(self) -> Arena: ...
    @property
    def packed(self) -> tuple[PackedStep, ...]: ...
    @property
    def model_id(self) -> int: ...
    @property
    def input_shape(self) -> Shape: ...
    @property
    def embedding(self) -> int: ...
    @property
    def embedding_bytes(self) -> int: ...
    @property
    def is_float(self) -> bool: ...
    @property
    def macs(self) -> int: ...
    @property
    def trained(self) -> bool: ...
    @property
    def golden_crc(self) -> int: ...
    @property
    def headers(self) -> tuple[str, ...]: ...
    @property
    def weight_bytes(self) -> int: ...
    @property
    def backend(self) -> str: ...
    @property
    def accelerated(self) -> Mapping[str, PackedStep]: ...
    @property
    def backend_folder(self) -> Path | None: ...

    @property
    def shared(self) -> bool:
        """Whether steps of it are computed on two cores."""
        ...

    def renamed(self, prefix: str) -> Branch:
        """The same under another beginning of its names."""
        ...

    def embed(self, inputs: npt.NDArray[np.int8]) -> Embeddings:
        """Embeddings [N, E] of inputs [N, height, width, channels], as the oracle has them."""
        ...

    def tolerance_of(self, inputs: npt.NDArray[np.int8]) -> float:
        """See :func:`tinysearch.firmware.rounding.widest_tolerance`."""
        ...

    def values(self, *, in_psram: bool) -> dict[str, Any]:
        """Values for the templates."""
        ...


class Arena(Protocol):
    """What a plan says of memory, in bytes."""

    @property
    def peak_bytes(self) -> int: ...
    @property
    def bound_bytes(self) -> int: ...


def common_branch_values(branch: Branch, *, in_psram: bool) -> dict[str, Any]:
    """Values for the templates that follow from what every branch tells of itself."""
    shape = branch.input_shape
    return {
        "name": branch.modality,
        "component": branch.component,
        "macro": branch.component.upper(),
        "trained": branch.trained,
        "in_psram": in_psram,
        "height": shape.height,
        "width": shape.width,
        "channels": shape.channels,
        "input_bytes": shape.elements,
        "embedding": branch.embedding,
        "embedding_type": "float" if branch.is_float else "int8_t",
        "arena_bytes": branch.memory.peak_bytes,
        "arena_bound_bytes": branch.memory.bound_bytes,
        "id": branch.model_id,
        "golden_crc": branch.golden_crc,
        "headers": branch.headers,
        "backend": branch.backend if branch.accelerated else "",
        "backend_component": f"backend_{branch.backend}",
        "backend_managed": branch.backend in MANAGED,
        "shared": branch.shared,
    }
