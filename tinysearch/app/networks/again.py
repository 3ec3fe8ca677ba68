"""The project of a network of one's own, emitted again to be compared with one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tinysearch.app.networks.asked import Asked, asked
from tinysearch.app.networks.executions import BANDS
from tinysearch.app.networks.firmware import emit, prepared
from tinysearch.app.networks.reading import FIXED
from tinysearch.core.safe_text import plain_line
from tinysearch.firmware.backends import VECTOR_NAMES
from tinysearch.firmware.folder import is_ours
from tinysearch.firmware.identifiers import component_name
from tinysearch.firmware.verify.again import Again, NotOfTheRunError
from tinysearch.firmware.verify.facts import read_point


def again_source(project: Path, overrides: Sequence[str]) -> Again:
    """What emits the project of a network for the same board into a folder.

    Args:
        project: the project's folder.
        overrides: ``network=FILE`` and what else was said of the network.

    Raises:
        UserError: a file that holds no network, or samples and names that do not fit it.
    """
    return partial(_again, project, asked([*overrides, *_form(project)]))


def _form(project: Path) -> list[str]:
    """How the firmware was emitted: its memory, its rounding, a project's vector unit, or the name of a library."""
    point = read_point(project) if is_ours(project) else {}
    facts, options = point.get("firmware_facts"), point.get("options")
    if not isinstance(facts, dict):
        return []
    memory = _memory(options if isinstance(options, dict) else {})
    return [*memory, *_rounding(point.get("network")), *_kernels(facts)]


def _rounding(network: object) -> list[str]:
    return [f"rounding={FIXED}"] if isinstance(network, dict) and network.get("rounding") == FIXED else []


def _memory(options: Mapping[str, Any]) -> list[str]:
    limit = options.get("sram")
    limits = [f"sram={limit}"] if isinstance(limit, int) else []
    return [*(["memory=bands"] if options.get("memory") == BANDS else []), *limits]


def _kernels(facts: Mapping[str, Any]) -> list[str]:
    if "component" not in facts:
        branches = facts.get("branches")
        every = branches.values() if isinstance(branches, dict) else (facts,)
        named = {one.get("backend") for one in every if isinstance(one, dict)}
        used = [unit for unit in VECTOR_NAMES if unit in named]
        return [f"firmware.backend={used[0]}"] if used else []
    return ["emit.format=component", f"emit.name={component_name(str(facts['component']))}"]


def _again(project: Path, question: Asked, out: Path) -> Path:
    identity = read_point(project).get("id")
    point = next((point for point in question.points() if point.id == identity), None)
    if point is None:
        raise NotOfTheRunError(f"{plain_line(str(identity))} is no board with this network: whose it is cannot be told")
    return emit(question, prepared(question, point), point, out)
