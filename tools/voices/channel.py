"""How it reaches the microphone: room, microphone, noise, gain, and the encoded clip."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import numpy as np
import soundfile
from scipy import signal

SAMPLE_RATE_HZ = 16_000
CLIP_SAMPLES = 25_600  # 1.6 s
_PEAK = 0.85
_OPUS_EFFORT = 0.96  # libsndfile's scale, 0 .. 1, to about 20 kbit/s
_OGG_POLYNOMIAL = 0x04C11DB7


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What changes from clip to clip and says nothing about the speaker.

    Attributes:
        reverberation_s: time for the room's response to fall by 60 dB.
        direct_db: direct sound over reverberation.
        low_hz, high_hz: the microphone's pass band.
        tilt_db: gain at 8 kHz relative to 0 Hz of a gentle slope.
        snr_db: speech over noise.
        noise_slope: noise power falls as 1 / f to this power; 0 is white, 1 pink, 2 brown.
        noise_swing: depth of the noise's slow rise and fall, 0 .. 1.
        level_db: speech RMS relative to full scale.
    """

    reverberation_s: float
    direct_db: float
    low_hz: float
    high_hz: float
    tilt_db: float
    snr_db: float
    noise_slope: float
    noise_swing: float
    level_db: float


def draw_channel(*, rng: np.random.Generator) -> Channel:
    """Return a channel of everyday spread: near or far, good or poor microphone, quiet room or street."""
    return Channel(
        reverberation_s=rng.uniform(0.08, 0.5),
        direct_db=rng.uniform(0.0, 15.0),
        low_hz=rng.uniform(40.0, 250.0),
        high_hz=rng.uniform(3400.0, 7600.0),
        tilt_db=rng.uniform(-6.0, 6.0),
        snr_db=rng.uniform(5.0, 25.0),
        noise_slope=rng.uniform(0.0, 1.8),
        noise_swing=rng.uniform(0.0, 0.8),
        level_db=rng.uniform(-32.0, -16.0),
    )


def cut(wave: np.ndarray, *, rate_hz: int, count: int) -> list[np.ndarray]:
    """Return `count` clips of CLIP_SAMPLES at 16 kHz, spread evenly over `wave`; a short wave gets silence after it."""
    wave = signal.resample_poly(wave.astype(np.float64), SAMPLE_RATE_HZ, rate_hz)
    wave = np.pad(wave, (0, max(0, CLIP_SAMPLES - len(wave))))
    starts = np.linspace(0, len(wave) - CLIP_SAMPLES, count).astype(int)
    return [wave[start : start + CLIP_SAMPLES] for start in starts]


def transmit(wave: np.ndarray, channel: Channel, *, rng: np.random.Generator) -> np.ndarray:
    """Return clean speech as heard through `channel`: float64, same length, no clipping; `wave` is left alone."""
    heard = signal.fftconvolve(wave, _room(channel, rng=rng))[: len(wave)]
    heard /= _rms(heard)
    noise = _noise(len(wave), channel, rng=rng) * 10 ** (-channel.snr_db / 20)
    heard = _microphone(heard + noise, channel)
    heard *= 10 ** (channel.level_db / 20) / _rms(heard)
    return heard * min(1.0, _PEAK / np.abs(heard).max())


def background(count: int, channel: Channel, *, rng: np.random.Generator) -> np.ndarray:
    """Return `count` samples of `channel` while nobody speaks: its noise, as loud as it would be beside speech."""
    heard = _microphone(_noise(count, channel, rng=rng), channel)
    heard *= 10 ** ((channel.level_db - channel.snr_db) / 20) / _rms(heard)
    return heard * min(1.0, _PEAK / np.abs(heard).max())


def encode(wave: np.ndarray, *, serial: int, effort: float = _OPUS_EFFORT) -> bytes:
    """Return `wave` (16 kHz, float) as Ogg Opus whose bytes depend on the wave, `serial` and `effort` alone."""
    buffer = io.BytesIO()
    soundfile.write(buffer, wave, SAMPLE_RATE_HZ, format="OGG", subtype="OPUS", compression_level=effort)
    return with_serial(buffer.getvalue(), serial)


def with_serial(ogg: bytes, serial: int) -> bytes:
    """Return an Ogg stream with its serial number, which libsndfile draws at random, replaced, and checksums remade."""
    pages, at = [], 0
    while at < len(ogg):
        lacing = ogg[at + 27 : at + 27 + ogg[at + 26]]
        end = at + 27 + len(lacing) + sum(lacing)
        page = bytearray(ogg[at:end])
        page[14:18] = struct.pack("<I", serial)
        page[22:26] = bytes(4)
        page[22:26] = struct.pack("<I", _ogg_checksum(page))
        pages.append(bytes(page))
        at = end
    return b"".join(pages)


def _room(channel: Channel, *, rng: np.random.Generator) -> np.ndarray:
    """A direct impulse, then noise that falls exponentially and starts after a few milliseconds."""
    length = int(channel.reverberation_s * SAMPLE_RATE_HZ)
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    tail = rng.standard_normal(length) * 10 ** (-3 * time_s / channel.reverberation_s)
    tail[: int(rng.uniform(0.001, 0.006) * SAMPLE_RATE_HZ)] = 0
    tail *= 10 ** (-channel.direct_db / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return tail


def _noise(length: int, channel: Channel, *, rng: np.random.Generator) -> np.ndarray:
    """Noise of unit RMS with the channel's spectral slope and slow swing."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    frequency_hz = np.maximum(np.fft.rfftfreq(length, 1 / SAMPLE_RATE_HZ), 40.0)
    wave = np.fft.irfft(spectrum * frequency_hz ** (-channel.noise_slope / 2), length)
    turns = rng.uniform(0.5, 3.0) * np.arange(length) / SAMPLE_RATE_HZ + rng.random()
    wave *= 1 + channel.noise_swing * np.sin(2 * np.pi * turns)
    return wave / _rms(wave)


def _microphone(wave: np.ndarray, channel: Channel) -> np.ndarray:
    band = signal.butter(2, (channel.low_hz, channel.high_hz), "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
    spectrum = np.fft.rfft(signal.sosfilt(band, wave))
    slope_db = np.linspace(0.0, channel.tilt_db, len(spectrum))
    return np.fft.irfft(spectrum * 10 ** (slope_db / 20), len(wave))


def _rms(wave: np.ndarray) -> float:
    return float(np.sqrt(np.mean(wave**2))) + 1e-9


def _checksum_table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1) ^ (_OGG_POLYNOMIAL if value & 0x80000000 else 0)
        table.append(value & 0xFFFFFFFF)
    return table


_TABLE = _checksum_table()


def _ogg_checksum(page: bytearray) -> int:
    value = 0
    for byte in page:
        value = ((value << 8) & 0xFFFFFFFF) ^ _TABLE[(value >> 24) ^ byte]
    return value
