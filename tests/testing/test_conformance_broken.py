"""Each suite fails for a plug-in that breaks one of its laws, and says which."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import subprocess
import sys
from dataclasses import replace
from functools import partial

import example_plugins as good
import numpy as np
import pytest

from tinysearch import operators
from tinysearch.architectures.resnet import resnet
from tinysearch.core.errors import UnsupportedLayerError, UserError
from tinysearch.core.network import INPUT, Convolution, Linear, NetworkSpec, Shape
from tinysearch.core.protocols import Samples, TrainingProgress
from tinysearch.inputs.signal import Signal
from tinysearch.operators.lookup import LookupRecord
from tinysearch.search.samplers import Proposal, Wait
from tinysearch.testing import (
    ArchitectureConformance,
    BackendConformance,
    DatasetConformance,
    InputConformance,
    LatencyModelConformance,
    OperatorConformance,
    SamplerConformance,
    TrainerConformance,
)


def run_law(suite, law: str, plugin, tmp_path, monkeypatch) -> None:
    """One test of a suite, called as pytest would."""
    test = getattr(suite, law)
    given = {"plugin": plugin, "tmp_path": tmp_path, "monkeypatch": monkeypatch, "cache_dir": tmp_path / "cache"}
    wanted = inspect.signature(test).parameters
    if "data" in wanted:
        given["data"] = suite._make(plugin, given["cache_dir"])
    test(**{name: given[name] for name in wanted})


# --- the examples keep every rule -------------------------------------------------------------------------------------


class TestArchitecture(ArchitectureConformance):
    @pytest.fixture
    def plugin(self):
        return good.architecture


class TestTrainer(TrainerConformance):
    @pytest.fixture
    def plugin(self):
        return good.Trainer


class TestData(DatasetConformance):
    @pytest.fixture
    def plugin(self):
        return good.Data


class TestLatency(LatencyModelConformance):
    @pytest.fixture
    def plugin(self):
        return good.Latency


class TestSampler(SamplerConformance):
    @pytest.fixture
    def plugin(self):
        return good.Sampler


class TestBackend(BackendConformance):
    @pytest.fixture
    def plugin(self, tmp_path):
        return partial(good.Backend, component=good.write_component(tmp_path / "rows"))


# --- and these break one each -----------------------------------------------------------------------------------------

COUNTER = itertools.count()


def with_units(change):
    """resnet with its units changed."""

    def build(**arguments):
        network = resnet(**arguments)
        return NetworkSpec(name=network.name, input_shape=network.input_shape, units=change(network.units))

    return build


def renamed(units):
    stem = replace(units[0], name="stem-1")
    rest = [replace(u, input="stem-1") if getattr(u, "input", "") == "stem" else u for u in units[1:]]
    return (stem, *(replace(u, right="stem-1") if getattr(u, "right", "") == "stem" else u for u in rest))


def pooled(*, blocks, width, input_size, channels, embedding):
    """No kernel of a binary convolution pools."""
    units = (
        Convolution(name="stem", input=INPUT, out_channels=width, kernel=3, padding=1),
        Convolution(name="next", input="stem", out_channels=width, kernel=3, padding=1, pool=2),
        Linear(name="embed", input="next", out_features=embedding),
    )
    shape = Shape(height=input_size, width=input_size, channels=channels)
    return NetworkSpec(name="pooled", input_shape=shape, units=units)


def short_sighted(**arguments):
    if not arguments["blocks"] or arguments["embedding"] == 0:
        raise ValueError("no")
    return resnet(**arguments)


ARCHITECTURES = {
    "test_input_and_embedding_are_those_asked_for": (
        lambda *, embedding, **other: resnet(embedding=16, **other),
        "the last unit gives the embedding",
    ),
    "test_gives_network_specs": (lambda **arguments: resnet(**arguments).units, "returns a NetworkSpec"),
    "test_equal_arguments_give_equal_hashable_networks": (with_units(list), "must be hashable"),
    "test_blocks_may_be_any_sequence": (
        lambda *, blocks, **other: replace(resnet(blocks=blocks, **other), name=f"n{type(blocks).__name__}"),
        "a list or a tuple",
    ),
    "test_more_blocks_and_width_are_more_network": (
        lambda *, blocks, **other: resnet(blocks=(1,), **other),
        "a layout of more blocks has more parameters",
    ),
    "test_names_are_identifiers_of_c": (with_units(renamed), "identifiers of C"),
    "test_lowers_to_every_precision": (pooled, "must lower to xnor1/1"),
}


@pytest.mark.parametrize("law", ARCHITECTURES)
def test_architectures(law, tmp_path, monkeypatch):
    broken, rule = ARCHITECTURES[law]
    with pytest.raises(AssertionError, match=rule):
        run_law(ArchitectureConformance(), law, broken, tmp_path, monkeypatch)


def test_an_architecture_with_a_memory():
    def forgetful(**arguments):
        return replace(resnet(**arguments), name=f"n{next(COUNTER)}")

    with pytest.raises(AssertionError, match="function of its arguments"):
        ArchitectureConformance().test_equal_arguments_give_equal_hashable_networks(forgetful)


def test_an_architecture_that_fails_in_other_words():
    with pytest.raises(AssertionError, match="UserError"):
        ArchitectureConformance().test_the_impossible_is_refused_in_words(short_sighted, {"blocks": ()})


class SameDigest(good.Trainer):
    def __init__(self, *, seed=0):
        super().__init__(seed=seed)
        self.digest = "always"


class Unseeded(good.Trainer):
    def fit(self, *args, **kwargs):
        self.seed = next(COUNTER)
        return super().fit(*args, **kwargs)


class Modest(good.Trainer):
    def fit(self, *args, **kwargs):
        return replace(super().fit(*args, **kwargs), trained=False)


class Wide(good.Trainer):
    def fit(self, *args, **kwargs):
        frozen = super().fit(*args, **kwargs)
        wide = {
            step: {key: a.astype(np.int64 if a.dtype.kind == "i" else np.float64) for key, a in arrays.items()}
            for step, arrays in frozen.parameters.items()
        }
        return replace(frozen, parameters=wide)


class Constant(good.Trainer):
    def fit(self, *args, **kwargs):
        frozen = super().fit(*args, **kwargs)
        zero = {
            step: {key: a * np.float32(key != "weights") for key, a in arrays.items()}
            for step, arrays in frozen.parameters.items()
        }
        return replace(frozen, parameters=zero)


class Silent(good.Trainer):
    def fit(self, branch, network, data, *, workspace, progress):
        return super().fit(branch, network, data, workspace=workspace, progress=lambda _: None)


class InPercent(good.Trainer):
    def fit(self, branch, network, data, *, workspace, progress):
        progress(TrainingProgress(branch=branch, phase="x", fraction=50.0))
        return super().fit(branch, network, data, workspace=workspace, progress=progress)


class Stubborn(good.Trainer):
    def fit(self, branch, network, data, *, workspace, progress):
        def deaf(tick):
            try:
                progress(tick)
            except KeyboardInterrupt:
                return

        return super().fit(branch, network, data, workspace=workspace, progress=deaf)


class Sloppy(good.Trainer):
    def fit(self, branch, network, data, *, workspace, progress):
        (workspace / "stage.bin").write_bytes(b"half of it")
        return super().fit(branch, network, data, workspace=workspace, progress=progress)


class Confused(good.Trainer):
    """Keeps stages in the workspace whatever the seed was."""

    def fit(self, branch, network, data, *, workspace, progress):
        path = workspace / branch.key.replace("/", "")
        if path.exists():
            self.seed = int(path.read_text())
        path.write_text(str(self.seed))
        return super().fit(branch, network, data, workspace=workspace, progress=progress)


class Rooted(good.Trainer):
    def __init__(self, *, seed=0):
        super().__init__(seed=seed)
        self.loss = lambda x: x


class OtherNetwork(good.Trainer):
    def fit(self, branch, network, data, *, workspace, progress):
        other = resnet(blocks=(1,), width=4, input_size=20, channels=3, embedding=12)
        return super().fit(branch, other, data, workspace=workspace, progress=progress)


class Scribbler(good.Trainer):
    def fit(self, branch, network, data, *, workspace, progress):
        data.load("face", "train", input_size=20, channels=3).inputs[:] = 0
        return super().fit(branch, network, data, workspace=workspace, progress=progress)


@pytest.mark.parametrize(
    ("broken", "law", "rule"),
    [
        (lambda *, seed: seed, "test_is_a_trainer", "digest and fit"),
        (SameDigest, "test_digest_is_that_of_the_settings", "whatever changes a result changes the digest"),
        (Unseeded, "test_equal_seeds_give_equal_networks", "equal seeds"),
        (Modest, "test_freezes_what_it_was_asked_for", "trained=True"),
        (OtherNetwork, "test_freezes_what_it_was_asked_for", "the network asked for"),
        (Wide, "test_freezes_what_it_was_asked_for", "are float32"),
        (Constant, "test_the_oracle_runs_it", "embeddings follow the input"),
        (Silent, "test_progress_is_told", "at least once an epoch"),
        (InPercent, "test_progress_is_told", r"lies in \[0, 1\]"),
        (Stubborn, "test_stops_when_progress_says_so_and_goes_on_later", "swallowed"),
        (Sloppy, "test_files_appear_whole", "renamed into place; found .*stage.bin"),
        (Confused, "test_a_shared_workspace_changes_no_result", "different settings apart"),
        (Rooted, "test_can_go_to_another_process", "must be picklable"),
        (Scribbler, "test_the_oracle_runs_it", "read-only"),
    ],
)
def test_trainers(broken, law, rule, tmp_path, monkeypatch):
    with pytest.raises((AssertionError, ValueError), match=rule):
        run_law(TrainerConformance(), law, broken, tmp_path, monkeypatch)


class Changed(good.Data):
    """Samples changed by a function of (samples, split)."""

    change = staticmethod(lambda samples, split: samples)

    def load(self, modality, split, **shape):
        return self.change(super().load(modality, split, **shape), split)


def changed(change):
    return type("Broken", (Changed,), {"change": staticmethod(change)})


class OneSplit(good.Data):
    def load(self, modality, split, **shape):
        return super().load(modality, "train", **shape)


class Careless(good.Data):
    def __init__(self, *, audio, cache_dir):
        super().__init__(audio=audio, cache_dir=cache_dir)
        self._kept = {}

    def load(self, modality, split, *, input_size, channels):
        key = (modality, split, input_size)
        if key not in self._kept:
            self._kept[key] = super().load(modality, split, input_size=input_size, channels=channels)
        return self._kept[key]


class OneDigest(good.Data):
    def __init__(self, *, audio, cache_dir):
        super().__init__(audio=audio, cache_dir=cache_dir)
        self.digest = "same"


class OneSize(good.Data):
    def load(self, modality, split, *, input_size, channels):
        return super().load(modality, split, input_size=32, channels=channels)


class Strangers(good.Data):
    def people(self, split):
        return dict.fromkeys(self.modalities, np.arange(9, dtype=np.int32))


class Uneven(good.Data):
    def people(self, split):
        return {"face": np.arange(4, dtype=np.int32), "voice": np.arange(3, dtype=np.int32)}


@pytest.mark.parametrize(
    ("broken", "law", "rule"),
    [
        (
            changed(lambda s, _: Samples(inputs=s.inputs.view(np.uint8), identities=s.identities)),
            "test_samples_are_int8_images",
            "inputs are int8",
        ),
        (
            changed(lambda s, _: Samples(inputs=s.inputs[..., 0], identities=s.identities)),
            "test_samples_are_int8_images",
            r"inputs are \[N",
        ),
        (
            changed(lambda s, _: Samples(inputs=s.inputs * 0, identities=s.identities)),
            "test_samples_are_int8_images",
            "not all the same",
        ),
        (
            changed(lambda s, _: Samples(inputs=s.inputs, identities=s.identities.astype(np.int64))),
            "test_identities_number_people_from_0",
            "identities are int32",
        ),
        (
            changed(lambda s, _: Samples(inputs=s.inputs, identities=s.identities * 0)),
            "test_splits_can_be_judged",
            "two identities",
        ),
        (
            changed(lambda s, _: Samples(inputs=s.inputs + np.int8(next(COUNTER) % 9), identities=s.identities)),
            "test_the_same_again",
            "samples are the same each time",
        ),
        (OneSplit, "test_splits_share_no_sample", "disjoint"),
        (Careless, "test_whoever_writes_into_samples_spoils_no_others", "read-only"),
        (OneDigest, "test_other_settings_have_other_digests", "change the digest"),
        (OneSize, "test_every_size_is_prepared", "size asked for"),
        (Strangers, "test_people_are_identities_of_their_modalities", "identities that the split has"),
        (Uneven, "test_people_are_identities_of_their_modalities", "equally long"),
    ],
)
def test_data_sets(broken, law, rule, tmp_path, monkeypatch):
    with pytest.raises(AssertionError, match=rule):
        run_law(DatasetConformance(), law, broken, tmp_path, monkeypatch)


def estimating(change):
    """A latency model whose estimates are changed by a function of (estimate, step, in PSRAM)."""

    class Broken(good.Latency):
        def step(self, program, step, **where):
            return change(super().step(program, step, **where), step, where["arena_in_psram"])

    return Broken


class Optimist(good.Latency):
    """Zero for what it does not know."""

    def step(self, program, step, **where):
        try:
            return super().step(program, step, **where)
        except Exception:
            return replace(super().step(program, program.steps[0], **where | {"processor": "esp32"}), low=0.0)


class Abrupt(good.Latency):
    def step(self, program, step, *, processor, **where):
        self._hz[processor]
        return super().step(program, step, processor=processor, **where)


@pytest.mark.parametrize(
    ("broken", "law", "rule"),
    [
        (
            estimating(lambda e, step, _: replace(e, low=0.0) if step.macs == 0 else e),
            "test_times_are_positive_and_within_their_range",
            "never zero",
        ),
        (
            estimating(lambda e, *_: replace(e, low=2 * e.seconds)),
            "test_times_are_positive_and_within_their_range",
            "low <= seconds <= high",
        ),
        (
            estimating(lambda e, *_: replace(e, high=float("inf"))),
            "test_times_are_positive_and_within_their_range",
            "finite",
        ),
        (
            estimating(lambda e, *_: replace(e, seconds=e.seconds + 1e-9 * next(COUNTER))),
            "test_the_same_again",
            "is a function",
        ),
        (
            estimating(lambda e, step, _: replace(e, seconds=1 / (1 + step.macs))),
            "test_more_work_takes_no_less_time",
            "more multiply-accumulates",
        ),
        (
            estimating(lambda e, _, slow: replace(e, seconds=e.seconds / 8) if slow else e),
            "test_external_memory_is_not_faster",
            "PSRAM",
        ),
        (Optimist, "test_unknown_layers_raise", "raises UnsupportedLayerError"),
        (Optimist, "test_unknown_processors_raise", "raises UnsupportedLayerError"),
        (Abrupt, "test_unknown_processors_raise", "KeyError"),
    ],
)
def test_latency_models(broken, law, rule, tmp_path, monkeypatch):
    with pytest.raises(AssertionError, match=rule):
        run_law(LatencyModelConformance(), law, broken, tmp_path, monkeypatch)


def proposing(choose):
    """A sampler that answers by a function of (knowledge, rng, what the good one would say)."""

    class Broken(good.Sampler):
        def propose(self, knowledge, rng):
            return choose(knowledge, rng, super().propose(knowledge, rng))

    return Broken


def needing(knowledge, branches):
    """First row that needs one of some branches and otherwise known ones; 0 where there is none."""
    wanted = np.append(branches, False)
    return int(np.argmax(wanted[knowledge.table.needs].any(axis=1)))


class Counting(good.Sampler):
    """Remembers how far it is, but not across runs."""

    def __init__(self, **given):
        super().__init__(**given)
        self._count = 0

    def propose(self, knowledge, rng):
        self._count += 1
        return super().propose(knowledge, np.random.default_rng(self._count))


class Mute(good.Sampler):
    def told(self, proposal, outcome):
        return None


@pytest.mark.parametrize(
    ("broken", "law", "rule"),
    [
        (proposing(lambda *_: None), "test_proposes_what_can_be_done_and_is_new", "Proposal, Stop or Wait"),
        (proposing(lambda *_: Proposal()), "test_proposes_what_can_be_done_and_is_new", "a row or a point"),
        (proposing(lambda *_: Proposal(row=0)), "test_proposes_what_can_be_done_and_is_new", "neither known nor"),
        (
            proposing(lambda k, *_: Proposal(row=len(k.table))),
            "test_proposes_what_can_be_done_and_is_new",
            "within the design table",
        ),
        (proposing(lambda *_: Wait()), "test_proposes_what_can_be_done_and_is_new", "waits only while"),
        (
            proposing(lambda k, _, a: replace(a, attributes={"x": np.int64(1)}) if isinstance(a, Proposal) else a),
            "test_proposes_what_can_be_done_and_is_new",
            "are JSON",
        ),
        (
            proposing(lambda k, _, a: Proposal(row=needing(k, k.pending)) if k.pending.any() else a),
            "test_keeps_off_what_is_in_training_elsewhere",
            "nor in training",
        ),
        (
            proposing(lambda k, _, a: Proposal(row=needing(k, k.failed)) if k.failed.any() else a),
            "test_survives_trainings_that_fail",
            "failed is not proposed again",
        ),
        (
            proposing(lambda k, _, a: a if isinstance(a, Proposal) else Proposal(row=0)),
            "test_nothing_is_left_where_all_is_known",
            "neither known nor",
        ),
        (Mute, "test_proposes_what_can_be_done_and_is_new", "told returns a dictionary"),
        (Counting, "test_a_run_that_was_cut_goes_on_as_if_it_had_not_been", "resume restores"),
    ],
)
def test_samplers(broken, law, rule, tmp_path, monkeypatch):
    with pytest.raises(AssertionError, match=rule):
        run_law(SamplerConformance(), law, broken, tmp_path, monkeypatch)


def test_a_sampler_with_dice_of_its_own(tmp_path, monkeypatch):
    dice = np.random.default_rng(0)

    class Broken(good.Sampler):
        def propose(self, knowledge, rng):
            return super().propose(knowledge, dice)

    with pytest.raises(AssertionError, match="and the generator alone"):
        run_law(SamplerConformance(), "test_equal_seeds_give_equal_proposals", Broken, tmp_path, monkeypatch)


def packing(change):
    class Broken(good.Backend):
        def pack(self, frozen, step):
            return change(super().pack(frozen, step), frozen, step)

    return Broken


class Moody(good.Backend):
    def supports(self, program, step, *, processor):
        return next(COUNTER) % 2 == 0


class Everywhere(good.Backend):
    def supports(self, program, step, *, processor):
        return super().supports(program, step, processor="esp32s3")


class Nowhere(good.Backend):
    def supports(self, program, step, *, processor):
        return False


class Greedy(good.Backend):
    """Takes float steps that read int8, too."""

    def supports(self, program, step, *, processor):
        return processor == "esp32s3" and step.operator.value == "fully_connected"


class Dashed(good.Backend):
    name = "my-rows"


def spoil(packed, frozen, step):
    frozen.parameters[step.name]["bias"][:] = 0
    return packed


@pytest.mark.parametrize(
    ("broken", "law", "rule"),
    [
        (Dashed, "test_is_a_backend", "identifier of C"),
        (Moody, "test_supports_is_a_pure_question", "the same answer"),
        (Everywhere, "test_unknown_processors_are_not_supported", "not supported"),
        (Nowhere, "test_supports_something", "supports a step"),
        (packing(lambda p, *_: replace(p, layer_type="mine")), "test_packs_what_it_supports", "ts_<name>_layer"),
        (
            packing(lambda p, *_: replace(p, arrays={k: a[None] for k, a in p.arrays.items()})),
            "test_packs_what_it_supports",
            "arrays are flat",
        ),
        (
            packing(lambda p, *_: replace(p, fields=p.fields | {"relu": next(COUNTER)})),
            "test_packing_repeats_and_changes_nothing",
            "the same way",
        ),
        (packing(spoil), "test_packing_repeats_and_changes_nothing", "does not change the network"),
        (
            packing(lambda p, *_: replace(p, arrays=p.arrays | {"weights": p.arrays["weights"][::-1].copy()})),
            "test_computes_what_the_oracle_does",
            "float32 outputs are the oracle's",
        ),
        (Greedy, "test_computes_what_the_oracle_does", "beyond its output"),
    ],
)
def test_backends(broken, law, rule, tmp_path, monkeypatch):
    make = partial(broken, component=good.write_component(tmp_path / "rows"))
    with pytest.raises(AssertionError, match=rule):
        run_law(BackendConformance(), law, make, tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("sources", "law", "rule"),
    [
        ({"header": "\n"}, "test_its_component_is_whole", "declares the layer"),
        ({"source": good.C_SOURCE + "int x = y;"}, "test_computes_what_the_oracle_does", "compile on a PC"),
        (
            {"source": good.C_SOURCE.replace("float *to = output;", "float *to = output; to[layer->outputs] = 1;")},
            "test_computes_what_the_oracle_does",
            "beyond its output",
        ),
    ],
)
def test_components_of_backends(sources, law, rule, tmp_path, monkeypatch):
    make = partial(good.Backend, component=good.write_component(tmp_path / "rows", **sources))
    with pytest.raises(AssertionError, match=rule):
        run_law(BackendConformance(), law, make, tmp_path, monkeypatch)


def test_without_pytest_one_line_says_so():
    code = "import sys; sys.modules['pytest'] = None; import tinysearch.testing"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert (
        done.stderr.splitlines()[-1] == "ImportError: tinysearch.testing runs its suites by pytest: pip install pytest"
    )


def test_a_suite_without_its_fixture_says_so(tmp_path):
    (tmp_path / "test_mine.py").write_text(
        "from tinysearch.testing import TrainerConformance\nclass TestMine(TrainerConformance):\n    pass\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False)
    assert "TestMine needs the fixture plugin: return the class or function of the plug-in" in done.stdout


def _kind(**changes):
    """A frozen kind of input with some of its class's attributes changed."""
    return dataclasses.dataclass(frozen=True, slots=True, kw_only=True)(type("Gas", (Signal,), changes))


class _OtherShape(Signal):
    def shape(self, *, input_size, channels):
        return Shape(height=input_size, width=input_size, channels=channels + 1)


class _NoBytes(Signal):
    def capture(self, shape):
        return dataclasses.replace(super().capture(shape), size_bytes=0)


class _Everything(Signal):
    def __init__(self, **settings):
        settings.pop("no_kind_has_this", None)
        super().__init__(**settings)


class _Forgetful(Signal):
    def __eq__(self, other):
        return self is other

    __hash__ = Signal.__hash__


INPUT_FAULTS = [
    ("test_says_what_it_is", _kind(name="A gas")),
    ("test_says_what_it_is", _kind(wanted="gas sensor")),
    ("test_says_what_it_is", _kind(augmentation="mixing")),
    ("test_lists_are_tuples_of_texts", _kind(suffixes=("CSV",))),
    ("test_lists_are_tuples_of_texts", _kind(interfaces=())),
    ("test_lists_are_tuples_of_texts", _kind(sources=("gas.cpp",))),
    ("test_brings_its_c_files", _kind(sources=("main/nowhere.c",))),
    ("test_brings_its_c_files", _kind(name="gas")),
    ("test_equal_settings_give_equal_kinds_that_can_be_keys", _Forgetful),
    ("test_unknown_settings_are_refused", _Everything),
    ("test_shapes_have_the_size_and_channels_asked_for", _OtherShape),
    ("test_a_capture_holds_what_it_says", _NoBytes),
]


@pytest.mark.parametrize(("law", "broken"), INPUT_FAULTS)
def test_a_broken_kind_of_input_is_caught(law, broken):
    suite = InputConformance()
    check = getattr(suite, law)
    given = {"kind": broken(), "plugin": broken}
    with pytest.raises((AssertionError, UserError, pytest.fail.Exception)):
        check(**{name: value for name, value in given.items() if name in inspect.signature(check).parameters})


class _OffByOne(LookupRecord):
    def integer(self, frozen, step, sources):
        return np.roll(frozen.parameters[step.name]["table"], 1)[sources[0].astype(int) + 128]


class _Greedy(LookupRecord):
    def footprint(self, program, step):
        return replace(super().footprint(program, step), scratch_bytes=16)


class _Unplaced(LookupRecord):
    def footprint(self, program, step):
        return replace(super().footprint(program, step), parameter_bytes=0)


class _Unmeasured(LookupRecord):
    def kernel_class(self, program, step):
        return "unheard_of"


class _Uncounted(LookupRecord):
    def features(self, program, step):
        return {"lookups": 1.0}


class _Elsewhere(LookupRecord):
    def example(self, source, shape, random):
        return (Linear(name="full", input=source, out_features=4),)


OPERATOR_FAULTS = [
    ("test_kernels_compute_what_the_oracle_does", _OffByOne),
    ("test_kernels_compute_what_the_oracle_does", _Greedy),
    ("test_packed_constants_are_what_the_footprint_says", _Unplaced),
    ("test_packed_constants_are_what_the_footprint_says", _Elsewhere),
    ("test_its_cost_is_known", _Unmeasured),
    ("test_its_cost_is_known", _Uncounted),
]


@pytest.mark.parametrize(("law", "broken"), OPERATOR_FAULTS)
def test_a_broken_operator_is_caught(law, broken, tmp_path, monkeypatch):
    record = broken()
    monkeypatch.setattr(operators, "RECORDS", {**operators.RECORDS, record.name: record})
    with pytest.raises((AssertionError, UnsupportedLayerError)):
        run_law(OperatorConformance(), law, record, tmp_path, monkeypatch)
