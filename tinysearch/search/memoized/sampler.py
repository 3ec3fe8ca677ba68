"""The sampler that knows what training costs and what is free.

Hardware follows from a model analytically and a fusion follows from its branches, so the only expensive decision is
which branch to train next. A surrogate predicts the error of every untrained branch, the fusion relation that of every
pair; the branch, or pair of branches, with the largest expected gain in hypervolume per cost of training is next,
counted over all designs that it unlocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinysearch.core.units import fixed
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.memoized.costs import training_costs
from tinysearch.search.memoized.promising import Screen
from tinysearch.search.memoized.scene import Room, Scene
from tinysearch.search.memoized.surrogate import BranchSurrogate
from tinysearch.search.proposals import Outcome, Proposal, SamplerMaker, Stop, Wait
from tinysearch.search.sampler_settings import (
    check_not_negative,
    check_settings,
    check_share,
    check_whole,
    defaults_of,
)

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial
    from threadpoolctl import ThreadpoolController

LEAST_TRAINED = 4
"""The expected gain is not believed, and the search not ended by it, before so many branches are known."""

LEFT_SHARES, LEFT_CHANCE = 10.0, 0.02
"""The search ends when all that is left adds more than so many ``stop_share`` with no more than this chance."""

MOST_DRAWS, MOST_WEIGHED = 10_000, 10_000
"""Beyond these a decision takes longer than what it decides, and more memory than there is."""


class MemoizedSampler:
    """Expected hypervolume improvement per cost of training, over everything a training unlocks.

    Args:
        stop_share: the search ends when the best expected gain is below this share of the present hypervolume, and when
            by more doubtful beliefs, too, hardly more than ten times as much can be left.
        draws: how many joint draws of the surrogate stand for its uncertainty.
        cost_exponent: trainings are weighed by their expected seconds to this power: 0 counts trainings, 1 seconds.
        shortlist: at most so many single branches, and so many pairs, are weighed at a time.
        prune: give up trainings whose learning curve says that they will add nothing.

    Raises:
        UserError: a number that is too small.
    """

    name = "memoized"

    def __init__(
        self,
        *,
        stop_share: float = 1e-4,
        draws: int = 64,
        cost_exponent: float = 0.25,
        shortlist: int = 24,
        prune: bool = True,
    ) -> None:
        check_whole("draws", draws, most=MOST_DRAWS)
        check_whole("shortlist", shortlist, most=MOST_WEIGHED)
        check_share("stop_share", stop_share)
        check_not_negative("cost_exponent", cost_exponent)
        self.stop_share = stop_share
        self._draws = draws
        self._cost_exponent = cost_exponent
        self._shortlist = shortlist
        self._prune = prune
        self._surrogate: BranchSurrogate | None = None
        self._doubtful: BranchSurrogate | None = None
        self._room, self._costs = Room(), np.zeros(0)
        self._screen: Screen | None = None
        self._libraries: ThreadpoolController | None = None

    def resume(self, trials: Sequence[FrozenTrial]) -> None:
        """Nothing: everything follows from the knowledge."""

    def told(self, proposal: Proposal, outcome: Outcome) -> dict[str, Any]:  # noqa: ARG002
        """Nothing to remember."""
        return {}

    def propose(self, knowledge: Knowledge, rng: np.random.Generator) -> Proposal | Stop | Wait:
        if not knowledge.trainable().any():
            if knowledge.pending.any():
                return Wait()
            return Stop(reason=knowledge.why_nothing_is_left())
        if self._surrogate is None or self._libraries is None:
            from threadpoolctl import ThreadpoolController

            self._surrogate, self._libraries = BranchSurrogate(knowledge.table), ThreadpoolController()
            self._costs = training_costs(knowledge) ** self._cost_exponent
        # Matrices this small only make threads wait for one another, and one thread rounds alike on every machine.
        with self._libraries.limit(limits=1, user_api="blas"):
            return self._decide(knowledge, self._surrogate, rng)

    def _decide(
        self, knowledge: Knowledge, surrogate: BranchSurrogate, rng: np.random.Generator
    ) -> Proposal | Stop | Wait:
        scene = self._scene(knowledge, surrogate, rng)
        if scene.empty:
            # What could be trained lacks a partner that waits for its layout's float stage.
            return Wait() if knowledge.pending.any() else Stop(reason="no training left leads to a design")
        action, gain, row = scene.best_action(self._costs)
        hypervolume_now = knowledge.hypervolume()
        share = gain / hypervolume_now if hypervolume_now > 0 else float("inf")
        if share < self.stop_share and knowledge.known.sum() >= LEAST_TRAINED:
            if self._doubtful is None:
                self._doubtful = BranchSurrogate(knowledge.table, doubtful=True)
            scene, much = self._scene(knowledge, self._doubtful, rng), LEFT_SHARES * self.stop_share
            chance = float((scene.left() > much * hypervolume_now).mean())
            if chance <= LEFT_CHANCE:
                best, least, left = (f"{fixed(100 * each, 2)} %" for each in (share, self.stop_share, much))
                reason = (
                    f"the best training left is expected to add {best} to the front's hypervolume, less than {least}, "
                    f"and all of them more than {left} with a chance of {fixed(100 * chance, 0)} %"
                )
                return Wait() if knowledge.pending.any() else Stop(reason=reason)
            action, gain, row = scene.best_action(self._costs)
            share = gain / hypervolume_now
        note = None if not np.isfinite(share) else round(share, 6)
        useless = (
            {b: scene.useless_from(b, gain=self.stop_share * hypervolume_now) for b in action} if self._prune else {}
        )
        return Proposal(
            row=row,
            attributes={"expected_gain_share": note, "action": [int(b) for b in action]},
            useless={b: eer for b, eer in useless.items() if eer is not None},
        )

    def _scene(self, knowledge: Knowledge, surrogate: BranchSurrogate, rng: np.random.Generator) -> Scene:
        self._screen = self._screen or Screen(knowledge)
        # A scene ends with the next one, which takes its room.
        return Scene(
            knowledge,
            surrogate,
            draws=self._draws,
            shortlist=self._shortlist,
            rng=rng,
            room=self._room,
            screen=self._screen,
        )


def _make(name: str, *, options: Mapping[str, Any], **_: Any) -> MemoizedSampler:
    check_settings(name, options, defaults_of(MemoizedSampler))
    return MemoizedSampler(**options)


SAMPLERS: Mapping[str, SamplerMaker] = {"auto": _make, "memoized": _make}
