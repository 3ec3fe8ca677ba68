from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysearch.analytic.arena import Arena, Block, lives_of
from tinysearch.analytic.bands import banded
from tinysearch.analytic.execution import shared
from tinysearch.analytic.kernels import footprint
from tinysearch.analytic.memory import ALIGNMENT, alive_bytes, arena_bytes, blocks_of, place_blocks, plan
from tinysearch.analytic.streams import streams
from tinysearch.architectures.resnet import Resnet, resnet
from tinysearch.core.network import Shape
from tinysearch.core.program import Program, lower
from tinysearch.core.quantization import Precision

LAYOUTS = [(1, 1), (2, 1), (1, 2), (2, 2), (2, 2, 2), (2, 2, 2, 2)]
PRECISIONS = ["float32", "int8", "xnor1/1", "xnor2/1", "xnor3/1", "xnor2/2"]


def program_of(blocks: tuple[int, ...], precision: str, *, width: int, size: int, channels: int) -> Program:
    network = resnet(blocks=blocks, width=width, input_size=size, channels=channels, embedding=64)
    return lower(network, Precision.parse(precision))


@pytest.mark.parametrize("sizes", [(16, 64, 3), (16, 64, 1), (64, 224, 3)])
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("blocks", LAYOUTS)
def test_the_plan_reaches_the_lower_bound_all_over_the_papers_space(blocks, precision, sizes) -> None:
    width, size, channels = sizes
    made = plan(program_of(blocks, precision, width=width, size=size, channels=channels))
    assert made.peak_bytes == made.bound_bytes


@pytest.mark.parametrize("precision", PRECISIONS)
def test_live_buffers_never_overlap(precision: str) -> None:
    made = plan(program_of((2, 2, 2), precision, width=8, size=48, channels=3))
    for place, block in enumerate(made.blocks):
        start = made.offsets[block.names[0]]
        assert start % ALIGNMENT == 0
        assert start + block.size_bytes <= made.peak_bytes
        for other in made.blocks[:place]:
            if block.overlaps(other):
                begin = made.offsets[other.names[0]]
                assert start >= begin + other.size_bytes or begin >= start + block.size_bytes


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_step_finds_its_inputs_alive(precision: str) -> None:
    program = program_of((2, 1), precision, width=8, size=32, channels=3)
    life = {name: block for block in blocks_of(program) for name in block.names}
    for index, step in enumerate(program.steps):
        for name in (*step.inputs, step.output):
            assert life[name].first <= index <= life[name].last
        sharing = [name for name in step.inputs if life[name] is life[step.output]]
        if sharing:
            assert footprint(program, step).in_place is not None


blocks = st.builds(
    lambda name, size, first, length: Block(
        names=(str(name),), size_bytes=size * ALIGNMENT, first=first, last=first + length
    ),
    st.uuids(),
    st.integers(1, 40),
    st.integers(0, 8),
    st.integers(0, 4),
)


@given(st.lists(blocks, min_size=1, max_size=9))
def test_any_blocks_are_placed_without_overlap_and_not_below_the_bound(made: list[Block]) -> None:
    offsets, peak, bound = place_blocks(tuple(made))
    assert peak >= bound
    for i, block in enumerate(made):
        for j in range(i):
            if block.overlaps(made[j]):
                assert offsets[i] >= offsets[j] + made[j].size_bytes or offsets[j] >= offsets[i] + block.size_bytes


@pytest.mark.parametrize("size", [32, 48])
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_arena_that_is_asked_for_alone_is_that_of_the_plan(layout, precision, size) -> None:
    program = program_of(layout, precision, width=8, size=size, channels=1)
    for executed in (program, shared(program), banded(program)):
        made = plan(executed)
        assert arena_bytes(executed) == (made.peak_bytes, made.bound_bytes)


@given(st.lists(blocks, min_size=1, max_size=9))
def test_streams_end_at_the_lower_bound_without_overlap(made: list[Block]) -> None:
    alive = alive_bytes(made)
    lives, sizes = lives_of(made), [block.size_bytes for block in made]
    offsets = streams(Arena(lives, sizes, ceiling=max(alive)), lives, sizes, alive)
    if offsets is None:
        return
    assert max(map(sum, zip(offsets, sizes, strict=True))) == max(alive)
    for i, block in enumerate(made):
        for j in range(i):
            if block.overlaps(made[j]):
                assert offsets[i] >= offsets[j] + sizes[j] or offsets[j] >= offsets[i] + sizes[i]


def test_streams_that_no_climb_found_leave_no_gap() -> None:
    network = Resnet(blocks=(2, 1), width=8, embedding=64, stem=(3, 2, 2)).build(Shape(height=48, width=48, channels=1))
    made = plan(lower(network, Precision.parse("int8")))
    assert made.peak_bytes == made.bound_bytes
