"""The ladder of checks for an emitted project.

Files as they were emitted, host, sanitizers, lock, target instruction set, a model of the chip's vector unit, depth of
stacks, error rate on held-out people, ESP-IDF's rules, ESP-IDF.

Nothing is written into the project: every build goes to a temporary folder. A rung whose tools are missing is
reported as ``not run`` with what to install, never as passed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from tinysearch.catalog.idf_options import IdfOptions
from tinysearch.core.errors import UserError
from tinysearch.core.task import Decision
from tinysearch.files import real_path
from tinysearch.firmware.folder import MARKER, is_ours
from tinysearch.firmware.networks.project import KIND as NETWORK
from tinysearch.firmware.networks.project import REQUIRED
from tinysearch.firmware.verify.again import OF_A_NETWORK, OF_A_RUN, Again, as_the_run_emits
from tinysearch.firmware.verify.emitted import Package, as_emitted
from tinysearch.firmware.verify.facts import read_point
from tinysearch.firmware.verify.objects import Objects
from tinysearch.firmware.verify.own_code import NAME as CODE
from tinysearch.firmware.verify.own_code import only_ours
from tinysearch.firmware.verify.rung import Rung

__all__ = ["Package", "Rung", "driver_of", "verify"]

logger = logging.getLogger(__name__)


DRIVEN: Mapping[Decision, str] = {"verification": "lock", "classification": "classify", "anomaly": "anomaly"}
"""The rung that drives the application, by decision."""


_READING = ("project", "layout")
"""Rungs after ``code`` that compile nothing."""

Ladder = tuple[tuple[str, Callable[[Path], Rung]], ...]
"""Rungs by name, in the order in which they are climbed."""


class Driver(Protocol):
    """Drives the application of a project with stand-ins for its networks."""

    def __call__(self, project: Path, *, objects: Objects | None = None) -> Rung: ...


def driver_of(decision: Decision) -> Driver:
    """What drives the application of a decision."""
    from tinysearch.firmware.verify import anomaly, classes, lock

    drivers: dict[Decision, Driver] = {
        "verification": lock.drive,
        "classification": classes.drive,
        "anomaly": anomaly.drive,
    }
    return drivers[decision]


def verify(
    path: Path,
    *,
    quick: bool = False,
    held_out: Callable[[], Any] | None = None,
    package: Package | None = None,
    again: Again | None = None,
    accept: Sequence[str] = (),
    options: IdfOptions | None = None,
) -> Sequence[Rung]:
    """Climb the ladder.

    Args:
        path: folder of an emitted project.
        quick: the rungs that take seconds: files, code, host build, lock and project rules.
        held_out: loads the people or samples by whom the project's networks were judged, or raises UserError; without
            it the rungs ``eer``, ``eer_rv32`` and ``error`` are not run.
        package: what emits projects here; None compares files with candidate.json alone, has no rung ``code``, and
            compiles and runs whatever the project has.
        again: emits the point once more from the run that it comes from, or the project of a network of one's own from
            the network's file; without it the rung ``run`` is not run.
        accept: paths, or patterns of paths, of files that were changed on purpose.
        options: that versions of ESP-IDF take, for a machine without ESP-IDF.

    Returns:
        One result a rung, in order: ``files``, ``run``, ``code``, ``host``, ``sanitizers``, ``lock``, ``rv32``,
        ``simd``, ``stack``, ``eer``, ``eer_rv32``, ``project``, ``idf``; with ``quick`` only ``files``, ``code``,
        ``host``, ``lock`` and ``project``. A classification has ``classify`` for ``lock``, an anomaly task ``anomaly``,
        and both have ``error`` for the two of the EER. A library has ``files``, ``run``, ``code``, ``host``,
        ``sanitizers`` and ``layout``, a network of one's own ``files``, ``run``, ``code``, ``host``, ``sanitizers``,
        ``rv32``, ``simd``, ``project`` and ``idf``. Where ``code`` does not pass, nothing is compiled after it.

    Raises:
        UserError: not a project of this generator.
    """
    from tinysearch.firmware.verify import anomaly, classes, emulator, host, idf, project_rules, stack
    from tinysearch.firmware.verify import held_out as people
    from tinysearch.firmware.verify.simd import project as simd

    project = real_path(path)
    if not is_ours(project):
        raise UserError(
            f"verify must be given the folder of an emitted project, with its {MARKER}",
            value=path,
            remedy="write one with python -m tinysearch emit out=DIR ...",
        )
    point = read_point(project)
    of_network = point.get("kind") == NETWORK
    if of_network and package is not None:
        package = replace(package, project=NETWORK)
    lacking = OF_A_NETWORK if of_network else OF_A_RUN
    emitted: Ladder = (
        ("files", partial(as_emitted, package=package, accept=accept)),
        ("run", partial(as_the_run_emits, again=again, package=package, accept=accept, lacking=lacking)),
        *_code(package, accept),
    )
    if "component" in point["firmware_facts"]:
        return _climbed(project, _of_library(emitted), kept=("host", "layout") if quick else None)
    if of_network:
        return _climbed(project, _of_network(emitted, options), kept=("host", "project") if quick else None)
    decision: Decision = point.get("decision", "verification")
    rates: dict[Decision, tuple[tuple[str, Callable[[Path], Rung]], ...]] = {
        "verification": (
            ("eer", partial(people.error_rate, source=held_out)),
            ("eer_rv32", partial(people.sampled_error_rate, source=held_out)),
        ),
        "classification": (("error", partial(classes.error_rate, source=held_out)),),
        "anomaly": (("error", partial(anomaly.error_rate, source=held_out)),),
    }
    driven = DRIVEN[decision]
    full: Ladder = (
        *emitted,
        ("host", host.golden_vectors),
        ("sanitizers", host.sanitizers),
        (driven, driver_of(decision)),
        ("rv32", emulator.target_instruction_set),
        ("simd", simd.vector_kernels),
        ("stack", stack.stacks),
        *rates[decision],
        ("project", project_rules.project),
        ("idf", partial(idf.build, options=options)),
    )
    return _climbed(project, full, kept=("host", driven, "project") if quick else None)


def _of_library(emitted: Ladder) -> Ladder:
    """The rungs of a library of networks alone."""
    from tinysearch.firmware.verify import component

    return (
        *emitted,
        ("host", component.golden_vectors),
        ("sanitizers", component.sanitizers),
        ("layout", component.layouts),
    )


def _code(package: Package | None, accept: Sequence[str]) -> Ladder:
    return () if package is None else ((CODE, partial(only_ours, package=package, accept=accept)),)


def _of_network(emitted: Ladder, options: IdfOptions | None) -> Ladder:
    """The rungs of a network of one's own: it decides nothing, so its bytes, files and builds are all there is."""
    from tinysearch.firmware.verify import emulator, host, idf, project_rules
    from tinysearch.firmware.verify.simd import project as simd

    return (
        *emitted,
        ("host", host.golden_vectors),
        ("sanitizers", host.sanitizers),
        ("rv32", emulator.target_instruction_set),
        ("simd", simd.vector_kernels),
        ("project", partial(project_rules.project, required=REQUIRED)),
        ("idf", partial(idf.build, options=options)),
    )


def _climbed(project: Path, ladder: Ladder, *, kept: Sequence[str] | None) -> Sequence[Rung]:
    """All rungs, or ``files``, ``code`` and those that are kept; nothing is compiled before its code is known."""
    rungs: dict[str, Rung] = {}
    for name, climb in ladder:
        if kept is not None and name not in (*kept, "files", CODE):
            continue
        if name == CODE and all(_passed(rungs, known) for known in ("files", "run")):
            rung = Rung(name=CODE, status="passed", detail="what is compiled here is what its run emits")
        elif CODE in rungs and not _passed(rungs, CODE) and name not in _READING:
            rung = Rung(name=name, status="not run", detail=f"not run: compiles what the rung {CODE} does not know")
        else:
            rung = climb(project)
        logger.info("%s %s: %s", rung.name, rung.status, rung.detail)
        rungs[name] = rung
    return tuple(rungs.values())


def _passed(rungs: Mapping[str, Rung], name: str) -> bool:
    return name in rungs and rungs[name].status == "passed"
