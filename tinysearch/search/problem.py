"""What is searched, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tinysearch.core.limits import Limit
from tinysearch.core.protocols import ErrorModel
from tinysearch.search.finalists import FinalistModel
from tinysearch.search.known.assess import Assessor
from tinysearch.search.known.design import DesignTable
from tinysearch.search.known.fidelity import WarmStart
from tinysearch.search.known.flat import FlatSpace
from tinysearch.search.proposals import SamplerFactory
from tinysearch.search.study.recorder import Describe
from tinysearch.search.study.shared import SharedStudy


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyProblem:
    """What is searched, and with what it is judged.

    Attributes:
        table: every feasible design.
        flat: the space that plain samplers draw from.
        objectives: names, in order; what is maximized under its recorded name.
        limits: of objectives that need error rates; no design that breaks one is on the front.
        error_model: gives error rates; picklable if trainings run in other processes.
        finalists: answers branches of the front that were trained again; None leaves the front as it was found.
        assessor: judges flat points; without one, points that are not in the table are infeasible.
        warm_start: evidence from elsewhere; stored with a new study, so that a resumed one starts from the same.
        rules: digests of what a resumed run may not change: space, objectives, data, feasibility rules, trainer.
        describe: more user attributes for a candidate's trial.
    """

    table: DesignTable
    flat: FlatSpace
    objectives: tuple[str, ...]
    limits: tuple[Limit, ...] = ()
    error_model: ErrorModel
    finalists: FinalistModel | None = None
    assessor: Assessor | None = None
    warm_start: WarmStart | None = None
    rules: Mapping[str, str] = field(default_factory=dict)
    describe: Describe | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """How it is searched.

    Attributes:
        sampler: see :data:`tinysearch.search.samplers.SAMPLERS`; ``sampler_options`` are its keyword arguments.
        sampler_factory: makes a sampler that is none of these; ``sampler`` then only names it.
        n_trials: proposals told in the whole study, infeasible and failed ones included; None for no limit.
        n_trainings: trainings in the whole study, remembered ones not counted; None for no limit.
        training_s: seconds that this study may train, over all workers; what is in training then is finished. None for
            no limit.
        answer_s: seconds of training behind the answer, with what remembered branches took when they were trained. None
            for no limit.
        timeout_s: for this run; what is in training then is stopped.
        spent_s: of that, what it took to build what is searched.
        shared: keeps the study in a database where other processes join in; None keeps it in the run directory.
        engine, engine_options, n_workers: see :func:`tinysearch.search.engines.make_engine`.
    """

    sampler: str = "auto"
    sampler_options: Mapping[str, Any] = field(default_factory=dict)
    sampler_factory: SamplerFactory | None = None
    n_trials: int | None = None
    n_trainings: int | None = None
    training_s: float | None = None
    answer_s: float | None = None
    timeout_s: float | None = None
    spent_s: float = 0.0
    seed: int = 0
    engine: str = "local"
    engine_options: Mapping[str, Any] = field(default_factory=dict)
    n_workers: int = 1
    shared: SharedStudy | None = None

    @property
    def joins(self) -> bool:
        """Whether this process joins a study that another one began, and leaves its front to that one."""
        return self.shared is not None and self.shared.join
