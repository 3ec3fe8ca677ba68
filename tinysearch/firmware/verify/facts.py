"""What the C files of a project say of the point, read back to be compared with candidate.json."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.core.cascade import Cascade
from tinysearch.firmware.emission import placeholder_threshold
from tinysearch.firmware.folder import MARKER
from tinysearch.metrics.cascade import SURE
from tinysearch.metrics.fusion import FUSION_FRACTION_BITS

_DEFINE = re.compile(r"^#define CANDIDATE_(\w+) (.+?)(?: /\*.*)?$", re.MULTILINE)
_ENUM = re.compile(r"^    \w+?_(INPUT_BYTES|EMBEDDING) = (\d+),(?: /\* values of (\w+) \*/)?", re.MULTILINE)
_MODEL_ID = re.compile(r"^#define \w+_ID UINT32_C\((0x[0-9a-fA-F]+)\)", re.MULTILINE)
_BRANCHES = re.compile(r"branches\[CANDIDATE_BRANCHES\] = \{([^}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedBranch:
    """One branch as the application sees it.

    Attributes:
        name: of its input.
        input_bytes, embedding: of its network; the embedding in values.
        is_float: whether these are float32, else int8.
        weight: of its cosine in the score, with ``FUSION_FRACTION_BITS``; None where cosines are added as they are.
    """

    name: str
    input_bytes: int
    embedding: int
    is_float: bool
    weight: int | None


def read_point(folder: Path) -> dict[str, Any]:
    """candidate.json of a project."""
    point: dict[str, Any] = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    return point


def accepting_score(point: Mapping[str, Any]) -> int:
    """The threshold that candidate.json states, or the placeholder of a point without known error rates."""
    threshold = point["firmware_facts"]["threshold"]
    return placeholder_threshold(len(point["branches"])) if threshold is None else int(threshold)


def cascade_of(point: Mapping[str, Any]) -> Cascade | None:
    """The cascade that candidate.json states; None where all branches always run.

    Raises:
        KeyError, ValueError: it is stated in part.
    """
    fusion = point.get("fusion")
    if fusion is None:
        return None
    return Cascade(
        first=fusion["first"],
        reject_below=int(fusion["thresholds"]["reject_below"]),
        accept_from=int(fusion["thresholds"]["accept_from"]),
        runs=float(fusion["second_runs"]["genuine"]),
        impostor_runs=float(fusion["second_runs"]["impostor"]),
    )


def branch_order(folder: Path) -> list[str]:
    """Names of the branches in the order of the application, which is that of files in its commands.

    Raises:
        ValueError: main/candidate.c does not list them.
    """
    found = _BRANCHES.search((folder / "main/candidate.c").read_text(encoding="utf-8"))
    if found is None:
        raise ValueError("main/candidate.c lists no branches")
    return [word.strip().removeprefix("&model_") for word in found.group(1).split(",")]


def branch_sizes(folder: Path, name: str) -> dict[str, tuple[int, str]]:
    """``INPUT_BYTES`` and ``EMBEDDING`` of a branch, with the type of its values, as its header states them."""
    text = (folder / f"components/model_{name}/include/model_{name}.h").read_text(encoding="utf-8")
    return {key: (int(number), kind) for key, number, kind in _ENUM.findall(text)}


def embeds_floats(point: Mapping[str, Any], name: str) -> bool:
    """Whether the embedding of a branch is float32: that of its arithmetic, unless candidate.json says otherwise."""
    stated = point["firmware_facts"]["branches"][name].get("embedding_type", point["branches"][name]["precision"])
    return bool(stated == "float32")


def file_bytes(values: npt.NDArray[np.int8]) -> bytes:
    """Inputs, or embeddings that stand for them, as a file of inputs holds them: each byte is the value + 128."""
    return (values.astype(np.int16) + 128).astype(np.uint8).tobytes()


def locked_branches(folder: Path, point: Mapping[str, Any]) -> tuple[LockedBranch, ...]:
    """The branches in the order of the application, with the weights of candidate.json.

    Raises:
        ValueError, KeyError: a file that does not say what it should.
    """
    weights = point["firmware_facts"]["fusion_weights"]
    found = []
    for name in branch_order(folder):
        values = branch_sizes(folder, name)
        found.append(
            LockedBranch(
                name=name,
                input_bytes=values["INPUT_BYTES"][0],
                embedding=values["EMBEDDING"][0],
                is_float=values["EMBEDDING"][1] == "float",
                weight=int(weights[name]) if weights else None,
            )
        )
    return tuple(found)


def contradictions(folder: Path, point: Mapping[str, Any]) -> Iterator[str]:
    """Where main/candidate.h, main/candidate.c and the headers of the networks differ from candidate.json."""
    facts = point["firmware_facts"]
    text = (folder / "main/candidate.h").read_text(encoding="utf-8")
    given = dict(_DEFINE.findall(text))
    order = branch_order(folder)
    weights = facts["fusion_weights"]
    wanted = {
        "ID": json.dumps(point["id"]),
        "TRAINED": str(int(facts["trained"])),
        "BRANCHES": str(len(point["branches"])),
        "TASKS": str(facts["tasks"]),
        "PEOPLE": str(facts["people"]),
        "CAPTURES": str(facts["captures"]),
        "THRESHOLD": f"INT32_C({accepting_score(point)})",
        "STRICTER_THRESHOLD": f"INT32_C({int(facts['stricter_threshold'])})",
    }
    if weights:
        wanted["WEIGHTS"] = f"{{ {', '.join(str(weights[name]) for name in order)} }}"
        wanted["WEIGHT_BITS"] = str(FUSION_FRACTION_BITS)
    elif "WEIGHTS" in given:
        yield "main/candidate.h weighs the branches, candidate.json does not"
    cascade = cascade_of(point)
    if cascade is not None:
        wanted["FIRST"] = str(order.index(cascade.first)) if cascade.first in order else cascade.first
        wanted["REJECT_BELOW"] = f"INT32_C({cascade.reject_below})"
        wanted["ACCEPT_FROM"] = f"INT32_C({cascade.accept_from})"
        wanted["SURE"] = f"INT32_C({SURE})"
    elif "FIRST" in given:
        yield "main/candidate.h has a cascade, candidate.json has none"
    cores = point["platform"].get("branch_cores")
    if cores is not None:
        wanted["BRANCH_CORES"] = str(cores)
    elif "BRANCH_CORES" in given:
        yield "main/candidate.h shares steps between cores, candidate.json does not"
    for key, value in wanted.items():
        if given.get(key) != value:
            yield f"main/candidate.h has CANDIDATE_{key} {given.get(key)}, candidate.json {value}"
    if sorted(order) != sorted(point["branches"]):
        yield f"main/candidate.c has the branches {', '.join(order)}, candidate.json {', '.join(point['branches'])}"
        return
    for name in order:
        header = (folder / f"components/model_{name}/include/model_{name}.h").read_text(encoding="utf-8")
        model = [int(number, 16) for number in _MODEL_ID.findall(header)]
        if model != [int(facts["branches"][name]["model_id"], 16)]:
            yield f"model_{name}.h is of another network than candidate.json"
