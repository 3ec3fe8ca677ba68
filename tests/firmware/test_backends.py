"""ESP-NN beside the portable kernels: chosen by rules, the same bytes, and given up where it is wrong.

Set TINYSEARCH_ESP_NN to a copy of github.com/espressif/esp-nn to compare with its versions in C; SIMD needs a chip.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from projects import TASK, TEMPLATES, board_of, emitted, evaluated, face, models, networks, voice
from random_networks import program_of, randomized

from tinysearch.app.building.wiring import build_models
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.evaluation import Evaluation
from tinysearch.core.network import INPUT, Addition, Convolution, GlobalAveragePool, Linear, MaxPool, Unit
from tinysearch.core.program import FrozenNetwork, Operator
from tinysearch.core.protocols import FirmwareBackend
from tinysearch.evaluation.boards import PlatformWish
from tinysearch.firmware import project
from tinysearch.firmware.backends import EspDsp, EspNn, Pie, Xespv, choose_backends
from tinysearch.firmware.branch_source import accelerate, branch_source
from tinysearch.firmware.verify import host, project_rules

ESP_NN = os.environ.get("TINYSEARCH_ESP_NN")
ENVIRONMENT = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
needs_esp_nn = pytest.mark.skipif(ESP_NN is None, reason="needs a copy of ESP-NN's source, named by TINYSEARCH_ESP_NN")


def emit(
    *branches: BranchSpec,
    out: Path,
    frozen: dict[str, FrozenNetwork] | None = None,
    seed: int = 1,
    evaluation: Evaluation | None = None,
    backend: str = "esp_nn",
) -> Path:
    evaluation = evaluation or evaluated(*branches, processor="esp32s3")
    return project.emit(
        evaluation,
        networks(*branches, seed=seed) if frozen is None else frozen,
        chip=models().catalog.chip("esp32s3"),
        task=TASK,
        out=out,
        templates=TEMPLATES,
        version="0.0.0",
        digest="0123abcd",
        board=board_of(evaluation),
        backend=backend,
    )


CHIPS = models().catalog.chips.values()


def facts(folder: Path) -> dict[str, dict]:
    return json.loads((folder / "candidate.json").read_text())["firmware_facts"]["branches"]


def make(folder: Path, build: Path, goal: str) -> str:
    command = ["make", "-s", "-C", str(folder / "host"), f"BUILD={build}", "CC=gcc", f"ESP_NN={ESP_NN}", goal]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def application(program: Path) -> list[str]:
    done = subprocess.run(
        [program], input="selftest\n", capture_output=True, text=True, check=True, timeout=60, env=ENVIRONMENT
    )
    return done.stdout.splitlines()


def test_backends_are_chosen_by_name() -> None:
    known = {
        "pie": Pie(processors=("esp32s3",)),
        "xespv": Xespv(processors=("esp32p4", "esp32s31")),
        "esp_nn": EspNn(processors=("esp32p4", "esp32s3")),
        "esp_dsp": EspDsp(processors=("esp32", "esp32p4", "esp32s3")),
    }
    assert all(isinstance(backend, FirmwareBackend) for backend in known.values())
    assert choose_backends("portable", CHIPS) == ()
    assert {name: choose_backends(name, CHIPS) for name in known} == {name: (own,) for name, own in known.items()}
    assert choose_backends("auto", CHIPS) == tuple(known.values())
    assert not any(backend.processors for backend in choose_backends("auto", []))
    with pytest.raises(UserError, match=r"firmware\.backend must be portable, pie, xespv, esp_nn, esp_dsp, auto"):
        choose_backends("cmsis_nn", CHIPS)


@pytest.mark.parametrize(
    ("processor", "precision", "backend"),
    [
        *[("esp32s3", "int8", "pie"), ("esp32p4", "int8", "xespv"), ("esp32", "int8", None)],
        *[("esp32", "float32", "esp_dsp"), ("esp32p4", "float32", "esp_dsp"), ("esp32c6", "float32", None)],
        *[("esp32s2", "float32", None), ("esp32s3", "xnor1/1", "pie"), ("esp32c3", "int8", None)],
    ],
)
def test_a_backend_serves_its_arithmetic_on_its_processors(processor: str, precision: str, backend: str | None) -> None:
    program = branch_source("voice", networks(voice(precision))["voice"]).program
    serving = [
        found.name
        for found in choose_backends("auto", CHIPS)
        if any(found.supports(program, step, processor=processor) for step in program.steps)
    ]
    assert serving[:1] == ([backend] if backend else [])


@pytest.mark.parametrize("precision", ["float32", "xnor1/1", "xnor2/2"])
def test_other_arithmetic_stays_portable(precision: str, tmp_path: Path) -> None:
    folder = emit(face(precision), out=tmp_path / "p")
    assert (facts(folder)["face"]["backend"], facts(folder)["face"]["backend_steps"]) == ("portable", [])
    assert not (folder / "components/backend_esp_nn").exists()


def test_portable_projects_know_nothing_of_backends(tmp_path: Path) -> None:
    for path in emitted(face("int8"), out=tmp_path / "p", processor="esp32s3").rglob("*"):
        assert "esp_nn" not in path.name
        assert path.is_dir() or b"esp_nn" not in path.read_bytes()


def test_a_project_with_the_backend_is_whole_and_counts_its_flash(tmp_path: Path) -> None:
    branch = face("int8", width=16)
    folder = emit(branch, out=tmp_path / "p")
    rung = project_rules.project(folder)
    assert rung.status == "passed", rung.detail
    assert "espressif/esp-nn" in (folder / "components/backend_esp_nn/idf_component.yml").read_text()
    assert "PRIV_REQUIRES runtime backend_esp_nn)" in (folder / "components/model_face/CMakeLists.txt").read_text()
    steps = facts(folder)["face"]["backend_steps"]
    assert "s1b1_conv1" in steps
    assert "stem" not in steps  # its pool is fused
    source = branch_source("face", networks(branch)["face"])
    both = accelerate(source, EspNn(processors=("esp32s3",)), processor="esp32s3")
    assert list(both.accelerated) == steps
    weights = sum(source.frozen.parameters[name]["weights"].size for name in steps if name not in {"s1b1", "s2b1"})
    assert both.weight_bytes > source.weight_bytes + weights
    assert (both.model_id, both.golden_crc) == (source.model_id, source.golden_crc)


def test_a_flash_without_room_for_both_layouts_keeps_the_kernels_portable(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    branch = face("int8", (1, 1, 1), width=64)
    evaluation = evaluated(branch, processor="esp32s3")
    flash = evaluation.candidate.platform.flash_bytes
    weights = branch_source("face", networks(branch)["face"]).weight_bytes
    for spare, backend in ((weights + 200_000, "esp_nn"), (weights // 2, "portable")):
        details = {**evaluation.details, "flash": {"program_bytes": flash - weights - spare - 100_000}}
        tight = replace(evaluation, details=details)
        folder = emit(branch, out=tmp_path / backend, evaluation=tight)
        assert facts(folder)["face"]["backend"] == backend
        assert project_rules.project(folder).status == "passed"
    assert "no room in its flash" in caplog.text


@pytest.mark.parametrize(
    ("backend", "branches"),
    [
        ("pie", (face("int8", (2, 2), width=16),)),
        ("pie", (face("xnor2/1", (1, 1), width=32, input_size=64), voice("int8"))),
        ("esp_nn", (face("int8", (2, 2)), voice("int8"))),
        ("esp_dsp", (face("float32"),)),
    ],
)
def test_planned_flash_is_what_the_firmware_takes(
    backend: str, branches: tuple[BranchSpec, ...], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chosen = build_models(plain(compose_config(["trainer=none", f"firmware.backend={backend}"])))
    planned = chosen.choose(branches, PlatformWish(processor="esp32s3"))
    bare = models().choose(branches, PlatformWish(processor="esp32s3"))
    program = planned.details["flash"]["program_bytes"] - bare.details["flash"]["program_bytes"]
    assert program == planned.details["flash"]["backend_bytes"] > 0
    folder = emit(*branches, out=tmp_path / "p", evaluation=planned, backend=backend)
    for branch in branches:
        source = branch_source(branch.modality, networks(*branches)[branch.modality])
        if facts(folder)[branch.modality]["backend"] == backend:
            (own,) = choose_backends(backend, CHIPS)
            source = accelerate(source, own, processor="esp32s3")
        arrays = sum(len(each.arrays) for each in (*source.packed, *source.accelerated.values()))
        left = planned.figures[branch.modality].weight_bytes - source.weight_bytes
        assert 0 <= left < 16 * arrays or (branch.precision.kind == "xnor" and left >= 0), (branch.modality, left)
    flash = planned.candidate.platform.flash_bytes
    full = planned.details["flash"] | {"program_bytes": flash - 0x20000 - planned.details["flash"]["weight_bytes"]}
    tight = replace(planned, details={**planned.details, "flash": full | {"spare_bytes": 0}})
    emit(*branches, out=tmp_path / "tight", evaluation=tight, backend=backend)
    assert "no room in its flash" not in caplog.text


def test_one_branch_has_the_backend_where_two_run_at_once(tmp_path: Path) -> None:
    folder = emit(face("int8"), voice("int8", (2, 2), width=16), out=tmp_path / "p")
    assert [facts(folder)[name]["backend"] for name in ("face", "voice")] == ["portable", "esp_nn"]
    assert "backend_esp_nn" not in (folder / "components/model_face/CMakeLists.txt").read_text()


def test_steps_that_overwrite_what_they_read_stay_portable() -> None:
    source = branch_source("face", networks(face("int8", (2, 2)))["face"])
    chosen = accelerate(source, EspNn(processors=("esp32s3",)), processor="esp32s3")
    for step in source.program.steps:
        if (
            step.name in chosen.accelerated
            and step.operator is not Operator.ADD
            and step.output in source.memory.offsets
        ):
            read = [source.memory.offsets[name] for name in step.inputs]
            assert step.output == source.program.output.name or source.memory.offsets[step.output] not in read


def test_without_esp_nn_the_project_is_portable_and_says_so(tmp_path: Path) -> None:
    folder = emit(face("int8"), out=tmp_path / "p")
    for rung in (host.golden_vectors(folder), host.sanitizers(folder)):
        assert rung.status == "passed", rung.detail
    command = ["make", "-s", "-C", str(folder / "host"), f"BUILD={tmp_path}", "CC=gcc", "app"]
    subprocess.run(command, check=True)
    lines = application(tmp_path / "app")
    assert "WARN backend face: esp_nn is not in this program, portable kernels" in lines
    assert any(line.startswith("OK selftest") for line in lines)


DOT_PRODUCT = """
#define dsps_dotprod_f32 four_sums
static inline int four_sums(const float *a, const float *b, float *result, int count)
{
    float sums[4] = {0};
    for (int i = 0; i < count; i++) {
        sums[i %% 4] += a[i] * b[i];
    }
    *result = %s;
    return 0;
}
"""
"""What ESP-DSP documents of its dot product, adding in the order of its SIMD code."""


@pytest.mark.parametrize(
    ("sum_of", "line"),
    [
        pytest.param("sums[0] + sums[1] + sums[2] + sums[3]", "backend face esp_dsp scratch", marks=pytest.mark.slow),
        ("sums[0] + sums[1] + sums[2]", "WARN backend face: esp_dsp computes something else, portable kernels"),
    ],
)
def test_float_steps_by_dot_products_agree_or_are_given_up(sum_of: str, line: str, tmp_path: Path) -> None:
    folder = emit(face("float32", (1, 1), width=6), out=tmp_path / "p", backend="esp_dsp")
    assert {"s1b1_conv1", "s2b1_skip", "embed"} <= set(facts(folder)["face"]["backend_steps"])
    assert project_rules.project(folder).status == "passed"
    (tmp_path / "include").mkdir()
    (tmp_path / "include/dsps_dotprod.h").write_text(DOT_PRODUCT % sum_of)
    flags = f"CFLAGS=-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -isystem {tmp_path}/include"
    command = ["make", "-s", "-C", str(folder / "host"), f"BUILD={tmp_path}", "CC=gcc", flags]
    subprocess.run([*command, "app"], check=True)
    lines = application(tmp_path / "app")
    assert any(text.startswith(line) for text in lines), lines
    assert any(text.startswith("OK selftest") for text in lines)
    checked = subprocess.run([*command, "check"], check=False, capture_output=True, text=True, env=ENVIRONMENT)
    assert (checked.returncode == 0) == line.startswith("backend"), checked.stdout + checked.stderr


def test_each_branch_has_the_backend_of_its_arithmetic(tmp_path: Path) -> None:
    folder = emit(face("int8"), voice("float32", (1,), width=4), out=tmp_path / "p", backend="auto")
    assert [facts(folder)[name]["backend"] for name in ("face", "voice")] == ["pie", "esp_dsp"]
    assert project_rules.project(folder).status == "passed"
    assert host.golden_vectors(folder).status == "passed"


@needs_esp_nn
@pytest.mark.parametrize("seed", range(3))
def test_esp_nn_in_c_gives_the_bytes_of_the_oracle(seed: int, tmp_path: Path) -> None:
    folder = emit(face("int8", (2, 2)), out=tmp_path / "p", seed=seed)
    printed = make(folder, tmp_path / "build", "check")
    assert "backend face esp_nn" in printed
    assert "OK golden vectors" in printed


@needs_esp_nn
@pytest.mark.parametrize("seed", range(4))
def test_every_operator_agrees_on_random_parameters(seed: int, tmp_path: Path) -> None:
    """Depthwise, strided, padded, odd sizes, max pool, with multipliers and zero points over their whole range."""
    units: tuple[Unit, ...] = (
        Convolution(name="stem", input=INPUT, out_channels=10, kernel=3, stride=2, padding=1),
        Convolution(name="dw1", input="stem", out_channels=10, kernel=3, padding=1, depthwise=True),
        Convolution(name="pw1", input="dw1", out_channels=10, kernel=1, relu=False),
        Addition(name="sum", left="pw1", right="stem"),
        Convolution(name="dw2", input="sum", out_channels=10, kernel=5, stride=2, padding=2, depthwise=True),
        Convolution(name="pw2", input="dw2", out_channels=7, kernel=1),
        Convolution(name="wide", input="pw2", out_channels=16, kernel=3, padding=1),
        MaxPool(name="pool", input="wide", pool=2),
        Convolution(name="down", input="wide", out_channels=16, kernel=3, stride=2, padding=1, relu=False),
        Addition(name="both", left="pool", right="down"),
        GlobalAveragePool(name="mean", input="both", batch_norm=True),
        Linear(name="embed", input="mean", out_features=9, batch_norm=True),
    )
    program = program_of(*units, input_shape=(32, 32, 3), precision="int8")
    frozen = replace(randomized(program, np.random.default_rng(seed), extremes=False), trained=False, seed=seed)
    folder = emit(face("int8", embedding=9), out=tmp_path / "p", frozen={"face": frozen})
    steps = facts(folder)["face"]["backend_steps"]
    assert {"stem", "dw1", "sum", "wide", "pool", "embed"} <= set(steps)
    printed = make(folder, tmp_path / "build", "check")
    assert "backend face esp_nn" in printed
    assert "OK golden vectors" in printed


@needs_esp_nn
def test_a_backend_that_computes_something_else_is_given_up(tmp_path: Path) -> None:
    folder = emit(face("int8"), out=tmp_path / "p")
    make(folder, tmp_path / "right", "app")
    assert "backend face esp_nn scratch 0" in application(tmp_path / "right/app")
    weights = folder / "components/model_face/model_face_weights.c"
    before = weights.read_text()
    after = re.sub(r"(model_face_embed_esp_nn_bias\[\d+\] = \{\n    )-?\d+", r"\g<1>1000000", before)
    assert after != before
    weights.write_text(after)
    make(folder, tmp_path / "wrong", "app")
    lines = application(tmp_path / "wrong/app")
    assert "WARN backend face: esp_nn computes something else, portable kernels" in lines
    assert any(line.startswith("OK selftest") for line in lines)
