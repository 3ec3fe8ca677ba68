"""Who a person is: everything that stays the same in every picture of one identity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from faces.makehuman import HeadModel

_NOISE_SIDE = 40
_NOISE_WIDTHS = (6.0, 4.0, 2.5, 1.5, 1.0)
# Linear light, red green blue.
_FAIR, _DARK = np.array([0.80, 0.54, 0.42]), np.array([0.075, 0.034, 0.018])
_BLACK, _BROWN, _BLOND, _GREY = (
    np.array(c) for c in ([0.012, 0.009, 0.008], [0.09, 0.045, 0.022], [0.42, 0.28, 0.12], [0.42, 0.41, 0.40])
)
_IRISES = np.array([[0.05, 0.025, 0.012], [0.10, 0.05, 0.02], [0.10, 0.17, 0.26], [0.10, 0.15, 0.07]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Hair:
    """Hair of the scalp.

    Attributes:
        color: linear RGB.
        bald: no hair at all.
        hairline, temple, sideburn: upward shifts of the hair's edge at the front, the temples, before the ears (dm).
        thickness: how far it stands off the scalp; crown: more of it on top.
        part: x of the parting, where hair lies flat.
        curl: 0 straight, 1 curly strands.
        long_to: lowest y of long hair, or None for short hair.
        opening_rad: angle from straight ahead at which long hair begins; flare: how much it widens below.
    """

    color: np.ndarray
    bald: bool
    hairline: float
    temple: float
    sideburn: float
    thickness: float
    crown: float
    part: float
    curl: float
    long_to: float | None
    opening_rad: float
    flare: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Brow:
    """Eyebrows: half height, darkness 0 .. 1, slope outward, arch, and linear RGB."""

    thickness: float
    darkness: float
    slope: float
    arch: float
    color: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One person.

    Attributes:
        shape: float32 [v, 3], the neutral face.
        skin, lips, iris: linear RGB.
        blush: redness of the cheeks; beard: darkness of the beard, 0 for none; mustache likewise.
        mottle: float [40, 40], log of the skin's unevenness over the face.
        strands: float [256], brightness of strands of hair around the head.
    """

    shape: np.ndarray
    skin: np.ndarray
    lips: np.ndarray
    iris: np.ndarray
    hair: Hair
    brow: Brow
    blush: float
    beard: float
    mustache: float
    mottle: np.ndarray
    strands: np.ndarray


def draw_identity(head: HeadModel, *, rng: np.random.Generator) -> Identity:
    """Return a person drawn at random: ancestry, sex, age and weight first, then details that lean on them."""
    ancestry = rng.dirichlet([0.6, 0.6, 0.6])
    male = float(rng.beta(0.4, 0.4))
    old = float(rng.beta(0.9, 1.4))
    shape = _shape(head, ancestry=ancestry, male=male, old=old, rng=rng)
    melanin = float(np.clip(0.05 + 0.70 * ancestry[0] + 0.16 * ancestry[1] + rng.normal(0, 0.09), 0.0, 1.0))
    skin = _FAIR ** (1 - melanin) * _DARK**melanin * np.exp(rng.normal(0, 0.06, 3))
    color = _hair_color(fair=ancestry[2], old=old, rng=rng)
    manly = male > 0.6
    bearded = manly and rng.random() < 0.35
    return Identity(
        shape=shape,
        skin=skin,
        lips=skin * np.array([0.88, 0.60, 0.62]) * np.exp(rng.normal(0, 0.12, 3)),
        iris=_IRISES[rng.integers(0, 4 if ancestry[2] > 0.5 else 2)],
        hair=_hair(color, male=male, old=old, rng=rng),
        brow=Brow(
            thickness=rng.uniform(0.025, 0.06),
            darkness=rng.uniform(0.3, 0.9),
            slope=rng.normal(0, 0.06),
            arch=rng.uniform(0.0, 0.12),
            color=color * 0.6,
        ),
        blush=rng.uniform(0.0, 0.2),
        beard=rng.uniform(0.35, 0.9) if bearded else (rng.uniform(0, 0.22) if manly else 0.0),
        mustache=rng.uniform(0.3, 0.9) if manly and rng.random() < (0.8 if bearded else 0.12) else 0.0,
        mottle=_mottle(rng=rng),
        strands=gaussian_filter(rng.normal(0, 1, 256), 0.8, mode="wrap"),
    )


def _shape(head: HeadModel, *, ancestry: np.ndarray, male: float, old: float, rng: np.random.Generator) -> np.ndarray:
    sex, age = np.array([male, 1 - male]), np.array([1 - old, old])
    heavy = rng.beta(2, 2)
    weight = np.array([max(0.0, 1 - 2 * heavy), 1 - abs(2 * heavy - 1), max(0.0, 2 * heavy - 1)])
    detail = np.clip(rng.normal(0, 0.36, len(head.details)), -0.85, 0.85)
    signed = np.stack([np.maximum(detail, 0), np.maximum(-detail, 0)], axis=1)
    overall = rng.dirichlet(np.full(len(head.head_shapes), 0.4)) * rng.uniform(0, 0.7)
    uneven = np.clip(rng.normal(0, 0.2, len(head.asymmetry)), 0, 0.6)
    return (
        head.rest
        + np.einsum("a,s,g,asgvx->vx", ancestry, sex, age, head.ancestry)
        + np.einsum("s,g,w,sgwvx->vx", sex, age, weight, head.weight)
        + np.tensordot(signed, head.details, 2)
        + np.tensordot(overall, head.head_shapes, 1)
        + np.tensordot(uneven, head.asymmetry, 1)
    ).astype(np.float32)


def _hair_color(*, fair: float, old: float, rng: np.random.Generator) -> np.ndarray:
    mix = rng.random()
    light = _BLOND if fair >= 0.5 and rng.random() < 0.45 else _BROWN
    color = _BLACK ** (1 - mix) * light**mix * np.exp(rng.normal(0, 0.1, 3))
    grey = old**2 * rng.random()
    return color * (1 - grey) + _GREY * grey


def _hair(color: np.ndarray, *, male: float, old: float, rng: np.random.Generator) -> Hair:
    manly = male > 0.6
    is_long = bool(rng.random() < (0.15 if manly else 0.75))
    receding = 0.45 * old * rng.random() if manly else 0.0
    return Hair(
        color=color,
        bald=bool(manly and rng.random() < 0.12),
        hairline=rng.normal(0, 0.10) + receding - (0.22 if rng.random() < 0.25 else 0.0),
        temple=rng.normal(0, 0.08) + 0.5 * receding,
        sideburn=rng.normal(0, 0.15),
        thickness=rng.uniform(0.03, 0.16),
        crown=rng.uniform(0.0, 0.22),
        part=rng.normal(0, 0.3),
        curl=rng.random(),
        long_to=rng.uniform(5.2, 6.9) if is_long else None,
        opening_rad=np.deg2rad(rng.uniform(68, 92)),
        flare=rng.uniform(-0.05, 0.35),
    )


def _mottle(*, rng: np.random.Generator) -> np.ndarray:
    layers = np.zeros((_NOISE_SIDE, _NOISE_SIDE))
    for width, depth in zip(_NOISE_WIDTHS, rng.uniform(0.01, 0.05, len(_NOISE_WIDTHS)), strict=True):
        layer = gaussian_filter(rng.normal(0, 1, layers.shape), width)
        layers += depth * layer / layer.std()
    return layers
