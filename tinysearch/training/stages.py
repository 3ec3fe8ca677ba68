"""Files of a training: a stage that several processes share, and checkpoints that survive an interruption."""

from __future__ import annotations

import hashlib
import io
import logging
from pathlib import Path
from typing import Any

import torch

from tinysearch.files import replacing

logger = logging.getLogger(__name__)

_DIGEST = hashlib.sha256().digest_size


def save_atomically(content: dict[str, Any], path: Path) -> None:
    """Write tensors and plain values behind their digest; a reader sees the old file or the new one, never a part."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    payload = buffer.getbuffer()
    with replacing(path, private=True) as file:
        file.write(hashlib.sha256(payload).digest())
        file.write(payload)


def load_if_whole(path: Path) -> dict[str, Any] | None:
    """The content of a file of :func:`save_atomically`; None where it is missing or unreadable."""
    if not path.exists():
        return None
    try:
        raw = path.read_bytes()
        if hashlib.sha256(raw[_DIGEST:]).digest() != raw[:_DIGEST]:
            logger.warning("%s is damaged or of an older version, and is trained again", path)
            return None
        content = torch.load(io.BytesIO(raw[_DIGEST:]), map_location="cpu", weights_only=True)
    except Exception:  # a broken file of any kind means: compute again
        return None
    return content if isinstance(content, dict) else None
