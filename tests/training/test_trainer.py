"""The trainer: determinism, shared stages, resuming, options, errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tinysearch.architectures.resnet import resnet
from tinysearch.core.errors import DivergedError, UserError
from tinysearch.core.network import INPUT, Convolution, Linear, NetworkSpec, Shape
from tinysearch.core.protocols import Trainer
from tinysearch.firmware.integer_network import run
from tinysearch.training.stage import verification_eer
from tinysearch.training.stages import load_if_whole, save_atomically
from tinysearch.training.trainer import TorchTrainer


def test_it_is_a_trainer() -> None:
    assert isinstance(TorchTrainer(), Trainer)


@pytest.mark.parametrize("precision", ["float32", "int8", "xnor2/1"])
def test_one_seed_gives_one_network(precision, *, tmp_path, data, branch_of, session_of, same_parameters) -> None:
    branch = branch_of(precision=precision)
    first = session_of(tmp_path / "a", data).fit(branch)
    again = session_of(tmp_path / "b", data).fit(branch, data_workers=2)
    other = session_of(tmp_path / "a", data).fit(branch, seed=1)
    assert first.trained
    assert first.program.precision == first.program.precision.parse(precision)
    assert same_parameters(first, again)
    assert not same_parameters(first, other)


def test_precisions_share_the_float_stage(session, branch_of) -> None:
    session.fit(branch_of(precision="float32"))
    assert any(tick.phase.startswith("float 1/1") for tick in session.ticks)
    session.ticks.clear()
    session.fit(branch_of(precision="int8"))
    assert not any(tick.phase.startswith("float ") for tick in session.ticks)
    assert any(tick.phase.startswith("int8 1/1") for tick in session.ticks)
    session.ticks.clear()
    session.fit(branch_of(precision="int8", modality="voice"))
    assert any(tick.phase.startswith("float 1/1") for tick in session.ticks)


class Stop(list):
    """Progress that interrupts a training in one of its phases."""

    def __init__(self, stopped_in: str) -> None:
        super().__init__()
        self.stopped_in = stopped_in

    def append(self, tick) -> None:
        super().append(tick)
        if tick.phase == self.stopped_in:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("precision", "stopped_in"), [("int8", "float 2/4"), ("int8", "int8 2/3"), ("xnor1/1", "xnor1/1 2/3")]
)
def test_an_interrupted_training_resumes_to_the_same_network(
    precision, stopped_in, *, tmp_path, data, branch_of, session_of, same_parameters
) -> None:
    options = {"epochs": 7, "float_epochs": 4}
    branch = branch_of(precision=precision)
    whole = session_of(tmp_path / "whole", data).fit(branch, **options)
    broken = session_of(tmp_path / "broken", data)
    broken.ticks = Stop(stopped_in)
    with pytest.raises(KeyboardInterrupt):
        broken.fit(branch, **options)
    assert list((tmp_path / "broken" / "checkpoints").glob("*.pt"))
    broken.ticks = []
    resumed = broken.fit(branch, **options)
    first = next(tick.phase for tick in broken.ticks)
    assert not first.endswith("1/4")
    assert same_parameters(whole, resumed)
    assert not list((tmp_path / "broken" / "checkpoints").iterdir())


def test_first_epochs_may_see_pictures_of_half_the_side(tmp_path, data, branch_of, session_of, same_parameters) -> None:
    options = {"epochs": 5, "float_epochs": 4, "half_size": 0.5}
    branch = branch_of()
    whole = session_of(tmp_path / "whole", data).fit(branch, **options)
    assert not same_parameters(whole, session_of(tmp_path / "never", data).fit(branch, **options | {"half_size": 0.0}))
    for stopped_in in ("float 2/4", "float 4/4"):  # among epochs of either size
        broken = session_of(tmp_path / stopped_in[6], data)
        broken.ticks = Stop(stopped_in)
        with pytest.raises(KeyboardInterrupt):
            broken.fit(branch, **options)
        broken.ticks = []
        assert same_parameters(whole, broken.fit(branch, **options))


@pytest.mark.parametrize("modality", ["voice", "face"])
def test_what_cannot_be_halved_is_trained_whole(modality, *, data, tmp_path, branch_of, same_parameters) -> None:
    """No spectrograms, whose rows are times, and no network whose weights are of one side."""
    shape = Shape(height=20, width=20, channels=3)
    stem = Convolution(name="stem", input=INPUT, out_channels=4, kernel=3, stride=2, padding=1)
    flat = Linear(name="embed", input="stem", out_features=8, batch_norm=True)
    fixed = NetworkSpec(name="flat", input_shape=shape, units=(stem, flat))
    branch = branch_of(modality=modality)
    network = fixed if modality == "face" else branch.network()
    whole, halved = (
        TorchTrainer(epochs=2, float_epochs=1, batch_size=12, samples_per_epoch=0, threads=1, half_size=part).fit(
            branch, network, data, workspace=tmp_path / str(part), progress=lambda _: None
        )
        for part in (0.0, 1.0)
    )
    assert same_parameters(whole, halved)


def test_a_broken_file_is_trained_again(session, branch_of, same_parameters) -> None:
    whole = session.fit(branch_of())
    (stage,) = (session.workspace / "stages").glob("*.pt")
    stage.write_bytes(stage.read_bytes()[:1000])
    assert same_parameters(whole, session.fit(branch_of()))


def test_progress_is_told_every_epoch_and_ends_with_a_rate(session, branch_of) -> None:
    session.fit(branch_of(), epochs=3, float_epochs=2)
    fractions = [tick.fraction for tick in session.ticks]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert {1 / 3, 2 / 3} <= set(fractions)
    assert all(tick.loss > 0 for tick in session.ticks[:-1])
    assert 0 <= session.ticks[-1].eer_validation <= 1


@pytest.mark.parametrize(
    ("precision", "bound"), [("float32", 0.2), ("int8", 0.2), ("xnor2/2", 0.35), ("xnor1/1", 0.43)]
)
def test_it_learns(precision, bound, *, tmp_path, dataset_of, branch_of, session_of) -> None:
    data = dataset_of(people=8, images=24)
    frozen = session_of(tmp_path, data).fit(branch_of(precision=precision), epochs=10, float_epochs=6)
    samples = data.load("face", "train", input_size=20, channels=3)
    assert verification_eer(run(frozen, samples.inputs).astype(float), samples.identities) < bound


@pytest.mark.parametrize("precision", ["int8", "xnor2/1"])
def test_without_a_second_stage_a_network_is_only_calibrated(precision, session, branch_of) -> None:
    frozen = session.fit(branch_of(precision=precision), epochs=1)
    samples = session.data.load("face", "test", input_size=20, channels=3)
    assert run(frozen, samples.inputs).std() > 5


def test_repeats_keep_the_median(session, branch_of) -> None:
    session.fit(branch_of(), repeats=3)
    rates = [tick.eer_validation for tick in session.ticks if tick.eer_validation is not None]
    assert len(rates) == 3
    assert session.ticks[-1].fraction == 1.0


@pytest.mark.parametrize("precision", ["float32", "int8", "xnor2/1"])
def test_looking_at_the_validation_error_changes_nothing(
    precision, *, tmp_path, data, branch_of, session_of, same_parameters
) -> None:
    looking, blind = session_of(tmp_path / "a", data), session_of(tmp_path / "b", data)
    options = {"epochs": 5, "float_epochs": 2}
    assert same_parameters(
        looking.fit(branch_of(precision=precision), validate_every=1, **options),
        blind.fit(branch_of(precision=precision), validate_every=0, **options),
    )
    assert [tick.phase for tick in looking.ticks if tick.eer_validation is not None] == [
        *("float 2/2", f"{precision} 2/3", f"{precision} 3/3", f"{precision} done")
    ]
    assert sum(tick.eer_validation is not None for tick in blind.ticks) == 1


def test_a_data_set_with_classes_is_validated_by_its_classification_error(session, branch_of, monkeypatch) -> None:
    load = session.data.load
    monkeypatch.setattr(session.data, "classes", 6, raising=False)
    monkeypatch.setattr(session.data, "load", lambda modality, _, **shape: load(modality, "train", **shape))
    session.fit(branch_of(precision="float32"), epochs=8, float_epochs=8, validate_every=2)
    rates = [tick.eer_validation for tick in session.ticks if tick.eer_validation is not None]
    assert all(abs(rate * 48 - round(rate * 48)) < 1e-9 for rate in rates)  # of 48 samples
    assert rates[-1] < 0.3 < 1 - 1 / 6


def test_repeats_are_remembered(tmp_path, data, branch_of) -> None:
    network = resnet(blocks=(1, 1), width=6, input_size=20, channels=3, embedding=12)
    trainer = TorchTrainer(epochs=1, samples_per_epoch=0, batch_size=12, threads=1, repeats=2)
    trainer.fit(branch_of(precision="float32"), network, data, workspace=tmp_path, progress=lambda _: None)
    assert len(trainer.repeated_errors) == 2
    assert list(trainer.repeated_errors) == sorted(trainer.repeated_errors)


def test_patience_stops_a_stage(session, branch_of) -> None:
    session.fit(branch_of(precision="float32"), epochs=30, float_epochs=30, patience=1, min_improvement=0.9)
    assert sum("float" in tick.phase for tick in session.ticks) < 100


def test_a_loss_that_is_no_number_ends_the_training_with_a_line(session, branch_of) -> None:
    with pytest.raises(DivergedError, match=r"diverged in epoch 1, its loss is nan; lower trainer\.learning_rate"):
        session.fit(branch_of(precision="float32"), learning_rate=1e30)


def test_only_settings_that_change_results_change_the_digest() -> None:
    plain = TorchTrainer().digest
    assert TorchTrainer(threads=2, data_workers=3, compile=True, validate_every=1).digest == plain
    changes = [
        {"epochs": 30},
        {"seed": 1},
        {"loss": "softmax"},
        {"augmentation": 0.3},
        {"repeats": 2},
        {"margin": 0.3},
        {"second_stage_rate": 0.9},
        {"half_size": 0.5},
    ]
    digests = {TorchTrainer(**change).digest for change in changes}
    assert len(digests | {plain}) == len(changes) + 1


def test_the_float_stage_does_not_depend_on_what_follows() -> None:
    plain = TorchTrainer(epochs=16).settings.float_digest
    assert TorchTrainer(epochs=40, float_epochs=8, second_stage_rate=0.1).settings.float_digest == plain
    assert TorchTrainer(float_epochs=5).settings.float_digest != plain
    assert TorchTrainer(half_size=0.5).settings.float_digest != plain


def test_less_than_half_an_epoch_of_halves_is_none() -> None:
    assert TorchTrainer(half_size=0.06).digest == TorchTrainer().digest


@pytest.mark.parametrize(
    "bad",
    [
        {"epoch": 3},
        {"epochs": 0},
        {"float_epochs": 99},
        {"half_size": 1.5},
        {"loss": "triplet"},
        {"device": "tpu"},
        {"optimizer": "lion"},
        {"learning_rate": 0.0},
        {"temperature": 0.0},
        {"weight_decay": -1e-3},
        {"smoothing": 1.0},
        {"batch_size": 1},
        {"epochs": "many"},
        {"mixed_precision": 1},
        {"seed": -1},
    ],
    ids=str,
)
def test_impossible_settings_are_one_line(bad) -> None:
    with pytest.raises(UserError) as caught:
        TorchTrainer(**bad)
    assert "\n" not in str(caught.value)


def test_no_samples_is_an_error(tmp_path, dataset_of, branch_of, session_of) -> None:
    with pytest.raises(UserError, match="samples"):
        session_of(tmp_path, dataset_of(people=1, images=1)).fit(branch_of())


def test_files_are_whole_or_absent(tmp_path) -> None:
    path = tmp_path / "deep" / "x.pt"
    assert load_if_whole(path) is None
    save_atomically({"epoch": 3}, path)
    assert load_if_whole(path) == {"epoch": 3}
    assert [file.name for file in path.parent.iterdir()] == ["x.pt"]


def test_error_rate_of_known_cases() -> None:
    identities = np.repeat(np.arange(4), 3)
    perfect = np.eye(4)[identities] + 0.01
    assert verification_eer(perfect, identities) == 0
    assert verification_eer(perfect, np.arange(12)) == 0.5
    noise = np.random.default_rng(0).normal(size=(400, 8))
    assert verification_eer(noise, np.repeat(np.arange(40), 10)) == pytest.approx(0.5, abs=0.03)


def test_a_training_leaves_threads_and_random_numbers_as_they_were(session, branch_of) -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    session.fit(branch_of(), threads=threads + 1)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
