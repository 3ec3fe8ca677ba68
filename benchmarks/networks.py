"""Networks of other people: arena, bytes, instructions and bit-exactness, beside tflite-micro, TiGrIS and ESP-NN.

Run ``python benchmarks/networks.py [--esp-nn PATH] [--inputs N] [--no-emulator] [--float] [DIR]``. DIR holds
``.tflite`` files (default ``../shared/models``); PATH is a checkout of ESP-NN, whose C computes the same layers.
Arenas of tflite-micro and TiGrIS are known for MLPerf Tiny's four networks only. Every byte of N random inputs (default
1000) is compared with PyPI's tflite-micro where that is installed. Counting needs gcc-riscv64-unknown-elf and
qemu-system-misc. ``--float`` adds networks of torchvision that are trained and quantized here (``float_networks.py``).
The last line on stdout is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from esp_nn_networks import esp_nn_instructions
from float_networks import FloatRow, measured_networks

from tinysearch.app.config.resources import data_dir
from tinysearch.app.networks.asked import instruction_counter
from tinysearch.catalog.loading import load_catalog
from tinysearch.core.errors import UserError
from tinysearch.firmware.networks.golden import random_inputs
from tinysearch.firmware.networks.project import Target, emit_network
from tinysearch.firmware.networks.source import NetworkSource, network_source
from tinysearch.firmware.verify import emulator
from tinysearch.firmware.verify.rung import missing
from tinysearch.networks.graph import Array, Graph
from tinysearch.networks.lowering import lower
from tinysearch.networks.oracle import run
from tinysearch.networks.tflite_file import read_tflite

ROOT = Path(__file__).resolve().parents[1]
BATCH = 50

TFLM_ARENA = {"ad01_int8": 3984, "kws_ref_model": 24272, "pretrainedResnet_quant": 55984, "vww_96_int8": 103680}
"""Totals that PyPI's tflite-micro 0.dev20261023182759 records (print_allocations, x86-64)."""

TIGRIS_LIVE = {"ad01_int8": 768, "kws_ref_model": 16000, "pretrainedResnet_quant": 49152, "vww_96_int8": 55296}
"""Largest live sets without tiling, by TiGrIS 0.12.1."""

_TFLM_ARENA_BYTES = 8 << 20
"""Of the interpreter that answers are compared with: any network's."""


@dataclass(kw_only=True)
class Row:
    """One network; None where it was not measured."""

    arena_bytes: int
    arena_bound_bytes: int
    tflm_arena_bytes: int | None
    tigris_live_bytes: int | None
    flash_bytes: int | None
    weight_bytes: int
    bit_exact: bool | None
    instructions: int | None
    predicted: int
    esp_nn_instructions: int | None


def bit_exact(path: Path, graph: Graph, count: int) -> bool | None:
    """Whether every byte is that of tflite-micro; None where that is not installed."""
    try:
        from tflite_micro.python.tflite_micro import runtime
    except ImportError:
        return None
    interpreter = runtime.Interpreter.from_file(str(path), arena_size=_TFLM_ARENA_BYTES)
    inputs = random_inputs(graph, count, 0)
    step = count if graph.states else BATCH
    for start in range(0, count, step):
        batch = [values[start : start + step] for values in inputs]
        if not _same(interpreter, batch, run(graph, batch)):
            return False
    return True


def _same(interpreter: object, inputs: Sequence[Array], outputs: Sequence[Array]) -> bool:
    for sample in range(len(inputs[0])):
        for index, values in enumerate(inputs):
            interpreter.set_input(values[sample], index)  # type: ignore[attr-defined]
        interpreter.invoke()  # type: ignore[attr-defined]
        for index, values in enumerate(outputs):
            if not np.array_equal(interpreter.get_output(index), values[sample]):  # type: ignore[attr-defined]
                return False
    return True


def counted(source: NetworkSource) -> emulator.EmulatorRun:
    """One inference on RV32IMC: instructions by step, and bytes of code and constants of the whole program.

    Raises:
        RuntimeError: the emulated program computes something else than the oracle.
    """
    chip = load_catalog("espressif", root=data_dir("hardware_catalog")).chip("esp32c3")
    target = Target(chip=chip, flash_bytes=16 << 20, app_bytes=1, latency_s=1.0, point={})
    with tempfile.TemporaryDirectory() as name:
        project = emit_network(
            source,
            target,
            lowering={},
            out=Path(name) / "project",
            templates=data_dir("firmware_templates"),
            version="0",
            digest="abcd",
        )
        found = emulator.execute(project)
    if "OK golden vectors" not in found.outcome.text:
        raise RuntimeError(found.outcome.text[-1000:])
    return found


def measured(path: Path, *, inputs: int, emulates: bool, esp_nn: Path | None) -> Row:
    graph = read_tflite(path)
    source = network_source(lower(graph))
    count = instruction_counter()
    found = counted(source) if emulates else None
    return Row(
        arena_bytes=source.memory.peak_bytes,
        arena_bound_bytes=source.memory.bound_bytes,
        tflm_arena_bytes=TFLM_ARENA.get(path.stem),
        tigris_live_bytes=TIGRIS_LIVE.get(path.stem),
        flash_bytes=None if found is None else found.flash_bytes,
        weight_bytes=source.network.parameter_bytes,
        bit_exact=bit_exact(path, graph, inputs),
        instructions=None if found is None else sum(found.layers["network"].values()),
        predicted=round(sum(count(call) for call in source.network.calls)),
        esp_nn_instructions=None if esp_nn is None else esp_nn_instructions(esp_nn, graph),
    )


def ratio(rows: Sequence[Row], above: str, below: str) -> float | None:
    """Sum of a column over the sum of another, of the rows that have both."""
    pairs = [(getattr(row, above), getattr(row, below)) for row in rows]
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    return round(sum(a for a, _ in known) / sum(b for _, b in known), 4) if known else None


def float_rows() -> Iterator[tuple[str, dict[str, float | None]]]:
    """Networks that are quantized here, printed as they come."""
    print(f"\n{'quantized here':24}", *(f"{name.removesuffix('_bytes'):>20}" for name in FloatRow.__dataclass_fields__))
    for name, row in measured_networks():
        cells = asdict(row)
        print(f"{name:24}", *(f"{'-':>20}" if value is None else f"{value:>20.6g}" for value in cells.values()))
        yield name, cells


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT.parent / "shared" / "models")
    parser.add_argument("--esp-nn", type=Path)
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--no-emulator", action="store_true")
    parser.add_argument("--float", action="store_true", dest="floats")
    options = parser.parse_args()
    emulates = not options.no_emulator and not missing((emulator.COMPILER, emulator.SIZE, emulator.EMULATOR))
    rows: dict[str, Row] = {}
    columns = list(Row.__dataclass_fields__)
    paths = sorted(options.folder.glob("*.tflite"))
    if not paths:
        parser.error(f"DIR must hold .tflite files (there are none in {options.folder}): name a folder that does")
    print(f"{'network':24}", *(f"{name.removesuffix('_bytes'):>20}" for name in columns))
    for path in paths:
        try:
            row = measured(path, inputs=options.inputs, emulates=emulates, esp_nn=options.esp_nn if emulates else None)
        except UserError as error:
            print(f"{path.stem:24} {error}")
            continue
        rows[path.stem] = row
        print(f"{path.stem:24}", *(f"{'-' if value is None else value:>20}" for value in asdict(row).values()))
    found = list(rows.values())
    errors = [abs(row.predicted / row.instructions - 1) for row in found if row.instructions]
    summary = {
        "networks": {name: asdict(row) for name, row in rows.items()},
        "arena_over_tflm": ratio(found, "arena_bytes", "tflm_arena_bytes"),
        "arena_over_tigris": ratio(found, "arena_bytes", "tigris_live_bytes"),
        "arena_over_bound": ratio(found, "arena_bytes", "arena_bound_bytes"),
        "instructions_over_esp_nn": ratio(found, "instructions", "esp_nn_instructions"),
        "max_abs_relative_error": round(max(errors), 4) if errors else None,
    }
    if options.floats:
        summary["float_networks"] = dict(float_rows())
    print(json.dumps(summary))
    return 0


if __name__ == "__main__":
    sys.exit(main())
