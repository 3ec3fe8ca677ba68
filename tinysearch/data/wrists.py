"""The archive of real motions that ships with the package: exercises of the shoulder, felt at the wrist.

Ten people do seven exercises with either arm, a smartwatch on its wrist: 140 recordings, three accelerations and three
rates at 50 Hz, 81 minutes in all. Recorded by David M. Burns (arXiv 1802.01489) and published in seglearn 1.2.5 under
BSD-3-Clause; ``tools/convert_motions.py`` made the archive.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import Split
from tinysearch.core.task import Input
from tinysearch.inputs.motion import AXES, Motion

ARCHIVE = "motions.npz"
EXERCISES = ("PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW")
"""Pendulum, abduction, forward elevation, internal and external rotation, trapezius extension, upright row."""

PEOPLE = tuple(range(1, 11))
RATE_HZ = 50
RANGE_G, RANGE_DPS = 8.0, 2000.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exercised:
    """One recording: who (1 .. 10), which exercise, and int16 [n, axes] counts of the sensor."""

    person: int
    exercise: str
    counts: npt.NDArray[np.int16]

    @property
    def name(self) -> str:
        """For messages."""
        return f"person {self.person} {self.exercise}"


def checked_kind(given: Input, *, data: str) -> Motion:
    """The kind of an input, if its sensor is the one that recorded.

    Raises:
        UserError: another kind, rate or range.
    """
    kind = given.kind
    if isinstance(kind, Motion) and kind.rate_hz == RATE_HZ and (kind.range_g, kind.range_dps) == (RANGE_G, RANGE_DPS):
        return kind
    raise UserError(
        f"data={data} must be read as a motion sensor at {RATE_HZ} Hz, {RANGE_G:g} g and {RANGE_DPS:g} dps",
        value=f"{given.name}: {kind}",
        remedy="leave rate_hz, range_g and range_dps out",
    )


def split_of(validation: Sequence[int], test: Sequence[int]) -> dict[int, Split]:
    """Split of every person.

    Raises:
        UserError: an unknown person, one in two splits, or nobody left to train.
    """
    held = [*validation, *test]
    if len(set(held)) != len(held) or not set(held) < set(PEOPLE) or not test:
        raise UserError(
            "validation_people and test_people must be different people out of 1 .. 10, some to test and some left",
            value=f"{list(validation)} and {list(test)}",
            remedy="write data.validation_people=[7] data.test_people=[8,9,10]",
        )
    return {
        person: "validation" if person in validation else "test" if person in test else "train" for person in PEOPLE
    }


def archive_content(root: Path | str | None) -> bytes:
    """Bytes of the archive in a folder; None: of the package.

    Raises:
        UserError: it is not there.
    """
    folder = Path(str(resources.files("tinysearch.data") / "embedded")) if root is None else Path(root)
    try:
        return (folder / ARCHIVE).read_bytes()
    except OSError as error:
        raise UserError(
            f"data.root must hold {ARCHIVE}", value=folder, remedy="install the package again, or leave root out"
        ) from error


def exercised(content: bytes, *, axes: int) -> list[Exercised]:
    """Every recording of the archive, with the first so many axes.

    Raises:
        UserError: the bytes are no such archive.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays: dict[str, npt.NDArray[np.generic]] = {name: archive[name] for name in archive.files}
        counts, lengths = arrays["counts"], arrays["lengths"]
        if counts.dtype != np.int16 or counts.shape != (lengths.sum(), len(AXES)):
            raise ValueError(f"counts are {counts.dtype} {counts.shape}")
        parts = np.split(counts, np.cumsum(lengths)[:-1])
        return [
            Exercised(
                person=int(person),
                exercise=EXERCISES[int(exercise)],
                counts=np.ascontiguousarray(part[:, :axes], dtype=np.int16),
            )
            for part, exercise, person in zip(parts, arrays["exercise"], arrays["person"], strict=True)
        ]
    except (ValueError, KeyError, IndexError, OSError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{ARCHIVE} must be what tools/convert_motions.py writes", value=error, remedy="install the package again"
        ) from error
