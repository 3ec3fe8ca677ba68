"""ONNX networks: what they compute, what becomes of them in int8, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("onnx")
from onnx import TensorProto, load_model_from_string, reference
from small_onnx import SMALL, image, ints, model, node, reals, stated_scales

import tinysearch as ts
from tinysearch.app.cli import main
from tinysearch.app.config.resources import data_dir
from tinysearch.app.networks.again import again_source
from tinysearch.core.errors import UserError
from tinysearch.distribution import installed_version
from tinysearch.firmware.verify.again import as_the_run_emits
from tinysearch.firmware.verify.emitted import Package
from tinysearch.networks.lowering import lower
from tinysearch.networks.oracle import run
from tinysearch.networks.real.calibrated import calibrated, placed
from tinysearch.networks.real.execute import run_reals
from tinysearch.networks.real.onnx_file import onnx_network
from tinysearch.networks.real.translating import translate
from tinysearch.networks.refusals import UnsupportedOperatorsError


def read(tmp_path, content: bytes):
    return onnx_network(content, tmp_path / "small.onnx")


def samples_for(network, count: int):
    random = np.random.default_rng(0)
    shapes = [[side or 1 for side in entry.shape[1:]] for entry in network.inputs]
    return [random.normal(size=(count, *shape)).astype(np.float32) for shape in shapes]


@pytest.mark.parametrize("name", SMALL)
def test_a_float_graph_computes_what_onnx_does(tmp_path, name):
    content = SMALL[name]()
    network = read(tmp_path, content)
    samples = samples_for(network, 3)
    translated = translate(network, [None])
    found = run_reals(translated.graph, placed(translated, samples))[0]
    expected = reference.ReferenceEvaluator(load_model_from_string(content))
    for number in range(3):
        wished = expected.run(None, {"x": samples[0][number : number + 1]})[0].transpose(translated.outputs[0])
        np.testing.assert_allclose(found[number], wished, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", SMALL)
def test_int8_comes_near_to_it(tmp_path, name):
    network = read(tmp_path, SMALL[name]())
    found = calibrated(network, samples_for(network, 8))
    assert lower(found.graph).macs > 0
    assert found.samples == 8
    assert found.agreement[0].signal_to_noise_db > 25


def test_clamps_and_normalizations_cost_nothing(tmp_path):
    operators = [node.operator for node in translate(read(tmp_path, image()), [None]).graph.nodes]
    assert operators[:3] == ["CONV_2D", "MAX_POOL_2D", "DEPTHWISE_CONV_2D"]
    assert operators.count("TRANSPOSE") == 0


def test_stated_scales_stand(tmp_path):
    """Weights, scales and zero points of a quantized file are used as they are, without samples."""
    found = calibrated(read(tmp_path, stated_scales()), None)
    assert not found.from_noise
    graph = found.graph
    convolution = graph.nodes[0]
    source, weights, bias = (graph.tensors[index] for index in convolution.inputs)
    assert (source.quantized.scale, source.quantized.zero_point) == (np.float32(0.02), 120 - 128)
    assert weights.quantized.scales.tolist() == np.array([0.01, 0.02, 0.005, 0.015], np.float32).tolist()
    expected = np.random.default_rng(5).integers(-127, 128, (4, 2, 3, 3)).astype(np.int8)
    np.testing.assert_array_equal(weights.data, expected.transpose(0, 2, 3, 1))
    steps = bias.data / (source.quantized.scale * weights.quantized.scales)
    np.testing.assert_allclose(steps, [100, -25, 6, 0], rtol=1e-6)  # real, for they are rounded with the sum
    assert graph.tensors[graph.outputs[0]].quantized.zero_point == -128


def test_a_function_of_a_tensor_with_a_scale_needs_no_samples(tmp_path):
    nodes = [
        node("QuantizeLinear", "x s z", "q"),
        node("DequantizeLinear", "q s z", "d"),
        node("LogSoftmax", "d", "l", axis=1),
        node("Exp", "l", "y"),
    ]
    constants = {"s": np.float32(0.1).reshape(()), "z": np.int8(0).reshape(())}
    found = calibrated(read(tmp_path, model(nodes, shape=[1, 4], constants=constants)), None)
    assert not found.from_noise
    result = found.graph.tensors[found.graph.outputs[0]].quantized
    assert result.scale == pytest.approx(1 / 255, rel=0.01)


def test_it_differs_from_the_float_arithmetic_of_its_scales_by_one_step_at_most(tmp_path):
    content = stated_scales()
    found = calibrated(read(tmp_path, content), None)
    random = np.random.default_rng(1)
    stored = random.integers(-128, 128, (20, 1, 6, 6, 2)).astype(np.int8)
    result = found.graph.tensors[found.graph.outputs[0]].quantized
    got = run(found.graph, [stored])[0].astype(int) - result.zero_point
    evaluator = reference.ReferenceEvaluator(load_model_from_string(content))
    reals = ((stored.astype(np.float32) + 8) * np.float32(0.02)).transpose(0, 1, 4, 2, 3)
    wished = [evaluator.run(None, {"x": sample})[0] for sample in reals]
    steps = np.rint(np.array(wished) / np.float32(0.05)).astype(int).transpose(0, 1, 3, 4, 2)
    assert np.abs(got - steps).max() <= 1
    assert (got == steps).mean() > 0.99


def test_all_unsupported_operators_are_told_at_once_and_as_json(tmp_path, capsys):
    nodes = [
        node("GRU", "x w r", "a", hidden_size=4),
        node("Relu", "a", "b"),
        node("GridSample", "b b", "c"),
        node("Einsum", "x x", "y", equation="ij,ij->i"),
    ]
    constants = {"w": np.zeros((1, 16, 4), np.float32), "r": np.zeros((1, 16, 4), np.float32)}
    content = model(nodes, shape=[1, 4], constants=constants)
    with pytest.raises(UnsupportedOperatorsError) as caught:
        translate(read(tmp_path, content), [None])
    assert [refusal.operator for refusal in caught.value.refusals] == ["Einsum", "GRU", "GridSample"]
    assert "GRU: use an LSTM, or convolutions over time" in str(caught.value)
    path = tmp_path / "small.onnx"
    path.write_bytes(content)
    assert main(["evaluate", f"network={path}", "--json"]) == 2
    captured = capsys.readouterr()
    assert {entry["op"] for entry in json.loads(captured.out)["unsupported"]} == {"Einsum", "GRU", "GridSample"}
    assert len(captured.err.strip().splitlines()) == 1


def test_a_list_of_refusals_is_never_cut(tmp_path):
    nodes = [node(f"Op{number}", "x", f"v{number}") for number in range(60)] + [node("Relu", "x", "y")]
    with pytest.raises(UnsupportedOperatorsError) as caught:
        translate(read(tmp_path, model(nodes, shape=[1, 4])), [None])
    assert all(f"Op{number} has no kernel" in str(caught.value) for number in range(60))


def outside(place: str) -> bytes:
    whole = load_model_from_string(
        model([node("MatMul", "x w", "y")], shape=[1, 4], constants={"w": np.eye(4, dtype=np.float32)})
    )
    tensor = whole.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", place), ("offset", "16"), ("length", "64")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return whole.SerializeToString()


def test_constants_may_lie_beside_the_network(tmp_path):
    (tmp_path / "weights.bin").write_bytes(bytes(16) + np.arange(16, dtype=np.float32).tobytes())
    network = read(tmp_path, outside("weights.bin"))
    assert network.constants["w"].reshape(-1).tolist() == list(range(16))


@pytest.mark.parametrize("place", ["../weights.bin", "/etc/passwd", "", ".", "no.bin", "link.bin"])
def test_constants_elsewhere_are_refused(tmp_path, place):
    (tmp_path.parent / "weights.bin").write_bytes(bytes(80))
    (tmp_path / "link.bin").symlink_to(tmp_path.parent / "weights.bin")
    with pytest.raises(UserError):
        read(tmp_path, outside(place))


def test_a_network_that_was_copied_without_its_constants_names_them(tmp_path):
    with pytest.raises(UserError, match=r"its constants beside it; got .* without net\.onnx\.data; copy both"):
        read(tmp_path, outside("net.onnx.data"))


@pytest.mark.parametrize("count", [0, 2])
def test_an_example_has_an_array_for_every_input(tmp_path, count):
    path = tmp_path / "net.onnx"
    path.write_bytes(model([node("Relu", "x", "y")], shape=[1, 4]))
    with pytest.raises(UserError, match="one array for every input"):
        ts.evaluate(network=path, example_input=[np.zeros((3, 4))] * count)


REFUSED = {
    "not a file": (b"RIFF" * 20, "must be whole"),
    "empty": (b"", "must use an opset"),
    "opset": (model([node("Relu", "x", "y")], shape=[1, 4], opset=5), "must use an opset"),
    "unwritten": (model([node("Relu", "z", "y")], shape=[1, 4]), "must read what"),
    "no output": (model([node("Relu", "x", "z")], shape=[1, 4]), "must depend on its inputs"),
    "dynamic": (model([node("Relu", "x", "y")], shape=[1, "n"]), "shape must be fixed"),
    "batch": (model([node("Relu", "x", "y")], shape=[8, 4]), "shape must be fixed"),
    "shapes": (
        model([node("MatMul", "x w", "y")], shape=[1, 4], constants={"w": np.zeros((5, 2), np.float32)}),
        "MatMul has",
    ),
    "input": (model([node("Relu", "x", "y")], shape=[1, 1 << 40]), "an input must have at most"),
    "padding": (
        model(
            [node("MaxPool", "x", "y", kernel_shape=[9, 9], pads=[8, 30000, 8, 30000], strides=[9, 9])],
            shape=[1, 300, 9, 9],
        ),
        "values with its padding",
    ),
    "batches": (
        model([node("Transpose", "x", "t", perm=[2, 1, 0, 3]), node("GlobalMaxPool", "t", "y")], shape=[1, 3, 4, 5]),
        "has a batch of 4",
    ),
    "joined": (
        model([node("MaxPool", "x", "p", kernel_shape=[1, 2]), node("Concat", "x p", "y", axis=1)], shape=[1, 3, 4, 5]),
        "Concat joins",
    ),
    "huge": (
        model(
            [node("ConstantOfShape", "s", "c"), node("Add", "x c", "y")],
            shape=[1, 4],
            constants={"s": np.array([1 << 40], np.int64)},
        ),
        "ConstantOfShape gives",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_computed_is_one_line(tmp_path, name):
    content, says = REFUSED[name]
    with pytest.raises(UserError) as caught:
        translate(read(tmp_path, content), [None])
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_that_are_no_numbers_are_told(tmp_path):
    content = model([node("MatMul", "x w", "y")], shape=[1, 2], constants={"w": np.array([[np.inf], [0]], np.float32)})
    with pytest.raises(UserError, match="must"):
        calibrated(read(tmp_path, content), None)


def test_products_of_a_value_with_itself_do_not_double_without_end(tmp_path):
    squares = [node("Mul", f"v{number} v{number}", f"v{number + 1}") for number in range(40)]
    nodes = [node("Identity", "x", "v0"), *squares, node("Identity", "v40", "y")]
    graph = translate(read(tmp_path, model(nodes, shape=[1, 3])), [None]).graph
    assert 1 < len(graph.nodes) < 20
    assert run_reals(graph, [np.ones((1, 1, 3), np.float32)])[0].tolist() == [[[1, 1, 1]]]


def test_mutated_files_raise_nothing_else(tmp_path):
    whole = np.frombuffer(SMALL["shuffled"](), np.uint8)
    random = np.random.default_rng(0)
    refused = 0
    for number in range(60):
        content = whole.copy()
        if number % 6 == 0:
            content = content[: random.integers(len(content))]
        for place in random.integers(0, len(content) - 1, 3):
            content[place] = random.integers(256)
        try:
            lower(calibrated(read(tmp_path, content.tobytes()), None).graph)
        except UserError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 20


def window_begins_in_the_padding() -> bytes:
    """Such a window is left out, though zeros are counted."""
    sides = {"kernel_shape": [1, 2], "pads": [0, 0, 0, 1], "strides": [2, 3]}
    return model(
        [node("AveragePool", "x", "y", ceil_mode=1, count_include_pad=1, **sides)], shape=[1, 2, 4, 6], opset=19
    )


def zeros_before_same() -> bytes:
    """What SAME adds depends on the rows that an operator before has put around the image."""
    nodes = [
        node("Pad", "x pads", "a"),
        node("Conv", "a w", "y", auto_pad="SAME_LOWER", kernel_shape=[2, 2], strides=[1, 3]),
    ]
    return model(
        nodes, shape=[1, 2, 4, 10], constants={"pads": ints(0, 0, 1, 0, 0, 0, 0, 2), "w": reals(1, 3, 2, 2, 2)}
    )


@pytest.mark.parametrize("content", [window_begins_in_the_padding(), zeros_before_same()])
def test_windows_at_the_edge_are_onnxs(tmp_path, content):
    network = read(tmp_path, content)
    (samples,) = samples_for(network, 1)
    translated = translate(network, [None])
    found = run_reals(translated.graph, placed(translated, [samples]))[0][0]
    wished = reference.ReferenceEvaluator(load_model_from_string(content)).run(None, {"x": samples})[0]
    np.testing.assert_allclose(found, wished.transpose(translated.outputs[0]), rtol=1e-5, atol=1e-6)


def resized(mode: str, *scales: float) -> bytes:
    attributes = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    constants = {"scales": np.array([1, 1, *scales], np.float32)}
    return model([node("Resize", "x - scales", "y", mode=mode, **attributes)], shape=[1, 1, 4, 10], constants=constants)


@pytest.mark.parametrize(("mode", "rule"), [("nearest", "takes other pixels"), ("linear", "to parts of pixels")])
def test_a_scale_that_leaves_a_part_of_a_pixel_over_places_the_others(tmp_path, mode, rule):
    with pytest.raises(UnsupportedOperatorsError, match=rule):
        translate(read(tmp_path, resized(mode, 0.6, 2.0)), [None])


def test_sizes_are_counted_in_single_precision(tmp_path):
    graph = translate(read(tmp_path, resized("linear", 1.0, 0.7)), [None]).graph
    assert graph.tensors[graph.outputs[0]].shape == (1, 4, 7, 1)


def test_fixed_point_is_a_choice_that_vector_units_have(tmp_path, capsys):
    """One network both ways on one board: verify knows which a project has, and what exactness costs is told."""
    file, out = tmp_path / "net.onnx", tmp_path / "project"
    file.write_bytes(stated_scales())
    words = [f"network={file}", "platform.processor=esp32s3", "firmware.backend=auto"]
    found = {}
    for rounding in ("once", "fixed"):
        assert main(["evaluate", *words, f"rounding={rounding}", "--json"]) == 0
        found[rounding] = json.loads(capsys.readouterr().out)
        assert found[rounding]["network"]["rounding"] == rounding
    once, fixed = found["once"], found["fixed"]
    assert once["latency_in_fixed_point_s"] == fixed["values"]["latency_s"] < once["values"]["latency_s"]
    assert fixed["latency_in_fixed_point_s"] is None
    assert [found[r]["lowering"][0]["became"] for r in found] == ["ts_once_conv_s8", "ts_tfl_conv_s8"]
    assert main(["emit", *words, "rounding=fixed", f"out={out}"]) == 0
    package = Package(templates=data_dir("firmware_templates"), version=installed_version(), project="network")
    rung = as_the_run_emits(out, again=again_source(out, words[:1]), package=package, accept=())
    assert rung.status == "passed", rung.detail
    assert main(["evaluate", *words, "rounding=down"]) == 2
    assert "rounding of a network of one's own must be once or fixed" in capsys.readouterr().err


def test_the_page_of_a_search_says_what_exactness_costs(tmp_path, capsys):
    file, folder = tmp_path / "net.onnx", tmp_path / "run"
    file.write_bytes(stated_scales())
    words = [f"network={file}", "platform.processor=esp32s3", "firmware.backend=auto", "emit.top=none"]
    assert main([*words, f"run_dir={folder}"]) == 0
    assert "rounding=fixed is faster on the vector unit of" in capsys.readouterr().err
    page = (folder / "report.html").read_text()
    assert "Rounding: once, halves to even" in page
    assert "rounding=fixed is faster on the vector unit of" in page
    assert main([*words, "rounding=fixed", f"run_dir={folder}"]) == 0
    assert "rounding=fixed is faster" not in (folder / "report.html").read_text()
