"""Operators are records: one file an operator says all that any room asks of it.

A network's units (:mod:`tinysearch.core.network`) lower to steps, and a step names its operator. The oracle, the
planner, latency, packing, random networks and :class:`tinysearch.testing.OperatorConformance` go through
:data:`RECORDS`; the torch side of an operator stands in :mod:`tinysearch.training.operators`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.program import Step
from tinysearch.operators.add import Add
from tinysearch.operators.average import Average
from tinysearch.operators.conv import Conv
from tinysearch.operators.depthwise import Depthwise, Scale
from tinysearch.operators.fully_connected import FullyConnected
from tinysearch.operators.lookup import LookupRecord
from tinysearch.operators.max_pool import MaxPool
from tinysearch.operators.pack import Pack
from tinysearch.operators.record import OperatorRecord

_ALL = (Conv, Depthwise, Scale, FullyConnected, Pack, Add, MaxPool, Average, LookupRecord)

RECORDS: Mapping[str, OperatorRecord] = MappingProxyType({str(made.name): made() for made in _ALL})
"""Every operator by name."""


def record_of(step: Step) -> OperatorRecord:
    """The record of a step's operator.

    Raises:
        UnsupportedLayerError: an operator that has none.
    """
    record = RECORDS.get(step.operator)
    if record is None:
        raise UnsupportedLayerError(
            f"an operator must be one of {', '.join(RECORDS)}",
            value=f"{step.name}: {step.operator}",
            remedy="add its record to tinysearch/operators",
        )
    return record
