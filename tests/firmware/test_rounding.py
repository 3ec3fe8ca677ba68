"""What two computations of one float32 network may differ by: what rounding does to it, and little more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from projects import network, voice

from tinysearch.architectures.windowed import Windowed
from tinysearch.core.network import INPUT, NetworkSpec, Shape
from tinysearch.core.program import Array, FrozenNetwork, lower
from tinysearch.core.quantization import INPUT_SCALE, Precision
from tinysearch.firmware.integer_network import execute, run, trace
from tinysearch.firmware.rounding import score_tolerance, tolerances, widest_tolerance
from tinysearch.firmware.untrained import untrained
from tinysearch.operators import record_of

RESIDUAL = network(voice(blocks=(2, 2), input_size=32))
SHAPE = Shape(height=10, width=10, channels=6)
SHALLOW, DEEP = (Windowed(blocks=(n,) * n, width=8, embedding=16).build(SHAPE) for n in (1, 4))


def frozen(spec: NetworkSpec, precision: str = "float32") -> FrozenNetwork:
    return untrained(lower(spec, Precision.parse(precision)), 1)


def inputs(spec: NetworkSpec, count: int = 70) -> npt.NDArray[np.int8]:
    shape = spec.input_shape
    size = (count, shape.height, shape.width, shape.channels)
    return np.random.default_rng(0).integers(-128, 128, size, np.int8)


def computed(net: FrozenNetwork, values: npt.NDArray[np.int8], kind: type[np.floating]) -> Array:
    """Embeddings where sums are taken, and results kept, in one type."""
    typed = {step: {key: array.astype(kind) for key, array in own.items()} for step, own in net.parameters.items()}
    other = FrozenNetwork(program=net.program, parameters=typed)
    tensors: dict[str, Array] = {INPUT: (values * INPUT_SCALE).astype(kind)}
    for step in net.program.steps:
        found = record_of(step).real(other, step, [tensors[name] for name in step.inputs])
        tensors[step.output] = np.maximum(found, 0) if step.relu else found
    assert tensors[net.program.output.name].dtype == kind
    return tensors[net.program.output.name].reshape(len(values), -1)


def apart(found: Array, exact: Array) -> Array:
    return np.asarray(np.abs(found - exact).max(axis=1) / np.abs(exact).max(axis=1))


@pytest.mark.parametrize("spec", [RESIDUAL, SHALLOW, DEEP], ids=["residual", "shallow", "deep"])
def test_float32_stays_within_and_a_wrong_weight_does_not(spec: NetworkSpec) -> None:
    net, values = frozen(spec), inputs(spec)
    exact, allowed = computed(net, values, np.float64), tolerances(net, values)
    assert (apart(run(net, values), exact) < allowed).all()
    assert (apart(computed(net, values, np.float32), exact) < allowed).all()
    first = net.program.steps[0].name
    net.parameters[first]["weights"][0] *= np.float32(1.01)
    assert (apart(run(net, values), exact) > allowed).mean() > 0.9


def test_the_order_of_a_sum_changes_nothing() -> None:
    """BLAS libraries choose it by the processor; what a run emits must be the same on all of them."""
    net, values, moved = frozen(RESIDUAL), inputs(RESIDUAL, 4), 0
    tensors = trace(net, values)
    for step in [step for step in net.program.steps if step.operator == "conv" and step.inputs[0] != INPUT]:
        source, own = tensors[step.inputs[0]], net.parameters[step.name]
        order = np.random.default_rng(0).permutation(source.shape[-1])
        other = replace(net, parameters={step.name: own | {"weights": own["weights"][..., order]}})
        np.testing.assert_array_equal(execute(other, step, [source[..., order]]), tensors[step.output])
        sums = [
            record_of(step).real(which, step, [part]) for which, part in ((net, source), (other, source[..., order]))
        ]
        moved += int((sums[0] != sums[1]).sum())
    assert moved > 100  # in float32 alone


def test_sums_that_cancel_are_allowed_what_rounding_leaves_of_them() -> None:
    net, values = frozen(DEEP), inputs(DEEP, 8)
    bias = net.parameters[net.program.output.name]["bias"]
    before = tolerances(net, values).max()
    bias -= (0.999 * computed(net, values, np.float64)[0]).astype(np.float32)
    exact, allowed = computed(net, values, np.float64), tolerances(net, values)
    assert (apart(run(net, values), exact) < allowed).all()
    assert before < 1e-4 < allowed[0]


def test_errors_grow_with_the_root_of_the_number_of_terms() -> None:
    """A mean of values that are exact errs by one rounding a value at most, and by their root in all likelihood."""
    net = frozen(SHALLOW)
    step = next(step for step in net.program.steps if step.operator == "average")
    ones, exact = np.ones((1, 10, 10, 8), np.float32), np.zeros((1, 10, 10, 8), np.float32)
    found = np.sqrt(record_of(step).rounding(net, step, [ones], [exact]))
    pixels = net.program.tensors[step.inputs[0]].shape.elements // net.program.tensors[step.output].shape.elements
    np.testing.assert_allclose(found, np.sqrt(pixels) * 2.0**-24, rtol=1e-6)


def test_integers_are_exact() -> None:
    assert widest_tolerance(frozen(SHALLOW, "int8"), inputs(SHALLOW, 2)) == 0.0
    assert score_tolerance(0.0) == 0
    assert score_tolerance(1e-5) == 16
