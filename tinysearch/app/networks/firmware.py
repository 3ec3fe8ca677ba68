"""Firmware of a network of one's own for a board."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

from tinysearch.app.config.resources import data_dir
from tinysearch.app.networks.asked import Asked
from tinysearch.core.errors import UserError
from tinysearch.distribution import installed_version
from tinysearch.evaluation.own_network import NetworkPoint
from tinysearch.firmware.networks.library import emit_library
from tinysearch.firmware.networks.project import Target, emit_network
from tinysearch.firmware.networks.source import PREFIX, NetworkSource, network_source

_DIGITS = 12


class _Shared(TypedDict):
    """What project and library are written with."""

    lowering: dict[str, Any]
    out: Path
    templates: Path
    version: str
    digest: str


def prepared(asked: Asked, point: NetworkPoint) -> NetworkSource:
    """The network as C, the same for all boards that execute it alike.

    Raises:
        UserError: a float network without samples.
    """
    if asked.read.calibration is not None and asked.read.calibration.from_noise:
        raise UserError(
            "firmware of a float network must be quantized with samples",
            value="calibration is not set",
            remedy="add calibration=FILE.npz with a hundred inputs as the network sees them, or emit.top=none",
        )
    network = point.network
    return network_source(
        network.lowered, memory=network.memory, labels=network.labels, prefix=asked.emission.component or PREFIX
    )


def emit(asked: Asked, source: NetworkSource, point: NetworkPoint, out: Path) -> Path:
    """Write the project of one point, with its task's application where one is known, or a library of the network.

    Raises:
        UserError: a folder that is not ours.
    """
    shared: _Shared = {
        "lowering": {"lowering": [row.to_dict() for row in asked.lowering(point.network)]},
        "out": out,
        "templates": data_dir("firmware_templates"),
        "version": installed_version(),
        "digest": asked.read.digest[:_DIGITS],
    }
    if asked.application is not None:
        return asked.application.emit(point, source, out, digest=shared["digest"])
    told = {**point.to_dict(), "network": asked.describe(), "options": asked.options}
    if asked.emission.component is not None:
        return emit_library(source, point=told, **shared)
    option = point.option
    target = Target(
        chip=asked.models.catalog.chip(option.processor),
        flash_bytes=option.flash_bytes,
        app_bytes=point.flash.program_bytes + point.flash.weight_bytes,
        latency_s=point.latency.high,
        point=told,
        arena_in_psram=point.arena_in_psram,
        psram_interface=option.psram_interface if option.psram_bytes else None,
    )
    vectors = point.accelerated
    return emit_network(source if vectors is None else source.accelerate(vectors), target, **shared)
