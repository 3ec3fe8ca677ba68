"""Records out of documents hold what their annotations say, or nobody computes with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pytest

from tinysearch.core.records import checked


@dataclass(frozen=True)
class Part:
    name: str
    usd: float | None


@dataclass(frozen=True)
class Board:
    kind: Literal["board", "chip"] = "board"
    pieces: int = 1
    span: tuple[float, float] | None = (0.0, 1.0)
    parts: tuple[Part, ...] = (Part("ov2640", 3), Part("x", None))
    curves: Mapping[str, Sequence[float]] = field(default_factory=lambda: {"far": [0, 0.5]})
    ready: bool = True
    other: Any = None


def test_a_right_record_is_itself() -> None:
    board = Board(span=None, other=object())
    assert checked(board) is board


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"kind": "shop"}, "kind"),
        ({"pieces": 1.5}, "pieces"),
        ({"pieces": True}, "pieces"),
        ({"span": (0.0,)}, "span"),
        ({"span": (0.0, float("nan"))}, r"span\[1\]"),
        ({"parts": (Part("a", "3"),)}, r"parts\[0\].usd"),  # type: ignore[arg-type]
        ({"parts": ("a",)}, r"parts\[0\]"),
        ({"curves": {"far": 3}}, "curves.far"),
        ({"curves": {3: []}}, "curves's key"),
        ({"ready": 1}, "ready"),
    ],
)
def test_a_field_of_another_kind_is_named(wrong: dict[str, Any], where: str) -> None:
    with pytest.raises(TypeError, match=where):
        checked(replace(Board(), **wrong))
