"""Graphs of ``.tflite`` files as their like from PyTorch and ONNX: rounded once, with real biases."""

from __future__ import annotations

import dataclasses

import numpy as np

from tinysearch.networks.graph import Element, Graph, Rounding

_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def rounded_once(graph: Graph, rounding: Rounding = Rounding.TORCH) -> Graph:
    """Biases fall between steps, means keep their scale, as XNNPACK's quantizer has them."""
    tensors = list(graph.tensors)
    for node in graph.nodes:
        if node.operator in _WEIGHTED and len(node.inputs) > 2 and node.inputs[2] >= 0:
            source, weights, bias = (tensors[index] for index in node.inputs[:3])
            if bias.element is Element.INT32:
                reals = (bias.data + 0.3) * source.quantized.scale * weights.quantized.scales
                found = dataclasses.replace(bias, element=Element.FLOAT32, data=reals.astype(np.float32))
                tensors[node.inputs[2]] = found
        if node.operator == "MEAN":
            like = tensors[node.inputs[0]].quantization
            tensors[node.outputs[0]] = dataclasses.replace(tensors[node.outputs[0]], quantization=like)
    return dataclasses.replace(graph, tensors=tuple(tensors), rounding=rounding)
