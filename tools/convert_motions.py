"""Make tinysearch/data/embedded/motions.npz out of seglearn's watch_dataset.npy, without running what its pickle says.

The file comes in the package seglearn 1.2.5 (`pip download --no-deps seglearn==1.2.5`, BSD-3-Clause, recorded by its
author): wrists of 10 people doing 7 exercises of the shoulder with either arm, accelerations in g and rates in rad/s
at 50 Hz. The pickle may name only what arrays are made of; anything else is refused before it is imported.

Values become int16 counts as a motion sensor gives them: 4096 a g (range 8 g) and 16.384 a degree per second (range
2000 degrees per second), the scales of an MPU-6050 among others. No sample leaves these ranges.
"""

from __future__ import annotations

import argparse
import codecs
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

COUNTS_PER_G = 4096
COUNTS_PER_RADIAN = 32768 / 2000 * 180 / np.pi
RATE_HZ = 50
_HEADER_VERSION = (1, 0)


class ArraysOnly(pickle.Unpickler):
    """Unpickles NumPy arrays in plain containers, nothing else."""

    ALLOWED = {  # noqa: RUF012 - a table
        ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,  # type: ignore[attr-defined]
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("_codecs", "encode"): codecs.encode,  # how protocol 2 spells bytes
    }

    def find_class(self, module: str, name: str) -> Any:
        """One of the four names that arrays need."""
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"a data set must hold arrays only; it asks for {module}.{name}")
        return self.ALLOWED[module, name]


def read(path: Path) -> dict[str, Any]:
    """The dictionary inside the file."""
    with path.open("rb") as stream:
        if npy.read_magic(stream) != _HEADER_VERSION:
            raise ValueError(f"{path} must be an .npy file of version 1.0")
        npy.read_array_header_1_0(stream)
        array = ArraysOnly(stream).load()
    content: dict[str, Any] = array.item()
    return content


def convert(content: dict[str, Any]) -> dict[str, np.ndarray]:
    """Arrays of the archive: recordings end to end, and what each of them is."""
    scale = np.array([COUNTS_PER_G] * 3 + [COUNTS_PER_RADIAN] * 3)
    recordings = [np.rint(values * scale) for values in content["X"]]
    largest = max(np.abs(values).max() for values in recordings)
    if largest > np.iinfo(np.int16).max:
        raise ValueError(f"every sample must lie within the ranges of the sensor; got {largest} counts")
    return {
        "counts": np.concatenate(recordings).astype(np.int16),
        "lengths": np.array([len(values) for values in recordings], np.int32),
        "exercise": np.asarray(content["y"], np.uint8),
        "person": np.asarray(content["subject"], np.uint8),
        "right": np.asarray(content["side"], np.uint8),
        "exercises": np.array([str(name) for name in content["y_labels"]]),
        "axes": np.array([str(name) for name in content["X_labels"]]),
        "rate_hz": np.array(RATE_HZ, np.int32),
    }


def main() -> None:
    """Parse the command line and write the archive."""
    parser = argparse.ArgumentParser(description="Make the embedded set of motions.")
    parser.add_argument("source", type=Path, help="watch_dataset.npy")
    parser.add_argument("output", type=Path, help="the archive to write")
    arguments = parser.parse_args()
    arrays = convert(read(arguments.source))
    np.savez_compressed(arguments.output, **arrays)  # type: ignore[arg-type]
    print(f"{arguments.output}: {len(arrays['lengths'])} recordings, {arguments.output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
