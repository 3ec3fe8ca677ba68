"""What the page's scripts read: designs as rows of numbers, boards and branches once, details of the front."""

from __future__ import annotations

import dataclasses
from typing import Any

from tinysearch.core.objectives import MAXIMIZED
from tinysearch.report.advice import Advice
from tinysearch.report.data import BoardCard, DesignCard
from tinysearch.report.picks import Picks
from tinysearch.report.view import RunView

FIELDS = (
    "id",
    "modality",
    "branches",
    "board",
    "front",
    "eer",
    "eer_low",
    "eer_high",
    "eer_decided",
    "latency_s",
    "latency_low_s",
    "latency_high_s",
    "effective_latency_far1_s",
    "effective_latency_far10_s",
    "effective_latency_far1_s_decided",
    "effective_latency_far10_s_decided",
    "acquisition_s",
    "frr",
    "frr_low",
    "frr_high",
    "effective_latency_s",
    "energy_mj",
    "power_mw",
    "battery_days",
    "flash_bytes",
    "ram_bytes",
    "branch_latency_s",
    "eer_evidence",
    "latency_evidence",
    "reads",
    "first",
    "shared",
)
"""Columns of ``designs``, in the order of each row."""


def payload(view: RunView, advice: Advice, chosen: Picks) -> dict[str, Any]:
    """The page's data, JSON-able."""
    branches, boards = list(view.data.branches), list(view.data.boards)
    branch_at = {key: i for i, key in enumerate(branches)}
    board_at = {key: i for i, key in enumerate(boards)}
    front = set(view.front)
    ordered = [*view.points, *(design for design in view.data.designs if design.id not in front)]
    return {
        "budget_usd": view.budget_usd,
        "currency": dataclasses.asdict(view.data.currency),
        "rate": view.data.rate,
        "objectives": view.objectives,
        "maximized": sorted(MAXIMIZED),
        "price_level": view.data.price_level,
        "operating_far": view.operating_far,
        "retried": view.retried,
        "fields": FIELDS,
        "designs": [
            _row(view, design, [branch_at[key] for key in design.branches], board_at[design.board], design.id in front)
            for design in ordered
        ],
        "branches": [
            {name: getattr(view.data.branches[key], name) for name in ("modality", "layout", "precision")}
            | {
                name: getattr(view.data.branches[key], name)
                for name in ("params", "macs", "weight_bytes", "input_size")
            }
            for key in branches
        ],
        "boards": [_board(view.data.boards[key]) for key in boards],
        "processors": {key: dataclasses.asdict(card) for key, card in view.data.processors.items()},
        "details": {key: dataclasses.asdict(view.data.details[key]) for key in view.front if key in view.data.details},
        "firmware": dict(view.firmware),
        "rungs": {key: [dict(rung) for rung in found] for key, found in view.rungs.items()},
        "why": {key: [sentence.text for sentence in found] for key, found in advice.why.items()},
        "first": [pick.id for pick in chosen.cards],
    }


def _row(view: RunView, design: DesignCard, branches: list[int], board: int, front: bool) -> list[Any]:  # noqa: FBT001
    low, high = design.eer_ci95 or (None, None)
    return [
        design.id,
        design.modality,
        branches,
        board,
        int(front),
        design.eer,
        low,
        high,
        view.value(design, "eer", decided=True),
        design.latency_s,
        design.latency_range_s[0],
        design.latency_range_s[1],
        view.value(design, "effective_latency_far1_s"),
        view.value(design, "effective_latency_far10_s"),
        view.value(design, "effective_latency_far1_s", decided=True),
        view.value(design, "effective_latency_far10_s", decided=True),
        design.acquisition_s,
        *_operating(design),
        design.energy_mj,
        design.power_mw,
        design.battery_days,
        design.flash_bytes,
        design.ram_bytes,
        [design.branch_latency_s.get(view.data.branches[key].modality) for key in design.branches],
        design.eer_evidence,
        design.latency_evidence,
        [design.reads.get(view.data.branches[key].modality) for key in design.branches],
        design.first,
        int(design.shared),
    ]


def _operating(design: DesignCard) -> list[float | None]:
    """FRR with its interval, and effective latency, at the operating point."""
    point = design.operating_point
    if point is None:
        return [None] * 4
    return [point.frr, *(point.frr_ci95 or (None, None)), point.effective_latency_s]


def _board(board: BoardCard) -> dict[str, Any]:
    bounds = board.price_range_usd
    return dataclasses.asdict(board) | {
        "price_usd": board.price_usd,
        "low_usd": bounds[0] if bounds else None,
        "high_usd": bounds[1] if bounds else None,
    }
