"""Prepared samples on disk: .npy files and a record by key, safe between processes, memory-mapped when read.

They are faces and voices of people, so the files are for their owner alone.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from tinysearch.files import replacing, write_atomically

_LOGGER = logging.getLogger(__name__)

_digests: dict[tuple[str, int, int], str] = {}
"""By path, time and size of a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCache:
    """Arrays and their record, by a key that determines them.

    A key's record is written last, so whoever sees it sees complete arrays. Two processes that prepare the same key
    write the same bytes, and the later rename wins.

    Attributes:
        folder: made when something is first stored.
    """

    folder: Path

    def load(self, key: str) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]] | None:
        """Memory-mapped arrays by name and the notes, or None where the key is not there or not readable."""
        stem = self._stem(key)
        try:
            record = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
            arrays = {
                name: np.load(stem.with_suffix(f".{name}.npy"), mmap_mode="r", allow_pickle=False)
                for name in record["arrays"]
            }
            fits = record["key"] == key and all(list(arrays[n].shape) == s for n, s in record["arrays"].items())
            digests, notes = record["digests"], record["notes"]
            damaged = [name for name in arrays if self._digest(stem, name) != digests[name]]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            _LOGGER.warning("prepared samples %s cannot be read, and are made again: %s", stem.name, error)
            return None
        if damaged:
            _LOGGER.warning("prepared samples %s are damaged, and are made again: %s", stem.name, ", ".join(damaged))
        return (arrays, notes) if fits and not damaged else None

    def store_rows(self, key: str, name: str, blocks: Iterator[npt.NDArray[np.int8]], *, row: tuple[int, ...]) -> int:
        """Write blocks [B, *row] below each other as one array, without holding them in memory; returns the rows.

        Raises:
            OSError: a full disk or a folder that cannot be written.
        """
        with replacing(self._stem(key).with_suffix(f".{name}.npy"), private=True) as stream:
            rows = 0
            start = _write_header(stream, rows, row)
            for block in blocks:
                stream.write(np.ascontiguousarray(block).tobytes())
                rows += len(block)
            stream.seek(0)
            if _write_header(stream, rows, row) != start:
                raise OSError(f"an array of {rows} rows does not fit its header")
        return rows

    def store(self, key: str, arrays: dict[str, npt.NDArray[Any]], *, rows: dict[str, list[int]], notes: Any) -> None:
        """Write the other arrays and the record; ``rows`` are shapes of what :meth:`store_rows` wrote.

        Raises:
            OSError: a full disk or a folder that cannot be written.
        """
        stem = self._stem(key)
        for name, array in arrays.items():
            with replacing(stem.with_suffix(f".{name}.npy"), private=True) as stream:
                np.save(stream, array, allow_pickle=False)
        shapes = {name: list(array.shape) for name, array in arrays.items()} | rows
        digests = {name: self._digest(stem, name, fresh=True) for name in shapes}
        record = {"key": key, "arrays": shapes, "digests": digests, "notes": notes}
        write_atomically(stem.with_suffix(".json"), json.dumps(record).encode(), private=True)

    def _digest(self, stem: Path, name: str, *, fresh: bool = False) -> str:
        """Of a file's bytes, computed once a process as long as the file stays what it is."""
        path = stem.with_suffix(f".{name}.npy")
        found = path.stat()
        stamp = (str(path), found.st_mtime_ns, found.st_size)
        if fresh or stamp not in _digests:
            with path.open("rb") as file:
                _digests[stamp] = hashlib.file_digest(file, "sha256").hexdigest()
        return _digests[stamp]

    def _stem(self, key: str) -> Path:
        return self.folder / hashlib.sha256(key.encode()).hexdigest()[:24]


def _write_header(stream: BinaryIO, rows: int, row: tuple[int, ...]) -> int:
    """Header of an int8 array [rows, *row], and where it ends; NumPy pads it for any number of rows."""
    header = {"descr": "|i1", "fortran_order": False, "shape": (rows, *row)}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.tell()
