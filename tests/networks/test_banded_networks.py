"""Bands of networks of one's own: a few rows at a time give what whole maps give, in less memory."""

from __future__ import annotations

import json

import numpy as np
import pytest
from random_tflite import RELU, SAME, VALID, Builder
from small_tflite import model
from test_kernels import project_of

from tinysearch.app.cli import main
from tinysearch.app.config.resources import data_dir
from tinysearch.app.networks.again import again_source
from tinysearch.app.networks.asked import instruction_counter
from tinysearch.distribution import installed_version
from tinysearch.firmware.verify import emulator, host
from tinysearch.firmware.verify.again import as_the_run_emits
from tinysearch.firmware.verify.emitted import Package
from tinysearch.firmware.verify.own_code import only_ours
from tinysearch.networks.arena import plan
from tinysearch.networks.bands import banded, with_band
from tinysearch.networks.lowering import LoweredNetwork, lower
from tinysearch.networks.tflite_file import read_tflite

CHAINS = 12


def lowered(tmp_path, content: bytes) -> LoweredNetwork:
    path = tmp_path / "network.tflite"
    path.write_bytes(content)
    return lower(read_tflite(path))


def chain(net: Builder) -> tuple[int, int]:
    """Layers of any geometry with a skip connection; input and output."""
    random = net.random
    start = net.last = net.activation((1, int(random.integers(14, 22)), int(random.integers(9, 14)), 3))
    net.conv(int(random.integers(3, 7)), (3, int(random.choice([2, 3]))), stride=(int(random.integers(1, 3)), 1))
    skip = net.last
    shape = net.tensors[skip].shape
    net.depthwise((int(random.choice([3, 5])), 3), dilation=(int(random.integers(1, 3)), 1), fused=RELU)
    net.then("LEAKY_RELU", [net.last], shape, {"Alpha": 0.1})
    net.conv(shape[3], (1, 1))
    net.join("ADD", skip, net.last)
    net.then("MUL", [net.last, net.constant((shape[3],), shape[3], 0)[0]], shape, {"FusedActivationFunction": 0})
    net.tensors[net.operators[-1].inputs[1]].scale = 0.01
    net.pool("MAX_POOL_2D", (2, 2), stride=(int(random.integers(1, 3)), 2))
    net.depthwise((3, 3), multiplier=2, stride=(2, 2))
    net.pool("AVERAGE_POOL_2D", (3, 3), padding=int(random.choice([SAME, VALID])))
    return start, net.conv(5, (3, 3), padding=SAME)


def random_bands(network: LoweredNetwork, random: np.random.Generator) -> LoweredNetwork:
    """A band somewhere in every chain."""
    length = len(network.calls) // CHAINS
    for number in reversed(range(CHAINS)):
        found = None
        while found is None:
            first, last = (number * length + int(place) for place in sorted(random.integers(0, length, 2)))
            rows = int(random.integers(1, 5))
            found = with_band(network, first, last, rows=rows) if first < last else None
        network = found
    return network


def test_any_bands_give_what_whole_maps_give(tmp_path):
    net = Builder(np.random.default_rng(3))
    ends = [chain(net) for _ in range(CHAINS)]
    content = model(net.tensors, net.operators, *([index for index, _ in ends], [index for _, index in ends]))
    whole = lowered(tmp_path, content)
    network = random_bands(whole, net.random)
    assert sum(call.band is not None for call in network.calls) == CHAINS
    assert any(call.band is not None and call.band.moves for call in network.calls)
    rung = host.sanitizers(project_of(tmp_path, network))
    assert rung.status == "passed", rung.detail
    for call in network.calls:
        if call.band is not None:
            assert sum(part.call.macs for part in call.band.parts) == sum(step.macs for step in call.band.steps)
    assert network.macs == whole.macs
    assert network.parameter_bytes == whole.parameter_bytes


def mobilenet(*, size: int) -> bytes:
    net = Builder.start(5, (1, size, size, 1))
    net.conv(8, (3, 3), stride=(2, 2), fused=RELU)
    for channels, stride in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1)):
        net.depthwise((3, 3), stride=(stride, stride), fused=RELU)
        net.conv(channels, (1, 1), fused=RELU)
    return net.file()


def test_the_arena_gets_smaller_and_is_its_bound(tmp_path):
    whole = lowered(tmp_path, mobilenet(size=96))
    network = banded(whole)
    before, after = plan(whole), plan(network)
    assert after.peak_bytes == after.bound_bytes
    assert after.peak_bytes < 0.6 * before.peak_bytes
    assert banded(whole, room_bytes=before.peak_bytes) is whole


@pytest.mark.emulator
def test_parts_and_moves_are_predicted_within_a_twentieth(tmp_path):
    network = banded(lowered(tmp_path, mobilenet(size=96)))
    found = emulator.execute(project_of(tmp_path, network))
    assert "OK golden vectors" in found.outcome.text
    count = instruction_counter()
    for number, call in enumerate(network.calls):
        if call.band is not None:
            assert abs(count(call) / found.layers["network"][f"step_{number}"] - 1) < 0.05


def test_a_project_in_bands_is_what_its_network_gives(tmp_path, capsys):
    file, out = tmp_path / "model.tflite", tmp_path / "project"
    file.write_bytes(mobilenet(size=96))
    words = [f"network={file}", "platform.processor=esp32c3"]
    points = []
    for more in ([], ["memory=bands"]):
        assert main(["evaluate", *words, *more, "--json"]) == 0
        points.append(json.loads(capsys.readouterr().out))
    whole, by_rows = points
    assert by_rows["platform"]["memory"] == "bands"
    assert "memory" not in whole["platform"]
    assert by_rows["arena_bytes"] < 0.6 * whole["arena_bytes"]
    assert 1 < by_rows["instructions"] / whole["instructions"] < 1.12
    assert whole["values"]["latency_s"] < by_rows["values"]["latency_s"] < 1.12 * whole["values"]["latency_s"]
    assert main(["emit", *words, "memory=bands", f"out={out}"]) == 0
    package = Package(templates=data_dir("firmware_templates"), version=installed_version(), project="network")
    rungs = [
        as_the_run_emits(out, again=again_source(out, words), package=package, accept=()),
        only_ours(out, package=package, accept=()),
        host.golden_vectors(out),
    ]
    assert [rung.status for rung in rungs] == ["passed"] * 3, rungs
    assert main(["evaluate", *words, "memory=paper"]) == 2
    assert "memory of a network of one's own must be arena or bands" in capsys.readouterr().err
