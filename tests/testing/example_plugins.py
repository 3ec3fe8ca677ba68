"""Small plug-ins that keep every rule; the tests break one rule at a time."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from tinysearch.architectures.resnet import resnet
from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.program import Element, Operator, lower
from tinysearch.core.protocols import SPLITS, LatencyEstimate, Samples, TrainingProgress
from tinysearch.core.quantization import Precision
from tinysearch.firmware.packing import PackedStep
from tinysearch.firmware.untrained import untrained
from tinysearch.search.samplers import Proposal, Stop, Wait

architecture = resnet


class Trainer:
    def __init__(self, *, seed=0):
        self.seed = seed
        self.digest = f"d{seed}"

    def fit(self, branch, network, data, *, workspace, progress):
        data.load(branch.modality, "train", input_size=branch.input_size, channels=branch.channels)
        for fraction in (0.5, 1.0):
            progress(TrainingProgress(branch=branch, phase="drawing", fraction=fraction, eer_validation=0.5))
        return replace(untrained(lower(network, Precision.parse(branch.precision)), self.seed), trained=True)


class Data:
    name, modalities = "blobs", ("face", "voice")

    def __init__(self, *, audio, cache_dir):
        self._clip_s = audio.clip_s
        self.digest = hashlib.sha256(repr(audio).encode()).hexdigest()

    def load(self, modality, split, *, input_size, channels):
        clip = int(10 * self._clip_s) if modality == "voice" else 0
        random = np.random.default_rng([SPLITS.index(split), self.modalities.index(modality), clip])
        identities = np.repeat(np.arange(4, dtype=np.int32), 3)
        inputs = random.integers(-128, 128, (len(identities), input_size, input_size, channels), np.int8)
        return Samples(inputs=inputs, identities=identities)

    def people(self, split):
        return dict.fromkeys(self.modalities, np.arange(4, dtype=np.int32))


class Latency:
    def __init__(self, *, table):
        self._hz = {name: timing.frequency_hz for name, timing in table.processors.items()}

    def step(self, program, step, *, processor, weights_in_flash, arena_in_psram):
        if processor not in self._hz or step.operator not in set(Operator):
            raise UnsupportedLayerError(
                "the layer must have a time", value=f"{step.operator} on {processor}", remedy="measure it"
            )
        seconds = (1000 + step.macs) * (2 if arena_in_psram else 1) / self._hz[processor]
        return LatencyEstimate(seconds=seconds, low=0.5 * seconds, high=2 * seconds, calibrated=False)


class Sampler:
    name = "drawn"

    def __init__(self, *, flat, objectives, constraints, seed):
        pass

    def resume(self, trials):
        pass

    def told(self, proposal, outcome):
        return {}

    def propose(self, knowledge, rng):
        table = knowledge.table
        trainable = np.append(knowledge.trainable(), False)
        ready = np.append(knowledge.trainable() | knowledge.known, True)
        rows = np.flatnonzero(trainable[table.needs].any(axis=1) & ready[table.needs].all(axis=1))
        if len(rows):
            return Proposal(row=int(rng.choice(rows)))
        return Wait() if knowledge.pending.any() else Stop(reason="every branch is known")


C_HEADER = """#include <stdint.h>
typedef struct {
    int32_t inputs, outputs, relu;
    const float *weights, *bias;
} ts_rows_layer;
int32_t ts_rows_scratch_bytes(const ts_rows_layer *const *layers, unsigned count);
void ts_rows_step(const ts_rows_layer *layer, const void *input, const void *unused, void *output, void *scratch);
"""

C_SOURCE = """#include "ts_rows.h"
int32_t ts_rows_scratch_bytes(const ts_rows_layer *const *layers, unsigned count)
{
    (void)layers;
    (void)count;
    return 0;
}
void ts_rows_step(const ts_rows_layer *layer, const void *input, const void *unused, void *output, void *scratch)
{
    const float *from = input;
    float *to = output;
    (void)unused;
    (void)scratch;
    for (int32_t o = 0; o < layer->outputs; o++) {
        float sum = layer->bias[o];
        for (int32_t i = 0; i < layer->inputs; i++) {
            sum += from[i] * layer->weights[o * layer->inputs + i];
        }
        to[o] = layer->relu && sum < 0 ? 0 : sum;
    }
}
"""

C_BUILD = 'idf_component_register(SRCS "ts_rows.c" INCLUDE_DIRS "include")\n'


def write_component(folder: Path, *, source: str = C_SOURCE, header: str = C_HEADER) -> Path:
    (folder / "include").mkdir(parents=True)
    (folder / "CMakeLists.txt").write_text(C_BUILD)
    (folder / "ts_rows.c").write_text(source)
    (folder / "include/ts_rows.h").write_text(header)
    return folder


class Backend:
    name, shared = "rows", True

    def __init__(self, *, component):
        self.component = component

    def supports(self, program, step, *, processor):
        return (
            processor in ("esp32s3", "esp32p4")
            and step.operator is Operator.FULLY_CONNECTED
            and program.tensors[step.inputs[0]].element is Element.FLOAT32
        )

    def pack(self, frozen, step):
        weights, bias = (frozen.parameters[step.name][key] for key in ("weights", "bias"))
        return PackedStep(
            function="ts_rows_step",
            layer_type="ts_rows_layer",
            header="ts_rows.h",
            fields={"inputs": weights.shape[1], "outputs": weights.shape[0], "relu": int(step.relu)},
            arrays={"weights": weights.reshape(-1).astype(np.float32), "bias": bias.astype(np.float32)},
        )


def tell(event: object, folder: object) -> None:
    """A hook that watches a search."""
