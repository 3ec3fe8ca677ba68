"""The errors of untrained branches, predicted from those of trained ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from toy_space import SyntheticErrors

from tinysearch.search.known.fidelity import ToldErrors
from tinysearch.search.memoized.covariance import Covariances
from tinysearch.search.memoized.evidence import Evidence
from tinysearch.search.memoized.surrogate import BranchSurrogate


@pytest.fixture
def truth(space):
    """float64 [B]: smooth errors of every branch."""
    errors = SyntheticErrors(space, seed=0)
    return np.array([errors.error_rates([branch]).eer for branch in space.table.branches])


def evidence(branches, eers, implied=None):
    metrics = np.asarray(eers)[:, None]
    said = metrics if implied is None else np.asarray(implied)[:, None]
    return Evidence(branches=np.asarray(branches), metrics=metrics, implied=said, spreads=np.zeros(len(metrics)))


def of_layout(table, modality, blocks):
    return [i for i, b in enumerate(table.branches) if b.modality == modality and b.architecture.blocks == blocks]


def expected(table, seen, wanted):
    return np.exp(BranchSurrogate(table).posterior(seen, np.asarray(wanted)).mean[:, 0])


@pytest.mark.parametrize("seed", range(4))
def test_predictions_are_near_and_as_doubtful_as_they_say(space, truth, seed):
    order = np.random.default_rng(seed).permutation(len(truth))
    known, wanted = order[:16], order[16:]
    posterior = BranchSurrogate(space.table).posterior(evidence(known, truth[known]), wanted)
    drawn = posterior.draw(400, np.random.default_rng(0))[:, :, 0]
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    inside = (np.log(truth[wanted]) > low) & (np.log(truth[wanted]) < high)
    assert inside.mean() > 0.85
    # Better than knowing nothing but the mean of what was seen.
    wrong = np.abs(posterior.mean[:, 0] - np.log(truth[wanted])).mean()
    assert wrong < 0.5 * np.abs(np.log(truth[known]).mean() - np.log(truth[wanted])).mean()


def test_marginals_are_those_of_the_likeliest_hypothesis(space, truth):
    known, wanted = np.arange(0, 72, 5), np.arange(1, 72, 5)
    surrogate, seen = BranchSurrogate(space.table), evidence(known, truth[known])
    mean, deviation = surrogate.marginals(seen, wanted)
    likeliest = surrogate.posterior(seen, wanted).beliefs[0]
    assert mean == pytest.approx(likeliest.mean)
    assert deviation[:, 0] == pytest.approx(np.sqrt((likeliest.root**2).sum(axis=1)))


@pytest.mark.parametrize("doubtful", [False, True])
def test_marginals_are_the_same_whatever_was_evidence_before(space, truth, doubtful):
    rng, wanted = np.random.default_rng(0), np.arange(len(truth))
    kept = BranchSurrogate(space.table, doubtful=doubtful)
    for count in (3, 12, 9, 30, 1, 0, 20):
        known = rng.permutation(len(truth))[:count]
        # A layout that is odd and a bend, now and then.
        eers = truth[known] * np.where(space.table.start[known] == 1, 2.0, rng.uniform(0.9, 1.1, count))
        seen = evidence(known, eers)
        found, anew = (each.marginals(seen, wanted) for each in (kept, BranchSurrogate(space.table, doubtful=doubtful)))
        assert found[0] == pytest.approx(anew[0], rel=1e-9)
        assert found[1] == pytest.approx(anew[1], rel=1e-9)


def test_marginals_of_one_that_believes_a_source_are_those_of_its_posterior(space, truth):
    known, wanted = np.arange(0, 72, 5), np.arange(1, 72, 5)
    seen = replace(evidence(known, truth[known] * 1.1), sources=(told(truth),))
    surrogate = BranchSurrogate(space.table)
    assert surrogate._processes(seen)[0].source == 0
    mean, deviation = surrogate.marginals(seen, wanted)
    likeliest = surrogate.posterior(seen, wanted).beliefs[0]
    assert mean == pytest.approx(likeliest.mean)
    assert deviation[:, 0] == pytest.approx(np.sqrt((likeliest.root**2).sum(axis=1)))


def test_hypotheses_about_fusions_alone_share_how_branches_vary(space, truth):
    known, wanted = np.arange(0, 72, 5), np.arange(1, 72, 5)
    surrogate = BranchSurrogate(space.table)
    seen = evidence(known, truth[known], truth[known] * np.random.default_rng(0).uniform(0.99, 1.01, len(known)))
    processes = surrogate._processes(seen)
    hypotheses = {(p.amplitude, p.scatter, p.shape): p.root for p in processes}
    assert len(hypotheses) < len(processes)
    for process in processes:
        assert process.root is hypotheses[process.amplitude, process.scatter, process.shape]
        covariance = process.amplitude**2 * Covariances(process.x, process.x).under(process.shape)
        covariance += process.scatter**2 * np.eye(len(known))
        assert process.root @ process.root.T == pytest.approx(covariance)
    by_mean = {round(float(belief.mean[0, 0]), 12) for belief in surrogate.posterior(seen, wanted).beliefs}
    assert len(by_mean) == len(processes)


@pytest.mark.parametrize("hints", [0, 5])
def test_beliefs_are_the_same_to_the_bit_whether_a_run_was_cut_or_not(space, truth, hints):
    order, wanted = np.random.default_rng(0).permutation(len(truth))[:24], np.arange(len(truth))
    hinted, kept = np.sort(order[8 : 8 + hints]), BranchSurrogate(space.table)
    for count in range(1, len(order)):
        learned = order[:count]
        known = np.concatenate([hinted[~np.isin(hinted, learned)], learned])
        seen, anew = evidence(known, truth[known]), BranchSurrogate(space.table)
        for found, wholly in zip(kept.marginals(seen, wanted), anew.marginals(seen, wanted), strict=True):
            assert (found == wholly).all()
        assert (kept.posterior(seen, wanted).mean == anew.posterior(seen, wanted).mean).all()


def test_doubtful_beliefs_are_less_sure_of_layouts_that_were_never_trained(space, truth):
    table = space.table
    layouts = np.unique(table.start)
    known = np.flatnonzero(np.isin(table.start, layouts[::2]))[::2]
    wanted = np.flatnonzero(np.isin(table.start, layouts[1::2]))
    seen = evidence(known, truth[known])
    _, sure = BranchSurrogate(table).marginals(seen, wanted)
    doubtful = BranchSurrogate(table, doubtful=True)
    mean, deviation = doubtful.marginals(seen, wanted)
    assert deviation.min() > 1.5 * sure.min()
    likeliest = doubtful.posterior(seen, wanted).beliefs[0]
    assert mean == pytest.approx(likeliest.mean)
    assert deviation[:, 0] == pytest.approx(np.sqrt((likeliest.root**2).sum(axis=1)))


def test_a_layout_that_fails_to_train_tells_nothing_of_others(space, truth):
    table = space.table
    failing, near = of_layout(table, "voice", (2, 2, 2, 2)), of_layout(table, "voice", (2, 2, 2))
    others = [i for i in range(0, 72, 4) if i not in failing + near]
    without = expected(table, evidence(others, truth[others]), near)
    known = others + failing[:2]
    eers = np.concatenate([truth[others], [0.35, 0.33]])
    beside = expected(table, evidence(known, eers), near)
    # Without that hypothesis they are taken to be worse by 53 to 63 %.
    assert beside == pytest.approx(without, rel=0.25)
    assert expected(table, evidence(known, eers), failing[2:]).min() > 0.25


def test_where_trainings_fail_at_random_every_belief_is_doubtful(space, truth):
    known, wanted = np.arange(0, 72, 2), np.arange(1, 72, 2)
    failed = np.random.default_rng(0).random(len(known)) < 0.5
    seen = evidence(known, np.where(failed, 0.5, truth[known]))
    _, deviation = BranchSurrogate(space.table).marginals(seen, wanted)
    # With scatters of at most 0.2 it was 0.26, and searches ended before they had 95 % of the hypervolume.
    assert deviation.min() > 0.35


def told(eers):
    return ToldErrors(branches=np.arange(len(eers)), eers=np.asarray(eers), spreads=np.full(len(eers), 0.1))


def off_by(table, truth, known, sources):
    """Mean distance of predicted log errors of all other branches from the truth, and the sources believed."""
    seen = replace(evidence(known, truth[known]), sources=sources)
    wanted = np.setdiff1d(np.arange(len(truth)), known)
    surrogate = BranchSurrogate(table)
    off = np.abs(surrogate.posterior(seen, wanted).mean[:, 0] - np.log(truth[wanted])).mean()
    return off, [process.source for process in surrogate._processes(seen)]


def test_a_related_table_tells_of_branches_beyond_its_level(space, truth):
    table = space.table  # layouts that lie off, so that little follows from few
    own = truth * np.exp(np.random.default_rng(0).normal(0.0, 0.3, len(table.starts)))[table.start]
    related = 0.6 * own
    known = np.random.default_rng(1).permutation(len(truth))[:8]
    cold, _ = off_by(space.table, own, known, ())
    warm, believed = off_by(space.table, own, known, (told(related),))
    assert believed[0] == 0
    assert warm < 0.6 * cold


def test_a_table_that_own_trainings_contradict_is_not_believed(space, truth):
    backwards = np.exp(2 * np.log(truth).mean() - np.log(truth))
    known = np.random.default_rng(1).permutation(len(truth))[:8]
    cold, _ = off_by(space.table, truth, known, ())
    for sources, best in (((told(backwards),), None), ((told(backwards), told(truth)), 1)):
        off, believed = off_by(space.table, truth, known, sources)
        assert believed[0] == best
        assert off < 1.1 * cold


def test_no_evidence_is_dropped_in_a_space_of_usual_size(space, truth):
    seen = evidence(np.arange(len(truth)), truth)
    assert len(BranchSurrogate(space.table)._processes(seen)[0].x) == len(truth)


def test_fusions_correct_what_a_branch_was_lucky_in(space, truth):
    known = np.arange(0, 72, 3)
    lucky = truth[known] * np.exp(np.random.default_rng(3).normal(0, 0.25, len(known)))
    wanted = np.setdiff1d(np.arange(72), known)

    def wrong(seen):
        return np.abs(np.log(expected(space.table, seen, wanted)) - np.log(truth[wanted])).mean()

    assert wrong(evidence(known, lucky, truth[known])) < 0.6 * wrong(evidence(known, lucky))
    # Fusions that tell of something else than the branches' errors are not believed.
    assert wrong(evidence(known, truth[known], lucky)) < 1.1 * wrong(evidence(known, truth[known]))
