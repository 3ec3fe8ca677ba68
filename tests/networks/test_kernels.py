"""The C of emitted networks, in its arena, under sanitizers: the oracle's bytes."""

from __future__ import annotations

import subprocess

import pytest
from random_tflite import Builder, everything
from rounded_once import rounded_once

from tinysearch.app.config.resources import data_dir
from tinysearch.catalog.loading import load_catalog
from tinysearch.firmware.networks.golden import random_inputs
from tinysearch.firmware.networks.project import Target, emit_network
from tinysearch.firmware.networks.source import network_source
from tinysearch.firmware.verify import host
from tinysearch.networks.arena import ArenaPlan
from tinysearch.networks.graph import Rounding
from tinysearch.networks.lowering import LoweredNetwork, lower
from tinysearch.networks.oracle import run
from tinysearch.networks.tflite_file import read_tflite


def emitted(tmp_path, content: bytes, *, labels: tuple[str, ...] = ()):
    path = tmp_path / "network.tflite"
    path.write_bytes(content)
    return project_of(tmp_path, lower(read_tflite(path)), labels=labels)


def project_of(tmp_path, network: LoweredNetwork, *, labels: tuple[str, ...] = (), memory: ArenaPlan | None = None):
    """The emitted project of calls as they are."""
    chip = load_catalog("espressif", root=data_dir("hardware_catalog")).chip("esp32c3")
    target = Target(chip=chip, flash_bytes=4 << 20, app_bytes=400_000, latency_s=1.0, point={})
    return emit_network(
        network_source(network, labels=labels, memory=memory),
        target,
        lowering={},
        out=tmp_path / "project",
        templates=data_dir("firmware_templates"),
        version="0",
        digest="abcd",
    )


def test_the_host_program_computes_what_the_oracle_does(tmp_path):
    rung = host.sanitizers(emitted(tmp_path, everything()))
    assert rung.status == "passed", rung.detail


@pytest.mark.parametrize("rounding", [Rounding.ONCE, Rounding.TORCH])
def test_the_host_program_rounds_once_as_the_oracle_does(tmp_path, rounding):
    path = tmp_path / "network.tflite"
    path.write_bytes(everything())
    graph = rounded_once(read_tflite(path), rounding)
    functions = {call.function for call in lower(graph).calls}
    kernels = ("conv", "depthwise", "fully_connected", "mean", "average_pool", "add", "mul")
    assert {f"ts_once_{kernel}_s8" for kernel in kernels} <= functions
    rung = host.sanitizers(project_of(tmp_path, lower(graph)))
    assert rung.status == "passed", rung.detail


def test_labels_name_the_largest_output(tmp_path):
    net = Builder.start(4, (1, 6))
    net.dense(3)
    path = tmp_path / "network.tflite"
    project = emitted(tmp_path, net.file(), labels=("cat", 'a "dog"', "none"))
    subprocess.run(["make", "-C", str(project / "host")], check=True, capture_output=True)
    program = str(project / "host" / "build" / "run")
    graph = read_tflite(path)
    stored = random_inputs(graph, 4, 0)[0]
    outputs = run(graph, [stored])[0].reshape(4, 3)
    names = []
    for number, sample in enumerate(stored):
        file = tmp_path / f"{number}.bin"
        file.write_bytes(sample.tobytes())
        names.append(str(file))
    found = subprocess.run([program, "--label", *names], capture_output=True, text=True, check=True).stdout
    labels = [line.rsplit(" ", 1)[0] for line in found.splitlines()]
    assert labels == [("cat", 'a "dog"', "none")[row.argmax()] for row in outputs]
