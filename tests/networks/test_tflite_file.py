"""Reading files: what is damaged, foreign or not supported becomes one line."""

from __future__ import annotations

import numpy as np
import pytest
from random_tflite import Builder, everything
from small_tflite import Op, T, model

from tinysearch.core.errors import UnsupportedLayerError, UserError
from tinysearch.networks.lowering import lower
from tinysearch.networks.tflite_file import read_tflite


def lowered(tmp_path, content: bytes):
    path = tmp_path / "network.tflite"
    path.write_bytes(content)
    return lower(read_tflite(path))


def add(**changes) -> bytes:
    tensors = [T(shape=(1, 4)), T(shape=(1, 4), name="sum")]
    operator = Op(code="ADD", inputs=[0, 0], outputs=[1])
    parts = {"tensors": tensors, "operators": [operator], "inputs": [0], "outputs": [1]} | changes
    return model(**parts)


def test_a_graph_is_what_the_file_says(tmp_path):
    graph = lowered(tmp_path, everything()).graph
    assert [node.operator for node in graph.nodes][:4] == ["CONV_2D", "CONV_2D", "CONV_2D", "ADD"]
    weights = graph.tensors[graph.nodes[0].inputs[1]]
    assert weights.shape == (6, 3, 3, 3)
    assert weights.data is not None
    assert len(weights.quantized.scales) == 6


REFUSED = {
    "identifier": (b"RIFF" * 20, "identifier TFL3"),
    "empty": (b"", "identifier TFL3"),
    "version": (add(version=2), "schema version 3"),
    "shape": (add(tensors=[T(shape=(1, -4)), T(shape=(1, -4))]), "each at least 1 long"),
    "large": (add(tensors=[T(shape=(1, 1 << 30)), T(shape=(1, 1 << 30))]), "values"),
    "dynamic": (add(tensors=[T(shape=(1, 1), signature=(1, -1)), T(shape=(1, 1))]), "must be fixed"),
    "cycle": (add(operators=[Op(code="ADD", inputs=[0, 1], outputs=[1])]), "without a cycle"),
    "unwritten": (add(operators=[]), "without a cycle"),
    "int16": (add(tensors=[T(shape=(1, 4), kind="int16"), T(shape=(1, 4))]), "has int16 input"),
    "hybrid": (add(tensors=[T(shape=(1, 4), kind="float32", scale=None), T(shape=(1, 4))]), "has float32 input"),
    "scale": (add(tensors=[T(shape=(1, 4), scale=-1.0), T(shape=(1, 4))]), "must be whole"),
    "edge": (
        add(
            tensors=[T(shape=(1, 4)), T(shape=(1, 4)), T(shape=(1,), kind="int32", scale=None)],
            inputs=[0, 2],
        ),
        "must be int8, uint8 or float32",
    ),
    "result": (add(tensors=[T(shape=(1, 4)), T(shape=(1, 5))]), "where its inputs give"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_run_is_refused_in_one_line(tmp_path, name):
    content, says = REFUSED[name]
    with pytest.raises(UserError) as caught:
        lowered(tmp_path, content)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_of_50_mb_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "network.tflite"
    with path.open("wb") as stream:
        stream.truncate(50 << 20)
    with pytest.raises(UserError, match="at most 32 MiB"):
        read_tflite(path)


def test_all_unsupported_operators_are_told_at_once(tmp_path):
    tensors = [T(shape=(1, 4), name=f"t{number}") for number in range(4)]
    operators = [
        Op(code="NEG", inputs=[0], outputs=[1]),
        Op(code="FLOOR", inputs=[1], outputs=[2]),
        Op(code="NEG", inputs=[2], outputs=[3]),
    ]
    with pytest.raises(UnsupportedLayerError) as caught:
        lowered(tmp_path, model(tensors, operators, [0], [3]))
    assert "1 x FLOOR has no kernel (t2)" in str(caught.value)
    assert "2 x NEG has no kernel (t1, t3)" in str(caught.value)


def test_mutated_files_raise_nothing_else(tmp_path):
    """A byte or a word anywhere, and any length: whatever comes of it is a network or one line."""
    net = Builder.start(3, (1, 4, 4, 2))
    net.conv(2, (1, 1))
    whole = np.frombuffer(net.file(), np.uint8)
    random = np.random.default_rng(0)
    refused = 0
    for number in range(120):
        content = whole.copy()
        if number % 4 == 0:
            content = content[: random.integers(len(content))]
        else:
            place = random.integers(len(content) - 4)
            content[place : place + random.choice([1, 4])] = random.choice(
                [0, 1, 0x7F, 0x80, 0xFF, random.integers(256)]
            )
        try:
            lowered(tmp_path, content.tobytes())
        except UserError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 40


def test_shapes_that_are_computed_for_a_free_batch_cost_nothing(tmp_path):
    """Keras exports Flatten with a batch of any size as SHAPE, and RESHAPE to what was computed of it."""
    tensors = [
        T(shape=(1, 2, 2), signature=(-1, 2, 2)),
        T(shape=(3,), kind="int32", scale=None),
        T(shape=(1, 4)),
        T(shape=(1, 4), name="sum"),
    ]
    operators = [
        Op(code="SHAPE", inputs=[0], outputs=[1]),
        Op(code="RESHAPE", inputs=[0, 1], outputs=[2]),
        Op(code="ADD", inputs=[2, 2], outputs=[3]),
    ]
    network = lowered(tmp_path, model(tensors, operators, [0], [3]))
    assert [call.operator for call in network.calls] == ["ADD"]
