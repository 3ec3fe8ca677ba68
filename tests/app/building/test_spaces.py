"""Spaces of several families, for inputs of any task."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinysearch.analytic.memory import plan
from tinysearch.app.building.branches import branch_of_document, branches_of
from tinysearch.app.building.spaces import build_space
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.config.tasks import task_of
from tinysearch.core.errors import UserError
from tinysearch.core.network import Convolution, SeriesConvolution, Shape
from tinysearch.core.program import lower
from tinysearch.core.quantization import Precision
from tinysearch.core.trust import trust
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
        assert len({branch.key for branch in branches}) == len({branch.short for branch in branches}) == len(branches)
        for branch in branches[:: len(branches) // 12]:
            planned = plan(lower(branch.network(), branch.precision))
            assert (
                planned.bound_bytes <= planned.peak_bytes <= 1.065 * planned.bound_bytes
            )  # of all 2100 the worst is 1.064


def test_the_extended_space_holds_the_papers_best_single_networks() -> None:
    keys = {branch.key for branch in space_of("space=extended").branches("face")}
    assert {f"face-resnet-{layout}-int8-w16-i64x3-e64" for layout in ("2-2-2-2", "2-2-2", "2-2")} <= keys


def test_words_say_what_differs_between_networks_of_one_label() -> None:
    assert "face 2-2 int8" in {branch.short for branch in space_of().branches("face")}
    extended = space_of("space=extended")
    assert "face separable-1-1-k5 w4 48x48 gray int8" in {branch.short for branch in extended.branches("face")}
    assert "voice plain-1-1 w8 64x64 of 32 frames int8" in {branch.short for branch in extended.branches("voice")}
    assert "wrist plain-1-1 w8 int8" in {b.short for b in space_of("space=extended", "task=motions").branches("wrist")}


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


def test_clips_are_searched_in_several_lengths() -> None:
    space = space_of("space=auto", "space.clip_scales=[0.5,1]", "space.input_scales=[0.75,1]")
    sides = {name: [(s.height, s.width) for s in space.options[name].shapes] for name in ("face", "voice")}
    assert sides == {"face": [(48, 48), (64, 64)], "voice": [(32, 64), (48, 48), (64, 64)]}
    heard = {(shape.height, shape.width) for shape in space_of("space=extended").options["voice"].shapes}
    assert heard == {(32, 64), (48, 48), (64, 64)}
    words = space_of("space=extended", "task=keywords")
    assert {(shape.height, shape.width) for shape in words.options["sound"].shapes} == {(16, 32), (24, 24), (32, 32)}
    assert {branch.architecture.family for branch in words.branches("sound")} >= {"windowed", "resnet"}
    keys = {branch.key for branch in words.branches("sound")}
    assert "sound-windowed-1-int8-w8-i16x32x1-e32" in keys
    assert {branch.key for branch in space_of("space=extended", "space.clip_scales=null").branches("voice")} < {
        branch.key for branch in space_of("space=extended").branches("voice")
    }


def test_clips_that_no_network_takes_are_left_out_or_refused() -> None:
    short = ["space=extended", "task=keywords", "space.clip_scales=[0.25]"]
    with pytest.raises(UserError, match="a network must be built"):
        space_of(*short)
    assert [s.height for s in space_of(*short[:2], "space.clip_scales=[0.25,1]").options["sound"].shapes] == [24, 32]
    for wrong in ("[0]", "[1.5]", "[true]", "[half]"):
        with pytest.raises(UserError, match="clip_scales"):
            space_of(f"space.clip_scales={wrong}")


def test_data_that_have_whole_clips_alone_are_searched_with_them() -> None:
    config = plain(compose_config(["space.clip_scales=[0.5,1]"]))
    config["data"] = {"name": "tinysearch.testing.laws:SmallDataset"}
    trust(["tinysearch.testing.laws:SmallDataset"])
    assert [shape.height for shape in build_space(config).options["voice"].shapes] == [64]


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


def test_a_branch_of_a_shorter_clip_is_read_again_and_has_a_place_in_the_flat_space() -> None:
    config = plain(compose_config(["task=keywords"]))
    asked, (sound, *_) = (
        task_of(config).input("sound"),
        space_of("task=keywords", "space.clip_scales=[0.5]").branches("sound"),
    )
    document = {"precision": str(sound.precision), "architecture": "windowed", "input_size": 32, "channels": 1}
    whole = branch_of_document(asked, document | {"parameters": sound.architecture.parameters()})
    assert branch_of_document(asked, document | {"frames": 16, "parameters": sound.architecture.parameters()}) == sound
    assert (whole.frames, sound.frames, sound.sample_shape) == (None, 16, (32, 1, 16))
    flat = FlatSpace(
        branches=[whole, sound],
        modalities={"sound": ("sound",)},
        processors=["esp32"],
        flash_bytes=[4 << 20],
        psram_bytes=[0],
    )
    assert [variable.name for variable in flat.variables] == ["sound_clip"]
    chip = {"processor": "esp32", "flash_bytes": 4 << 20, "psram_bytes": 0}
    for branch in (whole, sound):
        point = flat.decode(flat.encode([branch], **chip, rng=np.random.default_rng(0)))
        assert point.branches == (branch,)


@pytest.mark.parametrize("word", ["face.frames=32", "voice.frames=65", "voice.frames=0", "voice.frames=half"])
def test_frames_that_are_none_are_refused(word: str) -> None:
    name = word.partition(".")[0]
    words = [f"modality={name}", f"{name}.blocks=[1]", f"{name}.precision=int8", word]
    with pytest.raises(UserError, match="frames"):
        branches_of(plain(compose_config(words)))


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


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("space.precisions=[]", r"at least one value; got precisions=\[\]"),
        ("space.families.separabel={width: [8]}", "separabel"),
        ("space.families.separable.kernal=[3]", "kernel"),
        ("space.families.separable=8", "a group of options"),
        ("space.families.separable.width=[0,8]", "whole numbers from 1"),
        ("space.families.inverted.kernel=[3,4]", "must be odd"),
        ("space.families.resnet.stem=[[7,1]]", "a stem must be three"),
    ],
)
def test_values_that_no_network_has_are_refused(word: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        space_of("space=extended", word)


@pytest.mark.parametrize("families", ["[separable]", "{separable: 8}", "{separable: {width: 8}}"])
def test_families_of_a_file_are_lists_of_values(families: str, tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(f"name: own\narchitectures: [separable]\nfamilies: {families}\n")
    with pytest.raises(UserError, match=r"^space\.families"):
        space_of(f"space.path={file}")


def test_a_precision_begins_in_a_stage_that_there_is() -> None:
    space = space_of("space=extended", "task=motions")
    late = [branch for branch in space.branches("wrist") if branch.precision.from_stage == 2]
    assert late and all(any(t.bits for t in lower(b.network(), b.precision).tensors.values()) for b in late[::7])
    assert len(space.branches("wrist")) > 3 * len(late)  # where there is no second stage, it is left out
    with pytest.raises(UserError, match=r"begin in a stage of some network, the last of which is 5; got xnor2/1from9"):
        space_of("space.precisions=[xnor2/1from9]").branches("face")
    with pytest.raises(UserError, match="the last of which is 3; got xnor2/1from9"):
        lower(space_of().branches("face")[0].network(), Precision.parse("xnor2/1from9"))
