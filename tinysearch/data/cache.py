"""Prepared samples on disk: one folder of .npy files, safe between processes, memory-mapped when read."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCache:
    """Arrays and their record, by a key that determines them.

    A key's record is written last, so whoever sees it sees complete arrays. Two processes that prepare the same key
    write the same bytes, and the later rename wins.

    Attributes:
        folder: made when something is first stored; None keeps nothing.
    """

    folder: Path | None

    def load(self, key: str) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]] | None:
        """Memory-mapped arrays by name and the record, or None where the key is not there or not readable."""
        if self.folder is None:
            return None
        stem = self.folder / _digest(key)
        try:
            record = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
            arrays = {
                name: np.load(stem.with_suffix(f".{name}.npy"), mmap_mode="r", allow_pickle=False)
                for name in record["arrays"]
            }
        except (OSError, ValueError, KeyError):
            return None
        if record.get("key") != key or any(
            list(arrays[name].shape) != shape for name, shape in record["arrays"].items()
        ):
            return None
        return arrays, record["notes"]

    def store(self, key: str, arrays: dict[str, npt.NDArray[Any]], *, notes: dict[str, Any]) -> None:
        """Write arrays and a JSON-able record; a full disk or a read-only folder raises OSError."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        stem = self.folder / _digest(key)
        for name, array in arrays.items():
            _write(stem.with_suffix(f".{name}.npy"), array)
        record = {"key": key, "arrays": {name: list(array.shape) for name, array in arrays.items()}, "notes": notes}
        _write(stem.with_suffix(".json"), json.dumps(record, ensure_ascii=False).encode())


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:24]


def _write(path: Path, content: bytes | npt.NDArray[Any]) -> None:
    """Atomically: temporary file, fsync, rename."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as stream:
            if isinstance(content, bytes):
                stream.write(content)
            else:
                np.save(stream, content, allow_pickle=False)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
