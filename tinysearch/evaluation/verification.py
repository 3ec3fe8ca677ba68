"""Are two samples of the same person? Pairs of people are compared."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.core.cascade import Cascade
from tinysearch.core.error_rates import ErrorEvidence, ErrorRates
from tinysearch.core.errors import UserError
from tinysearch.core.protocols import Dataset, Split
from tinysearch.data.pairs import PairOptions, evaluation_pairs
from tinysearch.evaluation.judge import Embedded, Shapes, typed
from tinysearch.evaluation.operating import USABLE_FRR
from tinysearch.metrics import (
    Agreement,
    FusionRule,
    Pairs,
    agreement,
    branch_scores,
    chosen_cascade,
    det_curve,
    error_rates,
    false_reject_rate,
    fused,
    integer_weights,
    learned_weights,
    smallest_far,
    threshold_at_far,
    weighted_sum,
    with_shares,
)

CASCADE_RULE = 2
"""Changes whenever the same scores give other cascades, so that remembered rates are not mixed up."""

_LOG = logging.getLogger(__name__)

Scores = Mapping[str, npt.NDArray[np.int64]]
"""Fixed-point scores [P] by modality."""


@dataclass(kw_only=True)
class Verification:
    """Are two samples of the same person? Thresholds from validation people, rates from test people.

    Attributes:
        far: false accept rates to set thresholds for.
        pairs: how many pairs, and their seed.
        resamples: of the bootstrap over people.
        fusion: how the scores of two branches become one.
        shares: of a weighted fusion, by modality.
        first: the branch of a cascade that decides where it is sure; None for the one with which an owner's attempt
            takes the fewest MACs on average.
    """

    far: tuple[float, ...] = (0.01, 0.1)
    pairs: PairOptions = field(default_factory=PairOptions)
    resamples: int = 1000
    fusion: FusionRule = "concatenation"
    shares: Mapping[str, float] = field(default_factory=dict)
    first: str | None = None
    splits: tuple[Split, ...] = ("validation", "test")
    memo_suffix: str = ""

    def __post_init__(self) -> None:
        self._pairs: dict[tuple[object, ...], Pairs] = {}
        self._warned = False

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_pairs": {}}

    @property
    def settings(self) -> object:
        """FARs, resamples, pairs, and a fusion other than concatenation."""
        plain = (self.far, self.resamples, self.pairs)
        if self.fusion == "concatenation":
            return plain
        if self.fusion == "cascade":
            return (*plain, self.fusion, CASCADE_RULE, self.first)
        return (*plain, self.fusion, sorted(self.shares.items()))

    def check(self, dataset: Dataset) -> None:
        """Splits have to be of different people."""
        if dataset.classes is not None:
            raise UserError(
                "verification must test people whom no training has seen",
                value=f"data={dataset.name} has the same classes in every split",
                remedy="add experiment=digits, or choose another data set",
            )

    def check_samples(self, dataset: Dataset, shapes: Shapes) -> None:
        """Every split has to have pairs."""
        for split in self.splits:
            self.pairs_of(dataset, split, shapes)

    def rates(
        self,
        dataset: Dataset,
        shapes: Shapes,
        embedded: Embedded,
        *,
        rng: np.random.Generator,
        evidence: ErrorEvidence,
        macs: Mapping[str, int] | None = None,
    ) -> ErrorRates:
        """See :class:`~tinysearch.evaluation.judge.Judge`."""
        pairs = {split: self.pairs_of(dataset, split, shapes) for split in self.splits}
        apart = {split: branch_scores(typed(embedded[split]), pairs[split]) for split in self.splits}
        alone = len(shapes) == 1
        weights = {} if alone else self._weights(apart["validation"], pairs["validation"])
        cascade = None
        if self.fusion == "cascade" and not alone:
            cascade, weights = self._cascade(apart, pairs, macs or {})
        return error_rates(
            validation_scores=fused(apart["validation"], weights=weights, cascade=cascade),
            validation_pairs=pairs["validation"],
            test_scores=fused(apart["test"], weights=weights, cascade=cascade),
            test_pairs=pairs["test"],
            rng=rng,
            branches=len(shapes),
            far=self._supported(pairs["validation"]),
            resamples=self.resamples,
            evidence=evidence,
            weights=weights,
            cascade=cascade,
            agreement=_agreement(apart, pairs) if len(shapes) == 2 else None,
        )

    def _supported(self, pairs: Pairs) -> tuple[float, ...]:
        """The FARs that the validation people have impostor pairs enough for; says so once where that is not all."""
        impostors = int((~pairs.genuine).sum())
        least = smallest_far(impostors)
        lost = [far for far in self.far if far < least]
        if lost and not self._warned:
            self._warned = True
            _LOG.warning(
                "far: %d impostor pairs of validation people support %.2g (3 of them) and above; left out: %s",
                *(impostors, least, ", ".join(f"{far:g}" for far in lost)),
            )
        return tuple(far for far in self.far if far >= least)

    def _weights(self, scores: Scores, pairs: Pairs) -> dict[str, int]:
        """Integer weights of the validation people's scores by modality; none where scores are added as they are."""
        if self.fusion in ("concatenation", "cascade"):
            return {}
        if self.fusion == "learned":
            return learned_weights(scores, pairs.genuine)
        return integer_weights({modality: self.shares.get(modality, 1.0) for modality in scores})

    def _cascade(
        self, apart: Mapping[Split, Scores], pairs: Mapping[Split, Pairs], macs: Mapping[str, int]
    ) -> tuple[Cascade, dict[str, int]]:
        """Thresholds and weights of the validation people's scores, with what they mean for test people."""
        scores, genuine = apart["validation"], pairs["validation"].genuine
        effort = {name: float(macs.get(name, 1)) for name in scores}
        far = self._usable_far(scores, pairs["validation"])
        cascade, weights = chosen_cascade(scores, genuine, effort=effort, first=self.first, far=far)
        return with_shares(cascade, apart["test"][cascade.first], pairs["test"].genuine), weights

    def _usable_far(self, scores: Scores, pairs: Pairs) -> float | None:
        """The strictest FAR at which the sum is usable on validation people, else the loosest; None without any."""
        total, levels = weighted_sum(scores, {}), sorted(self._supported(pairs))
        genuine, impostor = total[pairs.genuine], total[~pairs.genuine]
        usable = (far for far in levels if false_reject_rate(genuine, threshold_at_far(impostor, far)) <= USABLE_FRR)
        return next(usable, levels[-1] if levels else None)

    def pairs_of(self, dataset: Dataset, split: Split, shapes: Shapes) -> Pairs:
        """Pairs of a split, drawn or read once a process; equal for every branch of a modality."""
        key = (split, *sorted(shapes.items()))
        if key not in self._pairs:
            self._pairs[key] = evaluation_pairs(dataset, split, shapes, options=self.pairs)
        return self._pairs[key]


def _agreement(apart: Mapping[Split, Scores], pairs: Mapping[Split, Pairs]) -> Agreement:
    """Whether two branches err together, each at the threshold of its validation people's EER."""
    first, second = sorted(apart["test"])
    return agreement(
        apart["test"][first],
        apart["test"][second],
        pairs["test"].genuine,
        first_threshold=_eer_threshold(apart["validation"][first], pairs["validation"].genuine),
        second_threshold=_eer_threshold(apart["validation"][second], pairs["validation"].genuine),
    )


def _eer_threshold(scores: npt.NDArray[np.int64], genuine: npt.NDArray[np.bool_]) -> int:
    """First threshold at which FRR reaches FAR."""
    curve = det_curve(scores[genuine], scores[~genuine])
    return int(curve.thresholds[int(np.argmax(curve.frr >= curve.far))])
