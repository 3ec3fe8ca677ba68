"""The emitted C gives held-out people the scores and the error rate of Python, to the last digit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from projects import emitted, face, networks, voice

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.program import FrozenNetwork
from tinysearch.core.quantization import cosine_fixed
from tinysearch.data.embedded_dataset import EmbeddedDataset
from tinysearch.data.pairs import PairOptions, evaluation_pairs
from tinysearch.firmware.integer_network import run
from tinysearch.firmware.rounding import tolerances
from tinysearch.firmware.verify import held_out as rungs
from tinysearch.firmware.verify.files import host_program
from tinysearch.firmware.verify.held_out import HeldOut, sampled
from tinysearch.metrics import Pairs, fused_scores
from tinysearch.metrics.rates import det_curve, equal_error_rate

SAMPLES = 216


@pytest.fixture(scope="module")
def data() -> EmbeddedDataset:
    return EmbeddedDataset()


def held_out(data: EmbeddedDataset, frozen: Mapping[str, FrozenNetwork], *branches: BranchSpec) -> HeldOut:
    """Pairs among the first embedded test samples, with the oracle's embeddings and their equal error rate."""
    shapes = {branch.modality: (branch.input_size, branch.channels) for branch in branches}
    pairs = evaluation_pairs(data, "test", shapes, options=PairOptions(genuine=3000, impostor=3000))
    few = np.all([listed.max(axis=1) < SAMPLES for listed in pairs.samples.values()], axis=0)
    pairs = Pairs(
        samples={modality: listed[few] for modality, listed in pairs.samples.items()},
        left_person=pairs.left_person[few],
        right_person=pairs.right_person[few],
    )
    inputs = {
        modality: data.load(modality, "test", input_size=size, channels=channels).inputs[:SAMPLES]
        for modality, (size, channels) in shapes.items()
    }
    embeddings = {modality: run(frozen[modality], rows) for modality, rows in inputs.items()}
    scores = fused_scores(embeddings, pairs)
    eer = equal_error_rate(det_curve(scores[pairs.genuine], scores[~pairs.genuine]))
    allowed = {
        modality: tolerances(frozen[modality], rows)
        for modality, rows in inputs.items()
        if frozen[modality].program.precision.kind == "float32"
    }
    return HeldOut(inputs=inputs, embeddings=embeddings, pairs=pairs, tolerances=allowed, eer=eer)


CASES = {
    "int8": (face("int8"),),
    "xnor11": (face("xnor1/1", (1,)),),
    "xnor22": (voice("xnor2/2"),),
    "int8+xnor21": (face("int8", (1,)), voice("xnor2/1", (1,))),
}


@pytest.fixture(
    scope="module",
    params=[pytest.param(case, marks=[pytest.mark.slow] * name.startswith("xnor")) for name, case in CASES.items()],
    ids=CASES,
)
def judged(
    request: pytest.FixtureRequest, data: EmbeddedDataset, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, HeldOut]:
    """An emitted project with the people who judge it."""
    project = emitted(*request.param, out=tmp_path_factory.mktemp("held-out") / "p")
    return project, held_out(data, networks(*request.param), *request.param)


def test_the_error_rate_of_the_c_code_is_that_of_python(judged: tuple[Path, HeldOut]) -> None:
    project, people = judged
    assert 0.0 < people.eer < 1.0
    rung = rungs.error_rate(project, lambda: people)
    assert (rung.name, rung.status) == ("eer", "passed"), rung.detail
    assert f"EER {people.eer:.4%} as in Python" in rung.detail
    assert f"{len(people.pairs)} pair scores equal" in rung.detail


def test_a_weighted_fusion_is_judged_by_its_weights(judged: tuple[Path, HeldOut]) -> None:
    project, people = judged
    if len(people.embeddings) < 2:
        pytest.skip("of one branch")
    weights = {"face": 0, "voice": 512}  # the untrained voice tells nobody apart
    scores = fused_scores(people.embeddings, people.pairs, weights=weights)
    eer = equal_error_rate(det_curve(scores[people.pairs.genuine], scores[~people.pairs.genuine]))
    assert eer != people.eer
    rung = rungs.error_rate(project, lambda: replace(people, weights=weights, eer=eer))
    assert rung.status == "passed", rung.detail
    assert f"EER {eer:.4%} as in Python" in rung.detail
    assert rungs.error_rate(project, lambda: replace(people, weights=weights)).status == "failed"


@pytest.mark.emulator
def test_a_sample_of_pairs_agrees_on_the_target_instruction_set(judged: tuple[Path, HeldOut]) -> None:
    project, people = judged
    rung = rungs.sampled_error_rate(project, lambda: people)
    if rung.status == "not run":
        pytest.skip(rung.detail)
    assert (rung.name, rung.status) == ("eer_rv32", "passed"), rung.detail
    assert "16 pair scores equal" in rung.detail


@pytest.fixture(scope="module")
def single(data: EmbeddedDataset, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, HeldOut]:
    branch = voice("int8", (1,), width=4, input_size=32)
    project = emitted(branch, out=tmp_path_factory.mktemp("single") / "p")
    return project, held_out(data, networks(branch), branch)


def changed(people: HeldOut, change: int) -> HeldOut:
    rows = np.array(people.embeddings["voice"])
    rows[7, 3] += change
    return replace(people, embeddings={"voice": rows})


def test_one_embedding_that_differs_by_one_is_found(single: tuple[Path, HeldOut]) -> None:
    project, people = single
    rung = rungs.error_rate(project, lambda: changed(people, 1 if people.embeddings["voice"][7, 3] < 127 else -1))
    assert (rung.status, rung.detail) == ("failed", f"DIFFERS: 1 of {SAMPLES} voice embeddings")


def test_another_error_rate_than_promised_is_found(single: tuple[Path, HeldOut]) -> None:
    project, people = single
    assert people.eer is not None
    rung = rungs.error_rate(project, lambda: replace(people, eer=float(np.nextafter(people.eer, 1.0))))
    assert rung.status == "failed"
    assert "DIFFERS: EER" in rung.detail


def test_samples_of_another_shape_fail_and_do_not_crash(single: tuple[Path, HeldOut]) -> None:
    project, people = single
    short = replace(people, inputs={"voice": people.inputs["voice"][:, :16]})
    assert rungs.error_rate(project, lambda: short).status == "failed"
    unknown = replace(
        people,
        inputs={"face": people.inputs["voice"]},
        embeddings={"face": people.embeddings["voice"]},
        pairs=replace(people.pairs, samples={"face": people.pairs.samples["voice"]}),
    )
    rung = rungs.error_rate(project, lambda: unknown)
    assert rung.status == "failed"
    assert "ERR embed face" in rung.detail


def test_scores_of_the_c_code_are_the_fixed_point_cosine(single: tuple[Path, HeldOut]) -> None:
    project, people = single
    rng = np.random.default_rng(1)
    rows = rng.integers(-128, 128, (30, people.embeddings["voice"].shape[1])).astype(np.int8)
    rows[0] = 0
    samples = rng.integers(0, 30, (100, 2)).astype(np.int32)
    with host_program(project) as program:
        scores = program.scores("voice", rows, samples)
        with pytest.raises(RuntimeError, match="ERR score"):
            program.scores("voice", rows, np.array([[0, 30]], np.int32))
    assert scores.tolist() == [int(cosine_fixed(rows[left], rows[right])) for left, right in samples]


def test_float_networks_agree_within_rounding(data: EmbeddedDataset, tmp_path: Path) -> None:
    branch = voice("float32", (1,), width=4, input_size=32)
    project = emitted(branch, out=tmp_path / "p")
    people = held_out(data, networks(branch), branch)
    rung = rungs.error_rate(project, lambda: people)
    assert rung.status == "passed", rung.detail
    assert "within rounding" in rung.detail
    rows = np.array(people.embeddings["voice"]) * np.float32(1 + 1e-4)
    assert rungs.error_rate(project, lambda: replace(people, embeddings={"voice": rows})).status == "failed"


def test_a_sample_keeps_pairs_and_their_samples(single: tuple[Path, HeldOut]) -> None:
    _, people = single
    few = sampled(people, pairs=16)
    assert len(few.pairs) == 16
    assert few.pairs.genuine.sum() == 8
    assert set(fused_scores(few.embeddings, few.pairs).tolist()) <= set(
        fused_scores(people.embeddings, people.pairs).tolist()
    )
    assert len(few.inputs["voice"]) == len(few.embeddings["voice"]) == few.pairs.samples["voice"].max() + 1


def test_without_people_nothing_is_passed(single: tuple[Path, HeldOut], monkeypatch: pytest.MonkeyPatch) -> None:
    project, people = single

    def absent() -> HeldOut:
        raise UserError("the data are there", value="nothing", remedy="bring them")

    for climb in (rungs.error_rate, rungs.sampled_error_rate):
        assert climb(project, None).status == "not run"
        assert climb(project, absent).status == "not run"
    monkeypatch.setenv("PATH", "")
    assert "needs gcc" in rungs.error_rate(project, lambda: people).detail
