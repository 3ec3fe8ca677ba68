"""The rung that drives the application: who is accepted, who is rejected, when it locks, and what opens it.

The program is the project's ``main/`` with stand-ins for its networks and its clock (``make -C host scripted``): an
embedding is the first bytes of an input, so that captures can be drawn whose scores lie close about the threshold of
candidate.json, and a line ``ahead S`` moves the clock. So a threshold, a comparison, a weight or a lock-out that was
changed answers otherwise than it must.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.core.cascade import Cascade
from tinysearch.core.quantization import COSINE_FRACTION_BITS
from tinysearch.firmware.golden import cosine
from tinysearch.firmware.verify.facts import (
    LockedBranch,
    accepting_score,
    cascade_of,
    contradictions,
    file_bytes,
    locked_branches,
    read_point,
)
from tinysearch.firmware.verify.host import INSTALL, TOOLS
from tinysearch.firmware.verify.objects import TIMEOUT_S, Objects, at_hand
from tinysearch.firmware.verify.rung import Rung, WrongAnswerError, climbed, not_run, run_tool
from tinysearch.metrics.cascade import SURE, fused
from tinysearch.metrics.fusion import FUSION_FRACTION_BITS

LEAST_LOCKOUT_S, MOST_ATTEMPTS, LONGEST_LOCKOUT_S = 10, 10, 86_400
"""What a lock may be configured to, and how long a lock-out may become."""

PROBES = 4
"""Captures on each side of the threshold."""

_DRAWS = 400
_ONE = 1 << COSINE_FRACTION_BITS
_MARGIN = 32
"""Of 2^20: what rounding can move a float score by."""

_BOOLEANS = ("TS_FEED", "TS_DEBUG_SCORES", "TS_STRICTER")
_NUMBERS = ("TS_ATTEMPTS", "TS_LOCKOUT_S", "TS_OPEN_S", "TS_THRESHOLD")
_PIN, _WRONG_PIN = "471108", "471107"
_NAME = "ann"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """A line typed, and a pattern that the answer must match as a whole; "" for lines that are not answered."""

    typed: str
    answer: str


def drive(project: Path, *, objects: Objects | None = None) -> Rung:
    """Compare main/ with candidate.json, compile it and drive it."""
    lacking = not_run("lock", TOOLS, install=INSTALL)
    return lacking or climbed("lock", lambda: _drive(project, objects))


def _drive(project: Path, objects: Objects | None) -> str:
    point = read_point(project)
    for problem in contradictions(project, point):
        raise WrongAnswerError(problem)
    options = configuration(project)
    for problem in dangers(options, emitted=accepting_score(point)):
        raise WrongAnswerError(problem)
    branches = locked_branches(project, point)
    with tempfile.TemporaryDirectory(prefix="tinysearch-lock-") as name:
        folder = Path(name)
        with at_hand(objects) as shared:
            _build(project, folder, options, shared)
        probes = _captures(folder, branches, _configured_score(point, options), cascade=cascade_of(point))
        _converse(folder, probes, options, refusal=_refusal(project))
    return (
        f"{2 * PROBES} captures about the threshold judged right; locked after {options['TS_ATTEMPTS']} failures for "
        f"{options['TS_LOCKOUT_S']} s, then twice as long, over a restart too; opened by acceptance and PIN alone"
    )


def _refusal(project: Path) -> str:
    """What a capture without signal is answered: pictures and recordings are judged, of all else the embeddings are."""
    judged = any((project / f"main/input_{kind}.c").is_file() for kind in ("camera", "microphone"))
    return "this capture .*" if judged else "the networks make nothing of this capture"


def _build(project: Path, folder: Path, options: Mapping[str, int], objects: Objects) -> None:
    defines = [f"-DCONFIG_{key}={options[key]}" for key in (*_NUMBERS, "TS_STRICTER")]
    built = objects.link(project / "host", folder / "lock", goal="list-scripted", options=["-O1", *defines])
    if not built.passed:
        raise WrongAnswerError(built.reason(timeout_s=TIMEOUT_S))


# ---- configuration ----


def configuration(project: Path) -> dict[str, int]:
    """Options of the lock as a build of this project would take them: defaults of Kconfig, then sdkconfig files.

    Raises:
        ValueError: an option without a default.
    """
    kconfig = (project / "main/Kconfig.projbuild").read_text(encoding="utf-8")
    options = {}
    for key in (*_BOOLEANS, *_NUMBERS):
        found = re.search(rf"^\s*config {key}\n(?:(?!^\s*config ).*\n)*?\s*default (\w+)\s*$", kconfig, re.MULTILINE)
        if found is None:
            raise ValueError(f"main/Kconfig.projbuild must give {key} one default")
        options[key] = _option(found.group(1))
    for path in (*sorted(project.glob("sdkconfig.defaults*")), project / "sdkconfig"):
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        for key, value in re.findall(r"^CONFIG_(TS_\w+)=(\w+)$", text, re.MULTILINE):
            if key in options:
                options[key] = _option(value)
    return options


def _option(text: str) -> int:
    return {"y": 1, "n": 0}[text] if text in ("y", "n") else int(text)


def _configured_score(point: Mapping[str, Any], options: Mapping[str, int]) -> int:
    """The threshold that decides under these options."""
    chosen = int(point["firmware_facts"]["stricter_threshold"]) if options["TS_STRICTER"] else accepting_score(point)
    return options["TS_THRESHOLD"] or chosen


def dangers(options: Mapping[str, int], *, emitted: int) -> Iterator[str]:
    """Options that a device which guards something must not have; ``emitted`` is the project's own threshold."""
    if 0 < options["TS_THRESHOLD"] < emitted:
        yield f"CONFIG_TS_THRESHOLD must be {emitted} or more in a lock, or 0, got {options['TS_THRESHOLD']}"
    if options["TS_FEED"]:
        yield "CONFIG_TS_FEED must be off in a lock: whoever reaches the console presents any picture or sound"
    if options["TS_DEBUG_SCORES"]:
        yield "CONFIG_TS_DEBUG_SCORES must be off in a lock: whoever reads scores can climb to the threshold"
    if not 1 <= options["TS_ATTEMPTS"] <= MOST_ATTEMPTS:
        yield f"CONFIG_TS_ATTEMPTS must be 1 to {MOST_ATTEMPTS} in a lock, got {options['TS_ATTEMPTS']}"
    if not LEAST_LOCKOUT_S <= options["TS_LOCKOUT_S"] <= LONGEST_LOCKOUT_S:
        yield f"CONFIG_TS_LOCKOUT_S must be {LEAST_LOCKOUT_S} or more in a lock, got {options['TS_LOCKOUT_S']}"


# ---- captures with known scores ----


def _captures(
    folder: Path, branches: Sequence[LockedBranch], threshold: int, *, cascade: Cascade | None
) -> dict[bool, list[str]]:
    """Write the captures of a person and of strangers; words that name the files, by whether they must be accepted.

    The person's stand under ``enrolled``, their opposite under ``opposite``, one without signal under ``dead``. Of a
    cascade some are accepted and rejected by the first branch alone: the second one's file is not there.
    """
    random = np.random.default_rng(0)
    enrolled = [random.integers(-90, 91, branch.embedding).astype(np.int8) for branch in branches]
    goal = threshold if cascade is None else int(np.clip(threshold, -_ONE, _ONE))
    draws = list(_draws(random, branches, enrolled, goal))
    if cascade is not None:
        draws += list(_drawn_anywhere(random, enrolled))
    scored = [(_score(branches, enrolled, drawn, cascade), drawn) for drawn in draws]
    margin = _MARGIN if any(branch.is_float for branch in branches) else 0
    accepted = sorted((s for s in scored if s[0] >= threshold + margin), key=lambda s: s[0])[:PROBES]
    rejected = sorted((s for s in scored if s[0] < threshold - margin), key=lambda s: -s[0])[:PROBES]
    if len(accepted) < PROBES or len(rejected) < PROBES:
        told = "nobody can be accepted" if len(accepted) < PROBES else "everybody is accepted"
        raise WrongAnswerError(f"with the threshold {threshold} {told}")
    _write(folder, "enrolled", branches, enrolled, random)
    _write(folder, "opposite", branches, [-own for own in enrolled], random)
    for branch in branches:
        (folder / f"dead.{branch.name}.raw").write_bytes(bytes([100]) * branch.input_bytes)
    words: dict[bool, list[str]] = {True: [], False: []}
    for right, group in ((True, accepted), (False, rejected)):
        for number, (_, drawn) in enumerate(group):
            words[right].append(_write(folder, f"{'right' if right else 'wrong'}{number}", branches, drawn, random))
    if cascade is not None:
        _add_early(folder, branches, scored, words, random, first=cascade.first)
    return words


def _drawn_anywhere(
    random: np.random.Generator, enrolled: Sequence[npt.NDArray[np.int8]]
) -> Iterator[list[npt.NDArray[np.int8]]]:
    """Embeddings whose cosines to the enrolled ones have nothing to do with each other."""
    for _ in range(_DRAWS):
        yield [_turned(random, own, random.uniform(-0.95, 0.95)) for own in enrolled]


def _add_early(
    folder: Path,
    branches: Sequence[LockedBranch],
    scored: Sequence[tuple[int, list[npt.NDArray[np.int8]]]],
    words: dict[bool, list[str]],
    random: np.random.Generator,
    *,
    first: str,
) -> None:
    """Captures that the first branch of a cascade judges alone, as close to its thresholds as was drawn."""
    for right in (True, False):
        sure = [(score if right else -score, drawn) for score, drawn in scored if abs(score) >= SURE - _ONE]
        sure = sorted((pair for pair in sure if pair[0] > 0), key=lambda pair: pair[0])[:1]
        for _, drawn in sure:
            name = f"{'sure' if right else 'unlike'}"
            _write(folder, name, branches, drawn, random)
            own = [f"{name}.{branch.name}.raw" if branch.name == first else "absent.raw" for branch in branches]
            words[right].append(" ".join(own))
    for right in (True, False):  # as many of each, so that they go in pairs
        words[right] += words[right][:1] * (len(words[not right]) - len(words[right]))


def _draws(
    random: np.random.Generator, branches: Sequence[LockedBranch], enrolled: Sequence[npt.NDArray[np.int8]], goal: int
) -> Iterator[list[npt.NDArray[np.int8]]]:
    """Embeddings of all branches whose scores against the enrolled ones lie about ``goal``, however they share it."""
    shares = np.array([1.0 if b.weight is None else b.weight / (1 << FUSION_FRACTION_BITS) for b in branches])
    order = np.argsort(shares, kind="stable")  # a branch that weighs nothing may have any cosine
    for _ in range(_DRAWS):
        cosines = np.zeros(len(branches))
        rest = goal / (1 << COSINE_FRACTION_BITS) + random.normal(0.0, 0.004)
        for place, index in enumerate(order[:-1]):
            others = float(shares[order[place + 1 :]].sum())  # the most that those after it can add
            low, high = ((rest + way * others) / max(shares[index], 1e-9) for way in (-1, 1))
            cosines[index] = random.uniform(np.clip(low, -1, 1), np.clip(high, -1, 1))
            rest -= shares[index] * cosines[index]
        cosines[order[-1]] = rest / shares[order[-1]]
        if abs(cosines[order[-1]]) <= 1.0:
            yield [_turned(random, own, value) for own, value in zip(enrolled, cosines, strict=True)]


def _turned(random: np.random.Generator, own: npt.NDArray[np.int8], value: float) -> npt.NDArray[np.int8]:
    """An embedding of about this cosine to ``own``."""
    along = own.astype(float)
    across = random.normal(0.0, 1.0, own.size)
    across -= along * (across @ along) / (along @ along)
    across *= np.sqrt((along @ along) / max(float(across @ across), 1e-9))
    turned = value * along + np.sqrt(max(0.0, 1.0 - value * value)) * across
    return np.asarray(np.rint(turned * min(1.0, 120.0 / np.abs(turned).max())), np.int8)


def _score(
    branches: Sequence[LockedBranch],
    left: Sequence[npt.NDArray[np.int8]],
    right: Sequence[npt.NDArray[np.int8]],
    cascade: Cascade | None,
) -> int:
    """As the firmware fuses cosines."""
    cosines, weights = {}, {}
    for branch, a, b in zip(branches, left, right, strict=True):
        value = cosine(a.astype(np.float32), b.astype(np.float32)) if branch.is_float else cosine(a, b)
        cosines[branch.name] = np.array([value], np.int64)
        if branch.weight is not None:
            weights[branch.name] = branch.weight
    return int(fused(cosines, weights=weights, cascade=cascade)[0])


def _write(
    folder: Path,
    name: str,
    branches: Sequence[LockedBranch],
    embeddings: Sequence[npt.NDArray[np.int8]],
    random: np.random.Generator,
) -> str:
    words = []
    for branch, embedding in zip(branches, embeddings, strict=True):
        content = bytearray(random.bytes(branch.input_bytes))
        content[: branch.embedding] = file_bytes(embedding)
        (folder / f"{name}.{branch.name}.raw").write_bytes(bytes(content[: branch.input_bytes]))
        words.append(f"{name}.{branch.name}.raw")
    return " ".join(words)


# ---- the conversation ----


def _converse(folder: Path, probes: Mapping[bool, Sequence[str]], options: Mapping[str, int], *, refusal: str) -> None:
    names = [word.split(".")[1] for word in probes[True][0].split()]
    files = {word: " ".join(f"{word}.{name}.raw" for name in names) for word in ("enrolled", "opposite", "dead")}
    _talk(folder, _judgments(probes, **files, refusal=refusal))
    _talk(folder, _worn_out(probes), variables={"TS_FLASH_WRITES": "0"})
    attempts, seconds = options["TS_ATTEMPTS"], options["TS_LOCKOUT_S"]
    right, wrong = f"verify - {probes[True][0]}", f"verify - {probes[False][0]}"
    failures = [_Step(typed=wrong, answer="OK verify nobody")] * attempts
    _talk(folder, [_Step(typed=right, answer=f"OK verify {_NAME}"), *failures, *_locked(right, seconds)])
    twice = min(2 * seconds, LONGEST_LOCKOUT_S)
    waited = _Step(typed=f"ahead {seconds + 1}", answer="")
    _talk(folder, [*_locked(right, seconds), waited, *failures, *_locked(right, twice)])
    _talk(folder, [*_locked(right, twice), _Step(typed=f"ahead {twice + 1}", answer=""), *_opening(probes, options)])
    if _PIN.encode() in (folder / "flash").read_bytes():
        raise WrongAnswerError("the PIN stands in the store as it was typed")


def _judgments(
    probes: Mapping[bool, Sequence[str]], *, enrolled: str, opposite: str, dead: str, refusal: str
) -> Iterator[_Step]:
    """An empty device, its first person, and captures about the threshold; no failure stands where this ends."""
    closed = "closed: .*"
    yield _Step(typed=f"verify - {enrolled}", answer="ERR verify: nobody is enrolled")
    yield _Step(typed=f"delete {_NAME}", answer=f"ERR delete: {closed}")
    yield _Step(typed=f"pin {_PIN}", answer=f"ERR pin: {closed}")
    yield _Step(typed=f"enroll {_NAME} {dead}", answer=f"ERR enroll {_NAME}: {refusal}")
    yield _Step(typed=f"enroll {_NAME} {enrolled}", answer=f"OK enroll {_NAME}")
    yield _Step(typed="close", answer="OK close")
    yield _Step(typed=f"enroll eve {probes[False][0]}", answer=f"ERR enroll: {closed}")
    yield _Step(typed=f"verify - {dead}", answer=f"ERR verify: {refusal}")
    yield _Step(typed=f"verify - {enrolled}", answer=f"OK verify {_NAME}")
    yield _Step(typed=f"verify - {opposite}", answer="OK verify nobody")
    yield _Step(typed=f"verify - {enrolled}", answer=f"OK verify {_NAME}")
    for right, wrong in zip(probes[True], probes[False], strict=True):
        yield _Step(typed=f"verify - {wrong}", answer="OK verify nobody")
        yield _Step(typed=f"ahead {LONGEST_LOCKOUT_S}", answer="")
        yield _Step(typed=f"delete {_NAME}", answer=f"ERR delete: {closed}")
        yield _Step(typed=f"verify {_NAME} {right}", answer=f"OK verify {_NAME}")
        yield _Step(typed=f"verify - {right}", answer=f"OK verify {_NAME}")


def _worn_out(probes: Mapping[bool, Sequence[str]]) -> Iterator[_Step]:
    yield _Step(typed=f"verify - {probes[True][0]}", answer="ERR verify: no attempt is allowed .*")
    yield _Step(typed=f"verify - {probes[False][0]}", answer="ERR verify: no attempt is allowed .*")


def _locked(right: str, seconds: int) -> Iterator[_Step]:
    """The right capture and the PIN find a device that has just been locked for so long."""
    yield _Step(typed=right, answer=rf"ERR verify: locked for ({seconds}|{seconds - 1}|{seconds - 2}) s")
    yield _Step(typed=f"owner {_PIN}", answer=r"ERR owner: locked for \d+ s")
    yield _Step(typed=f"delete {_NAME}", answer="ERR delete: closed: .*")


def _opening(probes: Mapping[bool, Sequence[str]], options: Mapping[str, int]) -> Iterator[_Step]:
    """After a lock-out: acceptance opens for a while, and so does the PIN."""
    yield _Step(typed=f"verify - {probes[True][0]}", answer=f"OK verify {_NAME}")
    yield _Step(typed=f"pin {_PIN}", answer="OK pin")
    yield _Step(typed=f"enroll bob {probes[False][0]}", answer="OK enroll bob")
    yield _Step(typed=f"ahead {options['TS_OPEN_S']}", answer="")
    yield _Step(typed="delete bob", answer="ERR delete: closed: .*")
    yield _Step(typed=f"owner {_WRONG_PIN}", answer="ERR owner: this is not the PIN")
    yield _Step(typed=f"ahead {LONGEST_LOCKOUT_S}", answer="")
    yield _Step(typed=f"owner {_PIN}", answer="OK owner")
    yield _Step(typed="delete bob", answer="OK delete bob")
    yield _Step(typed=f"delete {_NAME}", answer=f"OK delete {_NAME}")
    yield _Step(typed="close", answer="OK close")
    yield _Step(typed=f"enroll eve {probes[False][0]}", answer="ERR enroll: closed: .*")


def _talk(
    folder: Path, steps: Iterator[_Step] | Sequence[_Step], *, variables: Mapping[str, str] | None = None
) -> None:
    """One session of the program, with the store that the sessions before it left."""
    steps = list(steps)
    outcome = run_tool(
        (folder / "lock",),
        timeout_s=TIMEOUT_S,
        folder=folder,
        typed="".join(f"{step.typed}\n" for step in steps),
        variables={"TS_FLASH": str(folder / "flash"), **(variables or {})},
    )
    lines = outcome.text.splitlines()
    if not outcome.passed or "READY" not in lines:
        raise WrongAnswerError(f"the application ends with {outcome.reason(timeout_s=TIMEOUT_S)}")
    answers = [line for line in lines[lines.index("READY") + 1 :] if line.startswith(("OK ", "ERR "))]
    asked = [step for step in steps if step.answer]
    for step, answer in zip(asked, [*answers, *["nothing"] * len(asked)], strict=False):
        if re.fullmatch(step.answer, answer) is None:
            raise WrongAnswerError(f"to '{step.typed}' the application must say '{step.answer}', it says '{answer}'")
