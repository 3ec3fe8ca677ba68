"""Samples for calibration: arrays of an ``.npz`` or ``.npy`` file, or of a folder of them, never pickled objects."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from tinysearch.core.errors import UserError
from tinysearch.networks.real.nodes import Array, RealInput
from tinysearch.reading.regular import is_regular

MOST_BYTES = 512 << 20
"""Of all samples in memory."""

MOST_SAMPLES = 1000
"""That are looked at; those behind them are not."""

LABELS = ("labels", "label", "y")
"""Names of an array that holds the true class of every sample."""

_REMEDY = "save them with numpy.savez(FILE, NAME=array) where NAME is the input's and array[i] is one sample"


def read_arrays(path: Path) -> dict[str, Array]:
    """All arrays of a file, or those of a folder's files one behind the other by name.

    Raises:
        UserError: a file that is missing, damaged, too long, or holds objects.
    """
    try:
        if path.is_dir():
            files = sorted(file for file in path.iterdir() if file.suffix in (".npy", ".npz"))
            if not files:
                raise UserError("a folder of samples must hold .npy or .npz files", value=path, remedy=_REMEDY)
            return _joined([_arrays(file) for file in files[:MOST_SAMPLES]])
        return _arrays(path)
    except (OSError, ValueError, EOFError, KeyError, MemoryError, zipfile.BadZipFile, NotImplementedError) as error:
        raise UserError(
            "calibration must be .npz or .npy files of numbers",
            value=f"{path}: {type(error).__name__}: {error}",
            remedy=_REMEDY,
        ) from None


def _arrays(path: Path) -> dict[str, Array]:
    if not is_regular(path):
        raise ValueError("no regular file")
    if path.suffix == ".npy":
        _bounded(path, path.stat().st_size)
        return {"": np.load(path, allow_pickle=False)}
    if path.suffix != ".npz":
        raise ValueError("neither .npz nor .npy")
    with zipfile.ZipFile(path) as archive:
        _bounded(path, sum(entry.file_size for entry in archive.infolist()))
    with np.load(path, allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


def _bounded(path: Path, size: int) -> None:
    if size > MOST_BYTES:
        raise UserError(
            f"samples for calibration must have at most {MOST_BYTES >> 20} MiB",
            value=f"{path}: {size >> 20} MiB",
            remedy="a hundred samples are enough",
        )


def _joined(parts: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """Single samples, or arrays of samples, as arrays of samples."""
    names = list(parts[0])
    if any(list(part) != names for part in parts):
        raise UserError("files of samples must hold arrays of the same names", value=names, remedy=_REMEDY)
    same = {name: {part[name].shape for part in parts} for name in names}
    return {
        name: np.stack([part[name] for part in parts])
        if len(same[name]) == 1 and len(parts) > 1
        else np.concatenate([part[name] for part in parts])
        for name in names
    }


def samples_of(arrays: Mapping[str, Array], inputs: Sequence[RealInput]) -> list[Array]:
    """Samples of every input, float32 [N, *sides], by name or, for a single input, the only array.

    Raises:
        UserError: an input without samples, or samples of another shape.
    """
    named = {name: array for name, array in arrays.items() if name not in LABELS}
    found = []
    for entry in inputs:
        array = next(iter(named.values())) if len(inputs) == len(named) == 1 else named.get(entry.name)
        if array is None:
            raise UserError(
                f"calibration must hold samples of the input {entry.name[:60]}",
                value=", ".join(name[:40] for name in list(named)[:8]) or "no arrays",
                remedy=_REMEDY,
            )
        found.append(_fitting(array, entry)[:MOST_SAMPLES])
    if len({len(array) for array in found}) != 1 or not len(found[0]):
        raise UserError(
            "calibration must hold as many samples of every input, at least one",
            value=[len(array) for array in found],
            remedy=_REMEDY,
        )
    return found


def _fitting(array: Array, entry: RealInput) -> Array:
    """Float samples [N, *sides]."""
    if not (np.issubdtype(array.dtype, np.number) and not np.issubdtype(array.dtype, np.complexfloating)):
        raise UserError("samples must be numbers", value=f"{entry.name[:60]}: {array.dtype}", remedy=_REMEDY)
    for shape in _readings(array, len(entry.shape)):
        pairs = zip(shape[1:], entry.shape[1:], strict=True)
        if all(wished is None or side == wished for side, wished in pairs) and min(shape, default=1) > 0:
            values = np.ascontiguousarray(array, np.float32).reshape(shape)
            if not np.isfinite(values).all():
                raise UserError(
                    "samples must be finite", value=f"{entry.name[:60]}: not a number, or infinite", remedy=_REMEDY
                )
            return values
    raise UserError(
        "samples must have the shape of the input, after the number of samples",
        value=f"{list(array.shape)} for {entry.name[:60]} {['?' if side is None else side for side in entry.shape]}",
        remedy="give them as the network takes them: channels first where it was trained so",
    )


def _readings(array: Array, rank: int) -> Iterator[tuple[int, ...]]:
    """Shapes [N, *sides] that an array may mean: samples, batches of one, or a single sample."""
    if array.ndim == rank:
        yield array.shape
    if array.ndim == rank + 1 and array.shape[1] == 1:
        yield (array.shape[0], *array.shape[2:])
    if array.ndim == rank - 1:
        yield (1, *array.shape)
