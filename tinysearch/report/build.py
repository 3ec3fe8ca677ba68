"""From evaluations to report_data.json: cards, and which of many known designs a report keeps."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from tinysearch.core.evaluation import Evaluation
from tinysearch.core.platform import BoardOption, Chip
from tinysearch.core.units import US_DOLLARS, Currency
from tinysearch.report.data import (
    BlockedCard,
    BoardCard,
    BranchCard,
    BufferCard,
    DesignCard,
    DetailCard,
    PartCard,
    ProcessorCard,
    ReportData,
)

LIMIT = 3000
"""At most so many designs are kept besides the front."""

THINNING = (
    "the front, each model's cheapest board, and of the rest as many as fit, evenly spaced when sorted by error rate"
)


def thin(
    *,
    eer: npt.NDArray[np.float64],
    cost_usd: npt.NDArray[np.float64],
    model: npt.NDArray[np.int64],
    keep: Collection[int] = (),
    limit: int = LIMIT,
) -> npt.NDArray[np.int64]:
    """Which of many known designs a report shows, see :data:`THINNING`.

    Args:
        eer, cost_usd: float64 [N], NaN where unknown.
        model: int64 [N], equal for designs with the same branches.
        keep: rows that stay whatever the limit.
        limit: of rows besides those.

    Returns:
        Ascending rows, all of them if they are few enough.
    """
    rows = np.arange(len(eer))
    kept = np.zeros(len(eer), bool)
    kept[np.asarray(sorted(keep), np.int64)] = True
    if len(eer) - kept.sum() <= limit:
        return rows
    by_model = np.lexsort((cost_usd, model))
    first = np.ones(len(eer), bool)
    first[1:] = model[by_model][1:] != model[by_model][:-1]
    for group in (by_model[first], rows):
        left = group[~kept[group]]
        room = limit + len(set(keep)) - int(kept.sum())
        kept[_spread(left[np.argsort(eer[left], kind="stable")], room)] = True
    return np.flatnonzero(kept)


def _spread(rows: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """``count`` of the rows, evenly spaced, first and last among them."""
    if len(rows) <= count:
        return rows
    return rows[np.unique(np.linspace(0, len(rows) - 1, max(count, 0)).astype(np.int64))]


def build_data(
    *,
    evaluations: Sequence[Evaluation],
    front: Collection[str],
    known: int | None = None,
    options: Mapping[str, BoardOption] | None = None,
    chips: Mapping[str, Chip] | None = None,
    price_level: str = "typical",
    beyond: Sequence[Evaluation] = (),
    blocked: Sequence[BlockedCard] = (),
    title: str = "tinysearch",
    caveat: str = "",
    currency: Currency = US_DOLLARS,
    rate: str = "EER",
) -> ReportData:
    """The report's data.

    Args:
        evaluations: designs to show, the front among them; a repeated id counts once.
        front: ids of the front; only these get details.
        known: how many designs the search knew; those given if None.
        options: boards by candidate id, for the range of their prices.
        chips: processors by id, for the memory pictures.
        price_level: at which the bills of materials are priced.
        beyond: designs above the budget, not counted among the known ones.
        blocked: processors that cannot carry the best networks.
        title: of the page.
        caveat: about the people whom error rates are of.
        currency: in which amounts are shown.
        rate: what the error rate is called.
    """
    branches: dict[str, BranchCard] = {}
    boards: dict[str, BoardCard] = {}
    designs: dict[str, DesignCard] = {}
    details: dict[str, DetailCard] = {}
    for evaluation in (*evaluations, *beyond):
        identity = evaluation.candidate.id
        for branch in evaluation.candidate.branches:
            figures = evaluation.figures[branch.modality]
            branches[branch.key] = BranchCard(
                key=branch.key,
                modality=branch.modality,
                layout=branch.label,
                precision=str(branch.precision),
                width=branch.architecture.width,
                input_size=branch.input_size,
                params=figures.params,
                macs=figures.macs,
                weight_bytes=figures.weight_bytes,
            )
        board = _board(evaluation, (options or {}).get(identity))
        key = board.id if boards.get(board.id, board) == board else f"{board.id} ({evaluation.candidate.modality})"
        boards[key] = board
        designs[identity] = _design(evaluation, key)
        if identity in front:
            details[identity] = _detail(evaluation)
    shown = len({evaluation.candidate.id for evaluation in evaluations})
    used = sorted({board.processor for board in boards.values()})
    return ReportData(
        price_level=price_level,
        title=title,
        caveat=caveat,
        currency=currency,
        rate=rate,
        known=shown if known is None else known,
        thinning=THINNING if known is not None and known > shown else "every known design",
        branches=dict(sorted(branches.items())),
        boards=dict(sorted(boards.items())),
        processors={name: _processor(chips[name]) for name in used if chips is not None and name in chips},
        designs=tuple(designs[name] for name in sorted(designs)),
        details=dict(sorted(details.items())),
        blocked=tuple(blocked),
    )


def _board(evaluation: Evaluation, option: BoardOption | None) -> BoardCard:
    platform = evaluation.candidate.platform
    prices = {item.name: item.price for item in option.items} if option is not None else {}
    return BoardCard(
        id=platform.board,
        name=str(evaluation.details.get("board_name", platform.board)),
        processor=platform.processor,
        cores=int(evaluation.details.get("cores", 1)),
        flash_bytes=platform.flash_bytes,
        psram_bytes=platform.psram_bytes,
        sensors=evaluation.sensors,
        parts=tuple(
            PartCard(
                name=line.part,
                usd=round(line.usd, 4),
                low_usd=prices[line.part].low if line.part in prices else None,
                high_usd=prices[line.part].high if line.part in prices else None,
                source=line.source,
                about=line.about,
                assumed=line.kind == "assumed",
            )
            for line in evaluation.bom
        ),
        buildable=bool(evaluation.details.get("buildable", True)),
        reason=str(evaluation.details.get("buildable_reason", "")),
        order="" if evaluation.order is None else evaluation.order.text,
        ready=None if evaluation.order is None else evaluation.order.ready,
    )


def _design(evaluation: Evaluation, board: str) -> DesignCard:
    errors = evaluation.errors
    return DesignCard(
        id=evaluation.candidate.id,
        modality=evaluation.candidate.modality,
        branches=tuple(branch.key for branch in evaluation.candidate.branches),
        board=board,
        eer=_known(errors.eer),
        eer_ci95=errors.eer_ci95,
        eer_validation=_known(errors.eer_validation),
        frr_far1=_known(errors.frr_at_far.get(0.01)),
        frr_far10=_known(errors.frr_at_far.get(0.1)),
        frr_far1_validation=_known(errors.frr_at_far_validation.get(0.01)),
        frr_far10_validation=_known(errors.frr_at_far_validation.get(0.1)),
        latency_s=evaluation.latency_s,
        latency_range_s=evaluation.latency_range_s,
        acquisition_s=evaluation.acquisition_s,
        operating_point=evaluation.operating_point,
        answered=errors.answered,
        cascade="" if evaluation.cascade is None else evaluation.cascade.text,
        reads=evaluation.details.get("reads", {}),
        first="" if evaluation.cascade is None else evaluation.cascade.cascade.first,
        executed=evaluation.candidate.platform.execution.text,
        shared=evaluation.candidate.platform.execution.cores > 1,
        energy_mj=_known(evaluation.energy_mj),
        power_mw=None if evaluation.power is None else evaluation.power.total_mw,
        battery_days=None if evaluation.power is None else evaluation.power.battery_days,
        flash_bytes=evaluation.flash_bytes,
        ram_bytes=evaluation.ram_bytes,
        branch_latency_s={name: figures.latency_s for name, figures in evaluation.figures.items()},
        eer_evidence=errors.evidence,
        latency_evidence=evaluation.latency_evidence,
    )


def _known(value: float | None) -> float | None:
    """JSON has no NaN: what is not a number is not known."""
    return None if value is None or not math.isfinite(value) else value


def _detail(evaluation: Evaluation) -> DetailCard:
    errors, details = evaluation.errors, evaluation.details
    return DetailCard(
        flash={name: int(size) for name, size in details.get("flash", {}).items()},
        buffers=tuple(
            BufferCard(name=buffer["name"], bytes=int(buffer["bytes"]), sram=bool(buffer["sram"]))
            for buffer in details.get("buffers", ())
        ),
        arena_bytes={name: figures.arena_bytes for name, figures in evaluation.figures.items()},
        curves={name: [float(f"{value:.5g}") for value in values] for name, values in errors.curves.items()},
        people=errors.people,
        genuine=errors.genuine,
        impostor=errors.impostor,
        power=None if evaluation.power is None else evaluation.power.to_dict(),
    )


def _processor(chip: Chip) -> ProcessorCard:
    return ProcessorCard(
        id=chip.id,
        name=chip.name,
        cores=chip.cores,
        frequency_hz=chip.frequency_hz.value,
        heap_bytes=int(chip.heap_bytes.value),
    )
