"""Every operator that has a kernel, one module a family: checks, reference arithmetic and lowering in one place."""

from __future__ import annotations

from collections.abc import Mapping

from tinysearch.networks.operators.bilinear import RESIZE_BILINEAR
from tinysearch.networks.operators.convolution import CONVOLUTION
from tinysearch.networks.operators.depthwise import DEPTHWISE
from tinysearch.networks.operators.edges import DEQUANTIZE, QUANTIZE
from tinysearch.networks.operators.elementwise import ADDITION, DIFFERENCE, PRODUCT
from tinysearch.networks.operators.fully_connected import FULLY_CONNECTED
from tinysearch.networks.operators.kind import OperatorKind
from tinysearch.networks.operators.lstm import LSTM
from tinysearch.networks.operators.mean import MEAN
from tinysearch.networks.operators.moving import CONCATENATION, PAD, SPLIT, SPLIT_V, STRIDED_SLICE, TRANSPOSE
from tinysearch.networks.operators.pointwise import POINTWISE
from tinysearch.networks.operators.pooling import AVERAGE_POOL, MAX_POOL
from tinysearch.networks.operators.prelu import PRELU
from tinysearch.networks.operators.resizing import RESIZE_NEAREST
from tinysearch.networks.operators.shaping import EXPAND_DIMS, RESHAPE, SQUEEZE
from tinysearch.networks.operators.softmax import SOFTMAX
from tinysearch.networks.operators.state import ASSIGN_VARIABLE, READ_VARIABLE
from tinysearch.networks.operators.transposed import SPREAD, TRANSPOSE_CONV

KINDS: Mapping[str, OperatorKind] = {
    kind.operator: kind
    for kind in (
        *(TRANSPOSE_CONV, SPREAD, RESIZE_NEAREST, RESIZE_BILINEAR, PRELU),
        *(CONVOLUTION, DEPTHWISE, FULLY_CONNECTED, ADDITION, DIFFERENCE, PRODUCT),
        *(AVERAGE_POOL, MAX_POOL, MEAN, SOFTMAX, LSTM, READ_VARIABLE, ASSIGN_VARIABLE, RESHAPE, SQUEEZE, EXPAND_DIMS),
        *(PAD, CONCATENATION, STRIDED_SLICE, SPLIT, SPLIT_V, TRANSPOSE, QUANTIZE, DEQUANTIZE, *POINTWISE),
    )
}
"""By TensorFlow Lite's name."""
