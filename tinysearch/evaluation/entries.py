"""One remembered branch on disk: a record with digests, the frozen network, embeddings; read only where it is whole.

The record is the last file of an entry and names the others by their digests, and itself by one, so that a flipped bit
is found. Embeddings may be missing (``keep_embeddings=false``); they can be computed from the network again.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import TinysearchError
from tinysearch.core.program import Array, FrozenNetwork, lower
from tinysearch.files import write_atomically

SCHEMA = 2
"""Of records; 1 had no digests."""

RECORD, NETWORK, EMBEDDINGS = "record.json", "network.npz", "embeddings.npz"
_SEPARATOR = "|"


class BrokenEntryError(TinysearchError):
    """A remembered branch, or rates, that cannot be believed; says why, as the end of a sentence."""


def write_entry(
    folder: Path, branch: BranchSpec, frozen: FrozenNetwork, embeddings: Mapping[str, Array], record: Mapping[str, Any]
) -> None:
    """Fill an empty folder with an entry, its record last.

    Raises:
        OSError: the disk is full.
    """
    files = {NETWORK: _network_bytes(frozen), EMBEDDINGS: _npz(dict(embeddings))}
    for name, content in files.items():
        write_atomically(folder / name, content, private=True)
    _write_record(folder, branch, record, files)


def check_entry(folder: Path, branch: BranchSpec) -> None:
    """Believe an entry or not; one of before there were digests is read in full, and gets them.

    Raises:
        BrokenEntryError: it is damaged, or of another version.
        OSError: it cannot be read.
    """
    record = read_record(folder)
    if record.get("branch", branch.key) != branch.key:
        raise BrokenEntryError(f"of another branch, {record['branch']}")
    if "files" in record:
        _check_digests(folder, record)
    else:
        _adopt(folder, branch, record)


def read_record(folder: Path) -> dict[str, Any]:
    """The record of an entry.

    Raises:
        BrokenEntryError: it is damaged, or of a newer version.
        OSError: it cannot be read.
    """
    try:
        record = json.loads((folder / RECORD).read_bytes())
    except ValueError as error:
        raise BrokenEntryError("damaged (record.json is not JSON)") from error
    if not isinstance(record, dict):
        raise BrokenEntryError("damaged (record.json holds no record)")
    schema = record.get("schema", 1)
    if not isinstance(schema, int) or schema > SCHEMA:
        raise BrokenEntryError(f"of a newer version (schema {schema})")
    if "files" in record and record.get("digest") != _digest_of(record):
        raise BrokenEntryError("damaged (record.json does not have its digest)")
    seconds = record.get("train_s")
    if not isinstance(seconds, int | float) or not math.isfinite(seconds):
        raise BrokenEntryError("of an older version (no training time)")
    return record


def read_embeddings(folder: Path) -> dict[str, Array]:
    """Embeddings of an entry by split: [N, E].

    Raises:
        FileNotFoundError: they were not kept.
        BrokenEntryError: they are damaged.
    """
    try:
        with np.load(folder / EMBEDDINGS, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise BrokenEntryError(f"damaged ({EMBEDDINGS}: {error})") from error


def read_network(folder: Path, branch: BranchSpec) -> FrozenNetwork:
    """The frozen network of an entry; its branch is needed to lower it again."""
    parameters: dict[str, dict[str, Array]] = {}
    with np.load(folder / NETWORK, allow_pickle=False) as archive:
        meta = json.loads(archive["meta"].tobytes())
        for name in archive.files:
            step, _, key = name.partition(_SEPARATOR)
            if key:
                parameters.setdefault(step, {})[key] = archive[name]
    return FrozenNetwork(
        program=lower(branch.network(), branch.precision),
        parameters=parameters,
        scales={name: float(value) for name, value in meta["scales"].items()},
        zero_points={name: int(value) for name, value in meta["zero_points"].items()},
        trained=bool(meta["trained"]),
        seed=int(meta["seed"]),
    )


def digest_of_text(text: str) -> str:
    """What stands beside a document so that a flipped bit in it is found."""
    return hashlib.sha256(text.encode()).hexdigest()


def _check_digests(folder: Path, record: Mapping[str, Any]) -> None:
    for name, digest in record["files"].items():
        try:
            content = (folder / name).read_bytes()
        except FileNotFoundError:
            if name == EMBEDDINGS:
                continue
            raise BrokenEntryError(f"damaged ({name} is missing)") from None
        if hashlib.sha256(content).hexdigest() != digest:
            raise BrokenEntryError(f"damaged ({name} does not have its digest)")


def _adopt(folder: Path, branch: BranchSpec, record: Mapping[str, Any]) -> None:
    try:
        frozen = read_network(folder, branch)
        embeddings = read_embeddings(folder)
    except Exception as error:  # of any kind: zip, header, missing name, another program
        raise BrokenEntryError(f"damaged, or of an older version ({type(error).__name__}: {error})") from error
    if not frozen.parameters or not embeddings or not all(is_finite(rows) for rows in embeddings.values()):
        raise BrokenEntryError("damaged, or of an older version (no network, or embeddings that are no numbers)")
    files = {name: (folder / name).read_bytes() for name in (NETWORK, EMBEDDINGS)}
    with contextlib.suppress(OSError):  # where nothing can be written it is read in full each time
        _write_record(folder, branch, record, files)


def is_finite(rows: Array) -> bool:
    """Whether embeddings are a table of numbers: [N, E], at least one of each."""
    return rows.ndim == 2 and bool(rows.size) and bool(np.isfinite(rows).all())


def _write_record(folder: Path, branch: BranchSpec, record: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    whole = dict(record) | {"schema": SCHEMA, "branch": branch.key, "files": digests}
    whole["digest"] = _digest_of(whole)
    write_atomically(folder / RECORD, json.dumps(whole, indent=1).encode(), private=True)


def _digest_of(record: Mapping[str, Any]) -> str:
    return digest_of_text(json.dumps({k: v for k, v in record.items() if k != "digest"}, sort_keys=True))


def _network_bytes(frozen: FrozenNetwork) -> bytes:
    arrays: dict[str, Any] = {
        f"{step}{_SEPARATOR}{key}": value for step, values in frozen.parameters.items() for key, value in values.items()
    }
    meta = {
        "scales": dict(frozen.scales),
        "zero_points": dict(frozen.zero_points),
        "trained": frozen.trained,
        "seed": frozen.seed,
    }
    return _npz(arrays | {"meta": np.frombuffer(json.dumps(meta).encode(), np.uint8)})


def _npz(arrays: dict[str, Any]) -> bytes:
    if any(np.asarray(array).dtype.hasobject for array in arrays.values()):
        raise TypeError("arrays of an entry must hold numbers, or nobody could read them without pickle")
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()
