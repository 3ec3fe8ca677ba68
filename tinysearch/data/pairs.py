"""Which pairs of samples are compared: fixed, seeded, and never drawn anew for each model."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from tinysearch.core.candidate import SampleShape
from tinysearch.core.errors import UserError
from tinysearch.core.pairs import Pairs
from tinysearch.core.protocols import Dataset, Split, samples_of
from tinysearch.reading import read_text, same_name

_LOG = logging.getLogger(__name__)
Int32 = npt.NDArray[np.int32]
_ENUMERATED = 4_000_000  # up to here all impostor pairs are listed, beyond they are drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class PairOptions:
    """How many pairs.

    Attributes:
        seed: of the drawing.
        genuine: at most so many genuine pairs, drawn without replacement where there are more.
        impostor: at most so many impostor pairs; None takes as many as there are genuine ones.
    """

    seed: int = 0
    genuine: int = 20_000
    impostor: int | None = 20_000

    def __post_init__(self) -> None:
        if self.genuine < 1 or (self.impostor is not None and self.impostor < 1):
            raise UserError(
                "pairs must be at least 1", value=(self.genuine, self.impostor), remedy="use for example 20000"
            )


def draw_pairs(
    identities: Mapping[str, Int32], *, people: Mapping[str, Int32] | None = None, options: PairOptions | None = None
) -> Pairs:
    """Pairs for one modality, or for the fusion of several.

    One modality: a person is an identity. Fusion: sample j of a person is its j-th sample of each modality, for j below
    the smallest number of samples that it has, so that no sample is compared with itself; impostors differ in every
    modality, and people without one of the modalities stay out.

    Args:
        identities: by modality, int32 [N], of the samples (``Samples.identities``).
        people: by modality, int32 [P] (``Dataset.people``); needed for a fusion only.
        options: how many, and the seed.

    Returns:
        Genuine pairs first; equal arguments give equal pairs.

    Raises:
        UserError: no genuine or no impostor pair can be made, or a fusion without people.
    """
    options = options or PairOptions()
    samples, who = _items(identities, people)
    persons = _persons(who)
    rng = np.random.default_rng(options.seed)
    genuine = _some(_genuine(persons), options.genuine, rng)
    wanted = len(genuine) if options.impostor is None else options.impostor
    impostor = _impostor(who, wanted, rng)
    if not len(genuine) or not len(impostor):
        raise UserError(
            "a split must have two people, one of them with two samples",
            value=f"{len(np.unique(persons))} people with {len(persons)} samples in {', '.join(identities)}",
            remedy="add samples, or give the split more people",
        )
    chosen = np.concatenate([genuine, impostor])
    return Pairs(
        samples={modality: indices[chosen].astype(np.int32) for modality, indices in samples.items()},
        left_person=persons[chosen[:, 0]].astype(np.int32),
        right_person=persons[chosen[:, 1]].astype(np.int32),
        groups=None if len(identities) == 1 or people is None else people_groups({m: people[m] for m in identities}),
    )


def matched_samples(
    identities: Mapping[str, Int32], *, people: Mapping[str, Int32] | None = None
) -> tuple[dict[str, Int32], Int32]:
    """What can be judged at once, M items: all samples of one modality, or of several those of a person side by side.

    Args:
        identities, people: see :func:`draw_pairs`.

    Returns:
        Sample numbers by modality, int32 [M] each, and identity (of a fusion the person) of each item, int32 [M].

    Raises:
        UserError: a fusion without people.
    """
    samples, who = _items(identities, people)
    return samples, _persons(who)


def evaluation_pairs(
    dataset: Dataset, split: Split, shapes: Mapping[str, SampleShape], *, options: PairOptions | None = None
) -> Pairs:
    """The pairs by which a split of a data set is judged: those of its published list, else drawn ones.

    Args:
        shapes: as what samples are loaded, by modality, one for a branch, several for a fusion.
        options: for drawn pairs.

    Raises:
        UserError: see :func:`draw_pairs` and :func:`read_pairs`.
    """
    pairs = dataset.listed_pairs(split, shapes)
    if pairs is not None:
        return pairs
    identities = {
        modality: samples_of(dataset, modality, split, shape).identities for modality, shape in shapes.items()
    }
    try:
        return draw_pairs(identities, people=dataset.people(split), options=options)
    except UserError as error:
        where = f"{dataset.name}/{split}: {error.value}"
        raise UserError(error.rule, value=where, remedy=error.remedy) from error


def read_pairs(
    path: Path,
    *,
    names: Mapping[str, Sequence[str]],
    identities: Mapping[str, Int32],
    people: Mapping[str, Int32],
    broken: Collection[str] = (),
    elsewhere: Collection[str] = (),
) -> Pairs | None:
    """Pairs of a published list, one a line: ``label path path``, label 1 for genuine (VoxCeleb's format).

    Args:
        names: by modality, file names of the samples, in their order; a listed path is one of them or its end
            from a ``/`` on. Suffixes are ignored: lists name .wav where files may be .flac or .jpg.
        identities: by modality, int32 [N], of the samples.
        people: by modality, the identity of each person (``Dataset.people``).
        broken: names of samples that were skipped; lines with them are dropped, and counted in a warning.
        elsewhere: names of files that lines may name without saying anything of these samples; such lines are left out.

    Returns:
        The pairs in the list's order; None where all lines are about files elsewhere.

    Raises:
        UserError: a line of another form, a path that is no sample, a label that contradicts the identities, no line.
    """
    places = {modality: _places(known) for modality, known in names.items()}
    lost, others = _places(list(broken)), _places(list(elsewhere))
    rows: dict[str, list[tuple[int, int]]] = {modality: [] for modality in names}
    labels, dropped, foreign = [], 0, 0
    for number, line in enumerate(read_list(path).splitlines(), start=1):
        if not line.strip():
            continue
        label, *listed = _words(line)
        if label not in ("0", "1") or len(listed) != 2:
            raise UserError(
                "a list of pairs must have lines `label path path`", value=f"{path}:{number}", remedy="mend it"
            )
        left, right = (_bare(name) for name in listed)
        missing = [name for name in (left, right) if any(name not in known for known in places.values())]
        if missing and all(name in lost for name in missing):
            dropped += 1
            continue
        if missing and all(name in others for name in missing):
            foreign += 1
            continue
        if missing:
            raise UserError(
                "a listed path must be a sample of the split",
                value=f"{missing[0]} in {path}:{number}",
                remedy="check data.root and the split, or drop the line",
            )
        for modality, known in places.items():
            rows[modality].append((known[left], known[right]))
        labels.append((label == "1", number))
    if dropped:
        _LOG.warning("%s: dropped %d lines whose files are unreadable", path, dropped)
    if not labels and foreign:
        return None
    if not labels:
        raise UserError("a list of pairs must have at least one line", value=path, remedy="give another list")
    samples = {modality: np.array(indices, np.int32) for modality, indices in rows.items()}
    first = next(iter(samples))
    person_of = np.full(max(int(people[first].max(initial=-1)) + 1, 1), -1, np.int32)
    person_of[people[first][people[first] >= 0]] = np.flatnonzero(people[first] >= 0)
    persons = person_of[identities[first][samples[first]]]
    pairs = Pairs(samples=samples, left_person=persons[:, 0], right_person=persons[:, 1])
    for same, (genuine, number) in zip(pairs.genuine, labels, strict=True):
        if same != genuine:
            raise UserError("label 1 must mean the same person", value=f"{path}:{number}", remedy="mend the line")
    return pairs


def listed_names(path: Path) -> list[str] | None:
    """Paths that a list of pairs names, in their order without repeats; None where the file is no such list."""
    words = [_words(line) for line in read_list(path).splitlines() if line.strip()]
    if not words or any(len(row) != 3 or row[0] not in ("0", "1") for row in words):
        return None
    return list(dict.fromkeys(name for row in words for name in row[1:]))


def read_list(path: Path) -> str:
    """A list of people or of pairs, in whatever encoding.

    Raises:
        UserError: it is no readable text.
    """
    try:
        return read_text(path)
    except OSError as error:
        raise UserError(
            "a list must be a readable text", value=f"{path}: {error.strerror}", remedy="check the file"
        ) from error


def _words(line: str) -> list[str]:
    """Label and paths, between tabs if there are any, else between spaces; paths as the names of samples are."""
    label, *paths = line.strip().split("\t") if "\t" in line else line.split()
    return [label.strip(), *(same_name(path.strip()).removeprefix("./") for path in paths)]


def _places(names: Sequence[str]) -> dict[str, int]:
    """Number of a sample by its name without suffix and by every end of it from a ``/`` on; the first one wins."""
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        parts = _bare(name).split("/")
        for start in range(len(parts)):
            places.setdefault("/".join(parts[start:]), place)
    return places


def _bare(name: str) -> str:
    """A path without its suffix."""
    return str(PurePosixPath(name).with_suffix(""))


def _items(
    identities: Mapping[str, Int32], people: Mapping[str, Int32] | None
) -> tuple[dict[str, Int32], dict[str, Int32]]:
    """What is compared: sample numbers by modality [M], and by whom (identities, of a fusion also the person)."""
    if len(identities) == 1:
        ((modality, own),) = identities.items()
        return {modality: np.arange(len(own), dtype=np.int32)}, {modality: own}
    if people is None or not set(identities) <= set(people):
        raise UserError(
            "people of a fusion must have all its modalities", value=sorted(identities), remedy="pass people"
        )
    order = {modality: np.argsort(own, kind="stable") for modality, own in identities.items()}
    ranked = {modality: identities[modality][place] for modality, place in order.items()}
    firsts = {m: np.searchsorted(ranked[m], people[m], side="left") for m in identities}
    lasts = {m: np.searchsorted(ranked[m], people[m], side="right") for m in identities}
    known = np.all([people[m] >= 0 for m in identities], axis=0)
    counts = np.min([lasts[m] - firsts[m] for m in identities], axis=0) * known
    person = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    rank = np.arange(len(person)) - np.repeat(np.cumsum(counts) - counts, counts)
    samples = {m: order[m][firsts[m][person] + rank].astype(np.int32) for m in identities}
    return samples, {"person": person} | {m: np.asarray(people[m])[person] for m in identities}


def _persons(who: Mapping[str, Int32]) -> Int32:
    return next(iter(who.values())) if len(who) == 1 else who["person"]


def people_groups(people: Mapping[str, Int32]) -> Int32 | None:
    """The first person that each one shares an identity with, directly or through others; None where no two do."""
    count = len(next(iter(people.values())))
    groups, before = np.arange(count, dtype=np.int32), None
    while before is None or not np.array_equal(groups, before):
        before = groups
        for own in people.values():
            first = np.full(
                int(own.max(initial=-1)) + 2, count, np.int32
            )  # the last place is for -1, who share nothing
            np.minimum.at(first, own, groups)
            groups = np.where(own >= 0, first[own], groups).astype(np.int32)
    return None if len(np.unique(groups)) == count else groups


def _genuine(persons: Int32) -> npt.NDArray[np.int64]:
    """All pairs of items of the same person, [G, 2]."""
    order = np.argsort(persons, kind="stable")
    _, starts, counts = np.unique(persons[order], return_index=True, return_counts=True)
    pairs = [
        order[start + np.stack(np.triu_indices(count, 1), axis=1)] for start, count in zip(starts, counts, strict=True)
    ]
    return np.concatenate(pairs) if pairs else np.zeros((0, 2), np.int64)


def _impostor(who: Mapping[str, Int32], wanted: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Up to ``wanted`` pairs of items that differ in everything they are known by, [I, 2], without repeats."""
    count = len(next(iter(who.values())))
    if count * (count - 1) // 2 <= _ENUMERATED:
        return _some(_different(who, np.stack(np.triu_indices(count, 1), axis=1)), wanted, rng)
    found = np.zeros((0, 2), np.int64)
    for _ in range(64):
        drawn = np.sort(rng.integers(0, count, size=(2 * wanted, 2)), axis=1)
        drawn = _different(who, drawn[drawn[:, 0] < drawn[:, 1]])
        joined = np.concatenate([found, drawn])
        _, first = np.unique(joined[:, 0] * count + joined[:, 1], return_index=True)
        found = joined[np.sort(first)][:wanted]
        if len(found) == wanted:
            break
    return found


def _different(who: Mapping[str, Int32], pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    unlike = [own[pairs[:, 0]] != own[pairs[:, 1]] for own in who.values()]
    return pairs[np.all(unlike, axis=0)]


def _some(pairs: npt.NDArray[np.int64], wanted: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """All, or ``wanted`` of them in their order."""
    if len(pairs) <= wanted:
        return pairs
    return pairs[np.sort(rng.choice(len(pairs), size=wanted, replace=False))]
