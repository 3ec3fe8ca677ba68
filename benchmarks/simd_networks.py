"""Whole networks on a chip with a vector unit: our kernels, the portable ones and ESP-NN's assembly, in instructions.

Steps that the unit's backend computes are run in the model and compared with the oracle; the others, and the portable
column, are counted by the fitted table ``hardware_catalog/latency`` (within 2.5 % of RV32IMC under emulation). Of
ESP-NN only assembly counts, at the steps for which it has one; what its C does around them, padding among it, is left
out. Ours at the same steps stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from esp_nn_kernels import AssemblyOfEspNn
from pie_cases import PIE, Assembly, Layer
from random_networks import memory_of

from tinysearch.analytic.features import COEFFICIENTS, FEATURES, step_features
from tinysearch.analytic.latency import entry_key
from tinysearch.architectures.resnet import resnet
from tinysearch.core.network import INPUT, Convolution, GlobalAveragePool, Linear, NetworkSpec, Shape, Unit
from tinysearch.core.program import FrozenNetwork, Program, Step, lower
from tinysearch.core.quantization import Precision
from tinysearch.firmware.backends import Pie, Xespv, accelerated_steps
from tinysearch.firmware.golden import pattern_inputs
from tinysearch.firmware.integer_network import trace
from tinysearch.firmware.untrained import untrained

PRECISIONS = ("int8", "xnor2/1")
TARGETS = {"int8": 0.5, "xnor2/1": 0.35}
"""Of ESP-NN's instructions, and of our int8's, on the ESP32-S3."""

_BACKENDS = {
    "pie": (Pie(processors=("esp32s3",)), "esp32s3"),
    "xespv": (Xespv(processors=("esp32p4",)), "esp32p4"),
}

_TABLE = Path(__file__).resolve().parents[1] / "hardware_catalog/latency/default.yaml"
_MOBILENET = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *(((128, 1),) * 5), (256, 2), (256, 1))
"""Channels and stride of MobileNetV1's blocks (Howard et al. 2017), a quarter wide."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Instructions of one inference.

    Attributes:
        ours: with our vector kernels; ``on_vectors`` is the part of them, the rest is portable.
        theirs, beside: of ESP-NN's assembly, and of ours at the same steps; 0 where it has not been run.
        shared: part of the MACs that lie in these steps.
    """

    ours: float
    on_vectors: float
    portable: float
    theirs: int
    beside: int
    shared: float


def networks() -> dict[str, NetworkSpec]:
    """Three of the paper's layouts at its sizes, and MobileNetV1 0.25 for 96x96x3."""
    layouts = ((1, 1), (2, 2), (2, 2, 2, 2))
    found = {
        f"paper_{'-'.join(map(str, blocks))}": resnet(
            blocks=blocks, width=64, input_size=224, channels=3, embedding=512
        )
        for blocks in layouts
    }
    return found | {"mobilenet_v1_025_96": _mobilenet()}


def _mobilenet() -> NetworkSpec:
    units: list[Unit] = [Convolution(name="stem", input=INPUT, out_channels=8, kernel=3, stride=2, padding=1)]
    channels = 8
    for number, (wider, stride) in enumerate(_MOBILENET):
        units += [
            Convolution(
                name=f"depthwise{number}",
                input=units[-1].name,
                out_channels=channels,
                kernel=3,
                stride=stride,
                padding=1,
                depthwise=True,
            ),
            Convolution(name=f"point{number}", input=f"depthwise{number}", out_channels=wider, kernel=1),
        ]
        channels = wider
    units += [
        GlobalAveragePool(name="pool", input=units[-1].name),
        Linear(name="embed", input="pool", out_features=64),
    ]
    return NetworkSpec(name="mobilenet", input_shape=Shape(height=96, width=96, channels=3), units=tuple(units))


def count(network: NetworkSpec, precision: str, assembly: Assembly, esp_nn: AssemblyOfEspNn | None) -> Counts:
    """Instructions of one network on the chip of a backend.

    Raises:
        AssertionError: an output that is not the oracle's.
    """
    program = lower(network, Precision.parse(precision))
    frozen = untrained(program, 0)
    shape = network.input_shape
    tensors = trace(frozen, pattern_inputs((shape.height, shape.width, shape.channels))[:1])
    backend, processor = _BACKENDS[assembly.name]
    accelerated = accelerated_steps(program, backend, processor=processor)
    fitted = yaml.safe_load(_TABLE.read_text())["instructions"]
    portable = {step.name: _portable(program, step, fitted) for step in program.steps}
    ours = {
        step.name: _layer(frozen, step, tensors).run(assembly).instructions
        for step in program.steps
        if step.name in accelerated
    }
    theirs: dict[str, int] = {}
    if esp_nn is not None and precision == "int8":
        for step in program.steps:
            found = esp_nn.count(_layer(frozen, step, tensors))
            if found is not None:
                theirs[step.name] = found
    macs = {step.name: step.macs for step in program.steps}
    return Counts(
        ours=sum(ours.values()) + sum(cost for name, cost in portable.items() if name not in ours),
        on_vectors=sum(ours.values()),
        portable=sum(portable.values()),
        theirs=sum(theirs.values()),
        beside=sum(ours[name] for name in theirs),
        shared=sum(macs[name] for name in theirs) / sum(macs.values()),
    )


def _layer(frozen: FrozenNetwork, step: Step, tensors: dict[str, np.ndarray]) -> Layer:
    program = frozen.program
    return Layer(
        frozen=frozen,
        step=step,
        sources=tuple(memory_of(program, name, tensors[name])[0] for name in step.inputs),
        expected=memory_of(program, step.output, tensors[step.output])[0],
    )


def _portable(program: Program, step: Step, fitted: dict[str, dict[str, dict[str, float]]]) -> float:
    """Instructions of the portable kernel of a step, by the fitted table."""
    arithmetic, kernel = entry_key(program, step, fpu=False)
    kernels = fitted[arithmetic]
    coefficients = kernels.get(kernel) or kernels[kernel.removesuffix("_unpooled")]
    features = step_features(program, step)
    return sum(coefficients.get(name, 0.0) * features[f] for name, f in zip(COEFFICIENTS, FEATURES, strict=True))


def table(assembly: Assembly, esp_nn: AssemblyOfEspNn | None) -> dict[str, dict[str, dict[str, float | None]]]:
    """Prints the networks one by one; what was found by name and precision."""
    found: dict[str, dict[str, dict[str, float | None]]] = {}
    columns = ("instructions", "portable", "of portable", "of ESP-NN", "(of MACs)", "of int8")
    print(f"\n{'network':32}" + "".join(f" {name:>13}" for name in columns))
    for name, network in networks().items():
        whole: dict[str, float] = {}
        for precision in PRECISIONS:
            counts = count(network, precision, assembly, esp_nn)
            whole[precision] = counts.ours
            over_theirs = counts.beside / counts.theirs if counts.theirs else None
            over_int8 = counts.ours / whole["int8"] if precision != "int8" else None
            target = TARGETS[precision]
            missed = any(ratio is not None and ratio > target for ratio in (over_theirs, over_int8))
            late = " MISSED" if missed and assembly is PIE else ""
            theirs = "" if over_theirs is None else f"{over_theirs:.3f}"
            shared = "" if over_theirs is None else f"{counts.shared:.2f}"
            beside = "" if over_int8 is None else f"{over_int8:.3f}"
            print(
                f"{name + ' ' + precision:32} {counts.ours:13,.0f} {counts.portable:13,.0f}"
                f" {counts.ours / counts.portable:13.3f} {theirs:>13} {shared:>13} {beside:>13}{late}",
                flush=True,
            )
            found.setdefault(name, {})[precision] = {
                "instructions": round(counts.ours),
                "on_vectors": round(counts.on_vectors / counts.ours, 3),
                "over_portable": round(counts.ours / counts.portable, 4),
                "over_esp_nn": None if over_theirs is None else round(over_theirs, 4),
                "esp_nn_share_of_macs": round(counts.shared, 3),
                "over_int8": None if over_int8 is None else round(over_int8, 4),
            }
    return found
