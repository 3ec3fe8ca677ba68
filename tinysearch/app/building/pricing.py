"""Designs of a wide space one by one: which boards some networks fit, asked for when the networks come to matter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tinysearch.core.candidate import BranchSpec, PlatformChoice
from tinysearch.core.execution import Execution
from tinysearch.core.platform import BoardOption
from tinysearch.evaluation.analytic import AnalyticModels
from tinysearch.evaluation.chunk import NO_OPTION, DesignChunk
from tinysearch.evaluation.enumeration import DesignCase, design_cases
from tinysearch.search.known.design import NO_BRANCH, Floats, Ints
from tinysearch.search.known.knowledge import products
from tinysearch.space import Space


def platform_of(option: BoardOption, execution: Execution) -> PlatformChoice:
    """The hardware half of a candidate on a board."""
    return PlatformChoice(
        processor=option.processor,
        flash_bytes=option.flash_bytes,
        psram_bytes=option.psram_bytes,
        board=option.id,
        execution=execution,
    )


class AnalyticPricing:
    """The analytic models as a :class:`~tinysearch.search.known.design.Pricing`.

    Attributes:
        combinations: branches by index, of each input of every combination.
        platforms: all boards, as designs count them.

    Args:
        branches: of all inputs, those of one input together and in the space's order.
    """

    def __init__(self, models: AnalyticModels, space: Space, branches: Sequence[BranchSpec]) -> None:
        self._inputs = max(2, *(len(names) for names in space.combinations))
        self._columns = len(models.columns)
        first = {name: branches.index(space.branches(name)[0]) for name in space.branch_modalities()}
        every = {name: np.arange(len(space.branches(name))) + start for name, start in first.items()}
        self._of_input = {name: np.isin(np.arange(len(branches)), own) for name, own in every.items()}
        self._names = tuple(space.combinations)
        self.combinations: tuple[tuple[Ints, ...], ...] = tuple(
            tuple(every[name] for name in names) for names in self._names
        )
        self._cases: dict[tuple[str, ...], list[DesignCase]] = {names: [] for names in self._names}
        for case in design_cases(models, space):
            self._cases[case.modalities].append(case)
        platforms = [
            platform_of(option, case.models.execution)
            for cases in self._cases.values()
            for case in cases
            for tier in case.tiers
            for option in tier.options
        ]
        self._number = {platform: i for i, platform in enumerate(dict.fromkeys(platforms))}

    @property
    def platforms(self) -> tuple[PlatformChoice, ...]:
        return tuple(self._number)

    def designs(self, models: Ints) -> tuple[Ints, Floats, Ints]:
        """See :class:`~tinysearch.search.known.design.Pricing`."""
        parts: list[tuple[Ints, Floats, Ints]] = []
        for names, inputs in zip(self._names, self.combinations, strict=True):
            rows = self._rows_of(names, models)
            starts = np.array([own[0] for own in inputs])
            for case in self._cases[names] if len(rows) else ():
                parts += [self._kept(chunk, rows) for chunk in case.of(models[rows, : len(names)] - starts)]
        if not parts:
            return np.zeros(0, np.int64), np.zeros((0, self._columns)), np.zeros(0, np.int64)
        of, values, platform = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return of, values, platform

    def _rows_of(self, names: tuple[str, ...], models: Ints) -> Ints:
        """Which models are of a combination of inputs."""
        own = (models[:, len(names) :] == NO_BRANCH).all(axis=1)
        for place, name in enumerate(names):
            own &= np.append(self._of_input[name], False)[models[:, place]]
        return np.flatnonzero(own)

    def _kept(self, chunk: DesignChunk, rows: Ints) -> tuple[Ints, Floats, Ints]:
        kept = np.flatnonzero(chunk.option != NO_OPTION)
        numbers = np.array([self._number[platform_of(o, chunk.execution)] for o in chunk.options], np.int64)
        return rows[kept], chunk.values[kept], numbers[chunk.option[kept]]

    def first_models(self, sizes: Floats) -> Iterator[Ints]:
        """Models with which a table begins: each branch alone, or else with the smallest partners; and the extremes.

        Args:
            sizes: float64 [B, k], what branches are compared by, for partners and extremes.
        """
        alone = {inputs[0][0] for inputs in self.combinations if len(inputs) == 1}
        for inputs in self.combinations:
            smallest = [own[np.unique(sizes[own].argmin(axis=0))] for own in inputs]
            extremes = [
                own[np.unique(np.append(sizes[own].argmin(axis=0), sizes[own].argmax(axis=0)))] for own in inputs
            ]
            yield from products(extremes, inputs=self._inputs)
            for place, own in enumerate(inputs):
                if len(inputs) == 1 or own[0] not in alone:
                    partners = [own if other == place else smallest[other] for other in range(len(inputs))]
                    yield from products(partners, inputs=self._inputs)
