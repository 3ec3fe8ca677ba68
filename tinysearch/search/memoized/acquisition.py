"""Which action promises most: its gain in hypervolume in every draw, per cost of training."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from tinysearch.search.known.design import NO_BRANCH, Bools, Floats, Ints
from tinysearch.search.known.pareto import Extension

HEAT, FINALISTS = 16, 8
"""Every action is weighed in about so many draws, and the so many best of them in all."""

Action = tuple[int, ...]
"""A branch, or several of one design, to train."""


def unlocked_by(actions: Sequence[Action], lacking: Ints) -> Bools:
    """Bool [a, r]: designs that lack something, and nothing but (some of) an action's branches.

    Args:
        lacking: int64 [r, K], the branches that each design lacks, -1 for none.
    """
    # A place more than there are inputs, so that "none" is a member of every action.
    members = np.full((len(actions), lacking.shape[1] + 1), NO_BRANCH)
    for own, action in zip(members, actions, strict=True):
        own[: len(action)] = action
    out = np.broadcast_to((lacking != NO_BRANCH).any(axis=1), (len(actions), len(lacking))).copy()
    for lacked in lacking.T:
        out &= np.logical_or.reduce([lacked == member[:, None] for member in members.T])
    return out


class Acquisition:
    """Gains of actions, averaged over draws.

    Args:
        extension: of the present front.
        drawn: float64 [S, r, K], where candidates lie in each draw.
        adds: bool [S, r], whether they would add to the front.
    """

    def __init__(self, extension: Extension, drawn: Floats, adds: Bools) -> None:
        self._extension, self._drawn, self._adds = extension, drawn, adds

    def raced(self, actions: Sequence[Action], unlocked: Bools, costs: Floats) -> dict[Action, float]:
        """Mean gain of each action that stays in the race: all are weighed in a part of the draws, the best in all.

        Args:
            unlocked: bool [a, r], candidates that each action unlocks.
            costs: float64 [B], of training each branch.
        """
        draws = len(self._drawn)
        # Every so many of them, since draws of one hypothesis stand together.
        heat = np.arange(0, draws, max(1, draws // HEAT))
        first = dict(zip(actions, self._summed(unlocked, heat), strict=True))
        if len(heat) == draws:
            return {action: gain / draws for action, gain in first.items()}
        ranked = sorted(first, key=lambda action: (-per_cost(first, action, costs), action))[:FINALISTS]
        ranked += [max(first, key=lambda action: (first[action], [-i for i in action]))]
        finalists = list(dict.fromkeys(ranked))
        rest = np.setdiff1d(np.arange(draws), heat)
        second = self._summed(unlocked[[actions.index(action) for action in finalists]], rest)
        return {action: (first[action] + gain) / draws for action, gain in zip(finalists, second, strict=True)}

    def _summed(self, unlocked: Bools, draws: Ints) -> list[float]:
        """Gain of each action, summed over some draws.

        What an action adds in one draw is a set of points. Sets are named by the bytes of their points' places in all
        draws, and each is weighed once: a pair often adds nothing beyond what one of its branches does.
        """
        actions, rows = np.nonzero(unlocked)
        at, entries = np.nonzero(self._adds[draws][:, rows])
        places = draws[at] * self._drawn.shape[1] + rows[entries]
        counts = np.bincount(at * len(unlocked) + actions[entries], minlength=len(draws) * len(unlocked))
        bounds, whole = (places.itemsize * np.append(0, np.cumsum(counts))).tolist(), places.tobytes()
        sets = [whole[first:last] for first, last in itertools.pairwise(bounds)]
        gains = self._gains([each for each in dict.fromkeys(sets) if each])
        by_draw = np.array([gains.get(each, 0.0) for each in sets]).reshape(len(draws), len(unlocked))
        summed: list[float] = by_draw.sum(axis=0).tolist()
        return summed

    def _gains(self, sets: Sequence[bytes]) -> dict[bytes, float]:
        """Of sets of places of points, int64 in bytes."""
        places = np.frombuffer(b"".join(sets), np.int64)
        ends = np.append(0, np.cumsum([len(each) for each in sets])) // places.itemsize
        points = self._drawn.reshape(-1, self._drawn.shape[2])[places]
        gains = self._extension.hypervolumes(points, ends) - self._extension.base
        return dict(zip(sets, gains.tolist(), strict=True))


def per_cost(gains: Mapping[Action, float], action: Action, costs: Floats) -> float:
    """Gain of an action for each second, or whatever ``costs`` [B] of training are in."""
    return gains[action] / float(sum(costs[i] for i in action))
