"""Small encoded pictures and recordings, and archives of the embedded form made of them."""

import io
import zipfile
from importlib import resources
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image


def encode_picture(picture, *, kind="PNG", **options):
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, kind, **options)
    return stream.getvalue()


def encode_wave(wave, *, rate_hz=16_000, kind="WAV", subtype="PCM_16"):
    stream = io.BytesIO()
    soundfile.write(stream, wave, rate_hz, format=kind, subtype=subtype)
    return stream.getvalue()


def picture_of(person, number, *, side=16):
    rng = np.random.default_rng([person, number])
    return rng.integers(0, 256, (side, side, 3), dtype=np.uint8)


def wave_of(person, number, *, seconds=0.6):
    rng = np.random.default_rng([person, number])
    time = np.arange(round(16_000 * seconds)) / 16_000
    return 0.3 * np.sin(2 * np.pi * (100 + 20 * person) * time) + 0.01 * rng.standard_normal(time.size)


def write_archives(folder, *, faces, voices, samples=3):
    """``faces.zip`` and ``voices.zip`` with so many identities by split."""
    with zipfile.ZipFile(folder / "faces.zip", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("dataset.json", "{}")
        person = 0
        for split, count in faces.items():
            for _ in range(count):
                for number in range(samples):
                    archive.writestr(
                        f"{split}/f{person:03d}/{number:02d}.jpg", encode_picture(picture_of(person, number))
                    )
                person += 1
    with zipfile.ZipFile(folder / "voices.zip", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("dataset.json", "{}")
        person = 0
        for split, count in voices.items():
            for _ in range(count):
                for number in range(samples):
                    content = encode_wave(wave_of(person, number), kind="OGG", subtype="VORBIS")
                    archive.writestr(f"{split}/v{person:02d}/{number:02d}.opus", content)
                person += 1


def write_door(folder, *, faces=(4, 3, 3), voices=(3, 2, 2)):
    """Archives of ``task=door``: few small faces and voices by split, and the real motions. Gives back the folder."""
    folder.mkdir()
    splits = ("train", "validation", "test")
    write_archives(folder, faces=dict(zip(splits, faces, strict=True)), voices=dict(zip(splits, voices, strict=True)))
    (folder / "motions.npz").symlink_to(Path(str(resources.files("tinysearch.data"))) / "embedded" / "motions.npz")
    return folder
