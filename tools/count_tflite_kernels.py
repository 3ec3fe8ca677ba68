"""Fit instructions of the kernels of networks of one's own: python tools/count_tflite_kernels.py [--once] [FAMILY ..].

Prints the rows ``tflite`` of hardware_catalog/latency/default.yaml: networks of single layers with random shapes, run
on RV32IMC under QEMU, their counts fitted by non-negative least squares of relative errors over the features that the
operators state. Half of the layers are held out and judge the fit. With --once: those of the kernels that round once.
Needs gcc-riscv64-unknown-elf and qemu-system-misc.
"""

from __future__ import annotations

import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "networks"), str(ROOT / "benchmarks")]

from layers_tflite import FAMILIES, network_of  # noqa: E402
from networks import counted  # noqa: E402
from rounded_once import rounded_once  # noqa: E402

from tinysearch.analytic.features import COEFFICIENTS, FEATURES  # noqa: E402
from tinysearch.firmware.networks.source import network_source  # noqa: E402
from tinysearch.networks.call import Call  # noqa: E402
from tinysearch.networks.lowering import lower  # noqa: E402
from tinysearch.networks.tflite_file import read_tflite  # noqa: E402

LAYERS, ROUNDS = 16, 4


def _name(seed: int) -> str:
    """Of the family of a seed's layers."""
    return FAMILIES[seed % len(FAMILIES)].__name__.removeprefix("_")


def layers(seed: int, *, once: bool) -> list[tuple[Call, int]]:
    """Calls of one random network of single layers with their instructions."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "layers.tflite"
        path.write_bytes(network_of(seed, LAYERS))
        graph = read_tflite(path)
        source = network_source(lower(rounded_once(graph) if once else graph))
    counts = counted(source).layers["network"]
    return [(call, counts[f"step_{number}"]) for number, call in enumerate(source.network.calls)]


def fit(rows: list[tuple[Call, int]]) -> np.ndarray:
    """Coefficients of one kernel class: least squares of relative errors."""
    features = np.array([[call.features.get(name, 0.0) for name in FEATURES] for call, _ in rows])
    counts = np.array([count for _, count in rows], float)
    return nnls(features / counts[:, None], np.ones(len(rows)))[0]


def main() -> int:
    rows: dict[str, list[tuple[Call, int]]] = defaultdict(list)
    once = "--once" in sys.argv
    wanted = [name for name in sys.argv[1:] if name != "--once"] or [_name(seed) for seed in range(len(FAMILIES))]
    for seed in (seed for seed in range(ROUNDS * len(FAMILIES)) if _name(seed) in wanted):
        for call, count in layers(seed, once=once):
            if once and not call.kernel_class.endswith("_once"):
                continue
            rows[call.kernel_class].append((call, count))
    for kernel, found in sorted(rows.items()):
        known, held_out = found[::2], found[1::2]
        coefficients = fit(known)
        errors = []
        for call, count in held_out:
            estimate = sum(c * call.features.get(name, 0.0) for c, name in zip(coefficients, FEATURES, strict=True))
            errors.append(estimate / count - 1)
        shown = ", ".join(f"{n}: {c:.4g}" for n, c in zip(COEFFICIENTS, fit(found), strict=True) if c > 0)
        print(f"    {kernel}: {{{shown}}}")
        mean, most = np.mean(np.abs(errors)), np.max(np.abs(errors))
        print(f"      # {len(found)} layers; held out: mean {mean:.3f}, most {most:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
