"""The vector kernels of the ESP32-P4 equal the oracle bit for bit, in a model of their instructions.

``python benchmarks/simd.py --chip esp32p4 --shapes 1000`` runs more of them, which takes minutes.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from binary_layers import weighted
from pie_cases import KERNELS, XESPV, layer_of, of_binary, run_everywhere
from projects import TASK, TEMPLATES, board_of, models, networks, voice
from test_backends import facts

from tinysearch.app.building.wiring import build_models
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.core.network import INPUT, Convolution
from tinysearch.evaluation.boards import PlatformWish
from tinysearch.firmware import project
from tinysearch.firmware.integer_network import execute
from tinysearch.firmware.packing import xespv
from tinysearch.firmware.verify import project_rules
from tinysearch.firmware.verify.simd.assembly import AssemblyError, parse
from tinysearch.firmware.verify.simd.machine import Machine, ModelError, aligned, copied
from tinysearch.firmware.verify.simd.project import vector_kernels
from tinysearch.firmware.verify.simd.riscv import RISCV

SHAPES = 8
DRAWN = {*xespv.KERNELS, "fully_connected_s8"}  # which the kernel of convolutions computes

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")


@pytest.mark.parametrize("kernel", sorted(DRAWN))
def test_random_layers_equal_the_oracle(kernel: str) -> None:
    ran = [run_everywhere(KERNELS[kernel](rng), rng, XESPV) for rng in map(np.random.default_rng, range(SHAPES))]
    assert all(ran)


def test_every_shift_and_the_ends_of_multipliers_round_as_the_oracle_does() -> None:
    """Sums of small numbers hit exact halves on both sides of zero."""
    rng = np.random.default_rng(0)
    unit = Convolution(name="x", input=INPUT, out_channels=93, kernel=1, relu=False)
    layer = layer_of(unit, shape=(5, 7, 3), rng=rng)
    shifts = np.repeat(np.arange(1, 32), 3).astype(np.int32)
    spread = np.minimum(np.int64(1) << (shifts + 8), 1 << 28)
    parameters = {
        **layer.frozen.parameters["x"],
        "shift": shifts,
        "multiplier": np.tile(np.array([1 << 30, (1 << 31) - 1, 0], np.int32), 31),
        "weights": rng.integers(-3, 4, (93, 1, 1, 3)).astype(np.int8),
        "bias": (rng.integers(-8, 9, 93) * spread // 8).astype(np.int32),
    }
    frozen = replace(layer.frozen, parameters={"x": parameters})
    expected = execute(frozen, layer.step, [layer.sources[0][None]])[0]
    replace(layer, frozen=frozen, expected=expected).run(XESPV)


@pytest.mark.parametrize("pool", [1, 2])
def test_convolutions_in_parts_equal_the_oracle(pool: int) -> None:
    """Weights of more than the cache keeps."""
    unit = Convolution(name="x", input=INPUT, out_channels=75, kernel=3, pool=pool, relu=False)
    layer = layer_of(unit, shape=(5, 4, 150), rng=np.random.default_rng(0))
    assert xespv.UNIT.pack(layer.frozen, layer.step).arrays["block"].view(np.int32)[5] < 75
    layer.run(XESPV, offsets=(0, 5))


@pytest.mark.parametrize("to_bits", [True, False])
def test_binary_convolutions_in_parts_equal_the_oracle(to_bits: bool) -> None:
    """A byte a weight is more than the cache keeps; a part's bits start at a word."""
    rng = np.random.default_rng(0)
    layer = of_binary(weighted(rng, shape=(3, 2, 150), out_channels=75, bits=(2, 2), to_bits=to_bits))
    assert xespv.UNIT.pack(layer.frozen, layer.step).arrays["block"].view(np.int32)[5] == 32
    layer.run(XESPV)


def test_a_binary_layer_goes_where_it_is_worth_it() -> None:
    """Not where each of its weights, 8 times as long, is read once."""
    rng = np.random.default_rng(0)
    convolved = of_binary(weighted(rng, shape=(6, 6, 3), out_channels=16, bits=(2, 1)))
    connected = of_binary(weighted(rng, shape=(1, 1, 512), out_channels=64, bits=(2, 1), kernel=None, padding=0))
    connected.run(XESPV)
    assert [xespv.UNIT.wins(one.frozen.program, one.step) for one in (convolved, connected)] == [True, False]


def test_a_project_runs_its_vector_kernels(tmp_path: Path) -> None:
    """In the arena that was planned; and nothing says that a chip or an emulator ran them."""
    branch = voice("int8", (1, 1), width=8, input_size=32)
    chosen = build_models(plain(compose_config(["firmware.backend=auto"])))
    evaluation = chosen.choose((branch,), PlatformWish(processor="esp32p4"))
    folder = project.emit(
        evaluation,
        networks(branch),
        chip=models().catalog.chip("esp32p4"),
        task=TASK,
        out=tmp_path / "p",
        templates=TEMPLATES,
        version="0.0.0",
        digest="0123abcd",
        board=board_of(evaluation),
        backend="auto",
    )
    made = facts(folder)["voice"]
    assert (made["backend"], made["arena_bytes"]) == ("xespv", evaluation.figures["voice"].arena_bytes)
    rung = vector_kernels(folder)
    assert rung.status == "passed", rung.detail
    assert "not a chip or an emulator" in rung.detail
    assert "was not run on a chip or an emulator" in " ".join((folder / "README.md").read_text().split())
    assert project_rules.project(folder).status == "passed"
    shipped = {path.name for path in (folder / "components/backend_xespv").rglob("*") if path.is_file()}
    assert shipped == {path.name for path in XESPV.component.rglob("*") if path.is_file()}
    listed = (XESPV.component / "CMakeLists.txt").read_text()
    assert all(f'"{source.name}"' in listed for source in XESPV.component.glob("*.S"))


def function(*lines: str) -> str:
    return "\n".join([".global f", "f:", *lines, "ret", ""])


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        (["addi a0, a0, 2048"], "an immediate must be one that the instruction can encode"),
        (["esp.vld.128.ip q0, a0, 8"], "an immediate must be"),
        (
            ["esp.vld.128.ip q0, a6, 16"],
            "p registers must be there",
        ),  # the unit names a0 .. a5, s0, s1, s8 .. and t3 ..
        (["esp.vld.128.ip q0, t0, 16"], "p registers must be there"),
        (["mv zero, a0"], "x registers must be there"),
        (["esp.andq q0, q1, q8"], "q registers must be there"),
        (["esp.srcmb.s8.qacc q0, a0, 0"], "the model must know an instruction"),  # whose rounding is a mode
        (["esp.lp.setup 0, a0, 1f", "1: fence"], "the model must know an instruction"),
        (["beqz a0, 1f", *["fence"] * 1024, "1: fence"], "a branch must reach its label"),
    ],
)
def test_what_the_assembler_would_refuse_or_modes_decide_is_refused(lines: list[str], rule: str) -> None:
    with pytest.raises(AssemblyError, match=rule):
        parse(function(*lines), core=RISCV)


PROBES = """
.global lanes
lanes:      /* 16 accumulators of 32 bits that saturate, four in a quarter */
    esp.ld.qacc.l.l.128.ip a0, 16
    esp.ld.qacc.l.h.128.ip a0, 16
    esp.ld.qacc.h.l.128.ip a0, 16
    esp.ld.qacc.h.h.128.ip a0, 16
    esp.vld.128.ip q0, a1, 16
    esp.vsmulas.s8.qacc.ld.incp q1, a1, q0, q0, 15
    esp.st.qacc.l.l.128.ip a2, 16
    esp.st.qacc.l.h.128.ip a2, 16
    esp.st.qacc.h.l.128.ip a2, 16
    esp.st.qacc.h.h.128.ip a2, 16
    ret
.global astray
astray:
    esp.vld.128.ip q0, a0, 16
    ret
.global careless
careless:
    mv s8, a0
    ret
"""


@pytest.fixture(scope="module")
def probes(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    source = tmp_path_factory.mktemp("probes") / "probes.S"
    Path(source).write_text(PROBES)
    return Machine([source], core=RISCV)


def test_accumulators_have_32_bits_and_saturate(probes: Machine) -> None:
    top = (1 << 31) - 1
    start = np.array([top - 5, -top, 7, *range(13)], np.int64)
    values, out = np.arange(-8, 8).astype(np.int8), aligned(64)
    values[0], values[1] = 100, -100
    assert probes.run_words("lanes", [copied(start.astype("<i4")), copied(np.tile(values, 2)), out]) == 11
    np.testing.assert_array_equal(out.view("<i4"), np.clip(start + 7 * values.astype(np.int64), -top - 1, top))


def test_addresses_that_a_mode_decides_about_and_registers_that_are_lost_are_faults(probes: Machine) -> None:
    with pytest.raises(ModelError, match="must be loaded from a multiple of 16"):
        probes.run_words("astray", [aligned(32)[5:]])
    with pytest.raises(ModelError, match=r"must give back the stack and s0 \.\. s11"):
        probes.run_words("careless", [1])
