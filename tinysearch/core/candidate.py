"""Branches and candidates: what the search decides, with stable identities."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from tinysearch.core.errors import UserError
from tinysearch.core.execution import PLAIN, Execution
from tinysearch.core.network import NetworkSpec, Shape
from tinysearch.core.quantization import FLOAT32, Precision

SampleShape = tuple[int, ...]
"""As what samples are loaded: input size and channels, and of a clip shorter than the task's its frames."""


class Architecture(Protocol):
    """A network but for its input and its arithmetic: a frozen, hashable record of its family's own parameters.

    Attributes:
        family: by which it is configured, ``resnet`` or ``module:function``.
        layout: its main parameters as digits and hyphens, for keys: ``2-2``.
        label: how tables and sentences tell it from all others of its width: ``2-2``, ``separable-2-2``.
        width: channels of its first layer.
        embedding: length of the embedding.
        depth: how many stages it has.
        extras: what else its key must say, empty where every other parameter has its default.
    """

    @property
    def family(self) -> str: ...
    @property
    def layout(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def embedding(self) -> int: ...
    @property
    def depth(self) -> int: ...
    @property
    def extras(self) -> tuple[str, ...]: ...

    def parameters(self) -> dict[str, Any]:
        """Every parameter by name, in plain values that JSON takes; a list that has its default may be left out."""
        ...

    def build(self, shape: Shape) -> NetworkSpec:
        """The network for an input of this shape.

        Raises:
            UserError: parameters out of range, or an input too small for them.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchSpec:
    """One input's network: its architecture, arithmetic and input. Hashable; equal specs train once.

    Attributes:
        modality: name of the task's input that it reads.
        shape: of the network's input.
        apart: words for people that tell it from others of its label in its space, ``w4 48x48 gray``; no part of what
            it is.
    """

    modality: str
    architecture: Architecture
    precision: Precision
    shape: Shape
    apart: str = field(default="", compare=False)

    @property
    def input_size(self) -> int:
        """Side of a square input, length of a series."""
        return max(self.shape.height, self.shape.width)

    @property
    def channels(self) -> int:
        """Channels of the input."""
        return self.shape.channels

    @property
    def frames(self) -> int | None:
        """Frames of a clip that is shorter than the task's, whose spectrogram would be square; else None."""
        return self.shape.height if self.shape.height < self.shape.width else None

    @property
    def sample_shape(self) -> SampleShape:
        """As what its samples are loaded."""
        return (self.input_size, self.channels, *(() if self.frames is None else (self.frames,)))

    @property
    def start(self) -> BranchSpec:
        """The float32 branch that every precision of this network starts its training from."""
        return replace(self, precision=FLOAT32)

    def network(self) -> NetworkSpec:
        """The network without weights."""
        return self.architecture.build(self.shape)

    @property
    def key(self) -> str:
        """Readable and unique, fit for file names: ``face-resnet-2-2-int8-w16-i64x3-e64``."""
        own, shape = self.architecture, self.shape
        square = shape.height == shape.width
        size = f"{shape.height}x{shape.channels}" if square else f"{shape.height}x{shape.width}x{shape.channels}"
        head = (self.modality, own.family, own.layout, str(self.precision).replace("/", ""))
        return "-".join([*head, f"w{own.width}", f"i{size}", f"e{own.embedding}", *own.extras])

    @property
    def short(self) -> str:
        """``face 2-2 int8``, for tables and sentences."""
        return f"{self.modality} {self.label} {self.precision}"

    @property
    def label(self) -> str:
        """``2-2``, and of a shorter clip ``2-2 of 32 frames``; with what tells it apart ``2-2 w8 48x48 gray``."""
        return layout_heard(f"{self.architecture.label} {self.apart}".rstrip(), self.frames)


def colors_seen(channels: int) -> str:
    """``gray`` and ``color`` of a picture; what has other than 1 or 3 channels is counted."""
    return {1: "gray", 3: "color"}.get(channels, f"{channels} channels")


def layout_heard(label: str, frames: int | None) -> str:
    """An architecture's label with the frames of a clip that is shorter than the task's."""
    return label if frames is None else f"{label} of {frames} frames"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PlatformChoice:
    """The hardware half of a candidate.

    Attributes:
        processor: chip name, for example ``esp32s3``.
        flash_bytes, psram_bytes: sizes of the parts on the board.
        board: id of the priced way to get them (bare parts, a module, a development board).
        execution: how the chip executes the branches.
    """

    processor: str
    flash_bytes: int
    psram_bytes: int
    board: str
    execution: Execution = PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One design point: branches of different inputs on one board."""

    branches: tuple[BranchSpec, ...]
    platform: PlatformChoice

    def __post_init__(self) -> None:
        modalities = [branch.modality for branch in self.branches]
        if not modalities or modalities != sorted(set(modalities)):
            raise UserError(
                "a candidate must have one branch an input, in alphabetical order",
                value=modalities,
                remedy="name every input once",
            )

    @property
    def modality(self) -> str:
        """``fusion`` for several branches, else the branch's own."""
        return "fusion" if len(self.branches) > 1 else self.branches[0].modality

    @property
    def id(self) -> str:
        """Stable identity: readable head and a digest of everything; lower-case letters, digits and ``-``."""
        text = json.dumps(
            [
                [branch.key for branch in self.branches],
                self.platform.processor,
                self.platform.flash_bytes,
                self.platform.psram_bytes,
                self.platform.board,
                *self.platform.execution.to_dict().items(),
            ]
        )
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        heads = [f"{branch.architecture.label}{branch.precision}" for branch in self.branches]
        heads = [head.replace("-", "").replace("/", "").replace("float32", "float") for head in heads]
        return "-".join(
            [self.modality, *heads, self.platform.processor, f"{self.platform.flash_bytes >> 20}mb", digest]
        )
