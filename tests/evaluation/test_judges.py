"""What a task calls an error, on embeddings made up here: verification with its fusions, and classification."""

import json
import pickle
from dataclasses import asdict

import numpy as np
import pytest

from tinysearch.core.error_rates import AnsweredRates
from tinysearch.core.errors import UserError
from tinysearch.core.protocols import Dataset, Samples
from tinysearch.core.task import Stream
from tinysearch.evaluation.anomaly import Anomaly
from tinysearch.evaluation.answers import classifier_of
from tinysearch.evaluation.classification import Classification
from tinysearch.evaluation.judges import judge_of
from tinysearch.evaluation.operating import USABLE_FRR
from tinysearch.evaluation.verification import Verification
from tinysearch.metrics import integer_weights

SHAPES = {"face": (8, 1), "voice": (8, 1)}
PEOPLE, EACH = 8, 6


class People(Dataset):
    """Identities only; ``shared`` makes them classes."""

    name, digest, modalities = "people", "0", ("face", "voice")

    def __init__(self, *, shared):
        if shared:
            self.classes = PEOPLE

    def load(self, modality, split, *, input_size, channels):
        del modality, split
        identities = np.repeat(np.arange(PEOPLE, dtype=np.int32), EACH)
        return Samples(
            inputs=np.zeros((len(identities), input_size, input_size, channels), np.int8), identities=identities
        )

    def people(self, split):
        del split
        return dict.fromkeys(self.modalities, np.arange(PEOPLE, dtype=np.int32))


def _embedded(*, shared, noise=None, kind=np.int8):
    """Embeddings of each split around one direction an identity, the same in all splits for classes."""
    noise = noise or {"face": 15.0, "voice": 60.0}
    found = {}
    for place, split in enumerate(("train", "validation", "test")):
        rng = np.random.default_rng(0 if shared else place)
        centers = {modality: rng.normal(0, 30, (PEOPLE, 12)) for modality in noise}
        rng = np.random.default_rng(10 + place)
        found[split] = {
            modality: np.clip(
                np.repeat(centers[modality], EACH, axis=0) + rng.normal(0, spread, (PEOPLE * EACH, 12)), -128, 127
            ).astype(kind)
            for modality, spread in noise.items()
        }
    return found


def _rates(judge, embedded, *, shared, modalities=("face", "voice"), macs=None):
    shapes = {modality: SHAPES[modality] for modality in modalities}
    kept = {split: {modality: rows[modality] for modality in modalities} for split, rows in embedded.items()}
    data = People(shared=shared)
    judge.check(data)
    return judge.rates(data, shapes, kept, rng=np.random.default_rng(0), evidence="trained", macs=macs)


@pytest.mark.parametrize("kind", [np.int8, np.float32])
def test_unequal_branches_fuse_better_with_weights(kind):
    embedded = _embedded(shared=False, kind=kind)
    plain = _rates(Verification(resamples=0), embedded, shared=False)
    assert not plain.weights
    learned = _rates(Verification(resamples=0, fusion="learned"), embedded, shared=False)
    assert learned.weights["face"] > 2 * learned.weights["voice"] > 0
    assert learned.eer < plain.eer
    given = _rates(Verification(resamples=0, fusion="weighted", shares={"face": 3, "voice": 1}), embedded, shared=False)
    assert given.weights == integer_weights({"face": 3, "voice": 1})
    equal = _rates(Verification(resamples=0, fusion="weighted"), embedded, shared=False)
    assert (equal.eer, equal.thresholds) == (plain.eer, plain.thresholds)
    alone = _rates(Verification(resamples=0, fusion="learned"), embedded, shared=False, modalities=("face",))
    assert not alone.weights


def test_a_cascade_is_no_worse_than_the_sum_and_all_it_decides_by_is_of_validation_people():
    embedded = _embedded(shared=False)
    plain = _rates(Verification(resamples=0), embedded, shared=False)
    assert plain.cascade is None
    found = {
        first: _rates(Verification(resamples=0, fusion="cascade", first=first), embedded, shared=False, macs=macs)
        for first, macs in (("face", None), ("voice", None), (None, {"face": 1, "voice": 1000}))
    }
    assert [rates.cascade.first for rates in found.values()] == ["face", "voice", "face"]
    assert found["face"].cascade.runs < found["voice"].cascade.runs <= 1.0
    usable = next(far for far, frr in sorted(plain.frr_at_far_validation.items()) if frr <= USABLE_FRR)
    for rates in found.values():
        assert rates.eer_validation <= plain.eer_validation
        assert rates.frr_at_far_validation[usable] <= plain.frr_at_far_validation[usable]
    others = {**embedded, "test": _embedded(shared=False, noise={"face": 90.0, "voice": 90.0})["test"]}
    same, named = _rates(Verification(resamples=0, fusion="cascade", first="face"), others, shared=False), found["face"]
    assert same.cascade.accept_from == named.cascade.accept_from
    assert same.cascade.reject_below == named.cascade.reject_below
    assert (same.thresholds, same.weights) == (named.thresholds, named.weights)
    assert same.cascade.impostor_runs != named.cascade.impostor_runs


def test_a_fusion_tells_whether_its_branches_err_together():
    rates = _rates(Verification(resamples=0), _embedded(shared=False), shared=False)
    both, only_face, only_voice, neither, independent = rates.curves["agreement"]
    assert both + only_face + only_voice + neither == pytest.approx(1.0)
    assert only_face > only_voice
    assert abs(neither - independent) < 0.05
    assert (
        "agreement"
        not in _rates(Verification(resamples=0), _embedded(shared=False), shared=False, modalities=("face",)).curves
    )


def test_settings_follow_what_changes_rates_and_the_default_keeps_its_own():
    plain = Verification()
    assert plain.settings == (plain.far, plain.resamples, plain.pairs)
    others = [
        Verification(fusion="learned"),
        Verification(fusion="cascade"),
        Verification(fusion="weighted", shares={"face": 2.0}),
        Classification(),
    ]
    assert len({str(judge.settings) for judge in (plain, *others)}) == 5
    assert plain.memo_suffix != Classification().memo_suffix


@pytest.mark.parametrize("kind", [np.int8, np.float32])
def test_classification_counts_wrong_samples_and_two_branches_beat_one(kind):
    embedded = _embedded(shared=True, noise={"face": 45.0, "voice": 45.0}, kind=kind)
    alone = [_rates(Classification(), embedded, shared=True, modalities=(m,)) for m in ("face", "voice")]
    fused = _rates(Classification(), embedded, shared=True)
    assert all(abs(rates.eer * 48 - round(rates.eer * 48)) < 1e-9 for rates in (*alone, fused))
    assert 0 < fused.eer < min(rates.eer for rates in alone) < 0.6
    assert fused.eer_ci95[0] <= fused.eer <= fused.eer_ci95[1]
    assert not fused.frr_at_far


def test_a_classification_says_how_its_device_answers():
    embedded = _embedded(shared=True, noise={"face": 45.0, "voice": 45.0}, kind=np.int8)
    free, strict = (
        _rates(Classification(reject=share), embedded, shared=True, modalities=("face",)) for share in (0.0, 0.5)
    )
    assert free.eer == strict.eer
    assert free.answered.wrong <= free.eer
    assert strict.answered.unknown > free.answered.unknown and strict.answered.wrong < free.answered.wrong
    for rates in (free.answered, strict.answered):
        assert rates.wrong_ci95[0] <= rates.wrong <= rates.wrong_ci95[1]
        assert rates.unknown_ci95[0] <= rates.unknown <= rates.unknown_ci95[1]
        assert AnsweredRates.of_dict(json.loads(json.dumps(asdict(rates)))) == rates
    assert len({str(judge.settings) for judge in (Classification(), Classification(smooth=3))}) == 2


def test_a_classification_that_recognizes_nothing_answers_nothing_and_is_not_emitted():
    embedded = _embedded(shared=True, kind=np.int8)
    kept = {split: {"face": rows["face"]} for split, rows in embedded.items()}
    kept["validation"] = {"face": -kept["validation"]["face"]}  # as far from their own class as can be
    judge, data, shapes = Classification(), People(shared=True), {"face": SHAPES["face"]}
    rates = judge.rates(data, shapes, kept, rng=np.random.default_rng(0), evidence="trained")
    assert rates.eer_validation == 1.0 and rates.answered is None
    with pytest.raises(UserError, match="must know some validation window"):
        classifier_of(judge, data, shapes, kept, stream=Stream())


def test_a_task_and_its_data_have_to_fit():
    with pytest.raises(UserError, match="same classes in every split"):
        Classification().check(People(shared=False))
    with pytest.raises(UserError, match="whom no training has seen"):
        Verification().check(People(shared=True))
    with pytest.raises(UserError, match="scores of the branches of a classification must be added"):
        judge_of("classification", far=[0.01], fusion="learned")


def test_judges_travel_between_processes():
    judge = judge_of("verification", far=[0.01], fusion="weighted", shares={"face": 2.0, "voice": 1.0})
    embedded = _embedded(shared=False)
    before = _rates(judge, embedded, shared=False)
    assert _rates(pickle.loads(pickle.dumps(judge)), embedded, shared=False) == before  # noqa: S301


class Sounds(People):
    """Identities of which the first six are normal, and what each sample is from."""

    normal = 6

    def __init__(self):
        super().__init__(shared=False)

    def groups(self, modality, split):
        del modality, split
        return np.arange(PEOPLE * EACH, dtype=np.int32) // 2


@pytest.mark.parametrize("kind", [np.int8, np.float32])
def test_an_anomaly_is_what_is_far_from_normal_training_samples(kind):
    embedded = _embedded(shared=True, noise={"face": 8.0, "voice": 25.0}, kind=kind)
    normal = np.repeat(np.arange(PEOPLE), EACH) < Sounds.normal
    embedded["train"] = {name: rows * normal[:, None].astype(kind) for name, rows in embedded["train"].items()}
    judge, data = judge_of("anomaly", far=[0.1, 0.001]), Sounds()
    judge.check(data)
    found = {}
    for modalities in (("face",), ("voice",), ("face", "voice")):
        shapes = {modality: SHAPES[modality] for modality in modalities}
        kept = {split: {name: rows[name] for name in modalities} for split, rows in embedded.items()}
        found[modalities] = judge.rates(data, shapes, kept, rng=np.random.default_rng(0), evidence="trained")
    sharp, both = found["face",], found["face", "voice"]
    assert sharp.auc > 0.99
    assert found["voice",].auc < both.auc
    assert set(both.thresholds) == {0.1}  # 36 normal samples are too few for a thousandth
    assert (both.genuine, both.impostor) == (12, 36)


def test_an_anomaly_task_needs_data_that_say_what_is_normal():
    with pytest.raises(UserError, match=r"must have data that say what is normal.*got data=people"):
        Anomaly().check(People(shared=True))
    with pytest.raises(UserError, match="scores of the branches of an anomaly must be added"):
        judge_of("anomaly", far=[0.01], fusion="learned")
