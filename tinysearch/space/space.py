"""The model space: every branch of every modality, and every combination that becomes a candidate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from tinysearch.core.candidate import Architecture, BranchSpec, colors_seen
from tinysearch.core.errors import UserError
from tinysearch.core.execution import PLAIN, Execution
from tinysearch.core.network import Shape
from tinysearch.core.program import last_stage
from tinysearch.core.quantization import Precision


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceOptions:
    """Values that a branch of one input may take; the product of them all is searched.

    Attributes:
        architectures: of one family or of several.
        precisions: arithmetic.
        shapes: of the input.
    """

    architectures: tuple[Architecture, ...]
    precisions: tuple[Precision, ...]
    shapes: tuple[Shape, ...]

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not getattr(self, name):
                raise UserError(
                    "every variable of a space must have at least one value", value=f"{name}=[]", remedy="list one"
                )

    @property
    def has_sizes(self) -> bool:
        """Whether the same layout is searched in several sizes."""
        return len(self.shapes) > 1 or len({own.label for own in self.architectures}) < len(self.architectures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """A model space.

    Attributes:
        combinations: sets of inputs that make a candidate: any branch of each.
        modalities: how each of them is spelled, in the same order.
        options: by input.
        processors: chips to consider, None for all of the catalogue.
        executions: ways to execute branches, the plain one first; others for those alone that they change.
        fusion_rules: by which two trained branches are priced; none for the configured one alone.
    """

    name: str
    combinations: tuple[tuple[str, ...], ...]
    modalities: tuple[str, ...]
    options: Mapping[str, SpaceOptions]
    processors: tuple[str, ...] | None = None
    executions: tuple[Execution, ...] = (PLAIN,)
    fusion_rules: tuple[str, ...] = ()
    _branches: dict[str, tuple[BranchSpec, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def branches(self, modality: str) -> tuple[BranchSpec, ...]:
        """Every branch of one input, in an order that does not depend on that of the options: draws go by it.

        Raises:
            UserError: where precisions begin in a later stage, a network that cannot be built or has none of them.
        """
        if modality not in self._branches:
            self._branches[modality] = _branches_of(self.options[modality], modality)
        return self._branches[modality]

    def branch_modalities(self) -> tuple[str, ...]:
        """Inputs that need branches, in alphabetical order."""
        return tuple(sorted({name for names in self.combinations for name in names}))

    @property
    def digest(self) -> str:
        """Of everything that the space contains (hex)."""
        branches = {name: [branch.key for branch in self.branches(name)] for name in self.branch_modalities()}
        others = [execution.to_dict() for execution in self.executions if execution != PLAIN]
        text = json.dumps([self.name, self.combinations, branches, self.processors, *others, *self.fusion_rules])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _branches_of(options: SpaceOptions, modality: str) -> tuple[BranchSpec, ...]:
    """All that the options allow, in their order for good."""
    words, last = _Distinctions(options), _last_stages(options)
    branches = tuple(
        BranchSpec(
            modality=modality,
            architecture=architecture,
            precision=precision,
            shape=shape,
            apart=words.of(architecture, shape),
        )
        for architecture, precision, shape in product(
            sorted(options.architectures, key=_architecture_order),
            sorted(options.precisions, key=lambda p: (p.kind, p.weight_bits, p.activation_bits, p.from_stage)),
            sorted(options.shapes, key=lambda s: (s.height, s.width, s.channels)),
        )
        # One that begins behind the last stage is int8 by another name.
        if precision.from_stage <= last.get((architecture, shape), 1)
    )
    if not branches:
        raise UserError(
            f"a precision must begin in a stage of some network, the last of which is {max(last.values())}",
            value=", ".join(map(str, options.precisions)),
            remedy="begin earlier, or use int8",
        )
    return branches


def _last_stages(options: SpaceOptions) -> dict[tuple[Architecture, Shape], int]:
    """Of every network, where a precision asks for more than the first stage, which all have; else none is built."""
    if all(precision.from_stage <= 1 for precision in options.precisions):
        return {}
    networks = product(options.architectures, options.shapes)
    return {(architecture, shape): last_stage(architecture.build(shape)) for architecture, shape in networks}


class _Distinctions:
    """Words for what differs between networks of one label, see :class:`~tinysearch.core.candidate.BranchSpec`."""

    def __init__(self, options: SpaceOptions) -> None:
        self._widths: dict[str, set[int]] = {}
        self._embeddings: dict[str, set[int]] = {}
        for own in options.architectures:
            self._widths.setdefault(own.label, set()).add(own.width)
            self._embeddings.setdefault(own.label, set()).add(own.embedding)
        self._sizes = {_size(shape) for shape in options.shapes}
        self._channels = {shape.channels for shape in options.shapes}

    def of(self, architecture: Architecture, shape: Shape) -> str:
        """``w4 48x48 gray``."""
        words: dict[str, set[int] | set[str]] = {
            f"w{architecture.width}": self._widths[architecture.label],
            f"e{architecture.embedding}": self._embeddings[architecture.label],
            _size(shape): self._sizes,
            colors_seen(shape.channels): self._channels,
        }
        return " ".join(word for word, values in words.items() if len(values) > 1)


def _size(shape: Shape) -> str:
    """``48x48``, also of a shorter clip, of which ``frames`` are said; ``128`` of a series."""
    return str(shape.height) if shape.width == 1 else f"{shape.width}x{shape.width}"


def _architecture_order(architecture: Architecture) -> tuple[Any, ...]:
    """By family, then by parameters: lists by their length, sum and last values."""
    own = sorted(architecture.parameters().items())
    return architecture.family, [(name, _list_order(v) if isinstance(v, list | tuple) else v) for name, v in own]


def _list_order(value: Sequence[int]) -> tuple[int, ...]:
    return len(value), sum(value), *reversed(value)


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
            "a layout must list at least one block for every stage",
            value=values,
            remedy="write for example [[1,1],[2,2]]",
        )
    return layouts
