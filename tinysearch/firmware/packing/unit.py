"""What the vector units of chips have in common: kernels by step, and a block of constants for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tinysearch.analytic.kernels import footprint as portable_footprint
from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.network import Operator
from tinysearch.core.program import Element, FrozenNetwork, Program, Step
from tinysearch.firmware.packing import PackedStep
from tinysearch.firmware.packing.block import LINE
from tinysearch.firmware.packing.layer import LayerKernels
from tinysearch.operators.record import KernelFootprint

Fits = Callable[[Program, Step], bool]


def always(program: Program, step: Step) -> bool:
    """Of every step."""
    del program, step
    return True


def never(program: Program, step: Step) -> bool:
    """Of no step."""
    del program, step
    return False


def fixed(size_bytes: int) -> Callable[[Program, Step], int]:
    """The same size for every step."""

    def size(program: Program, step: Step) -> int:
        del program, step
        return size_bytes

    return size


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """One function of a backend, ``ts_<unit>_<name>``.

    Attributes:
        block: constants of a step.
        block_bytes: of the constants, or the most that they may be where this is the weights' affair.
        scratch: bytes of scratch of a step, as the block tells the chip.
        supports: whether it computes a step of its operator and elements.
        overwrites: whether the output may take the place of an input where that of the portable kernel may.
    """

    name: str
    block: Callable[[FrozenNetwork, Step], npt.NDArray[np.int8]]
    block_bytes: Callable[[Program, Step], int]
    scratch: Callable[[Program, Step], int]
    supports: Fits = always
    overwrites: Fits = always


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorUnit:
    """The kernels of a backend.

    Attributes:
        name: of the backend.
        kernels: in the order of ``ts_<name>_operator``.
        int8: names of the kernels of steps from int8 to int8, by operator.
        wins: whether a step that has a kernel is better computed by it than by the portable one.
        own: makes the unit's kernels for layers of networks of one's own, told the numbers of all kernels.
    """

    name: str
    kernels: tuple[Kernel, ...]
    int8: Mapping[str, str]
    wins: Fits = always
    own: Callable[[Mapping[str, int]], LayerKernels]

    @property
    def layers(self) -> LayerKernels:
        """Kernels for layers of networks of one's own."""
        return self.own({name: number for number, name in enumerate(self.names)})

    @property
    def names(self) -> tuple[str, ...]:
        """Of the kernels, in their order; the C functions are ``ts_<unit>_<kernel>``."""
        return tuple(kernel.name for kernel in self.kernels)

    def kernel(self, program: Program, step: Step) -> Kernel | None:
        """The kernel of a step, None where there is none: windows of series have none."""
        if step.flat:
            return None
        name = self._chosen(program, step)
        return next((one for one in self.kernels if one.name == name and one.supports(program, step)), None)

    def _chosen(self, program: Program, step: Step) -> str | None:
        """The name of the kernel for the operator and elements of a step, None where there is none."""
        elements = program.tensors[step.inputs[0]].element, program.tensors[step.output].element
        if elements == (Element.INT8, Element.INT8):
            return self.int8.get(step.operator)
        if program.binary(step):
            return "xnor_conv"
        return "pack_s8" if elements == (Element.INT8, Element.BITS) and step.operator == Operator.PACK else None

    def constant_bytes(self, program: Program, step: Step) -> int:
        """Bytes of the constants of a step; where weights make lists the most that they may be.

        Raises:
            UnsupportedLayerError: no kernel of the backend computes it.
        """
        return self._known(program, step).block_bytes(program, step)

    def footprint(self, program: Program, step: Step) -> KernelFootprint:
        """What a step asks of the arena when either kernel may compute it, as a device falls back to the portable one.

        Raises:
            UnsupportedLayerError: no kernel of the backend computes it.
        """
        found, portable = self._known(program, step), portable_footprint(program, step)
        return replace(
            portable,
            scratch_bytes=max(portable.scratch_bytes, found.scratch(program, step)),
            in_place=portable.in_place if found.overwrites(program, step) else None,
        )

    def pack(self, frozen: FrozenNetwork, step: Step) -> PackedStep:
        """Constants of one step for ``ts_<name>_step``.

        Raises:
            UnsupportedLayerError: no kernel computes it.
        """
        found = self._known(frozen.program, step)
        return PackedStep(
            function=f"ts_{self.name}_step",
            layer_type=f"ts_{self.name}_layer",
            header=f"ts_{self.name}.h",
            fields={"op": self.kernels.index(found)},
            arrays={"block": found.block(frozen, step)},
            aligned=LINE,
        )

    def _known(self, program: Program, step: Step) -> Kernel:
        found = self.kernel(program, step)
        if found is None:
            raise UnsupportedLayerError(
                f"the backend {self.name} must have a kernel for the step",
                value=f"{step.name}: {step.operator}",
                remedy="leave the step to the portable kernel",
            )
        return found
