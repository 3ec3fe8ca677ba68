"""What changes from picture to picture and says nothing about the person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Whole expressions as sums of one-sided units; the renderer's names, without Left and Right.
_EXPRESSIONS = (
    (),
    ("mouthSmile", "cheekSquint"),
    ("mouthSmile", "mouthDimple"),
    ("mouthFrown", "browDown"),
    ("browInnerUp", "browOuterUp", "eyeWide"),
    ("eyeBlink",),
    ("jawOpen",),
    ("mouthPucker",),
    ("eyeSquint", "noseSneer"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nuisance:
    """Pose, expression, camera, light, background and the sensor of one picture.

    Attributes:
        pitch_rad, yaw_rad, roll_rad: turn of the head.
        expression: weight of each expression unit, [e].
        gaze: shift of both irises, in eye radii, [2].
        distance: camera to face, in decimetres; zoom and shift ([2], in half pictures) are the crop's error.
        light: unit vector [3] to the light; diffuse, ambient: their strengths; tint: its color, linear RGB.
        shine: strength of highlights.
        background_top, background_bottom: linear RGB; clutter: coarse texture [8, 8].
        blur: standard deviation in pixels of a 64-pixel picture; exposure, gamma, noise: the sensor's.
    """

    pitch_rad: float
    yaw_rad: float
    roll_rad: float
    expression: np.ndarray
    gaze: np.ndarray
    distance: float
    zoom: float
    shift: np.ndarray
    light: np.ndarray
    diffuse: float
    ambient: float
    tint: np.ndarray
    shine: float
    background_top: np.ndarray
    background_bottom: np.ndarray
    clutter: np.ndarray
    blur: float
    exposure: float
    gamma: float
    noise: float


def draw_nuisance(names: tuple[str, ...], *, rng: np.random.Generator, hardness: float = 0.75) -> Nuisance:
    """Return the circumstances of one picture.

    Args:
        names: the expression units' names, in the order of the head model.
        rng: the source of randomness.
        hardness: scale of pose, expression, crop error and light; 1 is a snapshot, 0 a passport picture.
    """
    elevation, azimuth = rng.uniform(-0.2, 0.9), rng.normal(0, 0.8) * hardness
    base = rng.uniform(0.0, 0.35)
    return Nuisance(
        pitch_rad=rng.normal(0, 0.15) * hardness,
        yaw_rad=rng.normal(0, 0.34) * hardness,
        roll_rad=rng.normal(0, 0.08) * hardness,
        expression=_expression(names, hardness=hardness, rng=rng),
        gaze=rng.normal(0, 0.12, 2),
        distance=rng.uniform(7, 14),
        zoom=rng.uniform(0.95, 1.2),
        shift=rng.normal(0, 0.045, 2) * hardness,
        light=np.array([np.cos(elevation) * np.sin(azimuth), np.sin(elevation), np.cos(elevation) * np.cos(azimuth)]),
        diffuse=rng.uniform(0.5, 1.1),
        ambient=rng.uniform(0.2, 0.6),
        tint=np.exp(rng.normal(0, 0.07, 3)),
        shine=rng.uniform(0.01, 0.10),
        background_top=base + rng.uniform(0.01, 0.45, 3),
        background_bottom=base + rng.uniform(0.01, 0.45, 3),
        clutter=rng.normal(0, 1, (8, 8)),
        blur=rng.uniform(0, 0.8),
        exposure=rng.uniform(0.75, 1.3),
        gamma=2.2 / rng.uniform(0.85, 1.15),
        noise=rng.uniform(0.005, 0.03),
    )


def _expression(names: tuple[str, ...], *, hardness: float, rng: np.random.Generator) -> np.ndarray:
    """One whole expression, and four units at random on top."""
    weights = np.zeros(len(names))
    strength = rng.uniform(0.2, 1.2) * hardness
    for unit in _EXPRESSIONS[int(rng.integers(len(_EXPRESSIONS)))]:
        for j, name in enumerate(names):
            if name.removesuffix("Left").removesuffix("Right") == unit:
                weights[j] = strength
    for j in rng.choice(len(names), 4, replace=False):
        weights[j] += rng.uniform(0, 0.5) * hardness
    return np.minimum(weights, 0.9)
