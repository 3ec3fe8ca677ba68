"""Files as people have them: every oddity is mended or refused by name."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image
from sample_files import encode_picture, encode_wave, picture_of, wave_of

from tinysearch.data.decode import BrokenSampleError, decode_audio, decode_image, to_clip_format


def _spectrum_peak_hz(wave):
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(wave.size)))
    return spectrum.argmax() * 16_000 / wave.size


@pytest.mark.parametrize("kind", ["PNG", "BMP", "WEBP"])
def test_lossless_pictures_come_back(kind):
    picture = picture_of(0, 0)
    options = {"lossless": True} if kind == "WEBP" else {}
    assert np.array_equal(decode_image(encode_picture(picture, kind=kind, **options)), picture)


def test_odd_pictures_are_mended():
    gray = picture_of(0, 0)[..., 0]
    expected = np.repeat(gray[..., None], 3, axis=2)
    assert np.array_equal(decode_image(encode_picture(gray)), expected)
    assert np.array_equal(decode_image(encode_picture(gray.astype(np.uint16) * 256 + 99)), expected)
    stream = io.BytesIO()
    Image.fromarray(picture_of(0, 0)).convert("P").save(stream, "PNG")
    assert decode_image(stream.getvalue()).shape == (16, 16, 3)
    stream = io.BytesIO()
    Image.fromarray(picture_of(0, 0)).convert("RGBA").save(stream, "PNG")
    assert np.array_equal(decode_image(stream.getvalue()), picture_of(0, 0))


def test_orientation_tag_is_obeyed():
    picture = picture_of(0, 0)
    tag = Image.Exif()
    tag[0x0112] = 3
    turned = decode_image(encode_picture(picture, exif=tag))
    assert np.array_equal(turned, picture[::-1, ::-1])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        encode_picture(picture_of(0, 0))[:-60],
        encode_picture(picture_of(0, 0, side=64), kind="JPEG")[:-400],
        encode_picture(picture_of(0, 0, side=7)),
        encode_picture(np.zeros((4097, 16), np.uint8)),
        encode_wave(wave_of(0, 0)),
    ],
    ids=["empty", "text", "truncated PNG", "truncated JPEG", "tiny", "huge", "a recording"],
)
def test_broken_pictures_are_refused(content):
    with warnings.catch_warnings(), pytest.raises(BrokenSampleError):
        warnings.simplefilter("error")
        decode_image(content)


def test_sixteen_bit_recordings_come_back():
    wave = np.random.default_rng(0).integers(-32768, 32768, 4000, dtype=np.int16)
    assert np.array_equal(decode_audio(encode_wave(wave)), wave)
    assert np.array_equal(decode_audio(encode_wave(wave, kind="FLAC")), wave)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "FLOAT", "ULAW"])
def test_other_sample_formats_are_converted(subtype):
    wave = wave_of(0, 0)
    difference = decode_audio(encode_wave(wave, subtype=subtype)) / 32768 - wave
    assert np.abs(difference).max() < 0.02


def test_stereo_is_mixed_down():
    wave = np.stack([np.full(4000, 0.5), np.full(4000, -0.25)], axis=1)
    assert set(decode_audio(encode_wave(wave)).tolist()) == {4096}


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 44_100, 48_000])
def test_other_rates_are_resampled(rate_hz):
    time = np.arange(rate_hz) / rate_hz
    wave = decode_audio(encode_wave(0.5 * np.sin(2 * np.pi * 1000 * time), rate_hz=rate_hz))
    assert wave.size == 16_000
    assert abs(_spectrum_peak_hz(wave) - 1000) < 2
    assert abs(np.abs(wave[2000:-2000]).max() / 32768 - 0.5) < 0.02


def test_louder_than_full_scale_is_clipped():
    wave = decode_audio(encode_wave(np.array([2.0, -3.0] * 1000), subtype="FLOAT"))
    assert (wave.min(), wave.max()) == (-32768, 32767)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a recording",
        encode_wave(wave_of(0, 0))[:20],
        encode_wave(np.zeros(0)),
        encode_wave(np.zeros(1000)),
        encode_wave(np.zeros(4000), rate_hz=4000),
        encode_wave(np.array([np.nan] * 4000), subtype="FLOAT"),
        encode_wave(np.array([np.inf] * 4000), subtype="FLOAT"),
        encode_picture(picture_of(0, 0)),
    ],
    ids=["empty", "text", "header only", "no samples", "too short", "4 kHz", "NaN", "infinite", "a picture"],
)
def test_broken_recordings_are_refused(content):
    with pytest.raises(BrokenSampleError):
        decode_audio(content)


def test_one_bad_sample_is_enough():
    wave = np.zeros((4000, 2))
    wave[1234, 1] = np.nan
    with pytest.raises(BrokenSampleError, match="not numbers"):
        to_clip_format(wave, rate_hz=16_000)
