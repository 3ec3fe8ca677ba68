"""Branches and candidates: what the search decides, with stable identities."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

from tinysearch.core.errors import UserError
from tinysearch.core.quantization import Precision

Modality = Literal["face", "voice", "fusion"]
BRANCH_MODALITIES: tuple[str, ...] = ("face", "voice")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class BranchSpec:
    """One modality's network: layout, precision and the sizes that shape it. Hashable; equal specs train once.

    Attributes:
        modality: ``face``, ``voice``, or the name of another input of a task.
        architecture: name of a registered architecture.
        blocks: blocks a stage.
        precision: spelled as :meth:`Precision.parse` reads it.
        width, input_size, channels, embedding: see :func:`tinysearch.architectures.resnet.resnet`.
    """

    modality: str
    blocks: tuple[int, ...]
    precision: str
    width: int = 16
    input_size: int = 64
    channels: int = 3
    embedding: int = 64
    architecture: str = "resnet"

    def __post_init__(self) -> None:
        if str(Precision.parse(self.precision)) != self.precision:
            object.__setattr__(self, "precision", str(Precision.parse(self.precision)))

    @property
    def key(self) -> str:
        """Readable and unique, fit for file names: ``face-resnet-2-2-int8-w16-i64x3-e64``."""
        layout, precision = "-".join(map(str, self.blocks)), self.precision.replace("/", "")
        sizes = f"w{self.width}-i{self.input_size}x{self.channels}-e{self.embedding}"
        return f"{self.modality}-{self.architecture}-{layout}-{precision}-{sizes}"

    @property
    def short(self) -> str:
        """``face 2-2 int8``, for tables and sentences."""
        return f"{self.modality} {'-'.join(map(str, self.blocks))} {self.precision}"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PlatformChoice:
    """The hardware half of a candidate.

    Attributes:
        processor: chip name, for example ``esp32s3``.
        flash_bytes, psram_bytes: sizes of the parts on the board.
        board: id of the priced way to get them (bare parts, a module, a development board).
    """

    processor: str
    flash_bytes: int
    psram_bytes: int
    board: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Candidate:
    """One design point: one or two branches on one board."""

    branches: tuple[BranchSpec, ...]
    platform: PlatformChoice

    def __post_init__(self) -> None:
        modalities = [branch.modality for branch in self.branches]
        if not modalities or modalities != sorted(set(modalities)):
            raise UserError(
                "a candidate has one branch a modality, in alphabetical order",
                value=modalities,
                remedy="name every modality once",
            )

    @property
    def modality(self) -> str:
        """``fusion`` for two branches, else the branch's own."""
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
            ]
        )
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        heads = [
            "".join(map(str, branch.blocks)) + branch.precision.replace("/", "").replace("float32", "float")
            for branch in self.branches
        ]
        return "-".join(
            [self.modality, *heads, self.platform.processor, f"{self.platform.flash_bytes >> 20}mb", digest]
        )
