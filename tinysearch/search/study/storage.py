"""The study on disk: one Optuna journal a run, crash-safe, and what a later run may not change."""

from __future__ import annotations

import logging
import os
import shlex
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinysearch.core.errors import UserError
from tinysearch.files import writing
from tinysearch.locks import exclusive
from tinysearch.search.study.lines import Journal, read_journal
from tinysearch.search.study.quiet import quiet_optuna

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

_LOGGER = logging.getLogger(__name__)

JOURNAL = "journal.log"
STUDY_NAME = "tinysearch"
CONSTRAINTS = "constraints"
"""System attribute that both Optuna's samplers and optuna-dashboard 0.21 read; ``set_constraint`` writes another one,
by which the dashboard does not recognize infeasible trials."""

GUESSED = "tinysearch:guessed"
"""System attribute of an infeasible trial: what its sampler was told, the objectives of a network that guesses."""

_JOURNAL_START = b'{"op_code"'
RULES = "rules"
"""User attribute of a study: what its run was begun under."""

_KNOWN = "known_at_start"


@contextmanager
def run_lock(run_dir: Path) -> Iterator[None]:
    """Hold a run directory for one process; the lock dies with the process, however it dies.

    Raises:
        UserError: another search is running there.
    """

    def refuse(holder: str) -> None:
        raise UserError(
            "a run directory must be written by one process at a time",
            value=f"{run_dir}, held by {holder}",
            remedy="wait for it, or choose another run_dir",
        )

    with ExitStack() as stack:
        with writing(run_dir):
            stack.enter_context(exclusive(run_dir / ".lock", waiting=refuse))
        yield


def end_journal(path: Path) -> int:
    """Refuse a damaged journal, and put its end in order: cut the half record of a killed writer.

    Call it only while holding :func:`run_lock`. Also removes a lock file left by a killed writer.

    Returns:
        Bytes cut.

    Raises:
        UserError: it is damaged, or no journal at all.
    """
    for left in path.parent.glob(path.name + ".lock*"):
        left.unlink(missing_ok=True)
    if not path.exists():
        return 0
    journal = believed(path)
    if journal.is_older:
        _LOGGER.warning("%s was begun by a version whose lines have no digest; not all damage in it can be found", path)
    if not journal.unfinished:
        return 0
    keep = path.stat().st_size - len(journal.unfinished)
    end = b"" if journal.last.problem else journal.last.content + b"\n"
    with path.open("r+b") as handle:
        handle.seek(keep)
        handle.write(end)
        handle.truncate(keep + len(end))
        handle.flush()
        os.fsync(handle.fileno())
    if end:
        return 0
    _LOGGER.warning("cut %d bytes of an unfinished record from %s", len(journal.unfinished), path)
    return len(journal.unfinished)


def believed(path: Path) -> Journal:
    """The lines of a journal, if each of them can be believed.

    Raises:
        UserError: one cannot, or this is no journal at all.
        OSError: it cannot be read.
    """
    journal = read_journal(path)
    started = journal.unfinished.startswith(_JOURNAL_START[: len(journal.unfinished)])
    if not (any(not line.problem for line in journal.lines) or (started and not journal.lines)):
        raise UserError("journal.log must be that of a search", value=path, remedy="name another run_dir")
    if journal.damaged:
        first, *more = journal.damaged
        others = f", and so are {len(more)} more" if len(more) > 1 else ", and so is one more" if more else ""
        raise UserError(
            "journal.log must be as the search wrote it",
            value=f"{path}, whose line {first.number} {first.problem}{others}",
            remedy=f"run python -m tinysearch journal repair {shlex.quote(str(path.parent))}",
        )
    return journal


def open_journal(run_dir: Path | None, *, objectives: Sequence[str]) -> optuna.Study:
    """The study of a run directory, created if need be; in memory without one.

    Call it holding :func:`run_lock`.
    """
    import optuna

    if run_dir is None:
        return make_study(optuna.storages.InMemoryStorage(), STUDY_NAME, objectives)
    path = run_dir / JOURNAL
    end_journal(path)
    with _journal_storage(path) as storage:
        return make_study(storage, STUDY_NAME, objectives)


@contextmanager
def _journal_storage(path: Path) -> Iterator[optuna.storages.JournalStorage]:
    """A journal; while this lasts, what Optuna stumbles over in it becomes one line for people.

    Raises:
        UserError: the journal has records that are none, or lacks some.
    """
    import optuna

    from tinysearch.search.study.journal_file import DigestedJournal

    try:
        yield optuna.storages.JournalStorage(DigestedJournal(path))
    except (ValueError, TypeError, KeyError, AssertionError) as error:
        raise UserError(
            "journal.log must be as the search wrote it",
            value=f"{path}: {type(error).__name__} {error}".strip(),
            remedy="restore it from a copy, or name another run_dir",
        ) from error


def make_study(storage: optuna.storages.BaseStorage, name: str, objectives: Sequence[str]) -> optuna.Study:
    """A study of a storage, created if need be, its objectives named."""
    import optuna

    with quiet_optuna():
        study = optuna.create_study(
            storage=storage, study_name=name, directions=["minimize"] * len(objectives), load_if_exists=True
        )
    if study.metric_names is None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # metric names have been "experimental" since Optuna 3.2
            study.set_metric_names(list(objectives))
    return study


def load_study(run_dir: Path) -> optuna.Study:
    """The study of a finished or running search, to read.

    Raises:
        UserError: there is none.
    """
    import optuna

    path = run_dir / JOURNAL
    if not path.is_file():
        raise UserError("a run directory must hold journal.log", value=run_dir, remedy="name the run_dir of a search")
    believed(path)
    with _journal_storage(path) as storage:
        return optuna.load_study(study_name=STUDY_NAME, storage=storage)


class OtherRulesError(UserError):
    """A run was to be resumed under other rules than those it was started with.

    Attributes:
        differing: by the rule's name what it was and what it is now, "absent" where there is none.
    """

    def __init__(self, differing: Mapping[str, tuple[str, str]]) -> None:
        self.differing = differing
        name, (old, new) = next(iter(differing.items()))
        super().__init__(
            "a run must be resumed under the rules it was started with",
            value=f"other {', '.join(_CALLED.get(rule, rule) for rule in differing)} ({name} was {old}, now {new})",
            remedy="restore them, or choose another run_dir",
        )

    def __reduce__(self) -> tuple[object, ...]:
        return OtherRulesError, (dict(self.differing),)


_CALLED = {"data": "data or settings of the trainer"}
"""Rules whose names say less than what they are of."""


def check_rules(study: optuna.Study, rules: Mapping[str, str]) -> None:
    """Store a run's rules with a new study, or compare them with those it was started with.

    Args:
        rules: a digest, or a short spelling, by what it is of: space, objectives, data, feasibility rules, trainer.

    Raises:
        OtherRulesError: some differ; the message names which.
    """
    if RULES in study.user_attrs:
        stored: dict[str, str] = study.user_attrs[RULES]
        pairs = {name: (stored.get(name), rules.get(name)) for name in sorted(stored.keys() | rules.keys())}
        differing = {name: (old or "absent", new or "absent") for name, (old, new) in pairs.items() if old != new}
        if differing:
            raise OtherRulesError(differing)
        return
    # One attribute, hence one write: a kill leaves all of them or none.
    study.set_user_attr(RULES, dict(rules))


def known_at_start(study: optuna.Study, known: Sequence[str]) -> set[str]:
    """Branches (keys) that were known before the run's first trial: as stored, or else ``known``, which is stored.

    A resumed run starts from the same knowledge as the run that it continues, whatever was trained meanwhile, so
    that it takes the same decisions.
    """
    if _KNOWN not in study.user_attrs:
        study.set_user_attr(_KNOWN, list(known))
    return set(study.user_attrs[_KNOWN])


def at_start(study: optuna.Study, name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """What a study was started with: as stored, or else ``value`` (JSON-able), which is stored."""
    if name not in study.user_attrs:
        study.set_user_attr(name, dict(value))
    return dict(study.user_attrs[name])


def record(study: optuna.Study, trial: FrozenTrial) -> None:
    """Append one finished trial in a single write, all or nothing.

    Raises:
        UserError: the disk is full.
    """
    with readable_errors():
        study.add_trial(trial)


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn a full disk in this block into one line for people; see :func:`storage_error`."""
    try:
        yield
    except OSError as error:
        readable = storage_error(error)
        if readable is error:
            raise
        raise readable from error


def storage_error(error: OSError) -> Exception:
    """A full disk as one line for people; any other error unchanged."""
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UserError(
            "there must be space to write journal and models of a search",
            value=f"no space left ({error.filename or 'run_dir'})",
            remedy="free some, then run again with the same run_dir: it goes on where it stopped",
        )
    return error


def finished_trials(study: optuna.Study) -> list[FrozenTrial]:
    """Trials with an end, oldest first (not copied: do not change them)."""
    return [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]


def as_told(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Trials as their samplers were told of them: infeasible ones with the objectives of a network that guesses."""
    from optuna.trial import TrialState

    out = []
    for trial in trials:
        if GUESSED in trial.system_attrs:
            told = copy(trial)
            told.state, told.values = TrialState.COMPLETE, trial.system_attrs[GUESSED]
            out.append(told)
        else:
            out.append(trial)
    return out


def constraint_attributes(values: Sequence[float]) -> dict[str, Any]:
    """System attributes of a trial with these constraint values (at most 0 is feasible)."""
    return {CONSTRAINTS: [float(v) for v in values]}
