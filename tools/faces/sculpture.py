"""A person's head as a mesh ready to pose: hair raised from the scalp, long hair as a curtain, corners in shade."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from faces.identity import Identity
from faces.makehuman import CURTAIN, HeadModel
from faces.paint import scalp_weight, strand

_ROWS, _COLUMNS = 14, 48
_TOP_Y, _FULL_Y = 8.0, 7.3  # the curtain leaves the scalp between these heights
_SHADE = 7.0  # darkness per decimetre of hollow


@dataclass(frozen=True, slots=True, kw_only=True)
class Sculpture:
    """One person's neutral head and hair; n vertices, the head model's v first.

    Attributes:
        rest: float [n, 3], places on the neutral base head, which choose colors.
        shape: float [n, 3], the person's vertices.
        triangles: int [t, 3]; uv: [t, 3, 2]; material: [t].
        openness: [n], share of the sky that a vertex sees, roughly; 1 in the open.
    """

    rest: np.ndarray
    shape: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    material: np.ndarray
    openness: np.ndarray


def sculpt(head: HeadModel, identity: Identity) -> Sculpture:
    """Return the person's head with hair."""
    normals = vertex_normals(identity.shape, head.triangles)
    openness = np.exp(-_SHADE * _hollow(identity.shape, head.triangles, normals))
    shape = identity.shape + normals * _hair_height(head, identity)[:, None]
    rest, triangles, uv, material = head.rest, head.triangles, head.uv, head.material
    if identity.hair.long_to is not None and not identity.hair.bald:
        points, faces = _curtain(head, identity)
        triangles = np.concatenate([triangles, faces + len(shape)])
        rest, shape = np.concatenate([rest, points]), np.concatenate([shape, points])
        uv = np.concatenate([uv, np.zeros((len(faces), 3, 2), uv.dtype)])
        material = np.concatenate([material, np.full(len(faces), CURTAIN)])
        openness = np.concatenate([openness, np.ones(len(points))])
    return Sculpture(rest=rest, shape=shape, triangles=triangles, uv=uv, material=material, openness=openness)


def vertex_normals(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return unit normals [n, 3], averaged over the triangles of each vertex by area."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    total = np.zeros_like(points)
    for axis in range(3):
        for corner in range(3):
            total[:, axis] += np.bincount(triangles[:, corner], weights=face[:, axis], minlength=len(points))
    return total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-9)


def _hair_height(head: HeadModel, identity: Identity) -> np.ndarray:
    hair = identity.hair
    x, y, _ = head.rest.T
    is_ear = (np.abs(x) > 0.72) & (y < 7.5)
    crown = 1 / (1 + np.exp(-(y - 8.1) * 8))
    part = 1 - 0.5 * np.exp(-(((x - hair.part) / 0.08) ** 2)) * crown
    height = (hair.thickness + hair.crown * crown) * part + 0.02 * hair.curl * strand(head.rest, identity)
    return scalp_weight(head.rest, identity) * height * ~is_ear


def _curtain(head: HeadModel, identity: Identity) -> tuple[np.ndarray, np.ndarray]:
    """Return vertices and triangles of long hair: an open tube round the back of the head, wider below."""
    hair = identity.hair
    band = identity.shape[(head.rest[:, 1] > 7.6) & (head.rest[:, 1] < 8.1)]
    half_width = np.abs(band[:, 0]).max() + 0.10 + hair.thickness
    back, front = band[:, 2].min(), band[:, 2].max()
    middle_z, half_depth = (back + front) / 2 - 0.1, (front - back) / 2 + 0.05
    bottom = hair.long_to if hair.long_to is not None else _TOP_Y
    y, angle = np.meshgrid(
        np.linspace(_TOP_Y, bottom, _ROWS),
        np.linspace(hair.opening_rad, 2 * np.pi - hair.opening_rad, _COLUMNS),
        indexing="ij",
    )
    out = np.clip((_TOP_Y - y) / (_TOP_Y - _FULL_Y), 0, 1) * 0.22 + 0.78 + hair.flare * np.maximum(_FULL_Y - y, 0) / 2.2
    wave = identity.strands[(angle * 20).astype(int) % len(identity.strands)] * 0.03 * (1 + hair.curl * np.sin(8 * y))
    x = (half_width * out + wave) * np.sin(angle)
    z = middle_z + (half_depth * out + wave) * np.cos(angle)
    y = y + 0.06 * wave / 0.03 * (y < bottom + 0.3)
    corner = (np.arange(_ROWS - 1)[:, None] * _COLUMNS + np.arange(_COLUMNS - 1)).ravel()
    first = np.stack([corner, corner + 1, corner + _COLUMNS], axis=1)
    second = np.stack([corner + 1, corner + _COLUMNS + 1, corner + _COLUMNS], axis=1)
    return np.stack([x, y, z], axis=-1).reshape(-1, 3), np.concatenate([first, second])


def _hollow(points: np.ndarray, triangles: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Return how far each vertex lies below its smoothed neighborhood, in decimetres: a cheap measure of shade."""
    count = len(points)
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    links = sparse.coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count)).tocsr()
    links = ((links + links.T) > 0).astype(float)
    links = sparse.diags(1 / np.maximum(np.asarray(links.sum(1)).ravel(), 1)) @ links
    smooth = points.astype(float)
    for _ in range(12):
        smooth = links @ smooth
    return np.clip(((smooth - points) * normals).sum(1), 0, 0.15)
