"""Plans of arenas: sharing is legal, bounds are reached."""

from __future__ import annotations

import pytest
from random_tflite import RELU, Builder, everything
from streaming_tflite import streaming
from test_kernels import emitted

from tinysearch.firmware.verify import host
from tinysearch.networks.arena import plan
from tinysearch.networks.lowering import lower
from tinysearch.networks.operators.convolution import distance, distance_backward
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


def test_states_do_not_split_the_room_between_them(tmp_path):
    found = planned(tmp_path, streaming())
    assert found.peak_bytes == found.bound_bytes


def test_a_convolution_runs_from_its_end_where_only_that_saves_room(tmp_path):
    """Both sides of a widening convolution are used in place, so that its input and output must start together."""
    net = Builder.start(0, (1, 10, 10, 4))
    net.depthwise((5, 5))
    net.conv(8, (1, 1), fused=RELU)
    net.depthwise((3, 3), stride=(2, 2))
    path = tmp_path / "network.tflite"
    path.write_bytes(net.file())
    found = plan(lower(read_tflite(path)))
    assert found.peak_bytes == found.bound_bytes
    assert found.backward == {1}
    rung = host.sanitizers(emitted(tmp_path, net.file()))
    assert rung.status == "passed", rung.detail


def test_a_chain_in_place_leaves_room_for_the_pool_at_its_end(tmp_path):
    """The pool's output lies before its input, and so do all buffers of the chain that became it."""
    net = Builder.start(0, (1, 32, 20, 3))
    net.conv(64, (3, 3))
    for _ in range(3):
        net.then("LEAKY_RELU", [net.last], (1, 32, 20, 64), {"Alpha": 0.1})
    net.pool("MAX_POOL_2D", (2, 2), stride=(2, 2))
    net.conv(128, (3, 3))
    found = planned(tmp_path, net.file())
    assert found.peak_bytes == found.bound_bytes


WINDOWS = [
    Window(inputs=(5, 6), outputs=(5, 6), channels=3, kernel=(3, 3), stride=(1, 1), dilation=(1, 1), before=(1, 1)),
    Window(inputs=(9, 4), outputs=(4, 2), channels=2, kernel=(3, 2), stride=(2, 2), dilation=(1, 1), before=(0, 0)),
    Window(inputs=(3, 3), outputs=(3, 3), channels=2, kernel=(1, 1), stride=(1, 1), dilation=(1, 1), before=(0, 0)),
]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("backward", [False, True])
def test_writes_stay_behind_reads(window, backward):
    """The distance is the least at which no tile of four pixels is written over what a later one reads."""
    count, channels = window.outputs[0] * window.outputs[1], 4

    def reads_of(pixel: int) -> set[int]:
        y, x = divmod(pixel, window.outputs[1])
        return {
            (row * window.inputs[1] + column) * window.channels + channel
            for row in window.rows_of(0)[y]
            for column in window.rows_of(1)[x]
            for channel in range(window.channels)
            if 0 <= row < window.inputs[0] and 0 <= column < window.inputs[1]
        }

    def collides(output_after_input: int) -> bool:
        written, tiles = set[int](), range(0, count, 4)
        for first in reversed(tiles) if backward else tiles:
            pixels = range(first, min(first + 4, count))
            if written.intersection(*[set().union(*(reads_of(pixel) for pixel in pixels))]):
                return True
            written |= {pixel * channels + c + output_after_input for pixel in pixels for c in range(channels)}
        return False

    if backward:
        least = distance_backward(window, channels)
        assert not collides(least)
        assert collides(least - 1)
    else:
        least = distance(window, channels)
        assert not collides(-least)
        assert collides(1 - least)
