"""The audio front-end: its shape against a floating-point reference, its laws, its settings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysearch.core.errors import UserError
from tinysearch.data.fourier import log2_fixed, power_spectrum
from tinysearch.data.log_mel import SAMPLE_RATE_HZ, LogMel, LogMelSettings, LogMelTables, band_edges_hz, fit_clip

SMALL = LogMelSettings(size=16, clip_s=0.4)
LOG2 = LogMelTables.of(SMALL).log2


def _speechlike(count, samples, *, seed=0, level=3000.0):
    rng = np.random.default_rng(seed)
    time = np.arange(samples) / SAMPLE_RATE_HZ
    pitch = rng.uniform(90, 300, (count, 1))
    wave = sum(np.sin(2 * np.pi * k * pitch * time) / k for k in range(1, 20)) * (1.2 + np.sin(9 * time))
    return np.rint(level * (wave / 3 + 0.05 * rng.standard_normal((count, samples)))).astype(np.int16)


def _reference(clips, chosen):
    """The same definition in floating point, without any rounding before the last; triangles drawn by their formula."""
    length, rows = chosen.fft_size, chosen.rows
    starts = [i * (clips.shape[1] - length) // (rows - 1) for i in range(rows)]
    frames = np.stack([clips[:, at : at + length] for at in starts], axis=1) * 1.0
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    power = np.abs(np.fft.rfft(frames * window)) ** 2
    bins = np.arange(length // 2 + 1)
    edges = band_edges_hz(chosen) * length / SAMPLE_RATE_HZ
    rise = (bins[:, None] - edges[1:-1]) / np.maximum(edges[1:-1] - edges[:-2], 1) + 1
    fall = (edges[1:-1] - bins[:, None]) / np.maximum(edges[2:] - edges[1:-1], 1) + 1
    weights = np.maximum(0, np.minimum(rise, fall))
    weights[[0, -1]] = 0
    level = np.log2(power @ weights + length / 32)  # the power of rounding, 1/12, under the window's 3/8
    level -= level.mean(axis=(1, 2) if chosen.normalize == "clip" else 1, keepdims=True)
    return np.clip(level * chosen.steps_per_octave, -128, 127)


@pytest.mark.parametrize(
    "chosen",
    [
        LogMelSettings(size=64),
        LogMelSettings(size=40, scale="linear"),
        LogMelSettings(size=24, normalize="band", clip_s=1.0),
        LogMelSettings(size=96, clip_s=3.0, high_hz=8000.0, low_hz=20.0),
        LogMelSettings(size=64, frames=32, clip_s=0.8),
    ],
)
def test_image_is_that_of_floating_point_within_rounding(chosen):
    clips = _speechlike(4, chosen.clip_samples)
    image = LogMel(chosen)(clips)[..., 0].astype(float)
    difference = np.abs(image - _reference(clips, chosen))
    assert difference.max() < 1.5
    assert difference.mean() < 0.35
    assert image.std() > 10


def test_image_agrees_with_librosa():
    librosa = pytest.importorskip("librosa")
    chosen = LogMelSettings(size=40, clip_s=1.0, low_hz=200.0)
    clips = _speechlike(2, chosen.clip_samples)
    mine = LogMel(chosen)(clips)[..., 0].astype(float) / chosen.steps_per_octave
    filters = librosa.filters.mel(
        sr=SAMPLE_RATE_HZ, n_fft=512, n_mels=40, fmin=200.0, fmax=chosen.high_hz, htk=True, norm=None
    )
    for clip, image in zip(clips, mine, strict=True):
        starts = [i * (clip.size - 512) // 39 for i in range(40)]
        frames = np.stack([clip[at : at + 512] for at in starts], axis=1).astype(float)
        spectrum = np.abs(np.fft.rfft(frames * librosa.filters.get_window("hann", 512)[:, None], axis=0)) ** 2
        level = np.log2(filters @ spectrum + 16).T
        wide = np.diff(band_edges_hz(chosen))[:-1] > SAMPLE_RATE_HZ / 512  # narrower ones are ours alone
        theirs, ours = level[:, wide], image[:, wide]
        assert np.abs((ours - ours.mean()) - (theirs - theirs.mean())).max() < 0.2


@given(st.integers(0, 2**32 - 1), st.floats(0.02, 0.6))
@settings(max_examples=15, deadline=None)
def test_level_of_the_recording_does_not_matter(seed, gain):
    clip = _speechlike(1, SMALL.clip_samples, seed=seed, level=20000.0)
    quiet = np.rint(clip * gain).astype(np.int16)
    front_end = LogMel(SMALL)
    difference = front_end(clip).astype(int) - front_end(quiet).astype(int)
    assert np.abs(difference).mean() < 1.0


def test_silence_is_gray_and_a_constant_is_silence():
    front_end = LogMel(SMALL)
    assert not front_end(np.zeros((1, SMALL.clip_samples), np.int16)).any()
    constant = front_end(np.full((1, SMALL.clip_samples), 20000, np.int16))
    assert np.abs(constant[:, :, 4:]).max() <= np.abs(constant[:, :, :4]).max()


@pytest.mark.parametrize("scale", ["mel", "linear"])
def test_a_tone_lights_its_band(scale):
    chosen = LogMelSettings(size=32, clip_s=0.5, scale=scale)
    centers = band_edges_hz(chosen)[1:-1]
    time = np.arange(chosen.clip_samples) / SAMPLE_RATE_HZ
    for band in (3, 15, 28):
        tone = (8000 * np.sin(2 * np.pi * centers[band] * time)).astype(np.int16)
        image = LogMel(chosen)(tone[None])[0, :, :, 0]
        assert np.all(np.abs(image.argmax(axis=1) - band) <= 1)


def test_time_runs_down():
    chosen = LogMelSettings(size=16, clip_s=0.4)
    clip = np.zeros((1, chosen.clip_samples), np.int16)
    clip[0, -1000:] = np.random.default_rng(0).integers(-9000, 9000, 1000)
    image = LogMel(chosen, channels=3)(clip)[0]
    assert image[-1].mean() > 60 > image[:10].max()
    assert np.array_equal(image[..., 0], image[..., 1])
    assert np.array_equal(image[..., 0], image[..., 2])


def test_the_largest_sums_fit_32_bits():
    """What the C code holds in int32 stays below 2^31 for the loudest clips there are."""
    for size, clip_s in ((64, 1.6), (48, 1.6), (8, 0.8)):
        chosen = LogMelSettings(size=size, clip_s=clip_s)
        tables = LogMelTables.of(chosen)
        length = chosen.fft_size
        loudest = np.stack([np.full(length, -32768), np.where(np.arange(length) % 2, -32768, 32767)]).astype(np.int16)
        window = np.concatenate([tables.window, tables.window[-2:0:-1]]).astype(np.int64)
        shift = length.bit_length() - 2
        assert (np.abs(loudest[0].astype(np.int64)) * window >> shift).sum() <= 2**30
        power = power_spectrum(loudest, tables)
        assert power.min() >= 0
        assert int(power.max()) < 2**49


@given(st.integers(256, 2**62))
@settings(max_examples=300)
def test_logarithm_is_within_its_table(value):
    fixed = int(log2_fixed(np.array([value]), LOG2)[0])
    assert abs(fixed / 1024 - np.log2(value)) < 0.004


def test_logarithm_is_exact_about_powers_of_two():
    values = np.array([2**k + d for k in range(9, 62) for d in (-1, 0)])
    expected = np.array([k - 1 + (d == 0) for k in range(9, 62) for d in (-1, 0)])
    assert np.array_equal(log2_fixed(values, LOG2) >> 10, expected)


@pytest.mark.parametrize(
    "changes",
    [
        {"size": 4},
        {"size": 300},
        {"clip_s": 0.01},
        {"clip_s": 30.0},
        {"low_hz": 0.0},
        {"high_hz": 9000.0},
        {"steps_per_octave": 0},
        {"scale": "bark"},
        {"normalize": "none"},
        {"size": 8, "clip_s": 3.0},
        {"frames": 7},
        {"frames": 257},
        {"frames": 8, "clip_s": 3.0},
    ],
)
def test_settings_out_of_range_are_refused(changes):
    with pytest.raises(UserError):
        LogMelSettings(**{"size": 32} | changes)


@given(st.integers(1, 40), st.integers(1, 40))
def test_a_clip_has_its_length(have, want):
    wave = np.arange(have, dtype=np.int16)
    clip = fit_clip(wave, want)
    assert clip.size == want
    if have >= want:
        assert np.array_equal(clip, wave[(have - want) // 2 :][:want])
    else:
        assert np.array_equal(clip, np.arange(want) % have)


def test_frames_never_leave_a_gap():
    for size in (8, 16, 33, 64, 224):
        for clip_s in (0.3, 0.8, 1.0, 1.6, 3.0):
            try:
                chosen = LogMelSettings(size=size, clip_s=clip_s)
            except UserError:
                assert clip_s * SAMPLE_RATE_HZ > 2048 * size or clip_s * SAMPLE_RATE_HZ < 512
                continue
            starts = np.arange(size) * (chosen.clip_samples - chosen.fft_size) // (size - 1)
            assert np.diff(starts).max() <= chosen.fft_size
            assert starts[-1] + chosen.fft_size == chosen.clip_samples


def test_a_shorter_clip_has_the_frames_of_the_middle_of_the_whole():
    """Where frames start at the same samples, the images differ by the mean of what is left out alone."""
    whole, middle = LogMelSettings(size=49, clip_s=0.8), LogMelSettings(size=49, frames=25, clip_s=0.416)
    hop = 256
    assert (whole.clip_samples - whole.fft_size, middle.clip_samples - middle.fft_size) == (48 * hop, 24 * hop)
    clips = _speechlike(3, whole.clip_samples)
    first = (whole.clip_samples - middle.clip_samples) // 2
    short = LogMel(middle)(np.ascontiguousarray(clips[:, first : first + middle.clip_samples])).astype(int)
    apart = short - LogMel(whole)(clips)[:, 12:37]
    assert short.shape == (3, 25, 49, 1)
    assert np.all(np.ptp(apart, axis=(1, 2)) <= 1)


def test_batches_do_not_matter():
    clips = _speechlike(5, SMALL.clip_samples)
    front_end = LogMel(SMALL)
    assert np.array_equal(front_end(clips), np.concatenate([front_end(clip[None]) for clip in clips]))
