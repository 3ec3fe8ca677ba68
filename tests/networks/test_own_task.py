"""``network=FILE task=NAME``: the application of a task around a network of one's own, and what does not fit it."""

from __future__ import annotations

import json

import pytest
from random_tflite import RELU, VALID, Builder

from tinysearch.app.cli import main
from tinysearch.app.config.resources import data_dir
from tinysearch.app.networks.again import again_source
from tinysearch.distribution import installed_version
from tinysearch.firmware.verify import classes, host
from tinysearch.firmware.verify.again import as_the_run_emits
from tinysearch.firmware.verify.emitted import Package
from tinysearch.firmware.verify.own_code import only_ours
from tinysearch.firmware.verify.simd.project import vector_kernels


def network(path, shape: tuple[int, ...] = (1, 32, 32, 1)):
    """A convolution, a mean and a class a channel."""
    net = Builder.start(7, shape)
    net.conv(8, (3, 3), stride=(2, 2), fused=RELU)
    net.pool("AVERAGE_POOL_2D", net.tensors[net.last].shape[1:3], padding=VALID)
    net.conv(3, (1, 1))
    path.write_bytes(net.file())
    return path


def test_a_classification_is_emitted_with_its_sensor_and_answers_as_python_does(tmp_path):
    (tmp_path / "labels.txt").write_text("up\ndown\nsilence\n")
    words = [f"network={network(tmp_path / 'net.tflite')}", "task=keywords", f"labels={tmp_path / 'labels.txt'}"]
    out = tmp_path / "project"
    assert main(["emit", *words, f"out={out}"]) == 0
    point = json.loads((out / "candidate.json").read_text())
    assert point["decision"] == "classification"
    assert point["platform"]["sensors"]
    assert point["firmware_facts"]["classes"] == ["up", "down", "silence"]
    package = Package(templates=data_dir("firmware_templates"), version=installed_version())
    rungs = [
        as_the_run_emits(out, again=again_source(out, words), package=package, accept=()),
        only_ours(out, package=package, accept=()),
        host.golden_vectors(out),
        classes.drive(out),
    ]
    assert [rung.status for rung in rungs] == ["passed"] * 4, rungs


def test_the_vector_unit_of_its_chip_computes_what_it_can(tmp_path):
    words = [f"network={network(tmp_path / 'net.tflite')}", "task=keywords", "platform.processor=esp32p4"]
    out = tmp_path / "project"
    assert main(["emit", *words, "firmware.backend=auto", f"out={out}"]) == 0
    point = json.loads((out / "candidate.json").read_text())
    (branch,) = point["firmware_facts"]["branches"].values()
    assert (branch["backend"], branch["backend_steps"]) == ("xespv", ["0", "1", "2"])
    assert point["requires"]["ram_bytes"] >= branch["arena_bytes"]
    assert point["evidence"]["latency"] == "uncalibrated"
    package = Package(templates=data_dir("firmware_templates"), version=installed_version())
    rungs = [as_the_run_emits(out, again=again_source(out, words), package=package, accept=()), vector_kernels(out)]
    assert [rung.status for rung in rungs] == ["passed"] * 2, rungs


@pytest.mark.parametrize(
    ("shape", "task", "said"),
    [
        ((1, 32, 30, 1), "keywords", "must take what its microphone gives, 32x32x1; got an input of 1x32x30x1"),
        ((1, 32, 32, 1), "face_voice", "must have one input"),
        ((1, 32, 32, 1), "vibration", "must be a classification or a verification"),
    ],
)
def test_what_does_not_fit_a_task_is_one_line(tmp_path, capsys, shape, task, said):
    path = network(tmp_path / "net.tflite", shape)
    assert main(["evaluate", f"network={path}", f"task={task}"]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.strip().splitlines()) == 1
