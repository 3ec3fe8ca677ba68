"""Networks in two memories: the same bytes, within the room, with the traffic counted."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from random_tflite import RELU, Builder
from test_banded_networks import lowered, mobilenet
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
from tinysearch.networks.split import Room, Split, split
from tinysearch.networks.traffic import SlowMemory, Traffic, slow_traffic, traffic_of

SLOW = SlowMemory(read_s=1e-7, write_s=2e-7, cache_bytes=1024)


def in_room(network, fast_bytes: int, *, in_bands: bool = True, slow: SlowMemory = SLOW) -> Split | None:
    count = instruction_counter()
    room = Room(fast_bytes=fast_bytes, slow=slow, seconds=lambda call: count(call) / 2e8)
    return split(network, room, in_bands=in_bands)


def residual() -> bytes:
    """Depthwise layers between sums, whose inputs outlive them."""
    net = Builder.start(11, (1, 20, 18, 4))
    skip = net.conv(8, (3, 3))
    for _ in range(2):
        net.conv(16, (1, 1), fused=RELU)
        net.depthwise((3, 3), fused=RELU)
        skip = net.join("ADD", skip, net.conv(8, (1, 1)))
    net.pool("MAX_POOL_2D", (2, 2), stride=(2, 2))
    net.dense(7)
    return net.file()


@pytest.mark.parametrize("in_bands", [False, True])
@pytest.mark.parametrize("fast_bytes", [2500, 5000, 9000])
def test_two_arenas_give_what_one_does(tmp_path, fast_bytes, in_bands):
    network = lowered(tmp_path, residual())
    found = in_room(network, fast_bytes, in_bands=in_bands)
    assert found.memory.peak_bytes <= fast_bytes
    banded = any(call.band is not None for call in found.network.calls)
    if found.memory.slow is None:
        assert banded  # which is all that it takes
    else:
        assert not set(found.memory.offsets) & set(found.memory.slow.offsets)
    assert banded <= in_bands
    rung = host.sanitizers(project_of(tmp_path, found.network, memory=found.memory))
    assert rung.status == "passed", rung.detail


def test_more_room_and_bands_never_make_it_slower(tmp_path):
    network = lowered(tmp_path, residual())
    whole = SLOW.seconds(slow_traffic(network, {*network.owners.values()}, cache_bytes=SLOW.cache_bytes))
    rooms = [in_room(network, fast_bytes, in_bands=False) for fast_bytes in (2500, 5000, 9000, 16000)]
    seconds = [SLOW.seconds(found.traffic) for found in rooms]
    assert seconds == sorted(seconds, reverse=True)
    assert whole > seconds[0] > seconds[-1] == 0
    assert rooms[-1].memory.slow is None
    assert in_room(network, 5000).seconds < rooms[1].seconds
    assert in_room(network, 100) is None


def test_the_knapsack_is_the_best_of_all_subsets(tmp_path):
    """Every subset of tensors that fits into the room by its own plan takes at least as long."""
    net = Builder.start(2, (1, 9, 9, 4))
    net.conv(6, (3, 3))
    net.depthwise((3, 3), stride=(2, 2))
    net.conv(12, (1, 1))
    net.depthwise((3, 3))
    network = lowered(tmp_path, net.file())
    traffic = traffic_of(network, cache_bytes=100)
    slow = SlowMemory(read_s=1.0, write_s=3.0, cache_bytes=100)
    for fast_bytes in (500, 700, 900):
        found = in_room(network, fast_bytes, in_bands=False, slow=slow)
        best = min(
            sum(slow.seconds(traffic[index]) for index in outside)
            for outside in subsets(sorted(traffic))
            if plan(network, without=outside).peak_bytes <= fast_bytes
        )
        assert slow.seconds(found.traffic) == pytest.approx(best)


def subsets(indices: list[int]):
    for mask in range(1 << len(indices)):
        yield frozenset(index for place, index in enumerate(indices) if mask >> place & 1)


def test_what_is_read_and_written_is_counted(tmp_path):
    net = Builder.start(2, (1, 8, 8, 4))
    net.conv(6, (1, 1))
    net.depthwise((3, 3))
    network = lowered(tmp_path, net.file())
    first, middle, last = network.graph.inputs[0], network.calls[0].output, network.calls[1].output
    inside, outside = (traffic_of(network, cache_bytes=size) for size in (8 * 8 * 6, 8 * 8 * 6 - 1))
    assert inside == {
        first: Traffic(read=256),
        middle: Traffic(read=384, written=384),
        last: Traffic(written=384),
    }
    assert outside[middle] == Traffic(read=6 * 384, written=384)
    assert outside[last] == Traffic(written=6 * 384)


@pytest.mark.emulator
def test_the_instruction_set_of_a_chip_gives_the_same(tmp_path):
    found = in_room(lowered(tmp_path, mobilenet(size=48)), 4000)
    assert found.memory.slow is not None
    run = emulator.execute(project_of(tmp_path, found.network, memory=found.memory))
    assert "OK golden vectors" in run.outcome.text
    predicted = sum(map(instruction_counter(), found.network.calls))
    assert abs(predicted / sum(run.layers["network"].values()) - 1) < 0.05


def test_a_board_with_external_ram_takes_a_network_in_both(tmp_path, capsys):
    file, out = tmp_path / "model.tflite", tmp_path / "project"
    file.write_bytes(mobilenet(size=96))
    board = [f"network={file}", "platform.processor=esp32s3", "platform.psram=8MB"]
    points = []
    for more in ([], ["sram=16KiB"], ["sram=8KiB"]):
        assert main(["evaluate", *board, *more, "--json"]) == 0
        points.append(json.loads(capsys.readouterr().out))
    whole, larger, smaller = points
    assert (whole["split"], whole["platform"].get("memory")) == (None, None)
    assert larger["platform"]["memory"] == "split"
    assert larger["split"]["sram_bytes"] == larger["arena_bytes"] <= 16 * 1024
    assert smaller["split"]["sram_bytes"] <= 8 * 1024
    times = [point["values"]["latency_s"] for point in points]
    assert times == sorted(times)
    words = [*board, "sram=8KiB"]
    assert main(["emit", *words, f"out={out}"]) == 0
    assert "CONFIG_SPIRAM=y" in (out / "sdkconfig.defaults.esp32s3").read_text()
    package = Package(templates=data_dir("firmware_templates"), version=installed_version(), project="network")
    rungs = [
        as_the_run_emits(out, again=again_source(out, board), package=package, accept=()),
        only_ours(out, package=package, accept=()),
        host.golden_vectors(out),
    ]
    assert [rung.status for rung in rungs] == ["passed"] * 3, rungs
    assert main(["evaluate", *board, "sram=much"]) == 2
    assert "sram" in capsys.readouterr().err


def test_random_tensors_may_lie_anywhere(tmp_path):
    """Any choice of tensors for the second arena gives the same bytes, inputs and outputs among them."""
    network = lowered(tmp_path, residual())
    random = np.random.default_rng(1)
    tensors = sorted({*network.owners.values()})
    outside = frozenset(index for index in tensors if random.random() < 0.5) | {*network.graph.outputs}
    scratch = {-1 - number for number in range(len(network.calls))}
    slow = plan(network, without={*tensors} - outside | scratch)
    fast = plan(network, without=outside)
    memory = replace(fast, slow=slow, backward=fast.backward | slow.backward)
    rung = host.sanitizers(project_of(tmp_path, network, memory=memory))
    assert rung.status == "passed", rung.detail
