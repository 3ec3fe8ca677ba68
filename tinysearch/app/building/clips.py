"""Clips of a microphone that are shorter than the task's: which of them a space has."""

from __future__ import annotations

from collections.abc import Sequence

from tinysearch.app.building.wiring import Config
from tinysearch.app.config.plugins import plugin
from tinysearch.core.candidate import Architecture
from tinysearch.core.errors import UserError
from tinysearch.core.network import Shape
from tinysearch.core.protocols import Dataset
from tinysearch.core.task import Input
from tinysearch.inputs.microphone import Microphone


def clipped(
    given: Input,
    shapes: Sequence[Shape],
    scales: Sequence[object],
    architectures: Sequence[Architecture],
    config: Config,
) -> tuple[Shape, ...]:
    """Shapes of clips in every length: whole ones in every size, shorter ones in the largest.

    Of the shorter ones those stay that the front-end can prepare and every architecture can be built for.

    Args:
        scales: lengths as shares of the task's clip; none for whole clips alone.
        shapes: of an input of any kind; those of other kinds than microphones stay as they are, and so do those of a
            data set that cannot shorten its clips.

    Raises:
        UserError: a share that is none.
    """
    if not all(isinstance(scale, int | float) and not isinstance(scale, bool) and 0 < scale <= 1 for scale in scales):
        raise UserError(
            "space.clip_scales must be shares of the task's clip, above 0 and at most 1",
            value=list(scales),
            remedy="write for example space.clip_scales=[0.5,1]",
        )
    kind = given.kind
    if not scales or not isinstance(kind, Microphone) or not _shortens(config):
        return tuple(shapes)
    largest = max(shape.width for shape in shapes)
    frames = [(shape, round(float(str(scale)) * shape.height)) for scale in scales for shape in shapes]
    made = [
        shape if rows == shape.height else _usable(kind, shape, rows, architectures)
        for shape, rows in frames
        if rows == shape.height or shape.width == largest
    ]
    kept = tuple(dict.fromkeys(shape for shape in made if shape is not None))
    if not kept:
        raise UserError(
            "a network must be built for one of space.clip_scales", value=list(scales), remedy="list longer clips"
        )
    return kept


def _usable(kind: Microphone, shape: Shape, frames: int, architectures: Sequence[Architecture]) -> Shape | None:
    """The shape of so many frames; None where there is no spectrogram or no network of it."""
    from tinysearch.firmware.front_ends import front_end

    try:
        shorter = kind.shorter(shape, frames=frames)
        front_end(kind, shorter, sound=None)
        for architecture in architectures:
            architecture.build(shorter)
    except UserError:
        return None
    return shorter


def _shortens(config: Config) -> bool:
    """Whether the data set has shorter clips than the task's."""
    own = getattr(plugin("datasets", config["data"]["name"]), "load_clip", None)
    return own is not None and own is not Dataset.load_clip
