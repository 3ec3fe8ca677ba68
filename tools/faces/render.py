"""From a person and the circumstances to a picture: pose, rasterize, light, camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

from faces.identity import Identity
from faces.makehuman import HeadModel
from faces.nuisance import Nuisance
from faces.paint import Surface, albedo
from faces.sculpture import Sculpture, vertex_normals

_SUPERSAMPLING = 2
_HALF_FRAME = 1.08  # decimetres from the face's middle to the picture's edge
_WRAP = 0.2  # light reaches a little past the terminator, as under skin
_SHININESS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """What each covered pixel shows: pixel number, triangle, and the point's place in it (barycentric [h, 3])."""

    pixel: np.ndarray
    triangle: np.ndarray
    place: np.ndarray


def render(
    head: HeadModel,
    identity: Identity,
    sculpture: Sculpture,
    nuisance: Nuisance,
    *,
    size: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return a picture, uint8 [size, size, 3] (sRGB-like). `rng` gives the sensor's noise only."""
    side = size * _SUPERSAMPLING
    shape = sculpture.shape.copy()
    shape[: len(head.rest)] += np.tensordot(nuisance.expression, head.expressions, 1)
    turn = rotation(pitch_rad=nuisance.pitch_rad, yaw_rad=nuisance.yaw_rad, roll_rad=nuisance.roll_rad)
    posed = _pose(head, shape, turn)
    normals = vertex_normals(shape, sculpture.triangles) @ turn.T
    hits = rasterize(_project(posed, nuisance, side=side), posed[:, 2], sculpture.triangles, side=side)
    canvas = _background(nuisance, side=side)
    canvas.reshape(-1, 3)[hits.pixel] = _shade(head, identity, sculpture, nuisance, normals=normals, hits=hits)
    picture = canvas.reshape(size, _SUPERSAMPLING, size, _SUPERSAMPLING, 3).mean((1, 3))
    return _expose(picture, nuisance, rng=rng)


def rotation(*, pitch_rad: float, yaw_rad: float, roll_rad: float) -> np.ndarray:
    """Return the matrix [3, 3] that turns by yaw about y, then pitch about x, then roll about z."""
    (cx, cy, cz), (sx, sy, sz) = np.cos([pitch_rad, yaw_rad, roll_rad]), np.sin([pitch_rad, yaw_rad, roll_rad])
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    roll = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return roll @ pitch @ yaw


def rasterize(screen: np.ndarray, depth: np.ndarray, triangles: np.ndarray, *, side: int) -> Hits:
    """Return the nearest triangle under the center of each pixel that any covers.

    Args:
        screen: [n, 2] vertex places in pixels, x right, y down.
        depth: [n], larger is nearer.
        triangles: int [t, 3].
        side: the picture is side x side pixels.
    """
    corners = screen[triangles]
    low = np.floor(corners.min(1)).astype(int)
    high = np.ceil(corners.max(1)).astype(int)
    seen = (high > 0).all(1) & (low < side).all(1)
    extent = (high - low).max(1)
    found = []
    smaller = 0
    for box in (2, 4, 8, 16, 32, side):  # triangles of like extent are tested together, on boxes of one size
        chosen = np.flatnonzero(seen & (extent > smaller) & (extent <= box))
        smaller = box
        if len(chosen):
            found.append(_cover(corners[chosen], low[chosen], chosen, box=box, side=side))
    triangle, pixel, place = (np.concatenate(column) for column in zip(*found, strict=True))
    near = (depth[triangles[triangle]] * place).sum(1)
    order = np.argsort(near, kind="stable")
    winner = np.full(side * side, -1)
    winner[pixel[order]] = order
    covered = np.flatnonzero(winner >= 0)
    return Hits(pixel=covered, triangle=triangle[winner[covered]], place=place[winner[covered]])


def _cover(
    corners: np.ndarray, low: np.ndarray, numbers: np.ndarray, *, box: int, side: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return triangle number, pixel number and barycentric place of every pixel center inside each triangle."""
    dx, dy = (g.ravel() for g in np.meshgrid(np.arange(box + 1), np.arange(box + 1)))
    px, py = low[:, :1] + dx, low[:, 1:] + dy
    a, b, c = (corners[:, i, :, None] for i in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    area = np.where(np.abs(area) < 1e-9, 1e-9, area)
    qx, qy = px + 0.5 - a[:, 0], py + 0.5 - a[:, 1]
    second = (qx * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * qy) / area
    third = ((b[:, 0] - a[:, 0]) * qy - qx * (b[:, 1] - a[:, 1])) / area
    inside = (second >= 0) & (third >= 0) & (second + third <= 1) & (px >= 0) & (py >= 0) & (px < side) & (py < side)
    i, j = np.nonzero(inside)
    place = np.stack([1 - second[i, j] - third[i, j], second[i, j], third[i, j]], axis=1)
    return numbers[i], py[i, j] * side + px[i, j], place


def _pose(head: HeadModel, shape: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Turn about a point inside the skull and put the middle of the face at the origin's height."""
    face = np.mean([shape[side].mean(0) for side in head.eyes], axis=0) - np.array([0, 0.18, 0])
    lever = np.array([0, 0.1, 0.9])
    return (shape - (face - lever)) @ turn.T + lever


def _project(posed: np.ndarray, nuisance: Nuisance, *, side: int) -> np.ndarray:
    scale = nuisance.distance / (nuisance.distance - posed[:, 2]) / (_HALF_FRAME * nuisance.zoom)
    place = posed[:, :2] * scale[:, None] + nuisance.shift
    return (np.array([0.5, 0.5]) + place * np.array([0.5, -0.5])) * side


def _shade(
    head: HeadModel, identity: Identity, sculpture: Sculpture, nuisance: Nuisance, *, normals: np.ndarray, hits: Hits
) -> np.ndarray:
    """Return linear RGB of each hit: hemisphere and one soft light, highlights, corners in shade."""
    corners = sculpture.triangles[hits.triangle]
    place = hits.place[:, :, None]
    normal = (normals[corners] * place).sum(1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
    normal *= np.where(normal[:, 2:] < 0, -1, 1)
    surface = Surface(
        points=(sculpture.rest[corners] * place).sum(1),
        uv=(sculpture.uv[hits.triangle] * place).sum(1),
        material=sculpture.material[hits.triangle],
    )
    color = albedo(head, identity, surface, gaze=nuisance.gaze)
    openness = (sculpture.openness[corners] * hits.place).sum(1)
    direct = nuisance.diffuse * np.clip((normal @ nuisance.light + _WRAP) / (1 + _WRAP), 0, 1)
    sky = nuisance.ambient * (0.75 + 0.25 * normal[:, 1])
    halfway = nuisance.light + np.array([0, 0, 1])
    shine = nuisance.shine * np.clip(normal @ (halfway / np.linalg.norm(halfway)), 0, 1) ** _SHININESS
    lit = color * (sky * openness + direct * np.sqrt(openness))[:, None] + (shine * openness)[:, None]
    return lit * nuisance.tint


def _background(nuisance: Nuisance, *, side: int) -> np.ndarray:
    down = np.linspace(0, 1, side)[:, None, None]
    canvas = nuisance.background_top * (1 - down) + nuisance.background_bottom * down
    clutter = zoom(nuisance.clutter, side / len(nuisance.clutter), order=3, mode="nearest")
    return np.clip(canvas * np.exp(0.3 * clutter)[:, :, None], 0.01, 1.0)


def _expose(picture: np.ndarray, nuisance: Nuisance, *, rng: np.random.Generator) -> np.ndarray:
    blur = nuisance.blur * len(picture) / 64
    soft = gaussian_filter(picture, (blur, blur, 0))
    developed = np.clip(soft * nuisance.exposure, 0, 1) ** (1 / nuisance.gamma)
    noisy = developed + rng.normal(0, nuisance.noise, developed.shape)
    return (np.clip(noisy, 0, 1) * 255).round().astype(np.uint8)
