"""Plans of arenas: sharing is legal, bounds are reached."""

from __future__ import annotations

from random_tflite import RELU, Builder, everything

from tinysearch.networks.arena import plan
from tinysearch.networks.lowering import lower
from tinysearch.networks.operators.convolution import distance
from tinysearch.networks.operators.window import Window
from tinysearch.networks.tflite_file import read_tflite


def planned(tmp_path, content: bytes):
    path = tmp_path / "network.tflite"
    path.write_bytes(content)
    return plan(lower(read_tflite(path)))


def test_a_chain_of_pointwise_and_depthwise_layers_needs_one_buffer(tmp_path):
    net = Builder.start(0, (1, 8, 8, 16))
    for _ in range(2):
        net.conv(16, (1, 1), fused=RELU)
        net.depthwise((3, 3), fused=RELU)
    found = planned(tmp_path, net.file())
    assert found.peak_bytes == found.bound_bytes == 8 * 8 * 16 + 10 * 10


def test_a_residual_block_needs_two_buffers_and_two_rows(tmp_path):
    net = Builder.start(0, (1, 16, 16, 8))
    start = net.conv(8, (1, 1))
    net.conv(8, (3, 3))
    net.join("ADD", start, net.conv(8, (3, 3)))
    found = planned(tmp_path, net.file())
    rows, scratch = (16 + 1 + 4) * 8, 9 * 8 * 4  # a row above, a pixel, a tile
    assert found.peak_bytes == found.bound_bytes <= 2 * 16 * 16 * 8 + rows + scratch + 8


def test_the_bound_is_reached(tmp_path):
    found = planned(tmp_path, everything())
    assert found.peak_bytes == found.bound_bytes


def test_writes_stay_behind_reads():
    """The distance is the least at which no tile of four pixels is written over what a later one reads."""
    window = Window(
        inputs=(5, 6), outputs=(5, 6), channels=3, kernel=(3, 3), stride=(1, 1), dilation=(1, 1), before=(1, 1)
    )
    least = distance(window, 4)

    def collides(away: int) -> bool:
        written = set()
        for first in range(0, 30, 4):
            for pixel in range(first, min(first + 4, 30)):
                rows, columns = window.rows_of(0)[pixel // 6], window.rows_of(1)[pixel % 6]
                reads = {
                    (y * 6 + x) * 3 + c for y in rows if 0 <= y < 5 for x in columns if 0 <= x < 6 for c in range(3)
                }
                if reads & {byte - away for byte in written}:
                    return True
            written |= set(range(first * 4, min(first + 4, 30) * 4))
        return False

    assert not collides(least)
    assert collides(least - 1)
