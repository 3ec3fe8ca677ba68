"""``network=FILE`` with ``calibration=SAMPLES``: the int8 graph, whatever format it comes in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinysearch.app.building.wiring import Config
from tinysearch.core.errors import UserError
from tinysearch.files import home_path
from tinysearch.networks.file import network_content
from tinysearch.networks.graph import Array, Graph, Rounding
from tinysearch.networks.real.calibrated import Calibrated, calibrated, calibrated_graph
from tinysearch.networks.real.nodes import RealInput, RealNetwork
from tinysearch.networks.real.onnx_file import onnx_network
from tinysearch.networks.real.samples import read_arrays, samples_of
from tinysearch.networks.real.tflite_floats import computes_floats, float_network
from tinysearch.networks.tflite_file import tflite_graph

FORMATS = (".tflite", ".onnx", ".pt2")
"""Suffixes of files that hold a network."""

ONCE, FIXED = "once", "fixed"
"""Values of the option ``rounding``."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Read:
    """A network of a file.

    Attributes:
        digest: SHA-256 of the file.
        calibration: how it was quantized here; None for a file that is int8 itself.
    """

    name: str
    digest: str
    graph: Graph
    calibration: Calibrated | None = None


def read_network(config: Config, *, example: Sequence[Array] | None = None) -> Read:
    """Read, and quantize what is float.

    Args:
        example: samples of every input in place of those that the configuration names.

    Raises:
        UserError: a file that holds no network, or samples that do not fit it.
    """
    path = home_path(str(config["network"]))
    if path.suffix.lower() not in FORMATS:
        raise UserError(
            f"network must be a file that ends with {', '.join(FORMATS)}",
            value=path,
            remedy="convert it, or torch.export.save it",
        )
    content = network_content(path)
    digest = hashlib.sha256(content).hexdigest()
    if path.suffix.lower() == ".tflite":
        return _of_tflite(config, tflite_graph(content, path), path, digest=digest, example=example)
    network = _real_network(content, path)
    return of_real(config, network, _samples(config, network.inputs, example), digest=digest)


def _of_tflite(config: Config, graph: Graph, path: Path, *, digest: str, example: Sequence[Array] | None) -> Read:
    """An int8 network as it stands, a float one quantized."""
    if not computes_floats(graph):
        if config["calibration"] is not None:
            raise UserError(
                "calibration must be for a float network",
                value=path,
                remedy="leave the samples out: the int8 steps of this .tflite file are its own",
            )
        return Read(name=path.stem, digest=digest, graph=graph)
    translated = float_network(graph)
    tensors = [graph.tensors[index] for index in graph.inputs]
    inputs = [RealInput(name=tensor.name, shape=tensor.shape) for tensor in tensors]
    found = calibrated_graph(translated, _samples(config, inputs, example))
    return Read(name=path.stem, digest=digest, graph=found.graph, calibration=found)


def _samples(config: Config, inputs: Sequence[RealInput], example: Sequence[Array] | None) -> Sequence[Array] | None:
    """Samples of every input, None where none are given."""
    given = config["calibration"]
    arrays = None if given is None else read_arrays(home_path(str(given)))
    if example is not None:
        arrays = named(inputs, example)
    return None if arrays is None else samples_of(arrays, inputs)


def _real_network(content: bytes, path: Path) -> RealNetwork:
    if path.suffix.lower() == ".onnx":
        return onnx_network(content, path)
    from tinysearch.training.exported import read_exported

    return read_exported(path)


def of_real(config: Config, network: RealNetwork, samples: Sequence[Array] | None, *, digest: str) -> Read:
    """A float network of nodes, quantized with samples, or with noise where there are none.

    Raises:
        UserError: ``rounding`` is something else, or a network that cannot be computed.
    """
    found = calibrated(replace(network, rounding=Rounding.FIXED) if in_fixed_point(config) else network, samples)
    return Read(name=network.name, digest=digest, graph=found.graph, calibration=found)


def in_fixed_point(config: Config) -> bool:
    """Whether a network that states its scales is to have TensorFlow Lite's fixed point in place of its own rounding.

    Raises:
        UserError: ``rounding`` is something else.
    """
    rounding = str(config["rounding"])
    if rounding not in (ONCE, FIXED):
        raise UserError(
            f"rounding of a network of one's own must be {ONCE} or {FIXED}", value=rounding, remedy="leave it out"
        )
    return rounding == FIXED


def named(inputs: Sequence[RealInput], arrays: Sequence[Array]) -> dict[str, Array]:
    """Arrays of an example by the inputs that they are for.

    Raises:
        UserError: another number of them than the network has inputs.
    """
    if len(arrays) != len(inputs):
        raise UserError(
            "example_input must hold one array for every input",
            value=len(arrays),
            remedy=f"give a tuple of {len(inputs)}",
        )
    return {entry.name: array for entry, array in zip(inputs, arrays, strict=True)}
