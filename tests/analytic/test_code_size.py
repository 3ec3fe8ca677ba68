"""Code sizes: every kernel is in the table, shared ones count once, and whole programs come out within 1 %."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysearch.analytic.code_size import PATTERNS, CodeSizes, kernels_of
from tinysearch.analytic.flash import APP_OFFSET, AppSlots, parameter_bytes, plan_flash
from tinysearch.architectures.resnet import resnet
from tinysearch.catalog.tables import load_code_sizes, load_software_sizes
from tinysearch.core.errors import UnsupportedLayerError, UserError
from tinysearch.core.program import Program, lower
from tinysearch.core.quantization import Precision
from tinysearch.firmware import golden

ROOT = Path(__file__).parents[2]
TABLES = load_code_sizes(ROOT / "hardware_catalog" / "software" / "code_size.yaml")
RV32 = TABLES["rv32imc"]
PRECISIONS = ("float32", "int8", "xnor1/1", "xnor2/1", "xnor3/1", "xnor2/2")

precisions = st.sampled_from(PRECISIONS)
layouts = st.lists(st.integers(1, 2), min_size=1, max_size=3).map(tuple)
instruction_sets = st.sampled_from(sorted(TABLES))


def program(precision: str, blocks: tuple[int, ...] = (1, 1), width: int = 8) -> Program:
    network = resnet(blocks=blocks, width=width, input_size=48, channels=3, embedding=32)
    return lower(network, Precision.parse(precision))


@pytest.mark.parametrize("name", sorted(TABLES))
def test_the_table_has_every_object_of_the_runtime(name: str) -> None:
    runtime = ROOT / "firmware_templates" / "runtime"
    sources = {path.stem for folder in (runtime, runtime / "frontend") for path in folder.glob("ts_*.c")}
    sizes = TABLES[name]
    assert set(sizes.objects) == sources
    assert all(part.flash > 0 for part in sizes.objects.values())
    assert {used for uses in sizes.uses.values() for used in uses} <= sources
    assert (sizes.kind, bool(sizes.source), bool(sizes.date)) == ("measured", True, True)


def test_a_float_branch_carries_as_many_patterns_as_the_firmware() -> None:
    assert PATTERNS == golden.PATTERNS


@given(name=instruction_sets, first=precisions, second=precisions)
def test_shared_kernels_count_once(name: str, first: str, second: str) -> None:
    sizes, one, two = TABLES[name], kernels_of(program(first)), kernels_of(program(second))
    both = sizes.runtime_bytes([*one, *two]).flash
    assert both == sizes.runtime_bytes([*two, *one, *one]).flash
    single = [sizes.runtime_bytes(kernels).flash for kernels in (one, two)]
    assert max(single) <= both < sum(single)
    assert sizes.runtime_bytes([]).flash < min(single)


@given(name=instruction_sets, precision=precisions, blocks=layouts)
def test_a_longer_network_takes_more(name: str, precision: str, blocks: tuple[int, ...]) -> None:
    sizes = TABLES[name]
    short, long = (program(precision, layout) for layout in (blocks, (blocks[0] + 1, *blocks[1:])))
    found = [sizes.host_program({"face": made}, golden_vectors=6) for made in (short, long)]
    assert found[1].flash - found[0].flash > parameter_bytes(long) - parameter_bytes(short)
    assert found[1].ram >= found[0].ram


@given(precision=precisions, other=precisions)
def test_a_second_branch_adds_flash_and_its_results(precision: str, other: str) -> None:
    alone, pair = {"face": program(precision)}, {"face": program(precision), "voice": program(other, (2, 1))}
    found = [RV32.host_program(programs, golden_vectors=6) for programs in (alone, pair)]
    assert found[1].flash > found[0].flash + parameter_bytes(pair["voice"])
    assert found[1].ram >= found[0].ram + 6 * 32


def test_what_was_not_measured_is_an_error() -> None:
    with pytest.raises(UnsupportedLayerError, match="measure_code_size"):
        RV32.runtime_bytes(["ts_conv_fp16"])


def test_a_damaged_table_names_its_file(tmp_path: Path) -> None:
    path = tmp_path / "code.yaml"
    path.write_text("rv32imc: {measured: {unit: words}}")
    with pytest.raises(UserError, match=r"code\.yaml"):
        load_code_sizes(path)


def test_the_search_adds_kernels_to_the_measured_application() -> None:
    sizes = load_software_sizes(ROOT / "hardware_catalog" / "software" / "espidf.yaml")
    kernels = kernels_of(program("int8"))
    whole = sizes.program_bytes("esp32s3", ["face"], kernels=kernels)
    features = sizes.feature_program_bytes
    bare = sizes.base_program_bytes["esp32s3"].value + features["application"].value + features["face"].value
    assert whole == bare + sizes.code.runtime_bytes(kernels).flash
    assert isinstance(sizes.code, CodeSizes)
    assert sizes.branch_bytes("face", program("int8", (2, 2))) > sizes.branch_bytes("face", program("int8"))


@pytest.mark.emulator
@pytest.mark.skipif(shutil.which("riscv64-unknown-elf-gcc") is None, reason="needs the RISC-V compiler")
@pytest.mark.parametrize("precision", ["int8", "xnor2/2"])
def test_a_linked_program_comes_out_within_one_percent(tmp_path: Path, precision: str) -> None:
    import tinysearch as ts
    from tinysearch.firmware.project import golden_count
    from tinysearch.firmware.verify.emulator import build

    point = ts.evaluate(modality="face", face={"blocks": [2, 1], "precision": precision}, trainer="none")
    outcome, flash, ram = build(point.emit(tmp_path / "project"), tmp_path)
    assert flash, outcome.text
    network = resnet(blocks=(2, 1), width=16, input_size=64, channels=3, embedding=64)
    made = lower(network, Precision.parse(precision))
    predicted = RV32.host_program({"face": made}, golden_vectors=golden_count(network.input_shape.elements))
    stale = "the C sources changed: run tools/measure_code_size.py hardware_catalog/software/code_size.yaml"
    assert predicted.flash == pytest.approx(flash, rel=0.01), stale
    assert predicted.ram == pytest.approx(ram, rel=0.01), stale


@given(program_bytes=st.integers(1, 3_000_000), weight_bytes=st.integers(0, 3_000_000), spare=st.integers(0, 20_000))
def test_two_slots_take_as_much_twice(program_bytes: int, weight_bytes: int, spare: int) -> None:
    plans = [
        plan_flash(
            program_bytes=program_bytes,
            weight_bytes=weight_bytes,
            slots=AppSlots(count=count, spare_bytes=spare),
        )
        for count in (1, 2)
    ]
    one, two = plans
    assert one.app_bytes == two.app_bytes >= program_bytes + weight_bytes + spare
    assert one.total_bytes == APP_OFFSET + one.app_bytes
    assert two.total_bytes == 2 * APP_OFFSET + 2 * one.app_bytes
