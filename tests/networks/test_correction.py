"""Bias correction: int8's means are those of the float network, and stated scales stand."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx")

from small_onnx import image, stated_scales
from test_onnx_file import read, samples_for

from tinysearch.networks.arithmetic import factor_in, scaled
from tinysearch.networks.oracle import run
from tinysearch.networks.real import correction
from tinysearch.networks.real.agreement import Agreement, to_int8, to_reals
from tinysearch.networks.real.calibrated import calibrated, placed
from tinysearch.networks.real.correction import corrected
from tinysearch.networks.real.execute import run_reals
from tinysearch.networks.real.quantize import quantize, spans
from tinysearch.networks.real.translating import translate


def test_means_come_nearer_to_those_of_the_float_network(tmp_path):
    network = read(tmp_path, image())
    samples = samples_for(network, 64)
    real = translate(network, [None])
    inputs = placed(real, samples)
    plain = quantize(real.graph, spans(real.graph, inputs, batch=64))
    wished = run_reals(real.graph, inputs)[0].reshape(64, -1).mean(0)

    def errors(graph):
        stored = to_int8(graph, graph.inputs[0], inputs[0])
        found = to_reals(graph, graph.outputs[0], run(graph, [stored])[0]).reshape(64, -1)
        return np.abs(found.mean(0) - wished).mean()

    assert errors(corrected(real.graph, plain, inputs)) < 0.6 * errors(plain)
    assert errors(calibrated(network, samples).graph) < 0.6 * errors(plain)


@pytest.mark.parametrize(
    ("named", "decibels", "kept"), [((0.94, 0.92), (19.8, 21.0), False), ((0.9, 0.9), (37.7, 39.5), True)]
)
def test_biases_stay_where_outputs_come_nearer(tmp_path, monkeypatch, named, decibels, kept):
    network = read(tmp_path, image())
    real = translate(network, [None])
    inputs = placed(real, samples_for(network, 16))
    plain = quantize(real.graph, spans(real.graph, inputs, batch=16))
    told = [
        [Agreement(output="y", samples=16, same_largest=share, signal_to_noise_db=ratio, largest_difference=0.1)]
        for share, ratio in zip(named, decibels, strict=True)
    ]
    monkeypatch.setattr(correction, "agreements", lambda *_, **__: told.pop(0))
    assert (correction.corrected_where_it_pays(real.graph, plain, inputs) is not plain) is kept


def test_scales_of_the_author_are_rounded_once(tmp_path):
    """Twice is once but where the first rounding makes a half."""
    ours, theirs = (
        calibrated(read(tmp_path, made), samples_for(read(tmp_path, made), 16)).graph
        for made in (image(), stated_scales())
    )
    assert not ours.rounds_once
    assert theirs.rounds_once
    values, real = np.arange(-40_000, 40_000), 0.0029137
    once, twice = (scaled(values, *factor_in(graph, real)) for graph in (theirs, ours))
    assert np.array_equal(once, np.floor(values * real + 0.5))
    assert 0 < np.count_nonzero(once != twice) < 200


def test_scales_of_the_author_stand_with_their_biases(tmp_path):
    network = read(tmp_path, stated_scales())
    alone, sampled = (calibrated(network, given).graph for given in (None, samples_for(network, 32)))
    for one, other in zip(alone.tensors, sampled.tensors, strict=True):
        assert one.data is None or np.array_equal(one.data, other.data)
