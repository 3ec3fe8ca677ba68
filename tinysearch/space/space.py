"""The model space: every branch of every modality, and every combination that becomes a candidate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.quantization import Precision


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceOptions:
    """Values that a branch of one modality may take; the product of them all is searched.

    Attributes:
        layouts: blocks a stage.
        precisions, widths, input_sizes, channels, embeddings, architectures: see
            :class:`~tinysearch.core.candidate.BranchSpec`.
    """

    layouts: tuple[tuple[int, ...], ...]
    precisions: tuple[str, ...]
    widths: tuple[int, ...]
    input_sizes: tuple[int, ...]
    channels: tuple[int, ...]
    embeddings: tuple[int, ...]
    architectures: tuple[str, ...] = ("resnet",)

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not getattr(self, name):
                raise UserError(
                    "every variable of a space has at least one value", value=f"{name}=[]", remedy="list one"
                )
        for name in ("widths", "input_sizes", "channels", "embeddings"):
            if not all(map(_is_count, getattr(self, name))):
                raise UserError(
                    f"{name} of a space are whole numbers from 1",
                    value=list(getattr(self, name)),
                    remedy=f"write for example {name}: [16, 32]",
                )
        for precision in self.precisions:
            Precision.parse(precision)

    @property
    def has_sizes(self) -> bool:
        """Whether the same layout is searched in several sizes."""
        return max(len(self.widths), len(self.input_sizes), len(self.channels), len(self.embeddings)) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """A model space.

    Attributes:
        combinations: sets of inputs that make a candidate: any branch of each.
        modalities: how each of them is spelled, in the same order.
        options: by input.
        processors: chips to consider, None for all of the catalogue.
    """

    name: str
    combinations: tuple[tuple[str, ...], ...]
    modalities: tuple[str, ...]
    options: Mapping[str, SpaceOptions]
    processors: tuple[str, ...] | None = None

    def branches(self, modality: str) -> tuple[BranchSpec, ...]:
        """Every branch of one input, in a fixed order."""
        o = self.options[modality]
        values = product(o.architectures, o.layouts, o.precisions, o.widths, o.input_sizes, o.channels, o.embeddings)
        return tuple(
            BranchSpec(
                modality=modality,
                architecture=architecture,
                blocks=blocks,
                precision=precision,
                width=width,
                input_size=size,
                channels=channels,
                embedding=embedding,
            )
            for architecture, blocks, precision, width, size, channels, embedding in values
        )

    def branch_modalities(self) -> tuple[str, ...]:
        """Inputs that need branches, in alphabetical order."""
        return tuple(sorted({name for names in self.combinations for name in names}))

    @property
    def digest(self) -> str:
        """Of everything that the space contains (hex)."""
        text = json.dumps(asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def layouts_of(values: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """Layouts as tuples.

    Raises:
        UserError: not lists of positive whole numbers.
    """
    try:
        layouts = tuple(tuple(layout) for layout in values)
    except TypeError:
        layouts = ((),)
    if not layouts or any(not layout or not all(map(_is_count, layout)) for layout in layouts):
        raise UserError(
            "a layout lists at least one block for every stage", value=values, remedy="write for example [[1,1],[2,2]]"
        )
    return layouts
