"""The C of emitted networks, in its arena, under sanitizers: the oracle's bytes."""

from __future__ import annotations

from random_tflite import everything

from tinysearch.app.config.resources import data_dir
from tinysearch.catalog.loading import load_catalog
from tinysearch.firmware.networks.project import Target, emit_network
from tinysearch.firmware.networks.source import network_source
from tinysearch.firmware.verify import host
from tinysearch.networks.lowering import lower
from tinysearch.networks.tflite_file import read_tflite


def emitted(tmp_path, content: bytes):
    path = tmp_path / "network.tflite"
    path.write_bytes(content)
    chip = load_catalog("espressif", root=data_dir("hardware_catalog")).chip("esp32c3")
    target = Target(chip=chip, flash_bytes=4 << 20, app_bytes=400_000, latency_s=1.0, point={})
    return emit_network(
        network_source(lower(read_tflite(path))),
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
