"""The front-end in torch gives the bytes of the one in NumPy, which gives those of the C code."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysearch.core.errors import UserError
from tinysearch.data.log_mel import LogMel, LogMelSettings
from tinysearch.training.log_mel import TorchLogMel

CHOICES = [
    LogMelSettings(size=16, clip_s=0.3),
    LogMelSettings(size=24, clip_s=0.5, normalize="band", steps_per_octave=20),
    LogMelSettings(size=20, clip_s=0.4, scale="linear"),
    LogMelSettings(size=32, clip_s=1.6),
    LogMelSettings(size=32, frames=16, clip_s=0.5),
]


@pytest.mark.parametrize(
    "chosen", CHOICES, ids=lambda chosen: f"{chosen.rows}-{chosen.size}-{chosen.scale}-{chosen.normalize}"
)
def test_bytes_are_equal(chosen: LogMelSettings) -> None:
    rng = np.random.default_rng(chosen.size)
    wide = rng.integers(-32768, 32768, (3, chosen.clip_samples)).astype(np.int16)
    quiet = rng.integers(-3, 4, (2, chosen.clip_samples)).astype(np.int16)
    time = np.arange(chosen.clip_samples) / 16_000
    tones = [np.rint(32767 * np.sin(2 * np.pi * hz * time)).astype(np.int16) for hz in (60, 440, 5000)]
    clips = np.concatenate([wide, quiet, np.stack(tones), np.zeros((1, chosen.clip_samples), np.int16)])
    expected = LogMel(chosen, channels=3)(clips)
    assert np.array_equal(TorchLogMel(chosen, channels=3)(torch.from_numpy(clips)).numpy(), expected)
    assert expected.std() > 5


@given(st.integers(0, 2**32 - 1), st.floats(0, 15))
@settings(max_examples=20, deadline=None)
def test_bytes_are_equal_at_every_level(seed: int, loudness: float) -> None:
    chosen = CHOICES[0]
    noise = np.random.default_rng(seed).normal(0, 2**loudness, (2, chosen.clip_samples))
    clips = np.clip(np.rint(noise), -32768, 32767).astype(np.int16)
    assert np.array_equal(TorchLogMel(chosen)(torch.from_numpy(clips)).numpy(), LogMel(chosen)(clips))


def test_other_clips_are_refused() -> None:
    front_end = TorchLogMel(CHOICES[0])
    with pytest.raises(ValueError, match="clips must be int16"):
        front_end(torch.zeros(1, CHOICES[0].clip_samples))
    with pytest.raises(UserError, match="1 to 8 channels"):
        TorchLogMel(CHOICES[0], channels=9)
