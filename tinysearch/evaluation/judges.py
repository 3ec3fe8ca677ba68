"""The judge of a task, by what it decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tinysearch.core.errors import UserError
from tinysearch.core.task import Decision, Stream
from tinysearch.evaluation.anomaly import Anomaly
from tinysearch.evaluation.classification import Classification
from tinysearch.evaluation.judge import Judge
from tinysearch.evaluation.verification import Verification
from tinysearch.metrics import FusionRule


def judge_of(
    decision: Decision,
    *,
    far: Sequence[float],
    fusion: FusionRule = "concatenation",
    shares: Mapping[str, float] | None = None,
    first: str | None = None,
    stream: Stream | None = None,
) -> Judge:
    """The judge of a task by what it decides.

    Args:
        far, fusion, shares, first: see :class:`~tinysearch.evaluation.verification.Verification`.
        stream: how a device goes through windows; None where each sample is one by itself.

    Raises:
        UserError: a fusion that the task has not.
    """
    if decision == "verification":
        return Verification(far=tuple(far), fusion=fusion, shares=dict(shares or {}), first=first)
    if fusion != "concatenation":
        raise UserError(
            f"the scores of the branches of {'an' if decision == 'anomaly' else 'a'} {decision} must be added",
            value=f"fusion.rule={fusion}",
            remedy="leave it out",
        )
    if decision == "anomaly":
        return Anomaly(far=tuple(far))
    stream = stream or Stream()
    return Classification(smooth=stream.smooth, reject=stream.reject)
