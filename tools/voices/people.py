"""Who speaks: the distinct Kokoro voice styles, their splits, and the blends that add training identities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# One speaker under several names (style vectors almost equal): em_alex stands for pm_alex, ef_dora for pf_dora,
# am_santa for the two other santas.
NEAR_DUPLICATES = frozenset({"pm_alex", "pf_dora", "pm_santa", "em_santa"})
TRAIN_SHARE, VALIDATION_SHARE = 0.48, 0.16


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One identity: a Kokoro voice, or a convex blend of two training voices.

    Attributes:
        identity: name in the archive, `v00` or, for a blend, `b00`.
        split: train, validation or test.
        weights: share of each Kokoro voice style; positive, summing to one.
    """

    identity: str
    split: str
    weights: Mapping[str, float]


_BLENDS_FROM = 1000


def seed_number(person: Person) -> int:
    """The number of a person in seeds, where blends stand apart from originals."""
    return int(person.identity[1:]) + (_BLENDS_FROM if len(person.weights) > 1 else 0)


def original_people(names: Sequence[str], *, rng: np.random.Generator) -> list[Person]:
    """Split the distinct voices among `names` by identity, sexes in the same proportion in every split.

    The second letter of a Kokoro voice name is the sex (`af_heart`, `bm_lewis`). Fifty voices give 24 / 8 / 18.
    """
    distinct = sorted(set(names) - NEAR_DUPLICATES)
    chosen: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    for sex in ("f", "m"):
        pool = [name for name in distinct if name[1] == sex]
        pool = [pool[i] for i in rng.permutation(len(pool))]
        first = round(TRAIN_SHARE * len(pool))
        second = first + round(VALIDATION_SHARE * len(pool))
        chosen["train"] += pool[:first]
        chosen["validation"] += pool[first:second]
        chosen["test"] += pool[second:]
    people: list[Person] = []
    for split, pool in chosen.items():
        for i in rng.permutation(len(pool)):
            people.append(Person(identity=f"v{len(people):02d}", split=split, weights={pool[i]: 1.0}))
    return people


def blended_people(originals: Sequence[Person], count: int, *, rng: np.random.Generator) -> list[Person]:
    """Return `count` training identities, each a blend of two training voices of one sex, no pair used twice."""
    voices = [name for person in originals if person.split == "train" for name in person.weights]
    pairs = [(a, b) for i, a in enumerate(voices) for b in voices[i + 1 :] if a[1] == b[1]]
    if count > len(pairs):
        raise ValueError(f"a blend uses each of the {len(pairs)} pairs once; got {count}; ask for fewer blends")
    people = []
    for k, i in enumerate(rng.permutation(len(pairs))[:count]):
        first, second = pairs[i]
        share = float(np.round(rng.uniform(0.35, 0.65), 3))
        people.append(Person(identity=f"b{k:02d}", split="train", weights={first: share, second: round(1 - share, 3)}))
    return people
