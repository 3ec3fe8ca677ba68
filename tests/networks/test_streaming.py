"""Networks that keep something from run to run."""

from __future__ import annotations

import numpy as np
import pytest
from random_tflite import Builder
from streaming_tflite import sequence, streaming
from test_kernels import emitted

from tinysearch.core.errors import UnsupportedLayerError, UserError
from tinysearch.firmware.networks.golden import random_inputs
from tinysearch.firmware.verify import host
from tinysearch.networks.arena import plan
from tinysearch.networks.lowering import lower
from tinysearch.networks.oracle import run
from tinysearch.networks.tflite_file import read_tflite


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "stream.tflite"
    found.write_bytes(streaming())
    return found


@pytest.mark.parametrize(("content", "states"), [(streaming, 3), (sequence, 6)])
def test_every_frame_is_that_of_tflite_micro(path, content, states):
    runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime")
    path.write_bytes(content())
    graph = read_tflite(path)
    assert len(graph.states) == states
    frames = random_inputs(graph, 30, 0)
    outputs = run(graph, frames)[0]
    assert len(np.unique(outputs)) > 5
    interpreter = runtime.Interpreter.from_file(str(path))
    for number in range(30):
        interpreter.set_input(frames[0][number], 0)
        interpreter.invoke()
        np.testing.assert_array_equal(interpreter.get_output(0), outputs[number])


@pytest.mark.parametrize("content", [streaming, sequence])
def test_the_emitted_stream_is_the_oracles(tmp_path, content):
    rung = host.sanitizers(emitted(tmp_path, content()))
    assert rung.status == "passed", rung.detail


def test_a_state_that_no_board_holds_is_refused_before_it_is_made(path):
    net = Builder.start(1, (1, 4, 7))
    net.lstm(6)
    next(tensor for tensor in net.tensors if tensor.variable).shape = (1 << 30, 6)
    path.write_bytes(net.file())
    with pytest.raises(UserError, match="a tensor must have at most 6 axes"):
        read_tflite(path)


@pytest.mark.parametrize(("change", "said"), [("clip", "cell clip nan"), ("shape", "gates of different shapes")])
def test_a_memory_that_contradicts_itself_is_told(path, change, said):
    net = Builder.start(1, (1, 4, 7))
    net.lstm(6, clip=float("nan") if change == "clip" else 0.0)
    if change == "shape":
        weights = next(tensor for tensor in net.tensors if tensor.shape == (6, 7))
        weights.shape, weights.data = (7, 6), weights.data.reshape(7, 6)
    path.write_bytes(net.file())
    with pytest.raises(UnsupportedLayerError, match=said):
        lower(read_tflite(path))


def test_ring_buffers_are_read_and_written_in_place(path):
    """Only the variable that is read again after it was assigned is copied."""
    network = lower(read_tflite(path))
    copies = [call.operator for call in network.calls if call.operator in ("READ_VARIABLE", "ASSIGN_VARIABLE")]
    assert copies == ["READ_VARIABLE"]
    found = plan(network)
    states = [found.offsets[state.tensor] for state in network.graph.states]
    sizes = [network.graph.tensors[state.tensor].size_bytes for state in network.graph.states]
    for buffer in found.buffers:
        if buffer.key in {state.tensor for state in network.graph.states}:
            continue
        offset = found.offsets[buffer.key] if buffer.key >= 0 else found.scratch[-1 - buffer.key]
        assert all(offset + buffer.size_bytes <= s or s + n <= offset for s, n in zip(states, sizes, strict=True))
