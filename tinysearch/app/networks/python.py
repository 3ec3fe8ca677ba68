"""``ts.evaluate(network=...)``: a file, a torch module or an exported program, as an object."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tinysearch.app.building.wiring import Config
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.config.words import overrides_of
from tinysearch.app.networks.asked import Asked, asked_of, settings_of
from tinysearch.app.networks.evaluate import chosen, document
from tinysearch.app.networks.firmware import emit, prepared
from tinysearch.app.networks.reading import Read, named, of_real, read_network
from tinysearch.core.errors import UserError
from tinysearch.core.units import written
from tinysearch.evaluation.own_network import NetworkPoint
from tinysearch.files import home_path
from tinysearch.networks.real.nodes import Array, RealNetwork
from tinysearch.networks.real.samples import samples_of

_EXAMPLE = "example_input"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OwnPoint:
    """A network of one's own on the board that carries it.

    Attributes:
        document: as ``evaluate network=FILE --json`` prints it.
    """

    document: Mapping[str, Any]
    _question: Asked = field(compare=False)
    _point: NetworkPoint = field(compare=False)

    @property
    def id(self) -> str:
        """Names the network and the board."""
        return self._point.id

    def to_dict(self) -> dict[str, Any]:
        """The document."""
        return dict(self.document)

    def emit(self, out: str | Path) -> Path:
        """Write its firmware.

        Raises:
            UserError: a board that does not carry it, a network without samples, or a folder that is not ours.
        """
        return emit(self._question, prepared(self._question, self._point), self._point, home_path(out))

    def __repr__(self) -> str:
        values = self.document["values"]
        return f"<{self.id}: ${values['bom_cost_usd']:.2f}, {written(1e3 * values['latency_s'], 3)} ms>"


def evaluate_network(options: Mapping[str, Any]) -> OwnPoint:
    """The cheapest board as wished that carries a network.

    Args:
        options: ``network``: a path, a ``torch.nn.Module`` or an ``ExportedProgram``; ``example_input``: an array or
            tensor [N, ..], or one for every input, that a float network is quantized with; others as on the command
            line.

    Raises:
        UserError: what the command would answer with exit status 2.
    """
    rest = {key: value for key, value in options.items() if key != _EXAMPLE}
    network, example = options["network"], options.get(_EXAMPLE)
    if isinstance(network, str | Path):
        config = plain(compose_config(overrides_of(rest | {"network": str(network)})))
        emission = settings_of(config)
        read = read_network(config, example=None if example is None else _arrays(example))
    else:
        config = plain(compose_config(overrides_of({key: rest[key] for key in rest if key != "network"})))
        emission = settings_of(config)
        read = _of_torch(config, network, example)
    question = asked_of(config, read, emission=emission, of_task="task" in options)
    point = chosen(question.points())
    return OwnPoint(document=document(question, point), _question=question, _point=point)


def _of_torch(config: Config, network: object, example: object) -> Read:
    """A module or program of torch.

    Raises:
        UserError: it is neither, or a module without an example.
    """
    from tinysearch.training.exported import network_of

    arrays = None if example is None else _arrays(example)
    real = network_of(network, arrays)
    samples = None if arrays is None else samples_of(named(real.inputs, arrays), real.inputs)
    return of_real(config, real, samples, digest=_digest(real))


def _arrays(example: object) -> list[Array]:
    """Arrays of an array, a tensor, or a sequence of these."""
    parts = example if isinstance(example, list | tuple) else [example]
    try:
        return [np.asarray(part, np.float32) for part in parts]
    except (TypeError, ValueError, RuntimeError):
        raise UserError(
            "example_input must be an array or a tensor of numbers, or a list of one for every input",
            value=type(example).__name__,
            remedy="give example_input=x where module(x) works",
        ) from None


def _digest(network: RealNetwork) -> str:
    """SHA-256 of what is computed: operators and constants."""
    found = hashlib.sha256()
    for node in network.nodes:
        found.update(
            repr((node.operator, node.inputs, node.outputs, sorted(node.attributes.items(), key=str))).encode()
        )
    for name, values in network.constants.items():
        found.update(name.encode() + np.ascontiguousarray(values).tobytes())
    return found.hexdigest()
