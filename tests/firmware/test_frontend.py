"""The C front-ends give the bytes of the Python ones, on the host under sanitizers and on RV32IMC."""

import ctypes
import math
from typing import get_args

import numpy as np
import pytest
from ckernels import Case, have_emulator, library, run_host, run_rv32

from tinysearch.data.image import PixelFormat, frame_to_rgb, prepare_image, scratch_bytes
from tinysearch.data.log_mel import LogMel, LogMelSettings
from tinysearch.data.window import Window, WindowSettings
from tinysearch.firmware.packing import PackedStep

PIXEL_FORMATS = get_args(PixelFormat)


def _log_mel_case(front_end, clips):
    settings = front_end.settings
    packed = PackedStep(
        function="ts_log_mel",
        layer_type="ts_log_mel_layer",
        header="frontend/ts_log_mel.h",
        fields=front_end.tables.fields(channels=front_end.channels),
        arrays=front_end.tables.arrays(),
    )
    return Case(packed=packed, inputs=(clips,), output_bytes=settings.rows * settings.size * front_end.channels)


def _image_case(frames, *, pixel_format, width, height, size, channels):
    packed = PackedStep(
        function="ts_image",
        layer_type="ts_image_layer",
        header="frontend/ts_image.h",
        fields={
            "width": width,
            "height": height,
            "format": PIXEL_FORMATS.index(pixel_format),
            "size": size,
            "channels": channels,
        },
        arrays={},
    )
    return Case(packed=packed, inputs=(frames,), output_bytes=size * size * channels)


def _clips(count, samples, seed=0):
    """Silence, extremes, tones, sweeps, impulses, noise of every level, speech-like bursts."""
    rng = np.random.default_rng(seed)
    time = np.arange(samples) / 16_000
    waves = [
        np.zeros(samples),
        np.full(samples, -32768.0),
        np.full(samples, 32767.0),
        np.where(np.arange(samples) % 2, 32767.0, -32768.0),
        np.where(np.sin(2 * np.pi * 437 * time) >= 0, 32767.0, -32768.0),
        np.where(np.sin(2 * np.pi * 31.25 * time) >= 0, 32767.0, -32768.0),
        np.eye(1, samples, samples // 2)[0] * 32767,
        32767 * np.sin(2 * np.pi * (60 + 2400 * time) * time),
        rng.choice([-32768.0, 32767.0], samples),
        rng.choice([-1.0, 0.0, 1.0], samples),
    ]
    while len(waves) < count:
        level = 10 ** rng.uniform(0, 4.5)
        burst = 1 + np.sin(2 * np.pi * rng.uniform(1, 8) * time)
        tone = np.sin(2 * np.pi * rng.uniform(80, 400) * time + rng.uniform(0, 3) * np.sin(20 * time))
        waves.append(level * burst * (tone**3 + rng.uniform(0, 1) * rng.standard_normal(samples)))
    return np.clip(np.rint(np.stack(waves[:count])), -32768, 32767).astype(np.int16)


SETTINGS = [
    (LogMelSettings(size=64), 1, 100),
    (LogMelSettings(size=48, scale="linear"), 3, 20),
    (LogMelSettings(size=33, normalize="band", steps_per_octave=20), 1, 20),
    (LogMelSettings(size=8, clip_s=0.8, high_hz=8000.0), 2, 20),
    (LogMelSettings(size=224, clip_s=3.0, scale="linear"), 3, 4),
    (LogMelSettings(size=64, frames=32, clip_s=0.8), 1, 50),
    (LogMelSettings(size=40, frames=9, clip_s=0.3, normalize="band"), 2, 20),
    (LogMelSettings(size=16, frames=50, clip_s=1.0), 1, 20),
]


def test_log_mel_on_the_host_equals_python_byte_for_byte():
    front_ends = [LogMel(settings, channels=channels) for settings, channels, _ in SETTINGS]
    batches = [_clips(count, settings.clip_samples) for settings, _, count in SETTINGS]
    assert {front_end.settings.fft_size for front_end in front_ends} == {512, 1024, 2048}
    outcomes = run_host([_log_mel_case(front_end, clips) for front_end, clips in zip(front_ends, batches, strict=True)])
    for front_end, clips, outcome in zip(front_ends, batches, outcomes, strict=True):
        expected = front_end(clips)
        assert np.array_equal(outcome.output.view(np.int8).reshape(expected.shape), expected), front_end.settings
        assert outcome.scratch_bytes == front_end.tables.scratch_bytes
        assert len(np.unique(expected)) > 50


def _frames(pixel_format, width, height, count, seed=0):
    size = {"rgb888": 3, "rgb565": 2, "gray": 1, "yuv422": 2}[pixel_format] * width * height
    frames = np.random.default_rng(seed).integers(0, 256, (count, size), dtype=np.uint8)
    frames[0], frames[1] = 0, 255
    return frames


SHAPES = [(20, 20, 20), (33, 20, 8), (20, 33, 7), (64, 48, 32), (46, 57, 46), (10, 12, 31), (16, 5, 1), (2, 3, 64)]


def test_images_on_the_host_equal_python_byte_for_byte():
    expected, cases = [], []
    for pixel_format in PIXEL_FORMATS:
        for width, height, size in SHAPES:
            if pixel_format == "yuv422" and width % 2:
                continue
            for channels in (1, 3):
                frames = _frames(pixel_format, width, height, 4)
                shape = {"pixel_format": pixel_format, "width": width, "height": height}
                cases.append(_image_case(frames, **shape, size=size, channels=channels))
                pictures = [frame_to_rgb(frame, **shape) for frame in frames]
                expected.append(
                    np.stack([prepare_image(picture, input_size=size, channels=channels) for picture in pictures])
                )
    for case, images, outcome in zip(cases, expected, run_host(cases), strict=True):
        assert np.array_equal(outcome.output.view(np.int8).reshape(images.shape), images), case.packed.fields
        assert outcome.scratch_bytes == scratch_bytes(case.packed.fields["size"])


WINDOWS = [
    WindowSettings(size=10, samples=100, range_counts=(8192, 8191, 8192, 8192, 32768, 1)),
    WindowSettings(size=16, samples=100, range_counts=(8192, 500, 3), center=True),
    WindowSettings(size=12, samples=144, range_counts=(8192, 64, 1), center=True, scale="window"),
    WindowSettings(size=4, samples=4, range_counts=(30000,), scale="window"),
    WindowSettings(size=300, samples=900, range_counts=(8192, 64, 1), content="series", center=True),
    WindowSettings(size=20, samples=100, range_counts=(30000,), content="series", scale="window"),
    WindowSettings(size=16, samples=256, range_counts=(8192, 20), content="spectrum"),
    WindowSettings(size=8, samples=16, range_counts=(32768,), content="spectrum", center=True, scale="window"),
    WindowSettings(size=33, samples=8192, range_counts=(4096,), content="spectrum", center=True, steps_per_octave=12),
]


def _window_case(front_end, windows):
    packed = PackedStep(
        function="ts_window",
        layer_type="ts_window_layer",
        header="frontend/ts_window.h",
        fields=front_end.tables.fields(),
        arrays=front_end.tables.arrays(),
    )
    return Case(packed=packed, inputs=(windows,), output_bytes=math.prod(front_end(windows[:1]).shape))


def _windows(settings, count, seed=0):
    """Extremes, constants, and noise of every level around every mean."""
    rng = np.random.default_rng(seed)
    shape = (count, settings.samples, settings.axes)
    level, mean = 10 ** rng.uniform(0, 4.5, (count, 1, settings.axes)), rng.normal(0, 6000, (count, 1, settings.axes))
    values = mean + level * rng.standard_normal(shape)
    values[0], values[1], values[2] = -32768, 32767, 0
    values[3] = rng.choice([-32768.0, 32767.0], shape[1:])
    values[4] = np.where(np.arange(settings.samples) % 2, 32767.0, -32768.0)[:, None]
    return np.clip(np.rint(values), -32768, 32767).astype(np.int16)


def test_windows_on_the_host_equal_python_byte_for_byte():
    front_ends = [Window(settings) for settings in WINDOWS]
    batches = [_windows(settings, 12) for settings in WINDOWS]
    outcomes = run_host([_window_case(front_end, batch) for front_end, batch in zip(front_ends, batches, strict=True)])
    for front_end, batch, outcome in zip(front_ends, batches, outcomes, strict=True):
        expected = front_end(batch)
        assert np.array_equal(outcome.output.view(np.int8).reshape(expected.shape), expected), front_end.settings
        assert outcome.scratch_bytes == front_end.tables.scratch_bytes
        assert len(np.unique(expected)) > 15


@pytest.mark.emulator
@pytest.mark.skipif(not have_emulator(), reason="needs the RISC-V toolchain and QEMU")
def test_front_ends_on_rv32_equal_python():
    front_end = LogMel(LogMelSettings(size=64))
    clips = _clips(10, front_end.settings.clip_samples, seed=1)
    frames = _frames("rgb565", 96, 96, 3)
    shape = {"pixel_format": "rgb565", "width": 96, "height": 96}
    voice, face = run_rv32([_log_mel_case(front_end, clips), _image_case(frames, **shape, size=64, channels=3)])
    pictures = [prepare_image(frame_to_rgb(frame, **shape), input_size=64, channels=3) for frame in frames]
    assert np.array_equal(voice.output.view(np.int8).reshape(-1, 64, 64, 1), front_end(clips))
    assert np.array_equal(face.output.view(np.int8).reshape(-1, 64, 64, 3), np.stack(pictures))


class _ImageLayer(ctypes.Structure):
    _fields_ = (
        ("width", ctypes.c_uint16),
        ("height", ctypes.c_uint16),
        ("format", ctypes.c_uint),
        ("size", ctypes.c_uint16),
        ("frames", ctypes.c_uint16),
        ("channels", ctypes.c_uint8),
    )


@pytest.mark.parametrize(
    ("layer", "valid"),
    [
        ((96, 96, 0, 64, 3), 1),
        ((4096, 65535, 2, 4096, 1), 1),
        ((0, 96, 0, 64, 3), 0),
        ((4097, 5000, 0, 64, 3), 0),
        ((96, 96, 4, 64, 3), 0),
        ((96, 96, 0, 0, 3), 0),
        ((96, 96, 0, 64, 2), 0),
        ((95, 96, 3, 64, 3), 0),
        ((96, 95, 3, 64, 3), 1),
    ],
)
def test_image_layers_outside_the_contract_are_told(layer, valid):
    checked = library(["frontend/ts_image.h"]).ts_image_valid
    assert checked(ctypes.byref(_ImageLayer(*layer))) == valid


def test_frames_taken_one_by_one_give_the_clip():
    """What the streaming application does equals the whole clip: frames start where Python says."""
    front_end = LogMel(LogMelSettings(size=17, frames=11, clip_s=0.3))
    settings, tables = front_end.settings, front_end.tables
    layer = _log_mel_layer(front_end)
    runtime = library(["frontend/ts_log_mel.h"])
    (clip,) = _clips(11, settings.clip_samples)[10:]
    levels = np.zeros((settings.rows, settings.size), np.uint16)
    spectrum = np.zeros(settings.fft_size // 2, np.uint64)
    for frame in range(settings.rows):
        start = runtime.ts_log_mel_frame_start(ctypes.byref(layer), frame)
        assert start == frame * (settings.clip_samples - settings.fft_size) // (settings.rows - 1)
        window = clip[start : start + settings.fft_size].copy()
        row = ctypes.c_void_p(levels.ctypes.data + frame * levels.strides[0])
        runtime.ts_log_mel_frame(ctypes.byref(layer), _pointer(window), _pointer(spectrum), row)
    image = np.zeros((settings.rows, settings.size, 1), np.int8)
    runtime.ts_log_mel_finish(ctypes.byref(layer), _pointer(levels), _pointer(image))
    assert np.array_equal(image, front_end(clip[None])[0])
    assert tables.scratch_bytes == spectrum.nbytes + levels.nbytes


class _LogMelLayer(ctypes.Structure):
    _fields_ = (
        *(
            (name, ctypes.c_void_p)
            for name in ("window", "cosine", "sine", "first_bin", "bin_count", "weights", "log2")
        ),
        ("clip_samples", ctypes.c_uint32),
        ("size", ctypes.c_uint16),
        ("frames", ctypes.c_uint16),
        ("channels", ctypes.c_uint8),
        ("log2_fft", ctypes.c_uint8),
        ("steps_per_octave", ctypes.c_uint8),
        ("normalize_bands", ctypes.c_uint8),
    )


def _log_mel_layer(front_end):
    pointers = {name: array.ctypes.data for name, array in front_end.tables.arrays().items()}
    return _LogMelLayer(**pointers, **front_end.tables.fields(channels=front_end.channels))


def _pointer(array):
    return ctypes.c_void_p(array.ctypes.data)
