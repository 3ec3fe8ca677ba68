"""The torch side of every operator (:mod:`tinysearch.operators`), by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.network import Operator
from tinysearch.operators.lookup import LookupRecord
from tinysearch.training.operators.add import Add
from tinysearch.training.operators.lookup import TrainedLookup
from tinysearch.training.operators.pack import Pack
from tinysearch.training.operators.pools import Average, MaxPool
from tinysearch.training.operators.products import Conv, Depthwise, FullyConnected, Products, Scale
from tinysearch.training.operators.record import TrainedOperator

PRODUCTS: Mapping[str, Products] = MappingProxyType(
    {
        Operator.CONV: Conv(),
        Operator.DEPTHWISE: Depthwise(),
        Operator.SCALE: Scale(),
        Operator.FULLY_CONNECTED: FullyConnected(),
    }
)
"""Those with weights."""

TRAINED: Mapping[str, TrainedOperator] = MappingProxyType(
    {
        **PRODUCTS,
        Operator.ADD: Add(),
        Operator.MAX_POOL: MaxPool(),
        Operator.AVERAGE: Average(),
        Operator.PACK: Pack(),
        LookupRecord.name: TrainedLookup(),
    }
)
"""All that can be trained."""


def trained_operator(name: str) -> TrainedOperator:
    """The torch side of an operator.

    Raises:
        UnsupportedLayerError: it cannot be trained.
    """
    if name not in TRAINED:
        raise UnsupportedLayerError(
            f"an operator that is trained must be one of {', '.join(TRAINED)}",
            value=name,
            remedy="add it to tinysearch/training/operators",
        )
    return TRAINED[name]
