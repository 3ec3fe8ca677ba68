"""Modules and exported programs of torch, through ``ts.evaluate``."""

from __future__ import annotations

import json
import pickle
import zipfile

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import tinysearch as ts  # noqa: E402
from tinysearch.app.cli import main  # noqa: E402
from tinysearch.core.errors import UserError  # noqa: E402
from tinysearch.networks.oracle import run  # noqa: E402
from tinysearch.networks.real.calibrated import calibrated, placed  # noqa: E402
from tinysearch.networks.real.execute import run_reals  # noqa: E402
from tinysearch.networks.real.translating import translate  # noqa: E402
from tinysearch.training.exported import network_of, read_exported  # noqa: E402

C3 = {"processor": "esp32c3"}


def module() -> torch.nn.Module:
    torch.manual_seed(0)
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1, bias=False),
        nn.BatchNorm2d(6),
        nn.Hardswish(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 6, 3, groups=6),
        nn.SiLU(),
        nn.AvgPool2d(2, padding=1),
        nn.Flatten(),
        nn.Dropout(),
        nn.Linear(24, 5),
        nn.LogSoftmax(1),
    )


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    path = tmp_path_factory.mktemp("torch") / "net.pt2"
    torch.export.save(torch.export.export(module().eval(), (torch.zeros(1, 2, 8, 8),)), path)
    return path


def test_the_float_graph_computes_what_torch_does(exported):
    net, x = module(), torch.randn(4, 2, 8, 8)
    network = read_exported(exported)
    translated = translate(network, [None])
    found = run_reals(translated.graph, placed(translated, [x.numpy()]))[0]
    with torch.no_grad():
        np.testing.assert_allclose(found[:, 0], net.eval()(x).numpy(), rtol=1e-4, atol=1e-5)


class Decoder(torch.nn.Module):
    """Images that become larger, in groups and alone, and slopes a channel."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.ConvTranspose2d(2, 4, 4, 2, 1, groups=2)
        self.norm, self.slopes = torch.nn.BatchNorm2d(4), torch.nn.PReLU(4)
        self.second = torch.nn.ConvTranspose2d(4, 4, 3, 3, groups=4, output_padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        resize = torch.nn.functional.interpolate
        x = resize(self.slopes(self.norm(self.first(x))), scale_factor=2)
        x = resize(self.second(x), size=(31, 20), mode="bilinear")
        return resize(x, scale_factor=0.5, mode="bilinear", align_corners=True).amax((2, 3))


class Memory(torch.nn.Module):
    """Two layers of an LSTM over rows of an image, with the batch first or not."""

    def __init__(self, *, batch_first: bool) -> None:
        super().__init__()
        self.memory, self.batch_first = torch.nn.LSTM(8, 6, num_layers=2, batch_first=batch_first), batch_first

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = x.sum(1)
        every, (last, _) = self.memory(rows if self.batch_first else rows.transpose(0, 1))
        return every.sum(1) if self.batch_first else last[0]


@pytest.mark.parametrize("net", [Decoder(), Memory(batch_first=True), Memory(batch_first=False)])
def test_decoders_and_memories_are_those_of_torch(net):
    x = torch.randn(6, 2, 8, 8)
    network = network_of(net.eval(), [x.numpy()])
    translated = translate(network, [None])
    found = run_reals(translated.graph, placed(translated, [x.numpy()]))[0]
    with torch.no_grad():
        wished = torch.cat([net(sample[None]) for sample in x]).numpy()
    np.testing.assert_allclose(found.reshape(wished.shape), wished, rtol=1e-4, atol=1e-5)
    assert calibrated(network, [x.numpy()]).agreement[0].signal_to_noise_db > 30


def test_a_module_is_evaluated_and_emitted(tmp_path):
    x = torch.randn(20, 2, 8, 8)
    net = module()
    point = ts.evaluate(network=net, example_input=x, platform=C3)
    assert net.training
    document = point.to_dict()
    assert document["feasible"]
    assert document["unsupported"] == []
    assert document["network"]["inputs"][0]["shape"] == [1, 8, 8, 2]
    assert document["network"]["inputs"][0]["axes"] == [0, 2, 3, 1]
    agreement = document["network"]["quantization"]["agreement"][0]
    assert agreement["samples"] == 20
    assert agreement["signal_to_noise_db"] > 25
    assert (point.emit(tmp_path / "project") / "host" / "Makefile").is_file()


@pytest.mark.slow
def test_an_exported_file_is_priced_without_samples_but_not_emitted(exported, tmp_path, capsys):
    words = [f"network={exported}", "platform.processor=esp32c3"]
    assert main(["evaluate", *words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["network"]["quantization"]["from_noise"]
    assert main(["emit", *words, f"out={tmp_path / 'out'}"]) == 2
    assert "must be quantized with samples" in capsys.readouterr().err
    samples = tmp_path / "samples.npz"
    np.savez(samples, x=np.random.default_rng(0).normal(size=(6, 2, 8, 8)))
    assert main(["emit", *words, f"calibration={samples}", f"out={tmp_path / 'out'}"]) == 0


class Bomb:
    def __reduce__(self):
        return (print, ("a pickled object was run",))


def test_no_object_of_a_file_is_unpickled(exported, tmp_path, capsys):
    path = tmp_path / "bomb.pt2"
    with zipfile.ZipFile(exported) as source, zipfile.ZipFile(path, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            target.writestr(entry, pickle.dumps(Bomb()) if "sample_inputs" in entry.filename else content)
    with pytest.raises(UserError, match="must be one that torch"):
        read_exported(path)
    assert "pickled object" not in capsys.readouterr().out


@pytest.mark.slow
def test_expressions_that_are_no_shapes_are_not_evaluated(exported, tmp_path):
    path = tmp_path / "expression.pt2"
    with zipfile.ZipFile(exported) as source, zipfile.ZipFile(path, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename.endswith("model.json"):
                document = json.loads(content)
                document["range_constraints"] = {"expr_str": "__import__('os').getcwd()"}
                content = json.dumps(document).encode()
            target.writestr(entry, content)
    with pytest.raises(UserError, match="an expression that is no shape"):
        read_exported(path)


def test_what_is_no_network_is_one_line():
    with pytest.raises(UserError, match="must come with an example"):
        ts.evaluate(network=module())
    with pytest.raises(UserError, match="must be a path"):
        ts.evaluate(network=3)
    with pytest.raises(UserError, match=r"aten.sort has no kernel"):
        ts.evaluate(network=Sorting(), example_input=torch.zeros(1, 3), platform=C3)


class Sorting(torch.nn.Module):
    def forward(self, x):
        return torch.sort(x)[0]


def test_an_exported_module_that_has_one_mode_is_taken_as_it_is():
    """PT2E's modules refuse eval()."""

    class OneMode(torch.nn.Module):
        def forward(self, x):
            return torch.tanh(x)

        def eval(self):
            raise NotImplementedError("exported")

    assert [node.operator for node in network_of(OneMode(), [np.zeros((1, 4), np.float32)]).nodes] == ["Tanh"]


class Quantized(torch.nn.Module):
    """A convolution between the operators that PT2E writes."""

    def __init__(self):
        super().__init__()
        self.register_buffer("weights", torch.randint(-127, 128, (4, 2, 3, 3), dtype=torch.int8))
        self.register_buffer("scales", torch.tensor([0.01, 0.02, 0.005, 0.015]))
        self.register_buffer("zeros", torch.zeros(4, dtype=torch.int64))

    def forward(self, x):
        quantized = torch.ops.quantized_decomposed
        source, result = (0.02, -8, -128, 127, torch.int8), (0.05, -128, -128, 127, torch.int8)
        x = quantized.dequantize_per_tensor(quantized.quantize_per_tensor(x, *source), *source)
        weights = quantized.dequantize_per_channel(self.weights, self.scales, self.zeros, 0, -127, 127, torch.int8)
        y = torch.relu(torch.nn.functional.conv2d(x, weights, padding=1))
        return quantized.dequantize_per_tensor(quantized.quantize_per_tensor(y, *result), *result)


class Classifier(torch.nn.Module):
    """What PT2E makes of a convolution, a residual addition, an average of another scale, a mean and a last layer."""

    def __init__(self):
        super().__init__()
        whole = lambda *shape: torch.randint(-127, 128, shape, dtype=torch.int8)  # noqa: E731
        for name, shape in (("first", (8, 2, 3, 3)), ("second", (8, 8, 1, 1)), ("last", (5, 8))):
            self.register_buffer(name, whole(*shape))
            self.register_buffer(f"{name}_scales", torch.rand(shape[0]) * 0.004 + 0.001)
            self.register_buffer(f"{name}_bias", torch.randn(shape[0]) * 0.3)
            self.register_buffer(f"{name}_zeros", torch.zeros(shape[0], dtype=torch.int64))

    def weights(self, name):
        of = [getattr(self, f"{name}{part}") for part in ("", "_scales", "_zeros")]
        return torch.ops.quantized_decomposed.dequantize_per_channel(*of, 0, -127, 127, torch.int8)

    def forward(self, x):
        quantized = torch.ops.quantized_decomposed

        def stored(x, scale, zero):
            quantization = (scale, zero, -128, 127, torch.int8)
            return quantized.dequantize_per_tensor(quantized.quantize_per_tensor(x, *quantization), *quantization)

        x = stored(x, 0.02, -8)
        x = stored(torch.relu(torch.conv2d(x, self.weights("first"), self.first_bias, padding=1)), 0.0137, -128)
        y = stored(torch.conv2d(x, self.weights("second"), self.second_bias), 0.0191, 9)
        x = stored(torch.relu(x + y), 0.0229, -128)
        x = stored(torch.nn.functional.avg_pool2d(x, 2), 0.0171, -128)
        x = stored(x.mean((2, 3)), 0.0171, -128)
        return stored(torch.nn.functional.linear(x, self.weights("last"), self.last_bias), 0.0103, 4)


def test_a_network_of_pt2e_computes_what_torch_executes():
    """Every output, but where a float32 sum of torch falls on a half's other side: none here, one is let through."""
    pytest.importorskip("torch.ao.quantization.fx._decomposed")  # registers its operators
    torch.manual_seed(3)
    net, x = Classifier(), torch.randn(400, 2, 8, 12) * 0.8
    found = calibrated(network_of(net, [x[:1].numpy()]), None)
    source, result = (found.graph.tensors[index].quantized for index in (found.graph.inputs[0], found.graph.outputs[0]))
    stored = np.clip(np.rint(x.numpy() / source.scales) + source.zero_point, -128, 127).astype(np.int8)
    ours = run(found.graph, [np.ascontiguousarray(stored.transpose(0, 2, 3, 1))[:, None]])[0]
    with torch.no_grad():
        theirs = np.rint(torch.cat([net(sample[None]) for sample in x]).numpy() / result.scales) + result.zero_point
    differing = np.abs(ours.reshape(theirs.shape) - theirs)
    assert differing.max() <= 1
    assert np.count_nonzero(differing) <= 1


@pytest.mark.slow
def test_scales_that_pt2e_gave_stand():
    pytest.importorskip("torch.ao.quantization.fx._decomposed")  # registers its operators
    net = Quantized()
    found = calibrated(network_of(net, [np.zeros((1, 2, 6, 6), np.float32)]), None)
    assert not found.from_noise
    graph = found.graph
    weights = graph.tensors[graph.nodes[0].inputs[1]]
    np.testing.assert_array_equal(weights.data, net.weights.numpy().transpose(0, 2, 3, 1))
    assert weights.quantized.scales.tolist() == net.scales.tolist()
    ends = [graph.tensors[index].quantized for index in (graph.inputs[0], graph.outputs[0])]
    assert [(end.scale, end.zero_point) for end in ends] == [(np.float32(0.02), -8), (np.float32(0.05), -128)]


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_a_factor_that_leaves_parts_of_pixels_is_refused(mode):
    class Resized(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.interpolate(x, scale_factor=1.5, mode=mode)

    with pytest.raises(UserError, match="leaves parts of pixels"):
        translate(network_of(Resized(), [np.zeros((1, 1, 5, 4), np.float32)]), [None])
    assert translate(network_of(Resized(), [np.zeros((1, 1, 6, 4), np.float32)]), [None]).graph.nodes
