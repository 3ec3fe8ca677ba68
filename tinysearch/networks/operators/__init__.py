"""Every operator that has a kernel, one module a family: checks, reference arithmetic and lowering in one place."""

from __future__ import annotations

from collections.abc import Mapping

from tinysearch.networks.operators.convolution import CONVOLUTION
from tinysearch.networks.operators.depthwise import DEPTHWISE
from tinysearch.networks.operators.elementwise import ADDITION, PRODUCT
from tinysearch.networks.operators.fully_connected import FULLY_CONNECTED
from tinysearch.networks.operators.kind import OperatorKind
from tinysearch.networks.operators.pooling import AVERAGE_POOL, MAX_POOL
from tinysearch.networks.operators.shaping import EXPAND_DIMS, RESHAPE, SQUEEZE
from tinysearch.networks.operators.softmax import SOFTMAX

KINDS: Mapping[str, OperatorKind] = {
    kind.operator: kind
    for kind in (
        *(CONVOLUTION, DEPTHWISE, FULLY_CONNECTED, ADDITION, PRODUCT),
        *(AVERAGE_POOL, MAX_POOL, SOFTMAX, RESHAPE, SQUEEZE, EXPAND_DIMS),
    )
}
"""By TensorFlow Lite's name."""
