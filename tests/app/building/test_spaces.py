"""Spaces of several families, for inputs of any task."""

from __future__ import annotations

import numpy as np
import pytest

from tinysearch.analytic.memory import plan
from tinysearch.app.building.branches import branch_of_document
from tinysearch.app.building.spaces import build_space
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.config.tasks import task_of
from tinysearch.core.errors import UserError
from tinysearch.core.network import Convolution, SeriesConvolution, Shape
from tinysearch.core.program import lower
from tinysearch.search.known.flat import FlatSpace


def space_of(*words: str):
    return build_space(plain(compose_config(list(words))))


@pytest.mark.parametrize(
    ("task", "families"),
    [
        ("face_voice", {"resnet", "separable", "inverted", "plain"}),
        ("motions", {"windowed", "resnet", "separable", "inverted", "plain"}),
    ],
)
def test_the_extended_space_has_every_family_and_the_tasks_own(task: str, families: set[str]) -> None:
    space = space_of("space=extended", f"task={task}")
    for name in space.branch_modalities():
        branches = space.branches(name)
        assert {branch.architecture.family for branch in branches} == families
        assert len({branch.key for branch in branches}) == len(branches)
        for branch in branches[:: len(branches) // 12]:
            planned = plan(lower(branch.network(), branch.precision))
            assert (
                planned.bound_bytes <= planned.peak_bytes <= 1.065 * planned.bound_bytes
            )  # of all 2100 the worst is 1.064


def test_the_automatic_space_is_about_as_large_as_the_papers() -> None:
    assert {len(space_of("space=auto").branches(name)) for name in ("face", "voice")} == {32}
    families = {b.architecture.family for b in space_of("space=auto", "task=vibration").branches("housing")}
    assert families == {"windowed", "separable", "inverted"}


def test_layouts_too_deep_for_an_input_are_left_out() -> None:
    stems = ["space.families.resnet.stem=[[7,1,4],[3,1,1]]", "space.architectures=[resnet]"]
    space = space_of("task=motions", "space.input_sizes=[8]", *stems)
    assert {branch.architecture.stem for branch in space.branches("wrist")} == {(3, 1, 1)}
    with pytest.raises(UserError, match="at least 10 pixels"):
        space_of("task=motions", "space.input_sizes=[8]", "space.architectures=[resnet]")


def test_a_family_that_is_no_name_is_refused() -> None:
    for word in ("space.architectures=[[1,1]]", "space.architectures=[1]"):
        with pytest.raises(UserError, match="must be a list of names"):
            space_of(word)


def test_sizes_come_before_scales() -> None:
    sizes = ["space.input_sizes=[32]", "space.input_scales=[0.5,2]"]
    assert [shape.height for shape in space_of(*sizes).options["face"].shapes] == [32]
    assert [shape.height for shape in space_of(sizes[1]).options["face"].shapes] == [32, 128]
    windows = space_of("task=motions", "space.input_scales=[0.75,1,1.5]")  # a window of 100 samples has no 8 rows of 8
    assert [shape.height for shape in windows.options["wrist"].shapes] == [10, 15]
    with pytest.raises(UserError, match="without a gap"):
        space_of("task=motions", "space.input_scales=[0.75]")
    with pytest.raises(UserError, match="positive numbers"):
        space_of("space.input_scales=[0]")


def test_pictures_are_searched_gray_and_in_color() -> None:
    space = space_of("space=auto", "space.channels=[1,3]")
    assert [shape.channels for shape in space.options["face"].shapes] == [1, 3]
    assert [shape.channels for shape in space.options["voice"].shapes] == [1]  # a spectrogram has no colors
    assert {shape.channels for shape in space_of("space=extended").options["face"].shapes} == {1, 3}
    assert {branch.channels for branch in space_of("space=extended", "task=motions").branches("wrist")} == {6}


def test_windows_as_series_are_searched_with_one_dimensional_networks_of_every_family() -> None:
    space = space_of("space=auto", "task=motions", "task.wrist.content=series", "task.wrist.input_size=100")
    branches = space.branches("wrist")
    assert {branch.architecture.family for branch in branches} == {"separable", "inverted"}  # windowed is for squares
    for family in ("separable", "inverted", "plain", "resnet"):
        words = (
            "task=motions",
            "task.wrist.content=series",
            "task.wrist.input_size=50",
            f"space.architectures=[{family}]",
        )
        branch = space_of("space=auto", *words).branches("wrist")[0]
        units = [unit for unit in branch.network().units if isinstance(unit, Convolution)]
        assert units and all(isinstance(unit, SeriesConvolution) for unit in units)
        assert branch.shape == Shape(height=50, width=1, channels=6)


def test_a_branch_behind_another_stem_is_read_again_and_has_a_place_in_the_flat_space() -> None:
    config = plain(compose_config(["space=auto", "space.modalities=[face]"]))
    branches, asked = build_space(config).branches("face"), task_of(config).input("face")
    flat = FlatSpace(
        branches=branches, modalities={"face": ("face",)}, processors=["a"], flash_bytes=[1], psram_bytes=[0]
    )
    for branch in branches:
        own = branch.architecture
        document = {"architecture": own.family, "parameters": own.parameters(), "precision": str(branch.precision)}
        assert branch_of_document(asked, document | {"input_size": 64, "channels": 3}) == branch
        rng = np.random.default_rng(0)
        setting = flat.encode([branch], processor="a", flash_bytes=1, psram_bytes=0, rng=rng)
        assert flat.decode(setting).branches == (branch,)


def test_the_order_of_a_space_s_values_is_of_no_account() -> None:
    given = ("layouts=[[1,1],[2,1],[1,2],[2,2,2]]", "precisions=[int8,xnor2/1,float32]", "architectures=[task,plain]")
    turned = ("layouts=[[2,2,2],[1,2],[2,1],[1,1]]", "precisions=[float32,int8,xnor2/1]", "architectures=[plain,task]")
    sizes = ("widths=[8,4]", "input_scales=[1,0.75]"), ("widths=[4,8]", "input_scales=[0.75,1]")
    first, second = (
        space_of(*(f"space.{word}" for word in words)) for words in ((*given, *sizes[0]), (*turned, *sizes[1]))
    )
    assert first.digest == second.digest
    assert first.branches("voice") == second.branches("voice")
    # Golden fronts and stored runs rest on the paper's order, by stages, blocks and bits.
    layouts = [branch.architecture.layout for branch in space_of().branches("face")[::6]]
    assert layouts == ["1-1", "2-1", "1-2", "2-2", "2-2-2", "2-2-2-2"]
