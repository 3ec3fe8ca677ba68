"""Write an embedded data set as one stored ZIP file whose bytes depend on its content alone.

Layout: `dataset.json` first, then `<split>/<identity>/<nn>.<suffix>` in sorted order. Members are stored, not
deflated (JPEG and Opus do not shrink further), and carry a fixed time, so that the same samples give the same bytes.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinysearch.files import replacing

SPLITS = ("train", "validation", "test")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a ZIP member can carry
_REGULAR_FILE = 0o100644 << 16
_UNIX = 3


def member_name(*, split: str, identity: str, index: int, suffix: str) -> str:
    """Return the member name of one sample, as in `train/f000/03.jpg`."""
    if split not in SPLITS:
        raise ValueError(f"a split is one of {', '.join(SPLITS)}; got {split!r}; correct the caller")
    return f"{split}/{identity}/{index:02d}.{suffix}"


def write_archive(path: Path, *, description: Mapping[str, Any], samples: Mapping[str, bytes]) -> None:
    """Write `description` as dataset.json and every sample to `path`, atomically.

    Args:
        path: the archive to make or replace.
        description: what dataset.json says; must be JSON.
        samples: encoded file content by member name.

    Raises:
        ValueError: there is no sample.
    """
    if not samples:
        raise ValueError("an archive holds at least one sample; got none; raise the number of identities or samples")
    text = json.dumps(description, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    with replacing(path) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_member("dataset.json"), text)
        for name in sorted(samples):
            archive.writestr(_member(name), samples[name])


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, date_time=_EPOCH)
    info.compress_type = zipfile.ZIP_STORED
    info.create_system = _UNIX
    info.external_attr = _REGULAR_FILE
    return info
