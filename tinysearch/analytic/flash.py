"""Flash: bootloader, partition table, NVS, then the application with its weights, aligned as ESP-IDF asks.

Source of the rules: ESP-IDF partition tables (table at 0x8000, first partition at 0x9000 or later, application
partitions aligned to 64 KiB). ``paper_weight_bytes`` counts as the paper does, kept as a named alternative.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tinysearch.analytic.kernels import step_calls
from tinysearch.core.errors import UserError
from tinysearch.core.network import NetworkSpec
from tinysearch.core.program import Program
from tinysearch.core.quantization import Precision
from tinysearch.core.task import Decision
from tinysearch.operators.counts import padded

APP_OFFSET = 0x10000
APP_ALIGNMENT = 0x10000
PAPER_PROGRAM_BYTES = 2**20 // 4
_ARRAY_ALIGNMENT = 16

Sizes = TypeVar("Sizes", int, npt.NDArray[np.int64])


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSlots:
    """How the application lies in flash.

    Attributes:
        count: partitions that hold it: two where it is updated in place, one being written while the other runs.
        spare_bytes: room in each for what a build with encrypted templates adds.
    """

    count: int = 1
    spare_bytes: int = 0

    def app_bytes(self, mapped: Sizes) -> Sizes:
        """Size of one partition for so many bytes of program and weights."""
        return -(-(mapped + self.spare_bytes) // APP_ALIGNMENT) * APP_ALIGNMENT

    def total_bytes(self, mapped: Sizes) -> Sizes:
        """End of the last partition. Which slot is to run stands in two sectors, which push the first one up."""
        offset = APP_OFFSET + (APP_ALIGNMENT if self.count > 1 else 0)
        return self.app_bytes(mapped) * self.count + offset


@dataclass(frozen=True, slots=True, kw_only=True)
class FlashPlan:
    """What lies in flash, in bytes.

    Attributes:
        program_bytes: code and read-only data of the application without weights.
        weight_bytes: parameters of all branches as packed for their kernels.
        app_bytes: size of one application partition, a multiple of 64 KiB.
        total_bytes: end of the last partition: the flash that the board must have.
        slots: how many of these partitions there are, and what is spare in each.
    """

    program_bytes: int
    weight_bytes: int
    app_bytes: int
    total_bytes: int
    slots: AppSlots


def parameter_bytes(program: Program) -> int:
    """Bytes of a branch's parameters in flash, every step's constants aligned to 16 bytes."""
    return array_bytes(call.footprint.parameter_bytes for call in step_calls(program))


def array_bytes(sizes: Iterable[int]) -> int:
    """Bytes of constants in flash, each aligned to 16 bytes."""
    return sum(padded(size, _ARRAY_ALIGNMENT) for size in sizes)


def plan_flash(*, program_bytes: int, weight_bytes: int, slots: AppSlots) -> FlashPlan:
    """Flash plan of an application of ``program_bytes`` with ``weight_bytes`` of constants."""
    mapped = program_bytes + weight_bytes
    return FlashPlan(
        program_bytes=program_bytes,
        weight_bytes=weight_bytes,
        app_bytes=slots.app_bytes(mapped),
        total_bytes=slots.total_bytes(mapped),
        slots=slots,
    )


def decision_bytes(decision: Decision, *, embedding: int) -> int:
    """What a decision keeps in flash of one branch, as far as it is known before data are read.

    Of an anomaly task the triangular matrix (int16) and one center (int32) of :mod:`tinysearch.metrics.anomaly`;
    further centers and a classification's prototypes are counted when a project is emitted.

    >>> decision_bytes("anomaly", embedding=32)
    1184
    """
    return embedding * (embedding + 1) + 4 * embedding if decision == "anomaly" else 0


def paper_weight_bytes(network: NetworkSpec, precision: Precision) -> int:
    """Weights by the paper's rule: XNOR counts B bits a weight and nothing else, float32 and int8 weights and BN.

    Raises:
        UserError: a precision that changes from stage to stage, which the paper does not know.
    """
    if precision.from_stage:
        raise UserError(
            "flash=paper must count networks of one precision", value=precision, remedy="leave flash=layout"
        )
    counts = network.counts().values()
    weights = sum(count.weights for count in counts)
    if precision.kind == "xnor":
        return -(-weights * precision.weight_bits // 8)
    return (weights + sum(count.batch_norm for count in counts)) * precision.weight_bits // 8
