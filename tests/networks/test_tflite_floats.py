"""Float ``.tflite`` networks: the same reals as tflite-micro's float kernels, and int8 near to them."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from small_tflite import Op, T, model

from tinysearch.app.cli import main
from tinysearch.core.errors import UserError
from tinysearch.networks.lowering import lower
from tinysearch.networks.real.calibrated import calibrated_graph
from tinysearch.networks.real.execute import run_reals
from tinysearch.networks.real.samples import read_arrays
from tinysearch.networks.real.tflite_floats import computes_floats, float_network
from tinysearch.networks.tflite_file import read_tflite, tflite_graph

SAME, RELU, RELU6 = 0, 1, 3
RANDOM = np.random.default_rng(5)


def reals(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def f(*shape: int, data: np.ndarray | None = None, name: str = "t") -> T:
    return T(shape=shape, kind="float32", scale=None, data=data, name=name)


def whole(*values: int) -> T:
    return T(shape=(len(values),), kind="int32", scale=None, data=np.array(values, np.int32))


def network() -> bytes:
    """A bit of everything that converters write for floats."""
    depthwise = RANDOM.integers(-127, 128, (1, 3, 3, 8)).astype(np.int8)
    tensors = [
        f(1, 6, 6, 2, name="image"),
        f(8, 3, 3, 2, data=reals(8, 3, 3, 2)),
        f(8, data=reals(8)),
        f(1, 6, 6, 8),
        T(shape=(1, 3, 3, 8), scale=[0.01] * 8, axis=3, data=depthwise),
        f(1, 3, 3, 8),  # 5: weights again, as floats
        f(1, 6, 6, 8),
        f(1, 6, 6, 8),
        f(1, 6, 6, 8),
        whole(1, 2),
        f(1, 8),  # 10
        whole(1),
        f(1, 4),
        f(1, 4),
        f(1, 4),
        f(data=np.float32(1.5).reshape(())),  # 15
        f(1, 4),
        f(3, 4, data=reals(3, 4)),
        f(1, 3),
        f(1, 3, name="classes"),
    ]
    window = {"StrideH": 1, "StrideW": 1, "Padding": SAME}
    nodes = [
        Op(code="CONV_2D", inputs=[0, 1, 2], outputs=[3], options={**window, "FusedActivationFunction": RELU6}),
        Op(code="DEQUANTIZE", inputs=[4], outputs=[5]),
        Op(code="DEPTHWISE_CONV_2D", inputs=[3, 5, 2], outputs=[6], options={**window, "DepthMultiplier": 1}),
        Op(code="LEAKY_RELU", inputs=[6], outputs=[7], options={"Alpha": 0.25}),
        Op(code="ADD", inputs=[7, 3], outputs=[8], options={"FusedActivationFunction": RELU}),
        Op(code="MEAN", inputs=[8, 9], outputs=[10], options={"KeepDims": False}),
        Op(code="SPLIT", inputs=[11, 10], outputs=[12, 13], options={"NumSplits": 2}),
        Op(code="MUL", inputs=[12, 15], outputs=[14], options={"FusedActivationFunction": 0}),
        Op(code="SUB", inputs=[14, 13], outputs=[16], options={"FusedActivationFunction": 0}),
        Op(code="FULLY_CONNECTED", inputs=[16, 17, -1], outputs=[18], options={"FusedActivationFunction": 0}),
        Op(code="SOFTMAX", inputs=[18], outputs=[19], options={"Beta": 1.0}),
    ]
    return model(tensors, nodes, [0], [19])


def test_floats_are_those_of_tflite_micro_and_int8_comes_near(tmp_path):
    runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime")
    path, content = tmp_path / "net.tflite", network()
    path.write_bytes(content)
    graph = read_tflite(path)
    assert computes_floats(graph)
    translated = float_network(graph)
    samples = reals(20, 6, 6, 2)
    found = run_reals(translated.graph, [samples[:, None]])[0]
    interpreter = runtime.Interpreter.from_bytes(content, arena_size=1 << 16)
    for sample, ours in zip(samples[:5], found, strict=False):
        interpreter.set_input(sample[None], 0)
        interpreter.invoke()
        assert np.allclose(interpreter.get_output(0), ours, atol=1e-5)
    quantized = calibrated_graph(translated, [samples])
    assert quantized.agreement[0].samples == 20
    assert quantized.agreement[0].largest_difference < 0.1
    depthwise = next(node for node in quantized.graph.nodes if node.operator == "DEPTHWISE_CONV_2D")
    stored = quantized.graph.tensors[depthwise.inputs[1]].data
    assert np.array_equal(stored, graph.tensors[4].data)  # weights that were int8 stay what they were
    assert lower(quantized.graph).macs > 0


def test_the_commands_take_samples_for_a_float_file(tmp_path, capsys):
    path, samples = tmp_path / "net.tflite", tmp_path / "samples.npz"
    path.write_bytes(network())
    np.savez(samples, image=reals(4, 6, 6, 2))
    words = [f"network={path}", "platform.processor=esp32c3"]
    assert main(["evaluate", *words, f"calibration={samples}", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["network"]
    assert told["quantization"]["samples"] == 4
    assert told["inputs"][0]["shape"] == [1, 6, 6, 2]
    assert main(["emit", *words, f"out={tmp_path / 'out'}"]) == 2
    assert "calibration" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("operator", "message"),
    [
        ("MIRROR_PAD", "MIRROR_PAD has no kernel (t); MIRROR_PAD: pad with zeros (PAD)"),
        ("CAST", "CAST has no kernel"),
        ("DIV", "DIV has two tensors"),
    ],
)
def test_what_floats_have_no_kernel_for_is_said(tmp_path, operator, message):
    tensors = [f(1, 4), f(1, 4), f(1, 4)]
    nodes = [
        Op(code="RELU", inputs=[0], outputs=[1]),
        Op(code=operator, inputs=[0, 1] if operator == "DIV" else [1], outputs=[2]),
    ]
    with pytest.raises(UserError) as caught:
        float_network(tflite_graph(model(tensors, nodes, [0], [2]), tmp_path / "x.tflite"))
    assert message in str(caught.value)


BIAS = np.zeros(8, np.float32)
LIES = {
    "output": ([f(1, 6, 6, 2), f(8, 3, 3, 2, data=reals(8, 3, 3, 2)), f(1, 2, 2, 8)], "CONV_2D", "has output"),
    "scalar": ([f(1, 6), f(8, 6, data=reals(8, 6)), f()], "FULLY_CONNECTED", "has output"),
    "scales": (
        [f(1, 6), T(shape=(8, 6), scale=[0.1] * 6, data=np.ones((8, 6), np.int8)), f(1, 8)],
        "FULLY_CONNECTED",
        "must have one scale",
    ),
    "batch": ([f(2, 6), f(8, 6, data=reals(8, 6)), f(2, 8)], "FULLY_CONNECTED", "must be 1 or free"),
    "no batch": ([f(), f(8, 1, data=reals(8, 1)), f(1, 8)], "FULLY_CONNECTED", "must be 1 or free"),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_contradicts_itself_is_one_line(tmp_path, lie):
    tensors, code, message = LIES[lie]
    options = {"StrideH": 1, "StrideW": 1, "Padding": SAME} if code == "CONV_2D" else {"FusedActivationFunction": 0}
    nodes = [Op(code=code, inputs=[0, 1, 3], outputs=[2], options=options)]
    content = model([*tensors, f(8, data=BIAS)], nodes, [0], [2])
    with pytest.raises(UserError, match=message):
        float_network(tflite_graph(content, tmp_path / "x.tflite"))


def test_an_order_that_reads_ahead_is_one_line(tmp_path):
    tensors = [f(1, 4), f(1, 4), f(1, 4)]
    nodes = [Op(code="ADD", inputs=[0, 2], outputs=[1], options={"FusedActivationFunction": 0})]
    nodes.append(Op(code="RELU", inputs=[1], outputs=[2]))
    with pytest.raises(UserError, match="without a cycle"):
        float_network(tflite_graph(model(tensors, nodes, [0], [2]), tmp_path / "x.tflite"))


def test_tensors_that_an_operator_keeps_to_itself_may_have_no_shape(tmp_path):
    tensors = [T(shape=(1, 4)), T(shape=(1, 4)), T(shape=(0,))]
    graph = tflite_graph(model(tensors, [Op(code="RELU", inputs=[0], outputs=[1])], [0], [1]), tmp_path / "x.tflite")
    assert not computes_floats(graph)
    assert len(lower(graph).calls) == 1


@pytest.mark.parametrize("name", ["samples.npy", "samples.npz"])
def test_samples_that_are_a_pipe_are_refused_and_not_waited_for(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(UserError, match="no regular file"):
        read_arrays(tmp_path / name)
