"""A float network that somebody brings, and its post-training quantization.

``onnx_file`` (and, in the room that may import torch, ``tinysearch.training.exported``) gives a list of
:class:`~tinysearch.networks.real.nodes.RealNode` with ONNX's names; ``translating`` turns them into a float
:class:`~tinysearch.networks.graph.Graph` with TensorFlow Lite's operators, channels last; ``execute`` runs that on
samples, ``quantize`` gives every tensor a scale from what it saw, and the result is the same int8 graph that a
``.tflite`` file gives.
"""
