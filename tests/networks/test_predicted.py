"""Predicted instructions of networks of one's own against counted ones, of layers that no fit has seen."""

from __future__ import annotations

import numpy as np
import pytest
from layers_tflite import FAMILIES
from random_tflite import Builder
from small_tflite import model
from test_kernels import emitted

from tinysearch.app.networks.asked import instruction_counter
from tinysearch.firmware.verify import emulator
from tinysearch.networks.lowering import lower
from tinysearch.networks.tflite_file import read_tflite

_SEED = 20_261_129
"""Not among those of tools/count_tflite_kernels.py."""


@pytest.mark.emulator
def test_layers_of_every_family_are_predicted_within_a_twentieth(tmp_path) -> None:
    net = Builder(np.random.default_rng(_SEED))
    inputs, outputs = [], []
    for family in FAMILIES:
        inputs.append(len(net.tensors))
        family(net)
        outputs.append(net.last)
    found = emulator.execute(emitted(tmp_path, model(net.tensors, net.operators, inputs, outputs)))
    assert "OK golden vectors" in found.outcome.text
    calls = lower(read_tflite(tmp_path / "network.tflite")).calls
    counts, predict = found.layers["network"], instruction_counter()
    errors = {
        f"{number} {call.kernel_class}": predict(call) / counts[f"step_{number}"] - 1
        for number, call in enumerate(calls)
    }
    assert max(map(abs, errors.values())) < 0.05, errors
