"""Files as people have them: every oddity is mended or refused by name."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image
from sample_files import encode_picture, encode_wave, picture_of, wave_of

from tinysearch.data.broken import BrokenSampleError
from tinysearch.data.decode import decode_audio, decode_image, resampling_ratio, to_clip_format
from tinysearch.data.wholeness import shortfall


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
        b"P5\n8000 8000\n255\n",
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
    wave = decode_audio(encode_wave(np.array([2.0, -3.0, *[0.1, 0.2] * 8] * 500), subtype="FLOAT"))
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


# --- what is readable and wrong all the same --------------------------------------------------------------------------

TONE = 0.3 * np.sin(np.arange(8000) / 9)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_deep_gray_pictures_are_taken_at_the_depth_of_their_camera(bits):
    picture = np.linspace(0, 255, 32 * 32).reshape(32, 32)
    deep = np.round(picture / 255 * (2**bits - 1)).astype(np.uint16)
    remarks = []
    decoded = decode_image(encode_picture(deep), remarks=remarks)
    assert np.abs(decoded[..., 0] - picture).max() < 1.01
    assert remarks == ([] if bits == 16 else [f"taken as {bits} bits a pixel in a wider file"])


@pytest.mark.parametrize("kind", ["GIF", "TIFF"])
def test_the_first_picture_of_several_is_taken(kind):
    first, second = (Image.fromarray(np.full((16, 16), level, np.uint8)) for level in (10, 200))
    stream = io.BytesIO()
    first.save(stream, kind, save_all=True, append_images=[second])
    assert (decode_image(stream.getvalue()) == 10).all()


def test_floating_point_pictures_are_shares_of_white():
    stream = io.BytesIO()
    Image.fromarray(np.full((16, 16), 0.5, np.float32)).save(stream, "TIFF")
    assert (decode_image(stream.getvalue()) == 127).all()
    stream = io.BytesIO()
    Image.fromarray(np.full((16, 16), np.nan, np.float32)).save(stream, "TIFF")
    with pytest.raises(BrokenSampleError, match="not numbers"):
        decode_image(stream.getvalue())


def test_the_square_of_a_picture_beyond_the_front_ends_reach_is_reduced():
    wide = np.zeros((4100, 4200), np.uint8)
    wide[:, :50] = wide[:, -50:] = 255
    decoded = decode_image(encode_picture(wide, compress_level=1))
    assert decoded.shape == (2050, 2050, 3)
    assert decoded.max() == 0  # the edges lie outside of the square


def test_odd_rates_are_resampled_by_short_filters():
    ratios = {rate_hz: resampling_ratio(rate_hz) for rate_hz in (8_001, 44_056, 44_101, 96_001, 191_999)}
    assert all(ratio.denominator <= 2_000 for ratio in ratios.values())
    assert all(abs(float(ratio) * rate_hz / 16_000 - 1) < 2e-4 for rate_hz, ratio in ratios.items())
    assert [str(resampling_ratio(rate_hz)) for rate_hz in (44_100, 11_025, 192_000)] == ["160/441", "640/441", "1/12"]


@pytest.mark.parametrize("rate_hz", [7_999, 192_001, 10_000_019])
def test_a_rate_that_no_microphone_has_is_refused_before_anything_is_resampled(rate_hz):
    with pytest.raises(BrokenSampleError, match="must be 8 to 192 kHz"):
        decode_audio(encode_wave(TONE, rate_hz=rate_hz))


@pytest.mark.parametrize(
    ("kind", "subtype"), [("WAV", "PCM_16"), ("AIFF", "PCM_16"), ("OGG", "VORBIS"), ("FLAC", "PCM_16")]
)
@pytest.mark.parametrize("share", [0.3, 0.99])
def test_a_truncated_recording_is_refused(kind, subtype, share):
    content = encode_wave(TONE, kind=kind, subtype=subtype)
    assert len(decode_audio(content)) == 8000
    with pytest.raises(BrokenSampleError):
        decode_audio(content[: round(share * len(content))])


@pytest.mark.parametrize("length", [0, 0x7FFFF000, 0xFFFFFFFF])
def test_a_recording_out_of_a_pipe_does_not_know_its_length(length):
    content = bytearray(encode_wave(TONE))
    content[40:44] = length.to_bytes(4, "little")
    assert shortfall(bytes(content)) == 0


@pytest.mark.parametrize(
    ("channels", "subtype", "reason"),
    [
        ([TONE, -TONE], "PCM_16", "opposite phase"),
        ([TONE, -0.9 * TONE], "PCM_16", "opposite phase"),
        ([TONE / 2**16], "PCM_32", "15-bit numbers in a 32-bit file"),
        ([TONE / 2**8], "PCM_24", "15-bit numbers in a 24-bit file"),
        ([TONE * 32768], "FLOAT", "wrongly scaled: numbers up to 9830"),
        ([TONE * 128], "DOUBLE", "divide by 32768"),
    ],
)
def test_recordings_of_a_wrong_scale_or_phase_are_refused(channels, subtype, reason):
    with pytest.raises(BrokenSampleError, match=reason):
        decode_audio(encode_wave(np.stack(channels, axis=1), subtype=subtype))


@pytest.mark.parametrize("channels", [[TONE, 0 * TONE], [TONE, TONE + 0.2], [TONE, np.roll(TONE, 7)], [TONE / 300]])
def test_recordings_with_one_dead_channel_an_offset_or_little_level_are_taken(channels):
    assert len(decode_audio(encode_wave(np.stack(channels, axis=1)))) == 8000


def test_mp3_is_read_and_of_a_long_recording_the_middle(monkeypatch):
    assert len(decode_audio(encode_wave(TONE, kind="MP3", subtype="MPEG_LAYER_III"))) >= 8000
    monkeypatch.setattr("tinysearch.data.decode.MOST_VALUES", 2000)
    remarks = []
    middle = decode_audio(encode_wave(TONE), remarks=remarks)
    assert np.array_equal(middle, np.rint(TONE[3000:5000] * 32768 - 1e-9).astype(np.int16)) or len(middle) == 2000
    assert remarks == ["only the middle 0 s of it are used"]
