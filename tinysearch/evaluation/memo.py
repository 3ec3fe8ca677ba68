"""The memo of trained branches: a folder a branch, believed only while every byte is as it was written.

A branch is keyed by data, trainer and its own spec, so nothing is trained twice, across candidates, runs and budgets.
Entries appear by a rename, so a killed process leaves none that is half; what is damaged, or of a version that this one
does not know, is named, set aside and trained again. Everything here is biometric data, and for its owner alone.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.cascade import Cascade
from tinysearch.core.error_rates import AnsweredRates, ErrorRates
from tinysearch.core.program import Array, FrozenNetwork
from tinysearch.evaluation.entries import (
    EMBEDDINGS,
    RECORD,
    SCHEMA,
    BrokenEntryError,
    check_entry,
    digest_of_text,
    read_embeddings,
    read_network,
    read_record,
    write_entry,
)
from tinysearch.files import (
    fresh_folder,
    make_folder,
    replace_folder,
    sweep,
    write_atomically,
    writing,
)
from tinysearch.locks import PATIENCE_S, exclusive

_LOGGER = logging.getLogger(__name__)

_believed: dict[str, tuple[int, int]] = {}
"""Entries that this process has checked, by folder: time and size of their records then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoEntry:
    """What is stored of a branch: its network, embeddings by split, and the record (seconds, seed, versions ...)."""

    frozen: FrozenNetwork
    embeddings: Mapping[str, Array]
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchMemo:
    """Folder of trained branches for one data set and one trainer.

    Attributes:
        root: the cache; this memo lives in ``root / key``.
        key: digest of data and trainer.
        elsewhere: folders of branches that another memo's training stands for.
    """

    root: Path
    key: str
    elsewhere: dict[BranchSpec, Path] = field(default_factory=dict)

    def folder(self, branch: BranchSpec) -> Path:
        """Where a branch is stored."""
        return self.elsewhere.get(branch) or self._branches / branch.key

    @property
    def workspace(self) -> Path:
        """Where trainings keep stages and checkpoints that branches share."""
        return self.root / "stages" / self.key

    @property
    def _branches(self) -> Path:
        return self.root / "branches" / self.key

    def has(self, branch: BranchSpec) -> bool:
        """Whether a branch is complete and whole; one that is damaged or of another version is set aside."""
        folder = self.folder(branch)
        try:
            found = (folder / RECORD).stat()
            stamp = (found.st_mtime_ns, found.st_size)
            if _believed.get(str(folder)) != stamp:
                check_entry(folder, branch)
                found = (folder / RECORD).stat()
                _believed[str(folder)] = (found.st_mtime_ns, found.st_size)
        except BrokenEntryError as error:
            self._set_aside(folder, f"{branch.key} in the cache is {error}; it is trained again")
            return False
        except OSError:
            return False
        return True

    def borrow(self, branch: BranchSpec, folder: Path) -> None:
        """Answer a branch that is not remembered from an entry elsewhere, for as long as this memo lives.

        It is not copied into the cache: a run of somebody else's may say of a network whatever it likes.
        """
        if not self.has(branch):
            self.elsewhere[branch] = folder
            if not self.has(branch):
                del self.elsewhere[branch]

    def record(self, branch: BranchSpec) -> dict[str, Any]:
        """The record of a stored branch."""
        return read_record(self.folder(branch))

    def embeddings(self, branch: BranchSpec) -> dict[str, Array]:
        """Embeddings of a stored branch by split: [N, E].

        Raises:
            FileNotFoundError: they were not kept.
        """
        return read_embeddings(self.folder(branch))

    def network(self, branch: BranchSpec) -> FrozenNetwork:
        """The frozen network of a stored branch."""
        return read_network(self.folder(branch), branch)

    def store(self, branch: BranchSpec, entry: MemoEntry) -> None:
        """Store a branch; a process that stored it first wins.

        Raises:
            UserError: the disk is full or the folder cannot be written.
        """
        target = self.folder(branch)
        with writing(target):
            make_folder(self._branches.parent, private=True)
            with fresh_folder(target, private=True) as fresh:
                write_entry(fresh, branch, entry.frozen, entry.embeddings, entry.record)
                if not self.has(branch):
                    replace_folder(fresh, target)

    @contextmanager
    def training(self, branch: BranchSpec, *, waiting: Callable[[str], None]) -> Iterator[None]:
        """Be the only process, of all that use this cache, that trains a branch; ask ``has`` again within.

        A process that dies gives its claim back; one that was stopped, or hangs, is passed over after a minute, and
        whoever stores the branch first wins.

        Args:
            waiting: called every half second while another process trains it, with who that is; may raise.
        """
        lock = self.root / "locks" / self.key / f"{branch.key}.lock"
        with writing(lock):
            make_folder(lock.parent, private=True)
        with exclusive(lock, waiting=waiting, patience_s=PATIENCE_S):
            yield

    def rates(self, branches: Sequence[BranchSpec], *, settings: object) -> ErrorRates | None:
        """Stored error rates of a branch or fusion under the same settings, or None; damaged ones are set aside."""
        path = self._rates_path(branches, settings)
        try:
            return _rates_of(path.read_text(encoding="utf-8"))
        except OSError:
            return None
        except BrokenEntryError as error:
            names = " + ".join(branch.short for branch in branches)
            self._set_aside(path, f"error rates of {names} in the cache are {error}; they are computed again")
            return None

    def store_rates(self, branches: Sequence[BranchSpec], rates: ErrorRates, *, settings: object) -> None:
        """Store error rates; they are computed from what the memo holds, so losing them costs only time."""
        path = self._rates_path(branches, settings)
        text = json.dumps(asdict(rates))
        document = {"schema": SCHEMA, "digest": digest_of_text(text), "rates": text}
        with writing(path):
            make_folder(path.parent.parent, private=True)
            write_atomically(path, json.dumps(document).encode(), private=True)

    def sweep(self) -> None:
        """Remove what killed processes have left half written."""
        for name in ("branches", "rates", "stages"):
            sweep(self.root / name / self.key, depth=1)

    def forget_people(self) -> None:
        """Remove what describes people: embeddings, and the stages of trainings, which hold one of each person."""
        for path in self._branches.glob(f"*/{EMBEDDINGS}"):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.workspace, ignore_errors=True)

    def _rates_path(self, branches: Sequence[BranchSpec], settings: object) -> Path:
        """Named by the digests of the stored branches, so that a branch stored anew makes old rates unreachable."""
        stamps = [f"{branch.key} {self.record(branch)}" for branch in branches]
        digest = hashlib.sha256(f"{stamps} {settings}".encode()).hexdigest()[:32]
        return self.root / "rates" / self.key / f"{digest}.json"

    def _set_aside(self, path: Path, said: str) -> None:
        """Move what cannot be believed out of the way, where somebody may look at it."""
        ours = path.is_relative_to(self.root)
        aside = self.root / "set-aside" / self.key if ours else path.parent / "set-aside"
        try:
            make_folder(aside.parent, private=True)
            make_folder(aside, private=True)
            number = sum(1 for entry in aside.iterdir() if entry.name.startswith(path.name))
            path.rename(aside / f"{path.name}.{number + 1}")
        except OSError as error:
            _LOGGER.warning("%s (it could not be set aside: %s)", said, error)
            return
        _LOGGER.warning("%s, and set aside in %s", said, aside)


def _rates_of(text: str) -> ErrorRates:
    """Rates out of a file's text.

    Raises:
        BrokenEntryError: it is damaged, or of another version.
    """
    try:
        whole = json.loads(text)
        if whole.get("schema") != SCHEMA:
            raise BrokenEntryError("of another version")
        if whole["digest"] != digest_of_text(whole["rates"]):
            raise BrokenEntryError("damaged")
        document = json.loads(whole["rates"])
        by_far: dict[str, Any] = {
            name: {float(far): value for far, value in document.pop(name).items()}
            for name in ("frr_at_far", "frr_at_far_validation", "thresholds", "far_at_threshold")
        }
        intervals = {float(far): (low, high) for far, (low, high) in document.pop("frr_ci95_at_far").items()}
        interval = document.pop("eer_ci95")
        weights = {modality: int(weight) for modality, weight in document.pop("weights", {}).items()}
        area, answered = document.pop("auc_ci95", None), document.pop("answered", None)
        cascade = document.pop("cascade", None)
        bounds: dict[str, Any] = {
            name: None if found is None else (found[0], found[1])
            for name, found in (("eer_ci95", interval), ("auc_ci95", area))
        }
        return ErrorRates(
            **bounds,
            frr_ci95_at_far=intervals,
            weights=weights,
            answered=None if answered is None else AnsweredRates.of_dict(answered),
            cascade=None if cascade is None else Cascade(**cascade),
            **by_far,
            **document,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BrokenEntryError("damaged, or of another version") from error
