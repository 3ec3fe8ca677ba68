"""Bands: a few rows at a time give what whole maps give, in less memory."""

from __future__ import annotations

from dataclasses import replace

import ckernels
import numpy as np
import pytest
from random_networks import program_of, random_inputs, randomized

from tinysearch.analytic.bands import banded
from tinysearch.analytic.kernels import every_call
from tinysearch.analytic.memory import MemoryPlan, plan
from tinysearch.core.bands import schedule, source_of
from tinysearch.core.network import INPUT, Addition, Convolution, GlobalAveragePool, Linear, MaxPool, Unit
from tinysearch.core.program import Bands, Program
from tinysearch.firmware.integer_network import run


def depthwise(name: str, source: str, channels: int, **geometry: int) -> Convolution:
    return Convolution(name=name, input=source, out_channels=channels, depthwise=True, **geometry)  # type: ignore[arg-type]


def mobilenet(size: int, channels: int, width: int) -> Program:
    """The layout of MobileNetV1 with all its strides."""
    layout = [(2, 1), (4, 2), (4, 1), (8, 2), (8, 1), (16, 2), *[(16, 1)] * 5, (32, 2), (32, 1)]
    units: list[Unit] = [Convolution(name="stem", input=INPUT, out_channels=width, kernel=3, stride=2, padding=1)]
    inputs = width
    for index, (times, stride) in enumerate(layout):
        units.append(depthwise(f"dw{index}", units[-1].name, inputs, kernel=3, stride=stride, padding=1))
        inputs = width * times
        units.append(Convolution(name=f"pw{index}", input=units[-1].name, out_channels=inputs, kernel=1))
    units += [GlobalAveragePool(name="mean", input=units[-1].name), Linear(name="embed", input="mean", out_features=2)]
    return program_of(*units, input_shape=(size, size, channels), precision="int8")


def random_program(rng: np.random.Generator) -> Program:
    """A chain of any geometries, with a skip connection and a max pool."""
    channels = int(rng.integers(2, 6))
    pool, stride = int(rng.integers(1, 3)), int(rng.integers(1, 3))
    kernel = int(rng.choice([1, 3, 5]))
    units = (
        Convolution(name="stem", input=INPUT, out_channels=channels, kernel=3, stride=stride, padding=1, pool=pool),
        depthwise("deep", "stem", channels, kernel=kernel, padding=int(rng.integers(0, kernel))),
        Convolution(name="point", input="deep", out_channels=channels + 1, kernel=1),
        depthwise("wide", "point", channels + 1, kernel=3, padding=1),
        Addition(name="sum", left="wide", right="point", batch_norm=False),
        MaxPool(name="pool", input="sum", pool=int(rng.integers(1, 4))),
        depthwise("down", "pool", channels + 1, kernel=3, stride=2, padding=1),
        GlobalAveragePool(name="mean", input="down", batch_norm=False),
        Linear(name="embed", input="mean", out_features=5),
    )
    shape = (int(rng.integers(24, 34)), int(rng.integers(20, 30)), int(rng.integers(1, 4)))
    return program_of(*units, input_shape=shape, precision="int8")


def random_bands(program: Program, rng: np.random.Generator) -> Program:
    """One or two bands somewhere in front of the average."""
    end = next(index for index, step in enumerate(program.steps) if step.operator == "average")
    cuts = sorted(int(place) for place in rng.integers(0, end, size=4))
    found: list[Bands] = []
    for first, last in ((cuts[0], cuts[1]), (cuts[2], cuts[3])):
        apart = not found or first > found[-1].last
        if apart and first < last and source_of(program, first, last) is not None:
            found.append(Bands(first=first, last=last, rows=int(rng.integers(1, 4))))
    return replace(program, bands=tuple(found))


def check_plan(program: Program, made: MemoryPlan) -> None:
    """Blocks that are alive at once lie apart, but for a result at the beginning of its source."""
    for place, block in enumerate(made.blocks):
        start = made.offsets[block.names[0]]
        assert start + block.size_bytes <= made.peak_bytes
        for other in made.blocks[:place]:
            at = made.offsets[other.names[0]]
            apart = start + block.size_bytes <= at or at + other.size_bytes <= start
            assert apart or not block.overlaps(other), (block, other)
        if block.over:
            assert start == made.offsets[block.over]
    assert made.peak_bytes >= made.bound_bytes


def test_random_bands_give_what_whole_maps_give() -> None:
    rng = np.random.default_rng(0)
    tried = 0
    while tried < 3:
        program = random_bands(random_program(rng), rng)
        if not program.bands:
            continue
        tried += 1
        check_plan(program, plan(program))
        frozen = randomized(program, rng)
        inputs = random_inputs(program, 2, rng)
        outcome = ckernels.run_network(frozen, inputs)
        np.testing.assert_array_equal(outcome.output.view(np.int8), run(frozen, inputs), err_msg=str(program.bands))


def test_a_mobilenet_needs_a_fraction_of_its_arena() -> None:
    program = mobilenet(96, 3, 8)
    small = banded(program)
    before, after = plan(program), plan(small)
    check_plan(small, after)
    assert after.peak_bytes <= 0.6 * before.peak_bytes
    assert sum(count * call.step.macs for _, call, count in every_call(small)) == sum(
        step.macs for step in program.steps
    )


@pytest.mark.parametrize("rows", [1, 3])
def test_no_row_is_computed_twice_and_none_is_missing(rows: int) -> None:
    program = replace(mobilenet(33, 1, 4), bands=(Bands(first=0, last=7, rows=rows),))
    made = schedule(program, program.bands[0])
    written = dict.fromkeys((step.output for step in program.steps[:8]), 0)
    for part in made.parts:
        written[part.step.output] += part.program.tensors[part.step.output].shape.height
    assert written == {name: program.tensors[name].shape.height for name in written}


def test_what_cannot_be_a_band_is_none() -> None:
    program = random_program(np.random.default_rng(1))
    names = [step.name for step in program.steps]
    assert source_of(program, names.index("wide"), names.index("sum")) == "point"
    assert source_of(program, names.index("point"), names.index("wide")) is None  # the sum reads both
    with pytest.raises(ValueError, match="are no band"):
        schedule(program, Bands(first=names.index("point"), last=names.index("wide"), rows=1))
