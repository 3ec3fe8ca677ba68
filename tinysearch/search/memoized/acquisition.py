"""Which action promises most: its gain in hypervolume in every draw, per cost of training."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np

from tinysearch.search.known.design import Bools, Floats, Ints
from tinysearch.search.known.pareto import Extension

HEAT, FINALISTS = 16, 8
"""Every action is weighed in about so many draws, and the so many best of them in all."""

Action = tuple[int, ...]
"""A branch, or several of one design, to train."""


class Acquisition:
    """Gains of actions, averaged over draws.

    Args:
        extension: of the present front.
        drawn: float64 [S, r, K], where candidates lie in each draw.
        adds: bool [S, r], whether they would add to the front.
    """

    def __init__(self, extension: Extension, drawn: Floats, adds: Bools) -> None:
        self._extension, self._drawn, self._adds = extension, drawn, adds

    def raced(self, rows_of: Mapping[Action, Ints], costs: Floats) -> dict[Action, float]:
        """Mean gain of each action that stays in the race: all are weighed in a part of the draws, the best in all.

        Args:
            rows_of: candidates that each action unlocks.
            costs: float64 [B], of training each branch.
        """
        draws = len(self._drawn)
        # Every so many of them, since draws of one hypothesis stand together.
        heat = np.arange(0, draws, max(1, draws // HEAT))
        first = self._summed(rows_of, heat)
        if len(heat) == draws:
            return {action: gain / draws for action, gain in first.items()}
        ranked = sorted(first, key=lambda action: (-per_cost(first, action, costs), action))[:FINALISTS]
        ranked += [max(first, key=lambda action: (first[action], [-i for i in action]))]
        rest = np.setdiff1d(np.arange(draws), heat)
        second = self._summed({action: rows_of[action] for action in ranked}, rest)
        return {action: (first[action] + gain) / draws for action, gain in second.items()}

    def _summed(self, rows_of: Mapping[Action, Ints], draws: Ints) -> dict[Action, float]:
        """Gain of each action, summed over some draws."""
        # A set is what one action adds in one draw; a pair often adds nothing beyond what one of its branches does.
        sets: dict[tuple[int, bytes], int] = {}
        added: list[Ints] = []
        members, adds = [], self._adds[draws]
        for rows in rows_of.values():
            where, places = np.nonzero(adds[:, rows])
            useful, bounds = rows[places], np.searchsorted(where, np.arange(len(draws) + 1)).tolist()
            own = []
            for draw, (first, last) in enumerate(itertools.pairwise(bounds)):
                if first < last:
                    those = useful[first:last]
                    number = sets.setdefault((draw, those.tobytes()), len(sets))
                    if number == len(added):
                        added.append(those)
                    own.append(number)
            members.append(own)
        gains = self._gains([draw for draw, _ in sets], added, draws).tolist()
        return {
            action: float(sum(gains[number] for number in own)) for action, own in zip(rows_of, members, strict=True)
        }

    def _gains(self, numbers: list[int], added: list[Ints], draws: Ints) -> Floats:
        """Of sets of candidates, each in one of some draws, float64 [s]."""
        if not added:
            return np.zeros(0)
        counts = np.array([len(those) for those in added])
        points = self._drawn[np.repeat(draws[numbers], counts), np.concatenate(added)]
        return self._extension.hypervolumes(points, np.append(0, np.cumsum(counts))) - self._extension.base


def per_cost(gains: Mapping[Action, float], action: Action, costs: Floats) -> float:
    """Gain of an action for each second, or whatever ``costs`` [B] of training are in."""
    return gains[action] / float(sum(costs[i] for i in action))
