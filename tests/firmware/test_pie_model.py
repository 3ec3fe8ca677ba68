"""The model of the vector unit: what it refuses, and instructions whose manual leaves room for mistakes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tinysearch.firmware.verify.simd.assembly import AssemblyError, parse
from tinysearch.firmware.verify.simd.machine import Machine, ModelError, aligned, copied

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")


def function(*lines: str, frame: int = 64) -> str:
    return "\n".join([f"f: entry a1, {frame}", *lines, "retw", ""])


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        (["addi a8, a8, 128"], "an immediate must be one that the instruction can encode"),
        (["l32i a8, a2, 2"], "an immediate must be"),
        (["srli a8, a8, 16"], "an immediate must be"),
        (["ee.vld.128.ip q0, a2, 2048"], "an immediate must be"),
        (["ee.vmulas.s8.accx.ld.ip q0, a2, 512, q1, q2"], "an immediate must be"),
        (["ee.andq q0, q1, q8"], "q registers must be there"),
        (["mov a1, a2"], "a registers must be there"),
        (["ee.fft.r2bf.s16 q0, q1, q2, q3, 0"], "the model must know an instruction"),
        (["j 1b"], "a label must stand in the function"),
        (["beq a2, a3, 1f", *["nop"] * 50, "1: nop"], "a branch must reach its label"),
        (["loop a2, 1f", *["ee.orq q0, q0, q1"] * 86, "1: nop"], "the body of a loop must have at most 256 bytes"),
        (["loop a2, 1f", "nop", "beqz a3, 2f", "1: nop", "2: nop"], "a loop must not end in a jump"),
        (["loop a2, 1f", "loop a3, 1f", "nop", "1: nop"], "a loop must hold no loop"),
        (["s32i a2, a1, 32"], "locals must lie below what windows are saved to"),
    ],
)
def test_what_the_assembler_would_refuse_or_change_is_refused(lines: list[str], rule: str) -> None:
    with pytest.raises(AssemblyError, match=rule):
        parse(function(*lines))


PROBES = """
    .text
products:   /* ACCX saturates at 40 bits, and is read as 32 bits that saturate */
    entry a1, 32
    ee.ld.accx.ip a2, 0
    ee.vld.128.ip q0, a3, 0
    ee.vmulas.s8.accx q0, q0
    ee.st.accx.ip a4, 8
    movi a8, 0
    ee.srs.accx a9, a8, 0
    s32i a9, a4, 0
    retw
lanes:      /* QACC's lanes of 20 bits saturate, and shift back into QACC */
    entry a1, 32
    ee.zero.qacc
    ee.vld.128.ip q0, a2, 0
    loop a3, 1f
    ee.vmulas.s8.qacc q0, q0
1:  movi a8, 12
    ee.srcmb.s8.qacc q1, a8, 0
    ee.vst.128.ip q1, a4, 16
    ee.srcmb.s8.qacc q1, a8, 0
    ee.vst.128.ip q1, a4, 0
    retw
pairs:      /* two lanes of 20 bits are one of 40 */
    entry a1, 32
    ee.zero.qacc
    ee.vld.128.ip q0, a2, 0
    ee.vmulas.s8.qacc q0, q0
    movi a8, 20
    ee.srcmb.s16.qacc q1, a8, 0
    ee.vst.128.ip q1, a3, 0
    retw
shifted:    /* low address bits are dropped, and shift two lines */
    entry a1, 32
    ee.ld.128.usar.ip q0, a2, 16
    ee.vld.128.ip q1, a2, 16
    ee.src.q q2, q0, q1
    ee.vst.128.ip q2, a3, 0
    retw
astray:
    entry a1, 32
    ee.vst.128.ip q0, a2, 16
    retw
"""


@pytest.fixture(scope="module")
def probes(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    source = tmp_path_factory.mktemp("probes") / "probes.S"
    Path(source).write_text(PROBES)
    return Machine([source])


def test_the_sum_saturates_at_40_bits_and_its_reading_at_32(probes: Machine) -> None:
    for start, value in (((1 << 39) - 3, 1), (-(1 << 39) + 5, 0), (-5, 0)):
        out = aligned(16)
        probes.run_words("products", [copied(np.array([start], "<i8")), copied(np.full(16, value, np.int8)), out])
        expected = min(start + 16 * value, (1 << 39) - 1)
        assert int(out[:8].view("<i8")[0]) == expected % (1 << 40)  # stored without its sign
        assert int(out[8:12].view("<i4")[0]) == max(min(expected, (1 << 31) - 1), -(1 << 31))


def test_lanes_of_20_bits_saturate_and_hold_what_a_shift_leaves(probes: Machine) -> None:
    values, out = np.array([127, -128, 100, 1] * 4, np.int8), aligned(32)
    instructions = probes.run_words("lanes", [copied(values), 40, out])
    assert instructions == 4 + 40 + 6
    sums = np.minimum(40 * values.astype(np.int64) ** 2, (1 << 19) - 1)
    np.testing.assert_array_equal(out[:16], np.minimum(sums >> 12, 127))
    np.testing.assert_array_equal(out[16:], np.zeros(16))


def test_two_narrow_lanes_are_one_wide_lane(probes: Machine) -> None:
    values, out = np.arange(16).astype(np.int8), aligned(16)
    probes.run_words("pairs", [copied(values), out])
    np.testing.assert_array_equal(out.view(np.int16), values[1::2].astype(np.int16) ** 2)


def test_a_line_at_an_odd_address_comes_from_two(probes: Machine) -> None:
    values, out = copied(np.arange(32).astype(np.int8)), aligned(16)
    probes.run_words("shifted", [values[5:], out])
    np.testing.assert_array_equal(out, np.arange(5, 21))


def test_stores_that_would_land_elsewhere_are_faults(probes: Machine) -> None:
    with pytest.raises(ModelError, match="must be aligned"):
        probes.run_words("astray", [aligned(32)[5:]])
    with pytest.raises(ModelError, match="must lie in a buffer"):
        probes.run_words("astray", [aligned(8)])
