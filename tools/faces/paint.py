"""What color a point of the head has: skin, lips, brows, beard, eyes and hair, from its place on the neutral head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faces.identity import Hair, Identity
from faces.makehuman import CURTAIN, EYE, HeadModel

_MOUTH_INSIDE = np.array([0.10, 0.02, 0.02])
_SCLERA = np.array([0.62, 0.60, 0.58])
_HAIR_CENTER_Z = 0.3
# The hair's lower edge on the neutral head, from back to front.
_EDGE_Z = (-0.6, 0.2, 0.55, 1.0, 1.5)
_EDGE_Y = (6.1, 6.7, 7.25, 7.75, 7.97)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """Points to be colored: [n, 3] on the neutral head, texture coordinates [n, 2], and SKIN, EYE or CURTAIN [n]."""

    points: np.ndarray
    uv: np.ndarray
    material: np.ndarray


def scalp_weight(points: np.ndarray, identity: Identity) -> np.ndarray:
    """Return how much hair there is, 0 .. 1, at points [..., 3] of the neutral head."""
    hair = identity.hair
    if hair.bald:
        return np.zeros(points.shape[:-1], points.dtype)
    shifts = (
        np.array([0.0, hair.sideburn, hair.sideburn, hair.temple, 0.0]) + np.array([0, 0, 0, 0.5, 1.0]) * hair.hairline
    )
    edge = np.interp(points[..., 2], _EDGE_Z, np.array(_EDGE_Y) + shifts)
    edge = edge + 0.03 * strand(points, identity)
    return 1 / (1 + np.exp(np.clip((edge - points[..., 1]) * 22, -50, 50)))


def strand(points: np.ndarray, identity: Identity) -> np.ndarray:
    """Return the noise, of about unit deviation, of strands that run down from the crown, wavy where the hair curls."""
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    angle = np.arctan2(x, z - _HAIR_CENTER_Z) + identity.hair.curl * 0.12 * np.sin(9 * y + 3 * x)
    count = len(identity.strands)
    return identity.strands[(angle * (count / (2 * np.pi)) * (1 + 0.2 * (y > 8))).astype(int) % count]


def albedo(head: HeadModel, identity: Identity, surface: Surface, *, gaze: np.ndarray) -> np.ndarray:
    """Return linear RGB [n, 3] of `surface` on the face of `identity`; `gaze` [2] shifts the irises, in eye radii."""
    points, material = surface.points, surface.material
    masks = {name: _look_up(mask, surface.uv) for name, mask in head.masks.items()}
    color = _skin(identity, points)
    color = _mix(color, _MOUTH_INSIDE, masks["inside-mouth"])
    color = _mix(color, identity.lips, masks["lips"])
    color = color * (1 - 0.25 * masks["eyelids"])[:, None]
    color = _mix(color, identity.brow.color, _brow(head, identity, points))
    color = _mix(color, identity.hair.color, _beard(identity, points) * (1 - masks["lips"]))
    strands = identity.hair.color * np.exp(0.28 * strand(points, identity))[:, None]
    color = _mix(color, strands, scalp_weight(points, identity) * (1 - masks["ears"]))
    color = np.where((material == EYE)[:, None], _eye(head, identity, points, gaze), color)
    return np.where((material == CURTAIN)[:, None], strands * _depth(points, identity.hair), color)


def _skin(identity: Identity, points: np.ndarray) -> np.ndarray:
    x, y, z = points.T
    side = len(identity.mottle) - 1
    column = np.clip((x + 1.0) / 2 * side, 0, side).astype(int)
    row = np.clip((y - 5.8) / 2.6 * side, 0, side).astype(int)
    color = identity.skin * np.exp(identity.mottle[row, column])[:, None]
    cheeks = np.exp(-((np.abs(x) - 0.42) ** 2 + (y - 6.75) ** 2) / 0.06) + 0.7 * np.exp(
        -(x**2 + (y - 6.95) ** 2) / 0.02
    )
    return color * (1 - identity.blush * (cheeks * (z > 0.6))[:, None] * np.array([0, 1, 0.9]))


def _brow(head: HeadModel, identity: Identity, points: np.ndarray) -> np.ndarray:
    brow = identity.brow
    x, y, z = points.T
    across = (np.abs(x) - abs(head.eye_centers[0, 0]) - 0.04) / 0.25
    middle = head.eye_centers[0, 1] + 0.26 + brow.slope * across - brow.arch * across**2
    shape = np.exp(-(((y - middle) / brow.thickness) ** 2) - across**4)
    return shape * (z > 0.75) * brow.darkness * np.clip(1.1 - 0.3 * across, 0, 1)


def _beard(identity: Identity, points: np.ndarray) -> np.ndarray:
    x, y, z = points.T
    jaw = (z > 0.35) / (1 + np.exp((y - 6.62 + 0.1 * np.cos(4 * x) - 0.7 * np.maximum(np.abs(x) - 0.3, 0)) * 14))
    jaw = jaw / (1 + np.exp(-(y - 5.95) * 12))
    lip = np.exp(-(((y - 6.76) / 0.06) ** 2) - (x / 0.28) ** 4) * (z > 0.9)
    return np.maximum(identity.beard * jaw, identity.mustache * lip)


def _eye(head: HeadModel, identity: Identity, points: np.ndarray, gaze: np.ndarray) -> np.ndarray:
    center = np.where(points[:, :1] > 0, head.eye_centers[0, :2], head.eye_centers[1, :2]) + gaze * head.eye_radius
    distance = np.hypot(*(points[:, :2] - center).T)[:, None] / head.eye_radius
    pupil, iris = 0.22, 0.5
    return np.where(distance < pupil, 0.008, np.where(distance < iris, identity.iris, _SCLERA))


def _depth(points: np.ndarray, hair: Hair) -> np.ndarray:
    """Long hair is darker behind the neck, and a little lighter the more it spreads."""
    behind = 1 / (1 + np.exp(-(points[:, 2] - 0.1) * 6))
    return (0.35 + 0.65 * behind)[:, None] * (1 + 0.1 * hair.flare)


def _look_up(mask: np.ndarray, uv: np.ndarray) -> np.ndarray:
    height, width = mask.shape
    column = np.clip(uv[:, 0] * (width - 1), 0, width - 1).astype(int)
    row = np.clip((1 - uv[:, 1]) * (height - 1), 0, height - 1).astype(int)
    return mask[row, column]


def _mix(under: np.ndarray, over: np.ndarray, share: np.ndarray) -> np.ndarray:
    return under * (1 - share[:, None]) + over * share[:, None]
