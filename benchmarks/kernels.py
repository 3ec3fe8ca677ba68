"""Instructions that the kernels execute on RV32IMC, counted exactly by an emulator; every output is checked.

Run ``python benchmarks/kernels.py``. It needs gcc-riscv64-unknown-elf, picolibc-riscv64-unknown-elf and
qemu-system-misc. The last line on stdout is one JSON object.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests" / "firmware"), str(Path(__file__).resolve().parent)]

import ckernels  # noqa: E402
import kernel_cases  # noqa: E402
from kernel_cases import Row  # noqa: E402
from random_networks import random_inputs, step_cases  # noqa: E402

from tinysearch.architectures.resnet import resnet  # noqa: E402
from tinysearch.core.program import lower  # noqa: E402
from tinysearch.core.quantization import Precision  # noqa: E402
from tinysearch.firmware.integer_network import run  # noqa: E402
from tinysearch.firmware.untrained import untrained  # noqa: E402

SEED = 0
NETWORK_PRECISIONS = ("int8", "xnor2/1")


def measured(rows: list[Row]) -> list[float]:
    """Instructions a unit of every row.

    Raises:
        AssertionError: a kernel computes something else than the oracle.
    """
    outcomes = ckernels.run_rv32([row.case for row in rows])
    for row, outcome in zip(rows, outcomes, strict=True):
        output = outcome.output.reshape(-1).view(row.expected.dtype)
        expected = row.expected.reshape(-1)
        scale = float(np.abs(expected.astype(np.float64)).max(initial=1.0)) if row.tolerance else 1.0
        np.testing.assert_allclose(output, expected, rtol=0, atol=row.tolerance * scale, err_msg=row.label)
    return [outcome.instructions / row.divisor for row, outcome in zip(rows, outcomes, strict=True)]


def library_multiply_add() -> float:
    """Instructions that the C library takes to multiply two floats and add the product to a sum: no MAC is cheaper."""
    values = np.random.default_rng(SEED).normal(size=(1, 2, 512)).astype(np.float32)
    body = """
    const float *a = first, *b = a + 512;
    float sum = 0.0f;
    for (int i = 0; i < 512; ++i)
        sum += a[i] * b[i];
    memcpy(output, &sum, sizeof sum);
    """
    return ckernels.count_rv32(body, values, output_bytes=4).instructions / 512


def network_over_kernels(precision: str) -> float:
    """Instructions of one network in its arena over the sum of its kernels, each called alone on buffers of its own."""
    spec = resnet(blocks=[2, 2], width=16, input_size=64, channels=3, embedding=64)
    frozen = untrained(lower(spec, Precision.parse(precision)), SEED)
    inputs = random_inputs(frozen.program, 1, np.random.default_rng(SEED))
    whole = ckernels.run_network(frozen, inputs, rv32=True)
    np.testing.assert_array_equal(whole.output.view(np.int8), run(frozen, inputs))
    cases = [step.case for step in step_cases(frozen, inputs) if step.case.in_place is None]
    parts = sum(outcome.instructions for outcome in ckernels.run_rv32(cases))
    label = f"{spec.name} of width 16, 64x64x3, {precision}"
    print(f"{label:48} {whole.instructions} instructions, {len(cases)} kernels alone {parts}")
    return whole.instructions / parts


def main() -> int:
    if not ckernels.have_emulator():
        print("benchmarks/kernels.py needs gcc-riscv64-unknown-elf and qemu-system-misc", file=sys.stderr)
        return 2
    results: dict[str, float] = {}
    print(f"{'kernel':48} {'ours':>8} {'target':>7}  {'a':8} peers (not measured here)")
    for module in sorted(info.name for info in pkgutil.iter_modules(kernel_cases.__path__)):
        rows = importlib.import_module(f"kernel_cases.{module}").rows(np.random.default_rng(SEED))
        for row, figure in zip(rows, measured(rows), strict=True):
            target = "" if row.target is None else f"{row.target:g}"
            late = " MISSED" if row.target is not None and figure > row.target else ""
            print(f"{row.label:48} {figure:8.3f} {target:>7}  {row.unit:8} {row.peers}{late}")
            if row.key is not None:
                results[row.key] = round(figure, 4)
    print(f"{'float multiply and add of the C library':48} {library_multiply_add():8.3f} {'':>7}  MAC")
    ratios = [network_over_kernels(precision) for precision in NETWORK_PRECISIONS]
    print(json.dumps({**results, "network_over_kernels": round(max(ratios), 4)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
