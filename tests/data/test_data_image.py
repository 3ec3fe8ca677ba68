"""The image front-end: exact averages, crop, colors, camera formats."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysearch.data.image import crop_square, frame_to_rgb, prepare_image


def _literal_average(plane, size):
    """The definition in exact fractions."""
    side = plane.shape[0]
    out = np.zeros((size, size), int)
    for row in range(size):
        for column in range(size):
            total = Fraction(0)
            for y in range(row * side // size, -(-(row + 1) * side // size)):
                high = min(Fraction(y + 1), Fraction((row + 1) * side, size))
                tall = high - max(Fraction(y), Fraction(row * side, size))
                for x in range(column * side // size, -(-(column + 1) * side // size)):
                    right = min(Fraction(x + 1), Fraction((column + 1) * side, size))
                    total += tall * (right - max(Fraction(x), Fraction(column * side, size))) * int(plane[y, x])
            mean = total * size * size / (side * side)
            out[row, column] = int(mean + Fraction(1, 2))
    return out


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_resize_is_the_exact_area_average(side, size, seed):
    plane = np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)
    image = prepare_image(plane, input_size=size, channels=1)
    assert np.array_equal(image[..., 0].astype(int) + 128, _literal_average(plane, size))


def test_whole_blocks_are_pillows_box_filter_within_its_rounding():
    from PIL import Image

    picture = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    mine = prepare_image(picture, input_size=32, channels=3).astype(int) + 128
    box = np.asarray(Image.fromarray(picture).resize((32, 32), Image.Resampling.BOX), int)
    assert np.abs(mine - box).max() <= 1


@given(st.integers(1, 9), st.integers(1, 9))
def test_crop_is_centered(width, height):
    picture = np.arange(width * height, dtype=np.uint8).reshape(height, width)
    side = min(width, height)
    square = crop_square(picture)
    assert square.shape == (side, side)
    assert square[0, 0] == picture[(height - side) // 2, (width - side) // 2]


def test_gray_stays_gray_and_white_is_127():
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    colored = np.repeat(gray[..., None], 3, axis=2)
    assert np.array_equal(prepare_image(colored, input_size=16, channels=1)[..., 0].astype(int) + 128, gray)
    assert np.array_equal(
        prepare_image(gray, input_size=16, channels=3), prepare_image(colored, input_size=16, channels=3)
    )
    assert np.all(prepare_image(np.full((9, 9), 255, np.uint8), input_size=4, channels=3) == 127)
    assert np.all(prepare_image(np.zeros((9, 9), np.uint8), input_size=4, channels=3) == -128)


def test_full_scale_of_the_largest_square_does_not_overflow():
    white = np.full((4096, 4096), 255, np.uint8)
    assert np.all(prepare_image(white, input_size=2, channels=1) == 127)
    assert 255 * 4096**2 + 4096**2 // 2 < 2**32


def test_camera_formats():
    frame = frame_to_rgb(bytes([0xF8, 0x00, 0x07, 0xE0, 0x00, 0x1F]), pixel_format="rgb565", width=3, height=1)
    assert frame.tolist() == [[[255, 0, 0], [0, 255, 0], [0, 0, 255]]]
    frame = frame_to_rgb(bytes([9, 7]), pixel_format="gray", width=1, height=2)
    assert frame.tolist() == [[[9, 9, 9]], [[7, 7, 7]]]
    frame = frame_to_rgb(bytes([1, 2, 3]), pixel_format="rgb888", width=1, height=1)
    assert frame.tolist() == [[[1, 2, 3]]]


def test_yuv_is_pillows_ycbcr_within_rounding():
    from PIL import Image

    rng = np.random.default_rng(0)
    data = rng.integers(0, 256, (20, 10, 4), dtype=np.uint8)
    mine = frame_to_rgb(data.reshape(-1), pixel_format="yuv422", width=20, height=20).astype(int)
    luma = data[..., [0, 2]].reshape(20, 20)
    chroma = [np.repeat(data[..., place], 2, axis=1) for place in (1, 3)]
    theirs = np.asarray(Image.fromarray(np.dstack([luma, *chroma]), "YCbCr").convert("RGB"), int)
    assert np.abs(mine - theirs).max() <= 1


@pytest.mark.parametrize(
    ("pixel_format", "width", "count"), [("rgb565", 2, 7), ("yuv422", 3, 12), ("jpeg", 2, 4), ("gray", 2, 5)]
)
def test_frames_of_another_shape_are_refused(pixel_format, width, count):
    with pytest.raises(ValueError, match="frame of"):
        frame_to_rgb(bytes(count), pixel_format=pixel_format, width=width, height=2)


@pytest.mark.parametrize(
    ("picture", "size", "channels"),
    [
        (np.zeros((4, 4), np.int8), 4, 1),
        (np.zeros((4, 4, 4), np.uint8), 4, 3),
        (np.zeros((4, 4), np.uint8), 4, 2),
        (np.zeros((4, 4), np.uint8), 0, 1),
        (np.zeros((0, 4), np.uint8), 4, 1),
        (np.zeros((4097, 4097), np.uint8), 4, 1),
    ],
)
def test_pictures_outside_the_contract_are_refused(picture, size, channels):
    with pytest.raises(ValueError, match=r"picture|input"):
        prepare_image(picture, input_size=size, channels=channels)
