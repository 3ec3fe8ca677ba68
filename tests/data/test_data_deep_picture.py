"""Pictures of more than 8 bits a channel: every depth of a camera in every file that holds it."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tinysearch.data.broken import BrokenSampleError
from tinysearch.data.decode import decode_image

HEIGHT, WIDTH = 9, 11
LEVELS = np.linspace(0, 255, HEIGHT * WIDTH * 3).reshape(HEIGHT, WIDTH, 3)
OPAQUE = np.full((HEIGHT, WIDTH, 1), 65_535)
_PNG_COLOR = {1: 0, 2: 4, 3: 2, 4: 6}


def png(pixels):
    """A PNG of 16 bits a channel, which Pillow cannot write in color, of rows that are differences (filter 2)."""
    rows = np.frombuffer(pixels.astype(">u2").tobytes(), np.uint8).reshape(HEIGHT, -1)
    steps = np.diff(rows, axis=0, prepend=np.zeros((1, rows.shape[1]), np.uint8))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, _PNG_COLOR[pixels.shape[2]], 0, 0, 0)
    parts = {b"IHDR": header, b"IDAT": zlib.compress(b"".join(b"\2" + row.tobytes() for row in steps)), b"IEND": b""}
    chunks = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts.items()]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def tiff(pixels, *, order="<", photometric=None, planes=1, bits=16):
    """An uncompressed TIFF of one strip."""
    channels = pixels.shape[2]
    stored = np.moveaxis(pixels, 2, 0) if planes == 2 else pixels
    data = stored.astype(f"{order}u2").tobytes() if bits == 16 else packed(pixels)
    color = (2 if channels >= 3 else 1) if photometric is None else photometric
    values = {256: WIDTH, 257: HEIGHT, 258: bits, 259: 1, 262: color, 273: 16, 277: channels, 278: HEIGHT}
    values |= {279: len(data), 284: planes} | ({338: 2} if channels == 4 else {})
    depths = struct.pack(f"{order}4H", *[bits] * 4)
    entries = b""
    for tag, value in values.items():
        if tag == 258 and channels > 2:
            entries += struct.pack(f"{order}HHII", tag, 3, channels, 8)
        else:
            entries += struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0)
    table = struct.pack(f"{order}H", len(values)) + entries + struct.pack(f"{order}I", 0)
    head = b"II*\0" if order == "<" else b"MM\0*"
    return head + struct.pack(f"{order}I", 16 + len(data)) + depths + data + table


def packed(pixels):
    """12-bit pixels, two in three bytes, every row from a byte on."""
    rows = []
    for row in pixels[..., 0]:
        bits = "".join(f"{value:012b}" for value in row)
        rows.append(int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big"))
    return b"".join(rows)


def netpbm(pixels, largest, *, plain=False):
    magic = {(1, False): b"P5", (3, False): b"P6", (1, True): b"P2", (3, True): b"P3"}[pixels.shape[2], plain]
    data = b" ".join(b"%d" % value for value in pixels.ravel()) if plain else pixels.astype(">u2").tobytes()
    return b"%s\n# made here\n%d %d\n%d\n" % (magic, WIDTH, HEIGHT, largest) + data


FORMS = {
    "png": png,
    "tiff": tiff,
    "big-endian tiff": lambda pixels: tiff(pixels, order=">"),
    "netpbm": lambda pixels: netpbm(pixels, 65_535),
    "plain netpbm": lambda pixels: netpbm(pixels, 65_535, plain=True),
}


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("form", FORMS)
def test_every_depth_in_every_file_of_sixteen_bits(form, bits):
    deep = np.round(LEVELS / 255 * (2**bits - 1)).astype(int)
    pictures = [(deep[..., :1], LEVELS[..., :1]), (deep, LEVELS)]
    if form == "png":
        pictures.append((np.concatenate([deep[..., :1], OPAQUE], axis=2), LEVELS[..., :1]))
    if "netpbm" not in form:
        pictures.append((np.concatenate([deep, OPAQUE], axis=2), LEVELS))
    for pixels, levels in pictures:
        remarks = []
        decoded = decode_image(FORMS[form](pixels), remarks=remarks)
        assert decoded.shape == (HEIGHT, WIDTH, 3)
        assert np.abs(decoded - levels).max() <= 1
        assert remarks == ([] if bits == 16 else [f"taken as {bits} bits a pixel in a wider file"])


@pytest.mark.parametrize("largest", [1000, 1023, 4095, 16_383])
@pytest.mark.parametrize("plain", [False, True])
def test_a_largest_value_says_the_depth_of_dark_pictures_too(largest, plain):
    dark = np.round(LEVELS / 255 * largest / 5).astype(int)
    for pixels, levels in ((dark, LEVELS), (dark[..., :1], LEVELS[..., :1])):
        remarks = []
        decoded = decode_image(netpbm(pixels, largest, plain=plain), remarks=remarks)
        assert np.abs(decoded - levels / 5).max() < 1.1
        assert remarks == []


def test_a_tiff_of_twelve_bits_says_its_depth():
    dark = np.round(LEVELS[..., :1] / 255 * 900).astype(int)
    assert np.abs(decode_image(tiff(dark, bits=12)) - dark // 16).max() == 0


def test_white_may_be_zero():
    deep = np.round((255 - LEVELS[..., :1]) / 255 * 4095).astype(int)
    assert np.abs(decode_image(tiff(deep, photometric=0)) - LEVELS[..., :1]).max() <= 1


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_compressed_gray_is_as_deep(compression):
    deep = np.round(LEVELS[..., 0] / 255 * 1023).astype(np.uint16)
    stream = io.BytesIO()
    Image.fromarray(deep).save(stream, "TIFF", compression=compression)
    assert np.abs(decode_image(stream.getvalue())[..., 0] - LEVELS[..., 0]).max() <= 1


def test_a_deep_picture_is_turned_upright():
    deep = np.round(LEVELS[..., :1] / 255 * 1023).astype(np.uint16)
    stream = io.BytesIO()
    turned = Image.Exif()
    turned[0x0112] = 3
    Image.fromarray(deep[..., 0]).save(stream, "PNG", exif=turned)
    assert np.abs(decode_image(stream.getvalue())[::-1, ::-1, :1] - LEVELS[..., :1]).max() <= 1


def test_what_pillow_mixes_up_is_refused():
    deep = np.round(LEVELS / 255 * 1023).astype(int)
    with pytest.raises(BrokenSampleError, match="planes of their own; save it as PNG"):
        decode_image(tiff(deep, planes=2))
    stream = io.BytesIO()
    Image.fromarray(np.full((16, 16), -5, np.int32)).save(stream, "TIFF")
    with pytest.raises(BrokenSampleError, match="pixels below 0"):
        decode_image(stream.getvalue())
    with pytest.raises(BrokenSampleError):
        decode_image(png(deep)[:-40])
