"""One proposal as one Optuna trial: parameters, values, constraints, and what people want to know of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tinysearch.core.candidate import BranchSpec, Candidate, PlatformChoice
from tinysearch.core.error_rates import NO_ERROR_RATES, ErrorRates
from tinysearch.core.limits import Violation
from tinysearch.core.protocols import TrainingRecord
from tinysearch.search.known.flat import FlatSpace, branch_values
from tinysearch.search.study import storage
from tinysearch.search.study.history import History

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

Describe = Callable[[Candidate], Mapping[str, Any]]
"""Further user attributes of a candidate's trial (JSON-able), for example its bill of materials."""

TrialKind = Literal["proposal", "completion", "finalist"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A proposal resolved: what it is, what the analytic models say of it, and which rules it breaks.

    Attributes:
        branches: indices into the design table's branches; empty if the space has no such network.
        row: of the design table, None for a design that is not in it.
        analytic: objectives by name; None if they cannot be computed.
    """

    branches: tuple[int, ...]
    row: int | None
    candidate: Candidate | None
    analytic: Mapping[str, float] | None
    violations: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialNote:
    """What is recorded of one finished proposal.

    Attributes:
        kind: ``proposal`` of a sampler; ``completion``, a front point that cost no training and no proposal; or
            ``finalist``, a front point as it is once its branches were trained again.
        values: None if the trial failed or nothing could be computed.
        rates: None if its branches are not known.
        constraints: one a rule.
        params: as a sampler drew them; None if the design decides.
        records: trainings that this trial waited for.
        attributes, system: further ones for people, and what the sampler wants to find again.
        error: why it failed.
    """

    kind: TrialKind
    design: Design
    started: datetime
    values: tuple[float, ...] | None
    rates: ErrorRates | None
    constraints: tuple[float, ...]
    params: dict[str, Any] | None = None
    records: Sequence[TrainingRecord] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    system: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None


class Recorder:
    """Appends finished trials to a study.

    Args:
        history: of the study; told which candidates are recorded.
        flat: gives every trial the same parameters, whichever sampler proposed it.
        describe: see :data:`Describe`.
        attributes: further user attributes of every trial.
    """

    def __init__(
        self,
        study: optuna.Study,
        history: History,
        flat: FlatSpace,
        describe: Describe | None,
        attributes: Mapping[str, Any],
    ) -> None:
        self._study = study
        self._history = history
        self._flat = flat
        self._distributions = flat.distributions()
        self._describe = describe
        self._attributes = attributes

    def record(self, note: TrialNote, rng: np.random.Generator) -> None:
        """Append one trial.

        Args:
            rng: draws the parameters that a design leaves open.
        """
        storage.record(self._study, self.trial(note, rng))
        if note.values is not None and note.design.candidate is not None and not note.design.violations:
            self._history.recorded.add(note.design.candidate.id)

    def params_of(
        self, branches: Sequence[BranchSpec], platform: PlatformChoice, rng: np.random.Generator
    ) -> dict[str, Any]:
        """The flat variables of a design; empty if one of its values is not of the space."""
        try:
            return self._flat.encode(
                branches,
                processor=platform.processor,
                flash_bytes=platform.flash_bytes,
                psram_bytes=platform.psram_bytes,
                rng=rng,
            )
        except KeyError:
            return {}

    def trial(self, note: TrialNote, rng: np.random.Generator) -> FrozenTrial:
        """The finished trial, to be appended to a study."""
        from optuna.trial import TrialState, create_trial

        candidate = note.design.candidate
        params = note.params
        if params is None:
            params = self.params_of(candidate.branches, candidate.platform, rng) if candidate else {}
        if note.error is not None:
            state = TrialState.FAIL
        else:
            state = TrialState.COMPLETE if note.values is not None else TrialState.PRUNED
        trial = create_trial(
            state=state,
            values=list(note.values) if note.values is not None else None,
            params=params,
            distributions={name: self._distributions[name] for name in params},
            user_attrs=self._user_attributes(note),
            system_attrs=storage.constraint_attributes(note.constraints) | dict(note.system),
        )
        # Optuna's times are local and have no zone.
        trial.datetime_start = note.started.astimezone().replace(tzinfo=None)
        return trial

    def _user_attributes(self, note: TrialNote) -> dict[str, Any]:
        candidate, rates = note.design.candidate, note.rates
        out: dict[str, Any] = {"kind": note.kind, "feasible": not note.design.violations}
        if candidate is not None:
            out |= candidate_attributes(candidate)
            if self._describe is not None:
                out |= dict(self._describe(candidate))
        if note.design.analytic is not None:
            out["analytic"] = {name: float(value) for name, value in note.design.analytic.items()}
        out |= rate_attributes(NO_ERROR_RATES if rates is None else rates)
        out["trained"] = [record.branch.key for record in note.records if not record.remembered]
        out["remembered"] = [record.branch.key for record in note.records if record.remembered]
        out["training_s"] = {record.branch.key: record.seconds for record in note.records}
        if note.design.violations:
            out["violations"] = {violation.rule: violation.to_dict() for violation in note.design.violations}
        if note.error is not None:
            out["error"] = note.error
        return out | dict(note.attributes) | dict(self._attributes)


def candidate_attributes(candidate: Candidate) -> dict[str, Any]:
    """What a trial tells of a candidate: its networks, and where and how they are executed."""
    platform = candidate.platform
    return {
        "id": candidate.id,
        "modality": candidate.modality,
        "branches": [branch.key for branch in candidate.branches],
        **_layouts(candidate),
        "processor": platform.processor,
        "flash_bytes": platform.flash_bytes,
        "psram_bytes": platform.psram_bytes,
        "board": platform.board,
        **platform.execution.to_dict(),
    }


def rate_attributes(rates: ErrorRates) -> dict[str, Any]:
    """What a trial tells of error rates: those that readers see, and the one that is decided by."""
    return {
        "evidence": rates.evidence,
        "eer": rates.eer,
        "eer_validation": rates.decision_eer,
        "eer_ci95": None if rates.eer_ci95 is None else list(rates.eer_ci95),
        "frr_at_far": {str(far): frr for far, frr in rates.frr_at_far.items()},
        "frr_ci95_at_far": {str(far): ci for far, ci in rates.frr_ci95_at_far.items()},
    }


def _layouts(candidate: Candidate) -> dict[str, str]:
    """Lists among a candidate's parameters as people write them (``2-2``), under the names of the study's numbers."""
    return {
        f"{branch.modality}_{name}": "-".join(str(item) for item in value)
        for branch in candidate.branches
        for name, value in branch_values(branch).items()
        if isinstance(value, tuple)
    }
