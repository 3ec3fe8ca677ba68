"""Firmware of points: which ones, with whose weights, into which folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from tinysearch.app.building.errors import build_errors
from tinysearch.app.building.wiring import Config, build_models
from tinysearch.app.config.resources import data_dir, processors
from tinysearch.app.run.emit_settings import EmitSettings, emit_settings
from tinysearch.app.run.setup import Setup
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import TinysearchError, WritingError
from tinysearch.core.evaluation import Evaluation
from tinysearch.core.program import FrozenNetwork
from tinysearch.distribution import installed_version
from tinysearch.evaluation.analytic import AnalyticModels
from tinysearch.evaluation.answers import Decider, placeholder_classifier, placeholder_detector
from tinysearch.evaluation.source import ErrorSource
from tinysearch.evaluation.trained import TrainedErrors
from tinysearch.files import writing
from tinysearch.firmware.golden import pattern_inputs
from tinysearch.firmware.integer_network import run
from tinysearch.firmware.onnx_graph import write_networks
from tinysearch.firmware.project import emit
from tinysearch.firmware.untrained import untrained
from tinysearch.firmware.verify import Rung, component, driver_of, host, project_rules
from tinysearch.firmware.verify.objects import shared_objects
from tinysearch.inputs.microphone import Microphone


def emit_point(setup: Setup, settings: EmitSettings, evaluation: Evaluation, target: Path) -> Path:
    """Write the project of a point of a run; branches that were not trained get seeded random weights, marked so."""
    return _emit(settings, setup.models, setup.errors, evaluation, target)


def emit_front(
    setup: Setup,
    settings: EmitSettings,
    evaluations: Sequence[Evaluation],
    folder: Path,
    *,
    say: Callable[[str], None],
) -> dict[str, tuple[Rung, ...]]:
    """Write the projects of a front's first points and verify each; rungs by id, empty where verifying is off.

    Boards that carry the same networks have the same sources on the host, which are built and run once.
    """
    count = settings.points_of(len(evaluations), evidence=setup.errors.evidence)
    library = settings.component is not None
    drive = driver_of(setup.models.task.decision)
    rules = component.layouts if library else project_rules.project
    rungs: dict[str, tuple[Rung, ...]] = {}
    if not count:
        return rungs
    with (
        ThreadPoolExecutor(max_workers=processors()) as pool,
        shared_objects(workers=processors(), kept=settings.kept_objects()) as objects,
    ):
        hosts: dict[str, Future[Rung]] = {}
        waiting: list[tuple[str, Path, tuple[Future[Rung], ...] | None]] = []
        for evaluation in evaluations[:count]:
            try:
                project = emit_point(setup, settings, evaluation, folder / evaluation.candidate.id)
            except WritingError:
                raise
            except TinysearchError as error:  # the other points are as good as they were
                say(f"no firmware for {evaluation.candidate.id}: {error}")
                continue
            checked: tuple[Future[Rung], ...] | None = None
            if settings.verify:
                digest = _host_digest(project)
                if digest not in hosts:
                    check = component.golden_vectors if library else host.golden_vectors
                    hosts[digest] = pool.submit(check, project, objects=objects)
                checked = (hosts[digest],) if library else (hosts[digest], pool.submit(drive, project, objects=objects))
            waiting.append((evaluation.candidate.id, project, checked))
        for number, (name, project, checked) in enumerate(waiting, start=1):
            rungs[name] = ()
            if checked is not None:
                rungs[name] = (*(rung.result() for rung in checked), rules(project))
            told = ", ".join(f"{rung.name} {rung.status}" for rung in rungs[name])
            say(f"firmware {number}/{count}: {name} {told}".rstrip())
    return rungs


def _host_digest(project: Path) -> str:
    """Of everything that the host build reads."""
    hashed = hashlib.sha256()
    for part in ("components", "host", "src", "examples"):
        for path in sorted((project / part).rglob("*")):
            if path.is_file():
                hashed.update(str(path.relative_to(project)).encode())
                hashed.update(path.read_bytes())
    return hashed.hexdigest()


def emit_candidate(config: Config, evaluation: Evaluation, target: Path) -> Path:
    """Write the project of one spelled-out candidate with the configured trainer's weights, as far as it has them."""
    return _emit(emit_settings(config), build_models(config), build_errors(config), evaluation, target)


def _emit(
    settings: EmitSettings, models: AnalyticModels, errors: ErrorSource, evaluation: Evaluation, target: Path
) -> Path:
    candidate = evaluation.candidate
    executed = models.executing(candidate.platform.execution)
    networks = {b.modality: _network(executed, errors, b, seed=settings.seed) for b in candidate.branches}
    if settings.format == "onnx":
        with writing(target):
            return write_networks(networks, target, version=installed_version())
    heard = next((b for b in candidate.branches if isinstance(models.task.input(b.modality).kind, Microphone)), None)
    with writing(target):
        return emit(
            evaluation,
            networks,
            chip=models.catalog.chip(candidate.platform.processor),
            out=target,
            templates=data_dir("firmware_templates"),
            version=installed_version(),
            digest=_digest(networks),
            board=models.board_option(candidate.platform.board, list(networks)),
            sound=None if heard is None else settings.audio.settings(heard.input_size, frames=heard.frames),
            decider=_decider(models, errors, evaluation, networks),
            task=models.task,
            backend=settings.backend,
            component=settings.component,
            bmi270_config=settings.bmi270_config,
        )


def _decider(
    models: AnalyticModels, errors: ErrorSource, evaluation: Evaluation, networks: Mapping[str, FrozenNetwork]
) -> Decider | None:
    """What a classification or an anomaly task decides by, without a meaning where nothing was trained."""
    task, branches, point = models.task, evaluation.candidate.branches, evaluation.operating_point
    if task.decision == "verification":
        return None
    if isinstance(errors, TrainedErrors) and all(errors.knows(branch) for branch in branches):
        return errors.decider(branches, stream=task.stream, far=None if point is None else point.far)
    drawn = {}
    for modality, network in networks.items():
        shape = network.program.network.input_shape
        drawn[modality] = run(network, pattern_inputs((shape.height, shape.width, shape.channels)))
    placeholder = placeholder_classifier if task.decision == "classification" else placeholder_detector
    return placeholder(drawn, stream=task.stream)


def _network(models: AnalyticModels, errors: ErrorSource, branch: BranchSpec, *, seed: int) -> FrozenNetwork:
    """A branch with its weights, executed as it was planned: what was trained knows of no bands and shared steps."""
    program = models.needs(branch).program
    for memo in errors.memos:
        if memo.has(branch):
            found = memo.network(branch)
            executed = replace(found.program, bands=program.bands, shared=program.shared)
            return replace(found, program=executed) if program.bands or program.shared else found
    return untrained(program, seed)


def _digest(networks: dict[str, FrozenNetwork]) -> str:
    """Of every weight, so that boards with the same networks carry the same sources."""
    hashed = hashlib.sha256()
    for modality in sorted(networks):
        for step, values in sorted(networks[modality].parameters.items()):
            for key, array in sorted(values.items()):
                hashed.update(f"{modality}.{step}.{key}".encode())
                hashed.update(array.tobytes())
    return hashed.hexdigest()[:16]
