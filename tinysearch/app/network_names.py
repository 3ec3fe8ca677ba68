"""What networks are called in the tables of the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tinysearch.core.candidate import colors_seen

_Words = Callable[[Mapping[str, Any]], str]
"""Of a branch in front.json."""


def network_name(branch: Mapping[str, Any]) -> str:
    """``22 int8``."""
    return f"{branch['layout'].replace('-', '')} {branch['precision']}"


def _branch_name(modality: str, branch: Mapping[str, Any]) -> str:
    """``face 22 int8``."""
    return f"{modality} {network_name(branch)}"


def input_size(branch: Mapping[str, Any]) -> str:
    """``64``, and of a shorter clip ``32x64``: frames by bands."""
    return "x".join(str(branch[name]) for name in ("frames", "input_size") if name in branch)


def _width(branch: Mapping[str, Any]) -> str:
    return f"w{branch.get('width')}"


def _pixels(branch: Mapping[str, Any]) -> str:
    """``48x48``, of a series ``128``."""
    size = input_size(branch)
    return f"{size}x{size}" if branch.get("input_kind") == "camera" else size


def _colors(branch: Mapping[str, Any]) -> str:
    return colors_seen(branch.get("channels", 0))


_APART = (_width, _pixels, _colors)
"""What may differ between networks of one layout and precision, in short."""


def telling_apart(points: Sequence[Mapping[str, Any]]) -> dict[str, list[_Words]]:
    """What differs between networks of a front that otherwise would be called the same, by input.

    Args:
        points: of front.json.

    Returns:
        Functions that say it of a branch.
    """
    found: dict[str, list[_Words]] = {}
    for name in {name for point in points for name in point["branches"]}:
        branches = [point["branches"][name] for point in points if name in point["branches"]]
        called = {network_name(branch) for branch in branches}
        found[name] = [
            words
            for words in _APART
            if len({(network_name(branch), words(branch)) for branch in branches}) > len(called)
        ]
    return found


def networks(point: Mapping[str, Any], *, apart: Mapping[str, Sequence[_Words]]) -> str:
    """A point's networks, one a line; in a cascade the one that decides alone where it is sure before the other.

    Args:
        point: of front.json.
        apart: see :func:`telling_apart`.
    """
    said = {
        name: " ".join([_branch_name(name, branch), *(words(branch) for words in apart[name])])
        for name, branch in point["branches"].items()
    }
    first = (point.get("fusion") or {}).get("first")
    if first is None:
        return "\n+ ".join(said.values())
    return "\nif unsure ".join([said.pop(first), *said.values()])
