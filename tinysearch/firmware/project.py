"""From a candidate with its networks to a folder that ``idf.py build`` builds: the emitter.

C logic is copied from ``firmware_templates`` as it is; what depends on the candidate (constants, sizes, lists of
sources) comes from templates. The same arguments give the same bytes.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from tinysearch.analytic.flash import decision_bytes
from tinysearch.analytic.together import served
from tinysearch.core.errors import UserError
from tinysearch.core.evaluation import Evaluation
from tinysearch.core.platform import BoardOption, Chip
from tinysearch.core.program import FrozenNetwork
from tinysearch.core.quantization import MOST_VALUES
from tinysearch.core.task import Task
from tinysearch.data.log_mel import LogMelSettings
from tinysearch.evaluation.answers import Classifier, Decider, Detector
from tinysearch.firmware import partitions
from tinysearch.firmware.backends import Backend, choose_backends
from tinysearch.firmware.branch import Branch
from tinysearch.firmware.branch_source import BranchSource, accelerate, branch_source
from tinysearch.firmware.component import component_contents
from tinysearch.firmware.contents import project_contents
from tinysearch.firmware.deciders import decider_bytes
from tinysearch.firmware.emission import SIGNAL_SENSOR, Emission, Inputs, placeholder_threshold, reads_accelerometer
from tinysearch.firmware.folder import write_folder
from tinysearch.firmware.front_ends import front_end
from tinysearch.firmware.golden import Embeddings, pattern
from tinysearch.firmware.identifiers import candidate_id, digest_text, version_text
from tinysearch.firmware.packing import PackedStep
from tinysearch.firmware.rendering import Templates
from tinysearch.inputs.microphone import Microphone

TEMPLATES = ((16, 3), (8, 3), (4, 3), (4, 1), (2, 1), (1, 1))
"""Enrolled people and captures of each: the first that the flash has room for."""

GOLDEN_VECTORS = 6
GOLDEN_BYTES = 400_000
"""At most so many golden vectors, and so many bytes of their inputs, but at least two."""

DEFAULT_PROGRAM_BYTES = 400_000
"""Program without weights where an evaluation does not tell; camera and microphone drivers included."""

BACKEND_PROGRAM_BYTES = 65_536
"""Code of backends where an evaluation does not tell: assumed; ESP-IDF's build holds the image to its partition."""

logger = logging.getLogger(__name__)


def emit(
    evaluation: Evaluation,
    frozen: Mapping[str, FrozenNetwork | Branch],
    *,
    chip: Chip,
    task: Task,
    out: Path,
    templates: Path,
    version: str,
    digest: str,
    board: BoardOption | None = None,
    golden: Mapping[str, Inputs] | None = None,
    sound: LogMelSettings | None = None,
    decider: Decider | None = None,
    backend: str | Backend = "portable",
    component: str | None = None,
    bmi270_config: bytes = b"",
) -> Path:
    """Write one project, or its networks alone as a library.

    Args:
        evaluation: the point; the threshold of its operating point and its memory placement go into the firmware.
        frozen: the network of every branch by modality; one of somebody's own as it is to be written.
        chip: the processor.
        task: tells what each branch is sensed with.
        out: the project's folder; made anew or, where it is a project of ours, replaced.
        templates: ``firmware_templates``.
        version, digest: of the generator and of the configuration, named in every generated file.
        board: tells how PSRAM and microphone are attached; None takes the chip's first choice.
        golden: inputs by modality, int8 [N, height, width, channels] with one N; None takes pseudo-random ones.
        sound: front-end of the branches with a microphone; None takes the defaults for their input size.
        decider: what a classification or an anomaly task decides by.
        backend: one of :data:`tinysearch.firmware.backends.NAMES`, or one of your own; of a library always portable.
        component: name of the library to write, see :mod:`tinysearch.firmware.component`; None writes a project.
        bmi270_config: what a BMI270 is loaded with, see :mod:`tinysearch.firmware.bmi270`; kept where it may be one.

    Returns:
        The folder.

    Raises:
        UserError: networks and candidate differ, text that cannot become an identifier, too little flash, or a folder
            that is not a project of ours.
    """
    emission = _prepare(
        evaluation,
        frozen,
        chip,
        task,
        board=board,
        golden=golden,
        sound=sound,
        decider=decider,
        version=version,
        digest=digest,
        backend=backend if component is None else "portable",
        bmi270_config=bmi270_config,
    )
    if component is None:
        files = project_contents(emission, Templates(templates))
    else:
        files = component_contents(emission, Templates(templates), name=component)
    return write_folder(out, files)


def _prepare(
    evaluation: Evaluation,
    frozen: Mapping[str, FrozenNetwork | Branch],
    chip: Chip,
    task: Task,
    *,
    board: BoardOption | None,
    golden: Mapping[str, Inputs] | None,
    sound: LogMelSettings | None,
    decider: Decider | None,
    version: str,
    digest: str,
    backend: str | Backend,
    bmi270_config: bytes,
) -> Emission:
    candidate = evaluation.candidate
    modalities = [branch.modality for branch in candidate.branches]
    if sorted(frozen) != modalities:
        raise UserError(
            "a project must have one network for each of its branches",
            value=f"{sorted(frozen)} for {modalities}",
            remedy="pass the frozen network of every branch by modality",
        )
    candidate_id(candidate.id)
    _check_application(task, decider)
    portable = tuple(_source(modality, frozen[modality]) for modality in modalities)
    sources = _accelerated(portable, backend, chip)
    _check_embeddings(sources)
    threshold, threshold_far = _threshold(evaluation)
    stricter, stricter_far = _stricter(evaluation, threshold)
    loaded = bmi270_config if any(reads_accelerometer(task.input(name).kind) for name in modalities) else b""
    has_psram = candidate.platform.psram_bytes > 0
    sources, people, captures, table = _placed(
        evaluation, task, accelerated=sources, portable=portable, decider=decider, loaded_bytes=len(loaded)
    )
    return Emission(
        evaluation=evaluation,
        chip=chip,
        task=task,
        sources=sources,
        golden=_golden(sources, golden),
        threshold=threshold,
        threshold_far=threshold_far,
        stricter_threshold=stricter,
        stricter_far=stricter_far,
        psram_interface=_psram_interface(chip, board) if has_psram else None,
        microphone_pdm=_interface(board, Microphone.sensor) == "pdm",
        signal_interface=_interface(board, SIGNAL_SENSOR),
        in_psram=frozenset(
            str(row["name"]) for row in evaluation.details.get("buffers", ()) if has_psram and not row["sram"]
        ),
        board_kconfig="" if board is None else board.kconfig,
        microphone_pins=() if board is None else board.microphone_pins,
        people=people,
        captures=captures,
        table=table,
        layers=_layers(sources, task, sound),
        decider=decider,
        bmi270_config=loaded,
        version=version_text(version),
        digest=digest_text(digest),
    )


def _placed(
    evaluation: Evaluation,
    task: Task,
    *,
    accelerated: tuple[Branch, ...],
    portable: tuple[Branch, ...],
    decider: Decider | None,
    loaded_bytes: int,
) -> tuple[tuple[Branch, ...], int, int, tuple[partitions.Partition, ...]]:
    """The networks that find room in the flash, those of a backend before the portable ones, and what lies beside them.

    Args:
        loaded_bytes: of what is loaded into a sensor.

    Returns:
        The networks, how many people and captures are kept, and the partition table.

    Raises:
        UserError: not even the portable ones find room.
    """
    planned = evaluation.details.get("flash", {})
    backend_code = int(planned.get("backend_bytes", 0))
    program = int(planned.get("program_bytes", DEFAULT_PROGRAM_BYTES)) - backend_code
    program += int(planned.get("spare_bytes", 0))
    program += decider_bytes(decider) - sum(
        decision_bytes(task.decision, embedding=source.embedding) for source in accelerated
    )
    program += loaded_bytes
    room = partial(
        _table,
        evaluation.candidate.platform.flash_bytes,
        program_bytes=program,
        backend_bytes=backend_code or BACKEND_PROGRAM_BYTES,
        template_bytes=sum(-(-source.embedding_bytes // 4) * 4 for source in accelerated),
        slots=int(planned.get("slots", 1)),
    )
    try:
        return (accelerated, *room(accelerated))
    except UserError:
        if not any(source.accelerated for source in accelerated):
            raise
    logger.warning(
        "%s: no room in its flash for the weights of a backend, kernels stay portable", evaluation.candidate.id
    )
    return (portable, *room(portable))


def _source(modality: str, network: FrozenNetwork | Branch) -> Branch:
    """A network of a search is packed and planned; one's own is already."""
    return branch_source(modality, network) if isinstance(network, FrozenNetwork) else network


def _check_embeddings(sources: tuple[Branch, ...]) -> None:
    """Sums of the cosine in C are exact for so many values and not for more."""
    for source in sources:
        values = source.embedding
        if values > MOST_VALUES:
            raise UserError(
                f"an embedding must have at most {MOST_VALUES} values",
                value=f"{values} of {source.modality}",
                remedy="choose a smaller embedding",
            )


def _accelerated(sources: tuple[Branch, ...], name: str | Backend, chip: Chip) -> tuple[Branch, ...]:
    """The branches with their backends; one that serves a single task at a time goes to the branch of most products."""
    chosen = list(sources)
    for backend in choose_backends(name, (chip,)):
        able = {}
        for place, source in enumerate(chosen):
            new: Branch = source
            if isinstance(source, BranchSource) and not source.accelerated:
                new = accelerate(source, backend, processor=chip.idf_target)
            if new is not source:
                able[place] = new
        if not backend.shared:
            wanted = [int(place in able) for place in range(len(sources))]
            has = served(wanted, [source.macs for source in sources])
            able = {place: new for place, new in able.items() if has[place]}
        for place, new in able.items():
            chosen[place] = new
    return tuple(chosen)


def _table(
    flash_bytes: int,
    sources: tuple[Branch, ...],
    *,
    program_bytes: int,
    backend_bytes: int,
    template_bytes: int,
    slots: int,
) -> tuple[int, int, tuple[partitions.Partition, ...]]:
    """People, captures of each, and partitions with room for them: as many as the flash allows."""
    app_bytes = program_bytes + sum(source.weight_bytes for source in sources)
    app_bytes += backend_bytes if any(source.accelerated for source in sources) else 0
    for people, captures in TEMPLATES:
        nvs = partitions.nvs_bytes(people=people, captures=captures, template_bytes=template_bytes)
        try:
            table = partitions.lay_out(flash_bytes=flash_bytes, app_bytes=app_bytes, nvs=nvs, slots=slots)
        except UserError:
            if (people, captures) == TEMPLATES[-1]:
                raise
        else:
            return people, captures, table
    raise AssertionError("TEMPLATES is not empty")


def _threshold(evaluation: Evaluation) -> tuple[int, float | None]:
    """The threshold of the operating point and its FAR; a placeholder and None where no network was trained."""
    point = evaluation.operating_point
    if point is not None and point.threshold is not None:
        return point.threshold, point.far
    return placeholder_threshold(len(evaluation.candidate.branches)), None


def _stricter(evaluation: Evaluation, threshold: int) -> tuple[int, float | None]:
    """The threshold of the next lower FAR that takes a higher score, and that FAR; the same and None without one."""
    point = evaluation.operating_point
    known = sorted(evaluation.errors.thresholds.items(), reverse=True)
    for far, score in known if point is not None and point.threshold is not None else ():
        if point is not None and far < point.far and score > threshold:
            return score, far
    return threshold, None


def golden_count(input_bytes: int) -> int:
    """How many golden vectors a project carries where the largest input of its networks takes so many bytes."""
    return max(2, min(GOLDEN_VECTORS, GOLDEN_BYTES // input_bytes))


def _golden(sources: tuple[Branch, ...], given: Mapping[str, Inputs] | None) -> dict[str, tuple[Inputs, Embeddings]]:
    """Golden inputs of every branch, as many for each, with the oracle's embeddings."""
    count = golden_count(max(source.input_shape.elements for source in sources))
    if given is not None:
        count = min([count, *(len(given[source.modality]) for source in sources)])
    if count < 2:
        raise UserError(
            "golden vectors must be two or more, to make a pair", value=count, remedy="pass more golden inputs"
        )
    result = {}
    for source in sources:
        shape = source.input_shape
        dimensions = (shape.height, shape.width, shape.channels)
        if given is None:
            inputs = np.stack([pattern(dimensions, 11 + index) for index in range(count)])
        else:
            inputs = np.ascontiguousarray(given[source.modality][:count], np.int8)
        if inputs.shape != (count, *dimensions):
            raise UserError(
                "golden inputs must have the shape of the network's input",
                value=f"{source.modality}: {inputs.shape[1:]}",
                remedy=f"pass int8 arrays of shape {dimensions}",
            )
        result[source.modality] = (inputs, source.embed(inputs))
    return result


def _psram_interface(chip: Chip, board: BoardOption | None) -> str | None:
    if board is not None and board.psram_interface is not None:
        return board.psram_interface
    return chip.psram.interfaces[0] if chip.psram is not None else None


def _interface(board: BoardOption | None, sensor: str) -> str:
    """By which a board's sensor of a kind is attached; empty without one."""
    found = board.sensor(sensor) if board is not None else None
    return "" if found is None else found.interface


def _layers(sources: tuple[Branch, ...], task: Task, sound: LogMelSettings | None) -> dict[str, PackedStep]:
    """Constants of the front-ends that have any, by modality."""
    made = {
        source.modality: front_end(task.input(source.modality).kind, source.input_shape, sound=sound)
        for source in sources
    }
    return {modality: layer for modality, layer in made.items() if layer is not None}


def _check_application(task: Task, decider: Decider | None) -> None:
    """Refuse what is not the decider of a task's decision."""
    wanted = {"classification": Classifier, "anomaly": Detector}.get(task.decision, type(None))
    if not isinstance(decider, wanted):
        raise UserError(
            f"a project of decision {task.decision} must be emitted with its own decider",
            value=f"decider of type {type(decider).__name__}",
            remedy=f"pass decider= a {wanted.__name__}",
        )
