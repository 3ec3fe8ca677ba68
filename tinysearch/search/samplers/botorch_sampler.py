"""BoTorch's qLogEHVI, given our memo and filter: the strongest peer that we know of.

A Gaussian process on the log error of whole designs, price and latency exact, and the logarithm of the expected gain in
hypervolume of one more design (Ament et al., "Unexpected improvements to expected improvement for Bayesian
optimization", NeurIPS 2023). It knows which branches are trained and proposes feasible designs only, but it weighs a
design by itself: not what its branches unlock besides.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinysearch.core.errors import UserError
from tinysearch.search.known.design import NO_BRANCH, Floats, Ints
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.known.pareto import dominated_by
from tinysearch.search.memoized.covariance import branch_features
from tinysearch.search.proposals import Outcome, Proposal, SamplerMaker, Stop, Wait
from tinysearch.search.sampler_settings import check_settings, check_whole, defaults_of

if TYPE_CHECKING:
    import torch
    from botorch.models import SingleTaskGP
    from optuna.trial import FrozenTrial

LOG_FLOOR = -9.2
"""Errors below exp of this (one in ten thousand) count as this."""

AT_A_TIME = 256
"""Designs whose acquisition is computed together: memory grows with them."""

MOST_STEPS = 60
"""Of fitting the process."""

SPREADS = 3.0
"""A design that the front dominates even with an error so many standard deviations below its mean is left out."""


class QLogEhviSampler:
    """Expected hypervolume improvement of single designs by BoTorch.

    Args:
        start: so many branches are known before the process is asked; until then designs are drawn at random.
        draws: quasi-random samples of the one error that is unknown of a design.

    Raises:
        UserError: BoTorch is not installed, or a number is too small.
    """

    name = "botorch_qlogehvi"

    def __init__(self, *, start: int = 3, draws: int = 32) -> None:
        check_whole("start", start)
        check_whole("draws", draws)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # importing it deprecates parts of PyTorch that it uses
                import botorch  # noqa: F401
        except ImportError as error:
            raise UserError(
                "sampler=botorch_qlogehvi must have BoTorch",
                value="not installed",
                remedy="pip install 'tinysearch-boards[botorch]', or write sampler=auto",
            ) from error
        self._start, self._draws = start, draws
        self._features: Floats | None = None

    def resume(self, trials: Sequence[FrozenTrial]) -> None:
        """Nothing: everything follows from the knowledge."""

    def told(self, proposal: Proposal, outcome: Outcome) -> dict[str, Any]:  # noqa: ARG002
        return {}

    def propose(self, knowledge: Knowledge, rng: np.random.Generator) -> Proposal | Stop | Wait:
        if knowledge.objectives.metrics != ("eer",):
            raise UserError(
                "sampler=botorch_qlogehvi must search the error rate itself",
                value=f"objectives={','.join(knowledge.objectives.names)}",
                remedy="put eer among the objectives and no effective latency, or write sampler=auto",
            )
        boards = _open_boards(knowledge)
        if not len(boards):
            return Wait() if knowledge.pending.any() else Stop(reason=knowledge.why_nothing_is_left())
        if knowledge.known.sum() < self._start:
            return Proposal(row=int(knowledge.boards[boards[rng.integers(len(boards))]]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of numerical jitter, and of inputs that vary little
            best = boards[int(np.argmax(self._log_gain(knowledge, boards, seed=int(rng.integers(2**31)))))]
        return Proposal(row=int(knowledge.boards[best]))

    def _log_gain(self, knowledge: Knowledge, boards: Ints, *, seed: int) -> Floats:
        """Logarithm of the expected gain of each design [b], less that of how many trainings it takes."""
        import torch
        from botorch.acquisition.multi_objective.logei import qLogExpectedHypervolumeImprovement
        from botorch.acquisition.multi_objective.objective import GenericMCMultiOutputObjective
        from botorch.sampling.normal import SobolQMCNormalSampler
        from botorch.utils.multi_objective.box_decompositions import FastNondominatedPartitioning

        if self._features is None:
            self._features = design_features(branch_features(knowledge.table), knowledge.table.models)
        done = np.flatnonzero(knowledge.model_done)
        errors = np.log(np.maximum(knowledge.model_metrics[done, 0], np.exp(LOG_FLOOR)))
        process = fitted(self._features[done], errors)
        error_at = int(np.flatnonzero(knowledge.objectives.is_error)[0])
        seen = self._features[knowledge.board_model[boards]]
        exact = knowledge.points(boards, _lowest(process, seen))
        hopeful = np.flatnonzero(~dominated_by(exact, knowledge.front_points))
        if not len(hopeful):
            return np.zeros(len(boards))
        x = torch.from_numpy(np.hstack([seen, exact])[hopeful])
        width = exact.shape[1]

        def gains(samples: torch.Tensor, X: torch.Tensor | None = None) -> torch.Tensor:  # noqa: N803
            """From log errors [.., 1] and inputs, whose last columns are exact, to what is maximized."""
            assert X is not None  # noqa: S101  acquisitions always give them
            coordinates = X[..., -width:].expand(*samples.shape[:-1], width).clone()
            coordinates[..., error_at] = samples[..., 0].exp()
            return -coordinates

        corner = torch.from_numpy(-knowledge.corner)
        acquisition = qLogExpectedHypervolumeImprovement(
            model=process,
            ref_point=corner,
            partitioning=FastNondominatedPartitioning(  # type: ignore[arg-type]  # documented as of this use
                ref_point=corner, Y=torch.from_numpy(-np.ascontiguousarray(knowledge.front_points))
            ),
            sampler=SobolQMCNormalSampler(torch.Size([self._draws]), seed=seed),
            objective=GenericMCMultiOutputObjective(gains),
        )
        cuts = tuple(range(AT_A_TIME, len(x), AT_A_TIME))
        with torch.no_grad():
            found = [acquisition(part[:, None]) for part in torch.tensor_split(x, cuts)]
        models = knowledge.table.models[knowledge.board_model[boards[hopeful]]]
        lacking = (~np.append(knowledge.known, True)[models]).sum(axis=1)
        out = np.full(len(boards), -np.inf)
        out[hopeful] = torch.cat(found).numpy() - np.log(lacking)
        return out


def _lowest(process: SingleTaskGP, features: Floats) -> Floats:
    """Errors [n, 1] of designs that turn out :data:`SPREADS` standard deviations better than expected."""
    import torch

    with torch.no_grad():
        there = process.posterior(torch.from_numpy(features)[:, None])
        log = there.mean - SPREADS * there.variance.sqrt()
    return np.asarray(log.exp().numpy().reshape(-1, 1), np.float64)


def fitted(features: Floats, values: Floats) -> SingleTaskGP:
    """BoTorch's standard process, of features [n, d] that may be followed by columns that it does not see."""
    import torch
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from botorch.models.transforms import Standardize
    from botorch.models.transforms.input import ChainedInputTransform, FilterFeatures, Normalize
    from gpytorch.mlls import ExactMarginalLogLikelihood

    width = features.shape[1]
    process = SingleTaskGP(
        torch.from_numpy(features),
        torch.from_numpy(values[:, None]),
        outcome_transform=Standardize(m=1),
        input_transform=ChainedInputTransform(
            seen=FilterFeatures(feature_indices=torch.arange(width)), scaled=Normalize(d=width)
        ),
    )
    fit_gpytorch_mll(
        ExactMarginalLogLikelihood(process.likelihood, process), optimizer_kwargs={"options": {"maxiter": MOST_STEPS}}
    )
    return process


def design_features(branches: Floats, models: Ints) -> Floats:
    """What the process sees of models [m, K] of branches with features [B, 11], by input: float64 [m, d].

    Whether it is there, and its sizes, depth, guess of what the precision costs, and each precision by itself.
    """
    inputs = np.unique(branches[:, 0])
    precisions = np.unique(branches[:, 5])
    one_hot = np.equal.outer(branches[:, 5], precisions)
    each = np.hstack([np.ones((len(branches), 1)), branches[:, 1:5], one_hot])
    out = np.zeros((len(models), len(inputs), each.shape[1]))
    for members in models.T:
        there = np.flatnonzero(members != NO_BRANCH)
        place = np.searchsorted(inputs, branches[members[there], 0])
        out[there, place] = each[members[there]]
    return out.reshape(len(models), -1)


def _open_boards(knowledge: Knowledge) -> Ints:
    """Positions in ``boards`` of designs that can be tried now and are not known."""
    ready = np.append(knowledge.known | knowledge.trainable(), True)
    models = ready[knowledge.table.models].all(axis=1) & ~knowledge.unlocked
    return knowledge.boards_of(np.flatnonzero(models))


def _make(name: str, *, options: Mapping[str, Any], **_: Any) -> QLogEhviSampler:
    check_settings(name, options, defaults_of(QLogEhviSampler))
    return QLogEhviSampler(**options)


SAMPLERS: Mapping[str, SamplerMaker] = {QLogEhviSampler.name: _make}
