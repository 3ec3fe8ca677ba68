"""What exact rounding costs on chips whose vector units have fixed point alone: ``rounding=fixed`` beside ``once``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tinysearch.app.networks.asked import Asked, asked_of
from tinysearch.app.networks.reading import FIXED
from tinysearch.core.units import written
from tinysearch.evaluation.own_network import NetworkPoint
from tinysearch.firmware.backends import vector_backends
from tinysearch.networks.graph import Rounding


def fixed_latencies(question: Asked, points: Sequence[NetworkPoint]) -> dict[str, float]:
    """Predicted seconds in fixed point, by id, of the points that are faster then.

    Only a network that is rounded once has any, on chips with a vector unit that ``firmware.backend`` allows.
    """
    emission = question.emission
    if emission.component is not None or not question.read.graph.rounds_once:
        return {}
    units = vector_backends(emission.backend, question.models.catalog.chips.values())
    chips = {processor for unit in units for processor in unit.processors}
    if not any(point.option.processor in chips for point in points):
        return {}
    read = replace(question.read, graph=replace(question.read.graph, rounding=Rounding.FIXED))
    other = asked_of(question.config, read, emission=emission, of_task=question.application is not None)
    seconds = {point.id: point.latency.seconds for point in other.points() if point.option.processor in chips}
    return {
        point.id: seconds[point.id]
        for point in points
        if seconds.get(point.id, point.latency.seconds) < point.latency.seconds
    }


def rounding_text(question: Asked) -> str:
    """Which rounding a network has."""
    if question.read.graph.rounds_once:
        return "once, halves to even, as its framework defines it"
    return "fixed point, as TensorFlow Lite has it"


def advice(points: Sequence[NetworkPoint], seconds: Mapping[str, float]) -> list[str]:
    """A line for every point that ``rounding=fixed`` makes faster.

    Args:
        seconds: of :func:`fixed_latencies`.
    """
    return [
        f"rounding={FIXED} is faster on the vector unit of {point.option.name} ({point.option.processor}): "
        f"{written(1e3 * seconds[point.id], 3)} ms predicted for {written(1e3 * point.latency.seconds, 3)} ms "
        f"({point.latency.seconds / seconds[point.id]:.1f} times)"
        for point in points
        if point.id in seconds
    ]
