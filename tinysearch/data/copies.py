"""Samples that are there more than once: a copied person, a picture filed twice."""

from __future__ import annotations

from collections.abc import Sequence

Print = tuple[int, str, int]
"""Hash of what a sample decodes to, its split, and its identity there."""


def find_copies(samples: Sequence[tuple[Print, str]], *, owner: str = "person") -> dict[int, str]:
    """Reason by place of samples that must not be used.

    A sample under two people belongs to neither: which of the two is wrong is not known, and a pair of equal samples
    would count as two people who look alike, or tell a network whom it will be tested with. Of copies under one person
    the first is used, for a pair of equal samples is no evidence of anything.

    Args:
        samples: each with its name.
        owner: what an identity is.
    """
    places: dict[int, list[int]] = {}
    for place, (found, _) in enumerate(samples):
        places.setdefault(found[0], []).append(place)
    reasons: dict[int, str] = {}
    for same in places.values():
        owners = {samples[place][0][1:] for place in same}
        for place in same:
            own = samples[place][0][1:]
            other = next((p for p in same if samples[p][0][1:] != own), None)
            if other is not None:
                reasons[place] = f"the same as {samples[other][1]}{_whose(own, samples[other][0], owner)}"
            elif len(owners) == 1 and place != same[0]:
                reasons[place] = f"the same as {samples[same[0]][1]}"
    return reasons


def _whose(own: tuple[str, int], other: Print, owner: str) -> str:
    whose = f" of another {owner}" if owner == "person" or other[2] != own[1] else ""
    return whose if other[1] == own[0] else f"{whose}, in {other[1]}"
