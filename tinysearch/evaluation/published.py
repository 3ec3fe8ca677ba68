"""Error rates that Sharma et al. 2023 state, and between them a monotone surrogate fitted to what else they state.

The paper's figures are not tabulated: its text gives four EERs of face networks and a handful of relations. Where a
figure is stated it is given as it is (evidence ``published``, no interval: the paper has none). Everywhere else the
surrogate answers (evidence ``surrogate``), with a 95 % interval wide enough to hold every relation.

The surrogate, all of it:

- *Face*: EER at four layouts of each precision (:data:`FACE_ANCHORS`), linear in the logarithm of the parameters
  between them, level beyond the largest.
- *Voice*: that of the face network of the same layout and precision plus :data:`VOICE_BEHIND`.
- *Fusion*: scores are taken as normal with equal variances, so that an EER is a normal deviate z = -probit(EER), and
  z(fusion) = (z(face) + z(voice)) / :data:`FUSION_DIVISOR`; sqrt(2) would be independent modalities, 2 the same ones.
  The paper (7.1) finds them correlated.
- *FRR at a FAR*: the same normal scores, FRR = Phi(probit(1 - FAR) - 2 z), which gives the EER at FAR = EER.

Rates fall with parameters, and rise from float32 to int8 to fewer activation bits. docs/concepts/paper.md tells which
of the paper's relations come out, and where they contradict each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from types import MappingProxyType

import numpy as np

from tinysearch.architectures.resnet import Resnet, resnet
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.error_rates import ErrorEvidence, ErrorRates
from tinysearch.core.errors import UserError
from tinysearch.core.protocols import ProgressCallback, TrainingRecord
from tinysearch.evaluation.source import ErrorSource


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRate:
    """One EER (a fraction) that the paper's text states, and where."""

    modality: str
    blocks: tuple[int, ...]
    precision: str
    eer: float
    where: str


MODALITIES = ("face", "voice")
"""Whose error rates are published."""

PUBLISHED: tuple[PublishedRate, ...] = (
    PublishedRate(modality="face", blocks=(1, 1), precision="float32", eer=0.1286, where="6.5.3"),
    PublishedRate(modality="face", blocks=(1, 1), precision="xnor2/1", eer=0.2915, where="6.1 and 6.5.3"),
    # "0.35 MB" of weights are ResNet-14 with one bit; the activations are read as those of the point it is compared to
    PublishedRate(modality="face", blocks=(2, 2, 2), precision="xnor2/1", eer=0.1157, where="6.1"),
    # "2.73 MB" are ResNet-18 with two bits, which the paper's grid has with two bits of activation only
    PublishedRate(modality="face", blocks=(2, 2, 2, 2), precision="xnor2/2", eer=0.1039, where="6.1"),
)
"""Every EER that the paper states as a number; "fusion FXP ResNet-10 < 5 %" and the like are bounds, not figures."""

ANCHOR_PARAMS = (380_864, 750_656, 2_917_184, 11_444_544)
"""Parameters of ResNet-6, -10, -14 and -18 at the paper's sizes."""

FACE_ANCHORS: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        # ResNet-6 -> ResNet-10 improves by more than 7 points, -> ResNet-14 by about 1 more, then it saturates
        "float32": (0.1286, 0.0560, 0.0460, 0.0450),
        # "quite close in EER" to float32
        "int8": (0.1306, 0.0575, 0.0475, 0.0465),
        # between int8 and 2/1
        "xnor3/1": (0.2650, 0.1400, 0.1050, 0.0680),
        # costs more than 16 points on ResNet-6 and less than 4 on ResNet-18
        "xnor2/1": (0.2915, 0.1600, 0.1157, 0.0840),
        "xnor2/2": (0.2500, 0.1350, 0.1090, 0.1039),
        "xnor1/1": (0.3100, 0.1900, 0.1350, 0.1100),
    }
)
"""Face EER at :data:`ANCHOR_PARAMS`: stated figures where there are, else chosen within the stated relations."""

VOICE_BEHIND = 0.055
"""EER of voice over face: with it face trails fusion by 1-4 points and voice by 6-10 at every layout and precision."""

FUSION_DIVISOR = 1.6
"""Stands for a correlation of FUSION_DIVISOR^2 / 2 - 1 = 0.28 between the scores of the two modalities."""

INTERVAL = (0.7, 1.6)
"""Factors on a surrogate EER that bound it. The upper one holds statements that contradict the monotone center: a best
EER of just under 5 % for every large fusion, and a ResNet-18 that is worse than ResNet-14. The lower one is assumed."""

WIDTH, INPUT_SIZE, CHANNELS, EMBEDDING = 64, 224, 3, 512
_WORST = 0.5
_NORMAL = NormalDist()
_RATES = {(rate.modality, rate.blocks, rate.precision): rate.eer for rate in PUBLISHED}


class PublishedErrors(ErrorSource):
    """Error model of ``trainer=published``: knows every branch of the paper's sizes, trains nothing.

    Args:
        far: FARs to give FRRs at.
    """

    evidence: ErrorEvidence = "surrogate"
    needs_training = False

    def __init__(self, *, far: Sequence[float] = (0.01, 0.1)) -> None:
        self._far = tuple(far)

    def knows(self, branch: BranchSpec) -> bool:
        """Always true for a branch of the paper.

        Raises:
            UserError: sizes, architecture, modality or precision that the paper has not.
        """
        _check(branch)
        return True

    def train(self, branch: BranchSpec, *, progress: ProgressCallback) -> TrainingRecord:
        """Nothing to do.

        Raises:
            UserError: as in :meth:`knows`.
        """
        del progress
        _check(branch)
        return TrainingRecord(branch=branch, seconds=0.0, remembered=True)

    def error_rates(self, branches: Sequence[BranchSpec]) -> ErrorRates:
        """The stated EER of a branch, or the surrogate's of a branch or of a fusion of two.

        Raises:
            UserError: as in :meth:`knows`.
        """
        for branch in branches:
            _check(branch)
        stated = _RATES.get((branches[0].modality, _resnet(branches[0]).blocks, str(branches[0].precision)))
        if len(branches) == 1 and stated is not None:
            return ErrorRates(eer=stated, evidence="published", frr_at_far=self._frr(stated))
        eer = surrogate_eer(branches)
        low, high = (min(eer * factor, _WORST) for factor in INTERVAL)
        return ErrorRates(eer=eer, evidence="surrogate", eer_ci95=(low, high), frr_at_far=self._frr(eer))

    def _frr(self, eer: float) -> dict[float, float]:
        return {far: frr_at_far(eer, far=far) for far in self._far}


def surrogate_eer(branches: Sequence[BranchSpec]) -> float:
    """EER of a branch or of the fusion of several by the surrogate alone, a fraction up to 0.5."""
    eers = [_branch_eer(branch) for branch in branches]
    if len(eers) == 1:
        return eers[0]
    return _NORMAL.cdf(sum(_NORMAL.inv_cdf(eer) for eer in eers) / FUSION_DIVISOR)


def face_eer(params: float, precision: str) -> float:
    """EER of a face network with so many parameters: falling in them, a fraction up to 0.5."""
    anchors, places = FACE_ANCHORS[precision], np.log(ANCHOR_PARAMS)
    place = float(np.log(params))
    if place < places[0]:
        slope = (anchors[1] - anchors[0]) / (places[1] - places[0])
        return float(min(anchors[0] + slope * (place - places[0]), _WORST))
    return float(np.interp(place, places, anchors))


def frr_at_far(eer: float, *, far: float) -> float:
    """FRR at a FAR of normal scores of equal variance with this EER; all are fractions."""
    separation = -2.0 * _NORMAL.inv_cdf(eer)
    return _NORMAL.cdf(_NORMAL.inv_cdf(1.0 - far) - separation)


def _branch_eer(branch: BranchSpec) -> float:
    face = face_eer(_params(_resnet(branch).blocks), str(branch.precision))
    return face if branch.modality == "face" else min(face + VOICE_BEHIND, _WORST)


@lru_cache(maxsize=4096)
def _params(blocks: tuple[int, ...]) -> int:
    """Parameters of a layout at the paper's sizes."""
    return resnet(blocks=blocks, width=WIDTH, input_size=INPUT_SIZE, channels=CHANNELS, embedding=EMBEDDING).params


def _resnet(branch: BranchSpec) -> Resnet:
    """The architecture of a branch that was checked."""
    assert isinstance(branch.architecture, Resnet)  # noqa: S101 - by _check
    return branch.architecture


def _check(branch: BranchSpec) -> None:
    own = branch.architecture
    if (own.width, branch.input_size, branch.channels, own.embedding) != (
        WIDTH,
        INPUT_SIZE,
        CHANNELS,
        EMBEDDING,
    ):
        raise UserError(
            f"sizes must be the paper's for published error rates: width {WIDTH}, input {INPUT_SIZE}x{INPUT_SIZE}x"
            f"{CHANNELS}, embedding {EMBEDDING}",
            value=branch.key,
            remedy="add experiment=paper, or choose another trainer",
        )
    if not isinstance(own, Resnet) or branch.modality not in MODALITIES:
        raise UserError(
            f"networks must be residual ones of the paper for published error rates: for {' and '.join(MODALITIES)}",
            value=branch.key,
            remedy="choose another trainer",
        )
    if str(branch.precision) not in FACE_ANCHORS:
        raise UserError(
            f"the condition of published error rates must be {', '.join(FACE_ANCHORS)}",
            value=branch.precision,
            remedy="narrow space.precisions, or choose another trainer",
        )
