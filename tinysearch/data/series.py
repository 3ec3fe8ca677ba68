"""Anyone's own series in CSV files: a folder a class, or a column with labels; for motion sensors and other signals."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS, Split
from tinysearch.core.task import Input
from tinysearch.data.class_folders import find_classes
from tinysearch.data.people import printable, told_unread
from tinysearch.data.recordings import Recording, SeriesKind, WindowDataset, transformed
from tinysearch.data.samples import broken_allowed
from tinysearch.data.series_file import Part, UnusableFileError, Wanted, read_series
from tinysearch.data.splits import FEWEST, checked_shares, parted
from tinysearch.data.window import VERSION
from tinysearch.inputs.motion import Motion
from tinysearch.inputs.series import is_number
from tinysearch.inputs.signal import Signal
from tinysearch.reading import is_regular, same_name

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What is known of the files: parts and digests by file, and why others, or rows, are not used."""

    parts: dict[str, list[Part]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    mended: dict[str, str] = field(default_factory=dict)


class SeriesDataset(WindowDataset):
    """CSV files ``root/<class>/<file>.csv``, or ``root/<file>.csv`` with a column of labels.

    :mod:`tinysearch.data.series_file` says how a file is read and what of it is left out. Files are shared out to
    splits by ``split_seed``, those of each class by themselves where folders are classes.

    Args:
        given: the task's input, of kind motion or signal; columns are called as its axes.
        root: the folder.
        label: name of the column of labels, used where files lie in ``root`` itself.
        rate_hz: of files without a column of time; None where all have one.
        normal: classes that are normal in an anomaly task: training sees these alone, of a single one also transformed
            recordings. Empty for a classification.
        hop_s: seconds between the starts of two windows.
        split_seed, validation_share, test_share: of the drawing of files.
        broken_limit: share of the files that may be unusable and are skipped with a warning; more is refused. One file
            may be unusable however few there are, unless this is 0.
        audio, cache_dir: not used.

    Attributes:
        files: how many there are.
        skipped: files of which nothing is used, by name, and why.
        mended: files of which rows are left out, by name, and which.

    Raises:
        UserError: no such folder or file, too few files, unusable ones, or a normal class that is not there.
    """

    def __init__(
        self,
        *,
        given: Input,
        root: Path | str,
        label: str = "label",
        rate_hz: float | None = None,
        normal: Sequence[str] = (),
        hop_s: float = 0.5,
        split_seed: int = 0,
        validation_share: float = 0.2,
        test_share: float = 0.2,
        broken_limit: float = 0.05,
        audio: object = None,
        cache_dir: Path | str | None = None,
    ) -> None:
        del audio, cache_dir
        folder, kind = Path(root), _checked_kind(given)
        files = _files(folder)
        in_folders = any("/" in name for name in files)
        wanted = _wanted(kind, rate_hz=rate_hz, label=None if in_folders else label)
        found = _read(files, wanted, samples=kind.samples)
        self.files, self.skipped, self.mended = len(files), found.skipped, found.mended
        _refuse(found, limit=broken_limit)
        names = _class_names(found, normal)
        split_of = _drawn(found, in_folders=in_folders, shares=(validation_share, test_share), seed=split_seed)
        recordings: dict[Split, list[Recording]] = {split: [] for split in SPLITS}
        for name, parts in found.parts.items():
            for number, part in enumerate(parts):
                place = names.index(_class_of(name, part))
                if not normal or split_of[name] != "train" or place < len(normal):
                    recording = Recording(name=f"{name}#{number}", label=place, counts=part.counts)
                    recordings[split_of[name]].append(recording)
        if len(normal) == 1:
            recordings["train"] += transformed(recordings["train"], first_label=1)
        settings = f"{VERSION}|{given.name}|{kind}|{wanted}|{hop_s}|{names}|{len(normal)}|{sorted(split_of.items())}"
        contents = "".join(found.digests[name] for name in sorted(found.digests))
        super().__init__(
            name="series",
            digest=hashlib.sha256(f"{settings}|{contents}".encode()).hexdigest()[:24],
            modality=given.name,
            kind=kind,
            hop_s=hop_s,
            recordings=recordings,
            class_names=names,
            normal=len(normal) or None,
        )


def _checked_kind(given: Input) -> SeriesKind:
    if isinstance(given.kind, Motion | Signal):
        return given.kind
    raise UserError(
        "data=series must be read as a motion sensor's or another signal",
        value=f"{given.name}: {given.kind.name}",
        remedy="choose a task with one, or other data",
    )


def _wanted(kind: SeriesKind, *, rate_hz: float | None, label: str | None) -> Wanted:
    """What is looked for in files; a motion sensor's columns are in g and dps unless they say otherwise."""
    if rate_hz is not None and not (is_number(rate_hz) and 0 < rate_hz < float("inf")):
        raise UserError("data.rate_hz must be a positive number", value=rate_hz, remedy="write data.rate_hz=50")
    units = ("g",) * 3 + ("dps",) * (len(kind.axes) - 3) if isinstance(kind, Motion) else kind.units
    return Wanted(
        axes=kind.axes,
        units=units,
        full_scale=kind.full_scale,
        rate_hz=kind.rate_hz,
        stated_hz=rate_hz,
        label=label,
    )


def _files(root: Path) -> dict[str, Path]:
    """CSV files by name: those in the folder itself, or where there are none those of its folders.

    Raises:
        UserError: no such folder, or no CSV file.
    """
    if not root.is_dir():
        raise UserError("data.root must be a folder with CSV files", value=root, remedy="write data.root=DIR")
    own = {path.name: path for path in sorted(root.iterdir()) if path.suffix.lower() == ".csv" and is_regular(path)}
    odd = next((name for name in own if printable(name) != name), None)
    if odd is not None:
        raise UserError("names of series must be UTF-8, on one line", value=printable(odd), remedy="rename it")
    if own:
        return {same_name(name): path for name, path in own.items()}
    tree = find_classes(root, suffixes=(".csv",))
    if tree.unread:
        _LOG.warning("%s%s", root, told_unread(tree.unread))
    paths = {same_name(path.relative_to(root).as_posix()): path for path in sorted(root.glob("*/*"))}
    return {file.name: paths[file.name] for found in tree.found.values() for file in found}


def _read(files: Mapping[str, Path], wanted: Wanted, *, samples: int) -> _Found:
    """Files with their parts of a window (``samples``) or more."""
    found = _Found()
    for name, path in files.items():
        try:
            parts, told, digest = read_series(path, wanted)
        except UnusableFileError as error:
            found.skipped[name] = str(error)
            continue
        long = [part for part in parts if len(part.counts) >= samples]
        if not long:
            found.skipped[name] = f"has no {samples} rows in a row, a window{f': {told}' if told else ''}"
            continue
        short = sum(len(part.counts) for part in parts) - sum(len(part.counts) for part in long)
        reasons = [told] if told else []
        if short:
            reasons.append(f"{short} row{'' if short == 1 else 's'} between breaks shorter than a window left out")
        if reasons:
            found.mended[name] = "; ".join(reasons)
        found.parts[name], found.digests[name] = long, digest
    return found


def _refuse(found: _Found, *, limit: float) -> None:
    """Tell of what is not used; refuse too much of it.

    Raises:
        UserError: more files are unusable than allowed.
    """
    total = len(found.parts) + len(found.skipped)
    if len(found.skipped) > broken_allowed(total, limit=limit) or not found.parts:
        name, reason = next(iter(found.skipped.items()))
        raise UserError(
            f"at most {100 * limit:g} % of the CSV files must be unusable, or one of a few",
            value=f"{len(found.skipped)} of {total}, first {name}, which {_continued(reason)}",
            remedy="mend or remove them, or raise data.broken_limit; data inspect names all",
        )
    for told, names in (("are skipped", found.skipped), ("are used in part", found.mended)):
        if names:
            name, reason = next(iter(names.items()))
            _LOG.warning("series: %d files %s (%s: %s)", len(names), told, name, reason)


def _continued(reason: str) -> str:
    return reason if reason.startswith(("has", "is")) else f"cannot be used: {reason}"


def _class_of(name: str, part: Part) -> str:
    return part.label or name.rpartition("/")[0]


def _class_names(found: _Found, normal: Sequence[str]) -> tuple[str, ...]:
    """Classes by name, normal ones first.

    Raises:
        UserError: fewer than two, a normal one that is not there, or only normal ones.
    """
    names = sorted({_class_of(name, part) for name, parts in found.parts.items() for part in parts})
    missing = [name for name in normal if name not in names]
    if missing or len(names) < 2 or len(set(normal)) == len(names):
        raise UserError(
            "series must be of two classes or more, of which data.normal names some"
            if normal
            else "series must be of two classes or more",
            value=f"{', '.join(names)}{f', and normal {list(normal)}' if normal else ''}",
            remedy="add a folder or label, or correct data.normal",
        )
    return (*normal, *(name for name in names if name not in normal))


def _drawn(found: _Found, *, in_folders: bool, shares: tuple[float, float], seed: int) -> dict[str, Split]:
    """Split by file.

    Raises:
        UserError: shares that leave nothing, or too few files.
    """
    checked_shares(*shares)
    sets: dict[str, list[str]] = {}
    for name in found.parts:
        sets.setdefault(name.rpartition("/")[0] if in_folders else "", []).append(name)
    rng = np.random.default_rng(seed)
    splits: dict[str, Split] = {}
    for label, names in sorted(sets.items()):
        if len(names) < FEWEST:
            whose = f"class {label} has" if label else "there are"
            raise UserError(
                f"{'a class' if label else 'a folder'} must have {FEWEST} usable files or more, one a split",
                value=f"{whose} {len(names)}",
                remedy="record more, or part a recording into files",
            )
        splits |= parted(sorted(names), shares=shares, rng=rng)
    return splits
