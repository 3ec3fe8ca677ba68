"""Files of a training: a stage that several processes share, and checkpoints that survive an interruption."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import torch

from tinysearch.files import replacing


def save_atomically(content: dict[str, Any], path: Path) -> None:
    """Write tensors and plain values so that a reader sees the old file or the new one, never a part."""
    with replacing(path) as file:
        _save(content, file)


def _save(content: dict[str, Any], file: BinaryIO) -> None:
    try:
        torch.save(content, file)
    except RuntimeError as error:
        # PyTorch's writer covers up what its file said, for example that the disk is full.
        if isinstance(error.__context__, OSError):
            raise error.__context__ from error
        raise


def load_if_whole(path: Path) -> dict[str, Any] | None:
    """The content of a file of :func:`save_atomically`; None where it is missing or unreadable."""
    if not path.exists():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # a broken file of any kind means: compute again
        return None
    return content if isinstance(content, dict) else None
