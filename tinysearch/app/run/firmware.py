"""Firmware of points: which ones, with whose weights, into which folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from tinysearch.app.building.training import build_errors, clip_s_of
from tinysearch.app.building.wiring import Config, build_backend, build_models
from tinysearch.app.config.resources import data_dir, processors, usable_cache
from tinysearch.app.config.tasks import task_of
from tinysearch.app.run.setup import Setup
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.error_rates import ErrorEvidence
from tinysearch.core.errors import TinysearchError, UserError, WritingError
from tinysearch.core.evaluation import Evaluation
from tinysearch.core.program import FrozenNetwork
from tinysearch.core.task import Task
from tinysearch.data.log_mel import LogMelSettings
from tinysearch.data.samples import AudioOptions
from tinysearch.distribution import installed_version
from tinysearch.evaluation.analytic import AnalyticModels
from tinysearch.evaluation.answers import Decider, placeholder_classifier, placeholder_detector
from tinysearch.evaluation.source import ErrorSource
from tinysearch.evaluation.trained import TrainedErrors
from tinysearch.files import writing
from tinysearch.firmware.bmi270 import read_program
from tinysearch.firmware.emission import reads_accelerometer
from tinysearch.firmware.golden import pattern_inputs
from tinysearch.firmware.identifiers import component_name
from tinysearch.firmware.integer_network import run
from tinysearch.firmware.onnx_graph import write_networks
from tinysearch.firmware.project import emit
from tinysearch.firmware.untrained import untrained
from tinysearch.firmware.verify import Rung, component, driver_of, host, project_rules
from tinysearch.firmware.verify.objects import shared_objects
from tinysearch.inputs.microphone import Microphone

_FORMATS = ("esp_idf", "component", "onnx")


def top_of(config: Config, *, evidence: ErrorEvidence, available: int) -> int:
    """How many points of a front to emit: ``all``, ``none``, a number, or ``auto`` (all where branches were trained).

    Raises:
        UserError: none of these.
    """
    top = config["emit"]["top"]
    if top == "auto":
        return available if evidence == "trained" else 0
    if top in ("all", "none", None):
        return available if top == "all" else 0
    if not isinstance(top, int) or isinstance(top, bool) or top < 0:
        raise UserError("emit.top must be all, none, auto or a number of points", value=top, remedy="write emit.top=3")
    return min(top, available)


def component_of(config: Config) -> str | None:
    """Name of the library to emit instead of a project; None for a project.

    Raises:
        UserError: an unknown format, or a name that no library can have.
    """
    form = config["emit"]["format"]
    if form not in _FORMATS:
        raise UserError(
            f"emit.format must be one of {', '.join(_FORMATS)}", value=form, remedy="write emit.format=component"
        )
    return component_name(str(config["emit"]["name"])) if form == "component" else None


def bmi270_config_of(config: Config, task: Task) -> bytes:
    """What a BMI270 is loaded with; empty where nothing is given.

    Raises:
        UserError: a file without a program, a task without an accelerometer, or a library, which reads no sensor.
    """
    given = config["emit"].get("bmi270_config")  # runs that were started before there was one have none
    if given is None:
        return b""
    felt = any(reads_accelerometer(own.kind) for own in task.inputs)
    if not felt or config["emit"]["format"] != "esp_idf":
        raise UserError(
            "emit.bmi270_config must go into a project (emit.format=esp_idf) of a task with motions or a signal",
            value=f"task={task.name} emit.format={config['emit']['format']}",
            remedy="leave emit.bmi270_config out",
        )
    return read_program(Path(str(given)))


def check_format(config: Config) -> None:
    """Refuse, before a search begins, what its firmware cannot be emitted as.

    Raises:
        UserError: an unknown format, a wrong name, or ONNX, which is no firmware that could be verified; see also
            :func:`bmi270_config_of`.
    """
    component_of(config)
    bmi270_config_of(config, task_of(config))
    if config["emit"]["format"] == "onnx":
        raise UserError(
            "emit.format of a search must be esp_idf or component",
            value="onnx",
            remedy="add emit.format=onnx to emit run_dir=DIR id=ID out=DIR when the search is done",
        )


def emit_point(setup: Setup, evaluation: Evaluation, target: Path) -> Path:
    """Write the project of a point of a run; branches that were not trained get seeded random weights, marked so."""
    return _emit(setup.config, setup.models, setup.errors, evaluation, target)


def emit_front(
    setup: Setup, evaluations: Sequence[Evaluation], folder: Path, *, say: Callable[[str], None]
) -> dict[str, tuple[Rung, ...]]:
    """Write the projects of a front's first points and verify each; rungs by id, empty where verifying is off.

    Boards that carry the same networks have the same sources on the host, which are built and run once.
    """
    count = top_of(setup.config, evidence=setup.errors.evidence, available=len(evaluations))
    library = component_of(setup.config) is not None
    drive = driver_of(setup.models.task.decision)
    rules = component.layouts if library else project_rules.project
    rungs: dict[str, tuple[Rung, ...]] = {}
    if not count:
        return rungs
    with (
        ThreadPoolExecutor(max_workers=processors()) as pool,
        shared_objects(workers=processors(), kept=_kept_objects(setup.config)) as objects,
    ):
        hosts: dict[str, Future[Rung]] = {}
        waiting: list[tuple[str, Path, tuple[Future[Rung], ...] | None]] = []
        for evaluation in evaluations[:count]:
            try:
                project = emit_point(setup, evaluation, folder / evaluation.candidate.id)
            except WritingError:
                raise
            except TinysearchError as error:  # the other points are as good as they were
                say(f"no firmware for {evaluation.candidate.id}: {error}")
                continue
            checked: tuple[Future[Rung], ...] | None = None
            if setup.config["emit"]["verify"]:
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


def _kept_objects(config: Config) -> Path | None:
    """Folder of compiled objects in the cache; None where it cannot be written: they are compiled again."""
    try:
        return usable_cache(config["cache"]["dir"]) / "objects"
    except WritingError:
        return None


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
    return _emit(config, build_models(config), build_errors(config), evaluation, target)


def _emit(config: Config, models: AnalyticModels, errors: ErrorSource, evaluation: Evaluation, target: Path) -> Path:
    candidate = evaluation.candidate
    modalities = [branch.modality for branch in candidate.branches]
    component = component_of(config)
    bmi270_config = bmi270_config_of(config, models.task)
    executed = models.executing(candidate.platform.execution)
    networks = {branch.modality: _network(config, executed, errors, branch) for branch in candidate.branches}
    if config["emit"]["format"] == "onnx":
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
            board=models.board_option(candidate.platform.board, modalities),
            sound=None if heard is None else sound_of(config, heard),
            decider=_decider(models, errors, evaluation, networks),
            task=models.task,
            backend=build_backend(config),
            component=component,
            bmi270_config=bmi270_config,
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


def _network(config: Config, models: AnalyticModels, errors: ErrorSource, branch: BranchSpec) -> FrozenNetwork:
    """A branch with its weights, executed as it was planned: what was trained knows of no bands and shared steps."""
    program = models.needs(branch).program
    for memo in errors.memos:
        if memo.has(branch):
            found = memo.network(branch)
            executed = replace(found.program, bands=program.bands, shared=program.shared)
            return replace(found, program=executed) if program.bands or program.shared else found
    return untrained(program, config["seed"])


def sound_of(config: Config, branch: BranchSpec) -> LogMelSettings:
    """The front-end of a branch with a microphone, as its data set would set it."""
    audio = dict(config["data"].get("audio", {}))
    return AudioOptions(clip_s=clip_s_of(task_of(config)), **audio).settings(branch.input_size)


def _digest(networks: dict[str, FrozenNetwork]) -> str:
    """Of every weight, so that boards with the same networks carry the same sources."""
    hashed = hashlib.sha256()
    for modality in sorted(networks):
        for step, values in sorted(networks[modality].parameters.items()):
            for key, array in sorted(values.items()):
                hashed.update(f"{modality}.{step}.{key}".encode())
                hashed.update(array.tobytes())
    return hashed.hexdigest()[:16]
