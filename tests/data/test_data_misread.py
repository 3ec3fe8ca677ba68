"""Swapped bytes and missing signs are noticed, and nothing that only sounds like them."""

import io
import zipfile
from importlib import resources

import numpy as np
import pytest
import soundfile

from tinysearch.data.broken import BrokenSampleError
from tinysearch.data.decode import decode_audio
from tinysearch.data.misread import BOTH, SWAPPED, UNSIGNED, misreading

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def voices():
    archive = zipfile.ZipFile(str(resources.files("tinysearch.data") / "embedded" / "voices.zip"))
    return [decode_audio(archive.read(name)) for name in archive.namelist()[1::96]]


def _at(wave, peak):
    return np.rint(wave / np.abs(wave.astype(float)).max() * peak).astype(np.int16)


def _told(samples):
    return misreading((samples if samples.ndim == 2 else samples[:, None]) / 32768, bits=16)


def _unsigned(samples):
    return (samples.view(np.uint16) ^ 0x8000).view(np.int16)


@pytest.mark.parametrize("peak", [100, 300, 1000, 8000, 32_767])
def test_misread_voices_are_told(voices, peak):
    for voice in voices:
        samples = _at(voice, peak)
        assert _told(samples) is None
        assert _told(samples.byteswap()) == SWAPPED
        assert _told(_unsigned(samples)) == UNSIGNED
        if peak >= 1000:
            assert _told(_unsigned(samples).byteswap()) == BOTH
    assert _told(np.stack([_at(voices[0], peak), _at(voices[1], peak)], axis=1).byteswap()) == SWAPPED


def test_a_lost_byte_swaps_all_others(voices):
    content = b"\0" + _at(voices[0], 8000).tobytes()
    assert _told(np.frombuffer(content[: len(content) // 2 * 2], np.int16)) == SWAPPED


@pytest.mark.parametrize("level", [20, 127, 128, 255, 257, 4096, 16_384, 16_640, 32_767])
def test_tones_and_noise_are_not_misread(level):
    time = np.arange(4000) / RATE_HZ
    noise = np.random.default_rng(level).normal(0, 1, 4000)
    sounds = [noise, np.sign(noise), np.cumsum(noise), np.diff(noise), np.where(noise > 3, noise, 0)]
    for hertz in (50, 333, 1000, 2000, 4000, 5000, 6000, 7000, 7999):
        tone = np.sin(2 * np.pi * hertz * time + 0.3)
        sounds += [tone, np.sign(tone), np.arcsin(tone), tone + 0.1 * noise]
    assert {_told(_at(sound, level)) for sound in sounds} == {None}


def test_recordings_of_eight_bits_in_sixteen_are_not_misread(voices):
    for voice in voices:
        for factor in (255, 256, 32_767 / 128, 32_767 / 127):
            coarse = np.rint(_at(voice, 127) * factor).clip(-32_768, 32_767).astype(np.int16)
            assert _told(coarse) is None
        assert misreading(_at(voice, 100)[:, None] / 128, bits=8) is None
        assert misreading((_at(voice, 100).astype(np.int8) ^ -128)[:, None] / 128, bits=8) == UNSIGNED


@pytest.mark.parametrize("bits", [24, 32])
def test_wide_samples_have_an_order_too(voices, bits):
    samples = np.rint(voices[0] / 32_768 * 2.0 ** (bits - 1) + np.random.default_rng(0).normal(0, 90, len(voices[0])))
    assert misreading(samples[:, None] / 2.0 ** (bits - 1), bits=bits) is None
    wide = (samples.astype("<i4") << (32 - bits)).view(np.uint8).reshape(-1, 4)[:, 4 - bits // 8 :]
    swapped = np.zeros((len(wide), 4), np.uint8)
    swapped[:, 4 - bits // 8 :] = wide[:, ::-1]
    assert misreading(swapped.view("<i4") / 2.0**31, bits=bits) == SWAPPED


def test_silence_and_short_recordings_say_nothing():
    for samples in (np.zeros(800, np.int16), np.full(800, -32_768, np.int16), np.array([30_000], np.int16)):
        assert _told(samples) is None
    assert _told(np.zeros((0, 1), np.int16)) is None


@pytest.mark.parametrize(("kind", "subtype"), [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("AIFF", "PCM_16")])
def test_files_of_swapped_samples_are_refused(voices, kind, subtype):
    stream = io.BytesIO()
    soundfile.write(stream, _at(voices[0], 8000).byteswap(), RATE_HZ, format=kind, subtype=subtype)
    with pytest.raises(BrokenSampleError, match="bytes of each sample are in the other order"):
        decode_audio(stream.getvalue())
