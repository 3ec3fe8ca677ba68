"""Which kernels compute which steps: the portable ones everywhere, a SIMD library where its arithmetic is ours.

A backend never replaces the portable kernels of a project; it stands beside them, and the device uses it once it has
computed the golden patterns right. Implements :class:`~tinysearch.core.protocols.FirmwareBackend`.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinysearch.core.errors import UserError
from tinysearch.core.program import Operator, Program, Step
from tinysearch.core.protocols import FirmwareBackend
from tinysearch.firmware.packing.esp_nn import OPERATORS

NAMES = ("portable", "esp_nn", "auto")
"""What ``firmware.backend`` may be; ``auto`` is the backend that a processor has, if any."""

_UINT16 = 1 << 16
_MOST_OUTPUTS = 256
"""Of a fully connected layer: ESP-NN keeps 4 bytes an output on the stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EspNn:
    """espressif/esp-nn, int8 networks on the chips for which it has SIMD code."""

    name: str = "esp_nn"
    processors: tuple[str, ...] = ("esp32s3", "esp32p4")

    def supports(self, program: Program, step: Step, *, processor: str) -> bool:
        """Whether ESP-NN computes this step bit for bit as the portable kernel does."""
        if processor not in self.processors or program.precision.kind != "int8" or step.operator not in OPERATORS:
            return False
        if step.pool > 1 and step.operator is not Operator.MAX_POOL:
            return False  # a fused pool
        source, out = program.tensors[step.inputs[0]].shape, program.tensors[step.output].shape
        if step.operator is Operator.FULLY_CONNECTED:
            return source.elements < _UINT16 and out.channels <= _MOST_OUTPUTS
        return max(source.height, source.width, source.channels, out.channels) < _UINT16


def choose_backend(name: str, *, processor: str) -> FirmwareBackend | None:
    """The backend of a project for a processor; None for the portable kernels alone, also where it has no code.

    Raises:
        UserError: an unknown name.
    """
    check_backend(name)
    known = EspNn()
    return known if name in (known.name, "auto") and processor in known.processors else None


def check_backend(name: str) -> None:
    """Refuse a name that is none.

    Raises:
        UserError: it is not one of :data:`NAMES`.
    """
    if name not in NAMES:
        raise UserError(f"firmware.backend is {', '.join(NAMES)}", value=name, remedy="write firmware.backend=portable")
