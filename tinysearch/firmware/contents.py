"""Every file of a project by path: copied C, rendered wiring and data, board files, documents."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinysearch.core.errors import UserError
from tinysearch.core.evaluation import Evaluation
from tinysearch.core.quantization import COSINE_FRACTION_BITS
from tinysearch.core.task import InputKind
from tinysearch.evaluation.answers import Classifier, Detector
from tinysearch.firmware import documents, partitions, sdkconfig
from tinysearch.firmware.branch import Branch
from tinysearch.firmware.constants import layer_constants
from tinysearch.firmware.deciders import normal_layer
from tinysearch.firmware.emission import Emission
from tinysearch.firmware.folder import digests
from tinysearch.firmware.golden import pair_scores
from tinysearch.firmware.kconfig import kconfig_for
from tinysearch.firmware.rendering import Templates, c_number, c_values
from tinysearch.firmware.runtime import runtime_files
from tinysearch.inputs.camera import Camera
from tinysearch.inputs.microphone import Microphone
from tinysearch.inputs.motion import Motion
from tinysearch.inputs.signal import Signal
from tinysearch.metrics.cascade import SURE
from tinysearch.metrics.fusion import FUSION_FRACTION_BITS

_COPIED = {
    "components/model": ("CMakeLists.txt", "ts_model.c", "include/ts_model.h"),
    "components/port": (
        *("CMakeLists.txt", "line.c", "port_chip.c", "port_linux.c", "tasks.c", "include/line.h", "include/port.h"),
    ),
    "main": (
        *("application.h", "branches.h", "capture.h", "commands.h", "files.c", "input.h"),
        *("app_main.c", "branches.c", "capture.c", "commands.c", "input.c", "show.c", "show.h", "sleep.c", "sleep.h"),
    ),
}
_STORE = ("CMakeLists.txt", "store.c", "include/store.h")
_BUILT = ("app_main.c", "branches.c", "candidate.c", "capture.c", "commands.c", "input.c", "show.c", "sleep.c")
"""C files of ``main/`` that every project builds on chips and on linux."""

_HOST_COPIED = (
    *("main.c", "golden.h", "instructions.h"),
    *("app/main.c", "app/port_host.c", "app/scripted_port.c", "app/sdkconfig.h"),
)
_HOST_RENDERED = ("Makefile", "golden.c", "app/scripted_models.c")
_RENDERED = (
    *("CMakeLists.txt", "components/runtime/CMakeLists.txt", "main/CMakeLists.txt", "main/candidate.c"),
    *("main/candidate.h", "main/idf_component.yml"),
)
_BMI270 = "bmi270_config.c"
_COMPONENT_SUFFIXES = (".c", ".h", ".S", ".txt", ".yml", ".md")
"""Files of a backend that belong to a project; caches and what an editor left do not."""

_IGNORED = "build*/\nsdkconfig\nsdkconfig.old\nmanaged_components/\ndependencies.lock\nhost/build/\n"


def _values(emission: Emission) -> dict[str, Any]:
    """Values that every template may use."""
    branches = [s.values(in_psram=emission.arena_in_psram(s.modality)) for s in emission.sources]
    for place, (branch, source) in enumerate(zip(branches, emission.sources, strict=True)):
        inputs, embeddings = emission.golden[source.modality]
        branch["golden_inputs"] = c_values(inputs)
        branch["golden_embeddings"] = c_values(embeddings)
        branch["golden_tolerance"] = c_number(source.tolerance_of(inputs))
        branch.update(_capture_values(emission, place))
    far, stricter = emission.threshold_far, emission.stricter_far
    seen = emission.source_of(Camera)
    felt = next((kind for kind in emission.kinds if isinstance(kind, Motion)), None)
    sampled = next((kind for kind in emission.kinds if isinstance(kind, Signal)), None)
    return {
        "banner": emission.banner,
        "id": emission.evaluation.candidate.id,
        "idf_minimum": emission.idf_minimum,
        "version": f"{emission.version} ({emission.digest})",
        "trained": emission.trained,
        "branches": branches,
        "backends": sorted({branch["backend"] for branch in branches} - {""}),
        "kinds": sorted({kind.name for kind in emission.kinds}),
        "layer_headers": sorted({layer.header for layer in emission.layers.values()}),
        "idf_target": emission.chip.idf_target,
        "camera": seen is not None,
        "camera_driver": seen is not None and documents.reads_camera(emission),
        "microphone": emission.source_of(Microphone) is not None,
        "by_turns": {name: name in emission.chip.microphones_by_turns for name in ("i2s", "pdm")},
        "motion": None if felt is None else _motion_values(felt),
        "signal": None if sampled is None else _signal_values(sampled),
        "accelerometer": emission.accelerometer,
        "bmi270_config_bytes": len(emission.bmi270_config),
        "windows": any(layer.header == "ts_window.h" for layer in emission.layers.values()),
        "tasks": emission.tasks,
        "branch_cores": emission.branch_cores,
        "most_steps": max(len(branch["steps"]) for branch in branches),
        "template_bytes": emission.template_bytes,
        "stores": emission.application.stores,
        "people": emission.people if emission.application.stores else 0,
        "captures": emission.captures,
        "weights": _weights(emission),
        "cascade": _cascade(emission),
        "weight_bits": FUSION_FRACTION_BITS,
        "threshold": emission.threshold,
        "threshold_note": "A placeholder: not trained here." if far is None else f"For FAR {far:g}.",
        "stricter_threshold": emission.stricter_threshold,
        "stricter_note": "None is known: the same." if stricter is None else f"For FAR {stricter:g}.",
        "frame": "" if seen is None else Camera().capture(seen.input_shape).frame,
        "frame_in_psram": "camera_frame" in emission.in_psram,
        **_decider_values(emission),
        "application": f"esp_idf/{emission.application.readme}.jinja",
        "streams": emission.task.schedule.kind != "button",
        "pauses": emission.task.schedule.kind == "every",
        "rest": emission.rest,
        "presses": emission.task.schedule.kind == "button",
        "period_ms": round(1e3 * emission.period_s),
        "count": len(next(iter(emission.golden.values()))[0]),
        "pairs": pair_scores({name: embeddings for name, (_, embeddings) in emission.golden.items()}),
        "most_arena_bytes": max(branch["arena_bytes"] for branch in branches),
        "most_embedding_bytes": max(source.embedding_bytes for source in emission.sources),
    }


def _weights(emission: Emission) -> str:
    """Initializer of the fusion's weights in the order of the branches; empty where cosines are added as they are."""
    weights = emission.evaluation.errors.weights
    return f"{{ {', '.join(str(weights[source.modality]) for source in emission.sources)} }}" if weights else ""


def _cascade(emission: Emission) -> dict[str, int] | None:
    """Which branch decides alone, from where to where it does not, and what tells its scores from sums."""
    own = emission.cascade
    if own is None:
        return None
    return {
        "first": emission.modalities.index(own.first),
        "reject_below": own.reject_below,
        "accept_from": own.accept_from,
        "sure": SURE,
    }


def _motion_values(kind: Motion) -> dict[str, int]:
    """What a motion sensor is set to, in thousandths."""
    return {
        "range_mg": round(1e3 * kind.range_g),
        "range_mdps": round(1e3 * kind.range_dps),
        "rate_mhz": round(1e3 * kind.rate_hz),
        "axes": len(kind.axes),
    }


_PICKED = ("x", "y", "z")
"""Names of axes that an accelerometer has."""


def _signal_values(kind: Signal) -> dict[str, Any]:
    """What a signal is; a range where it is accelerations that one sensor measures."""
    felt = set(kind.axes) <= set(_PICKED) and set(kind.units) == {"g"} and len(set(kind.full_scale)) == 1
    return {
        "axes": len(kind.axes),
        "rate_mhz": round(1e3 * kind.rate_hz),
        "range_mg": round(1e3 * kind.full_scale[0]) if felt else 0,
        "pick": [_PICKED.index(name) for name in kind.axes] if felt else [0] * len(kind.axes),
    }


def _capture_values(emission: Emission, place: int) -> dict[str, Any]:
    """What the application knows of one branch's capture."""
    kind, modality = emission.kinds[place], emission.modalities[place]
    layer, symbol = emission.layers.get(modality), f"candidate_{modality}_layer"
    buffer = kind.capture(emission.sources[place].input_shape).buffer
    return {
        "kind": kind.name,
        "hop": emission.hops[place],
        "worker": emission.workers[place],
        "buffer_in_psram": buffer in emission.in_psram,
        "layer": "" if layer is None else layer_constants(layer, symbol),
        "layer_symbol": symbol,
    }


def _decider_values(emission: Emission) -> dict[str, Any]:
    """What the application decides by, under the name that its templates use."""
    decider = emission.decider
    if isinstance(decider, Classifier):
        return {"classes": _class_values(decider)}
    return {"normal": _normal_values(decider)} if isinstance(decider, Detector) else {}


def _normal_values(detector: Detector) -> dict[str, Any]:
    layers = {name: normal_layer(model) for name, model in detector.normal.items()}
    alarms = detector.alarms
    return {
        "threshold": alarms.threshold,
        "smooth": alarms.smooth,
        "hold_off": alarms.hold_off,
        "layers": {name: layer_constants(layer, f"{name}_normal") for name, layer in layers.items()},
        # ts_normal_scratch_bytes of the largest: five bytes a value
        "scratch_words": max(-(-5 * len(model.matrix) // 4) for model in detector.normal.values()),
        "note": "A placeholder: nothing was trained here."
        if detector.far is None
        else f"The threshold lets at most {detector.far:g} of the normal validation windows raise an alarm.",
    }


def _note(classifier: Classifier) -> str:
    """What its thresholds are."""
    if classifier.reject is not None:
        return f"Thresholds reject at most {classifier.reject:g} of the right validation windows of a class."
    if max(classifier.answers.thresholds) == -(1 << COSINE_FRACTION_BITS):
        return "Every window is answered: no validation data says from which score an answer is good."
    return "Placeholders: nothing was trained here."


def _class_values(classifier: Classifier) -> dict[str, Any]:
    answers = classifier.answers
    return {
        "names": answers.names,
        "thresholds": answers.thresholds,
        "told": answers.told,
        "smooth": answers.smooth,
        "hold_off": answers.hold_off,
        "prototypes": {modality: c_values(rows) for modality, rows in classifier.prototypes.items()},
        "note": _note(classifier),
    }


def project_contents(emission: Emission, templates: Templates) -> dict[str, bytes]:
    """Contents of the project by path."""
    runtime = _runtime(emission, templates.folder / "runtime")
    values = _values(emission)
    values["sources"] = [path.name for path in runtime if path.suffix == ".c"]
    values["application_sources"] = [p.name for p in _application_runtime(emission, templates) if p.suffix == ".c"]
    values |= _main_values(emission)
    files = {f"components/runtime/{path.name}": path.read_bytes() for path in runtime}
    for folder, names in _COPIED.items():
        files |= {f"{folder}/{name}": (templates.folder / "esp_idf" / folder / name).read_bytes() for name in names}
    options = (templates.folder / "esp_idf/main/Kconfig.options").read_text(encoding="utf-8")
    kconfig = kconfig_for(options, _topics(emission))
    files["main/Kconfig.projbuild"] = kconfig.encode()
    for source in emission.sources:
        if source.accelerated:
            files |= _backend_files(source, templates)
    files |= _application_files(emission, templates)
    files |= {f"host/{name}": (templates.folder / "host" / name).read_bytes() for name in _HOST_COPIED}
    values["declared"] = [kind for kind in values["kinds"] if f"main/input_{kind}.h" in files]
    rendered = (*_RENDERED, *(f"main/{name}" for name in emission.application.rendered))
    text = {name: templates.render(f"esp_idf/{name}", values) for name in rendered}
    text |= {f"host/{name}": templates.render(f"host/{name}", values) for name in _HOST_RENDERED}
    for branch in values["branches"]:
        text |= _branch_files(branch, templates, banner=emission.banner)
    if emission.bmi270_config:
        program = c_values(np.frombuffer(emission.bmi270_config, np.uint8))
        text[f"main/{_BMI270}"] = templates.render(f"esp_idf/main/{_BMI270}", values | {"bmi270_config": program})
    text |= _board_files(emission)
    values |= documents.readme_values(emission, kconfig=kconfig)
    text["README.md"] = templates.render("esp_idf/README.md", values)
    text["NOTICE"] = templates.render("esp_idf/NOTICE", values)
    files["LICENSE"] = (templates.folder / "esp_idf" / "LICENSE").read_bytes()
    text["bom.csv"] = documents.bom_csv(emission)
    text[".gitignore"] = _IGNORED
    files |= {name: content.encode() for name, content in text.items()}
    files["candidate.json"] = documents.candidate_json(emission, digests=digests(files)).encode()
    return files


def _topics(emission: Emission) -> set[str]:
    """What menuconfig has options of."""
    kinds = [kind for kind in emission.kinds if not isinstance(kind, Camera) or documents.reads_camera(emission)]
    read_by = {Path(source).stem for kind in kinds for source in kind.chip_sources}
    return {"lock" if emission.application.stores else "stream", *read_by}


def _main_values(emission: Emission) -> dict[str, Any]:
    """What of ``main/`` is built where."""
    kinds, application = emission.kinds, emission.application
    rendered = [name for name in application.rendered if name.endswith(".c")]
    sources = [name.removeprefix("main/") for kind in kinds for name in kind.sources]
    drivers = {name.removeprefix("main/") for kind in kinds for name in kind.chip_sources}
    return {
        "main_sources": sorted({*_BUILT, *application.sources, *rendered, *sources}),
        "chip_sources": sorted(drivers | ({_BMI270} if emission.bmi270_config else set())),
        "chip_components": sorted({name for kind in kinds for name in kind.components}),
    }


def _application_files(emission: Emission, templates: Templates) -> dict[str, bytes]:
    """The application and its kinds of input: sources, the header beside each, and the store where it keeps records."""
    origin = templates.folder / "esp_idf"
    found = _with_headers({f"main/{name}": origin / "main" / name for name in emission.application.sources})
    for kind in emission.kinds:
        found |= _with_headers(kind_sources(kind, origin))
    files = {path: found[path].read_bytes() for path in sorted(found)}
    if emission.application.stores:
        store = "components/store"
        files |= {f"{store}/{name}": (origin / store / name).read_bytes() for name in _STORE}
        files["host/app/store_host.c"] = (templates.folder / "host/app/store_host.c").read_bytes()
    return files


def kind_sources(kind: InputKind, origin: Path) -> dict[str, Path]:
    """Where the sources of a kind of input lie, by path in the project.

    Raises:
        UserError: a file that is nowhere.
    """
    found = {}
    for path in (*kind.sources, *kind.chip_sources):
        places = [origin / path] if kind.folder is None else [kind.folder / Path(path).name, origin / path]
        place = next((place for place in places if place.is_file()), None)
        if place is None:
            raise UserError(
                "a kind of input must bring its C files", value=f"{kind.name}: {path}", remedy=f"write {places[0]}"
            )
        found[path] = place
    return found


def _with_headers(sources: Mapping[str, Path]) -> dict[str, Path]:
    """Sources, and the header beside each that has one."""
    headers = {str(Path(path).with_suffix(".h")): place.with_suffix(".h") for path, place in sources.items()}
    return {**sources, **{path: place for path, place in headers.items() if place.is_file()}}


def _backend_files(source: Branch, templates: Templates) -> dict[str, bytes]:
    """The component of a backend, ours or a user's own: all of its folder."""
    folder = f"components/backend_{source.backend}"
    origin = templates.folder / "esp_idf" / folder if source.backend_folder is None else source.backend_folder
    return component_contents(origin, folder)


def component_contents(origin: Path, folder: str) -> dict[str, bytes]:
    """Files of a component of a backend by path in the project, below ``folder``."""
    names = [str(p.relative_to(origin)) for p in sorted(origin.rglob("*")) if p.suffix in _COMPONENT_SUFFIXES]
    return {f"{folder}/{name}": (origin / name).read_bytes() for name in names}


def _runtime(emission: Emission, folder: Path) -> tuple[Path, ...]:
    headers = {header for source in emission.sources for header in source.headers}
    return runtime_files(folder, tuple(sorted(headers | _application_headers(emission))))


def _application_runtime(emission: Emission, templates: Templates) -> tuple[Path, ...]:
    """What the application calls of the runtime, without the kernels of its networks."""
    return runtime_files(templates.folder / "runtime", tuple(sorted(_application_headers(emission))))


def _application_headers(emission: Emission) -> frozenset[str]:
    front_ends = {header for kind in emission.kinds for header in kind.front_ends}
    own = {"ts_crc32.h", "ts_cosine_f32.h", "ts_cosine_s8.h", *emission.application.runtime}
    return frozenset(own | front_ends)


def _branch_files(branch: Mapping[str, Any], templates: Templates, *, banner: str) -> dict[str, str]:
    component = branch["component"]
    names = {
        "CMakeLists.txt": "CMakeLists.txt",
        "model.h": f"include/{component}.h",
        "model.c": f"{component}.c",
        "weights.h": f"{component}_weights.h",
        "weights.c": f"{component}_weights.c",
    }
    values = {"branch": branch, "banner": banner}
    return {
        f"components/{component}/{path}": templates.render(f"esp_idf/components/branch/{name}", values)
        for name, path in names.items()
    }


def _board_files(emission: Emission) -> dict[str, str]:
    """Partition table and configuration defaults."""
    platform, target, header = emission.evaluation.candidate.platform, emission.chip.idf_target, emission.banner
    known = sdkconfig.known_keys(emission.chip)
    chip = sdkconfig.chip_keys(
        emission.chip,
        flash_mb=platform.flash_bytes >> 20,
        psram_interface=emission.psram_interface,
        buffers_in_psram=bool(emission.in_psram),
        microphone_pdm=emission.microphone_pdm,
        board=emission.board_keys | emission.sleep_keys,
        longest_s=_longest_step_s(emission.evaluation),
    )
    return {
        "partitions.csv": partitions.to_csv(emission.table, header=header),
        "sdkconfig.defaults": sdkconfig.to_text(sdkconfig.common_keys(), known=sdkconfig.KNOWN_TO_ALL, header=header),
        "sdkconfig.defaults.linux": sdkconfig.to_text(
            sdkconfig.linux_keys(), known=sdkconfig.KNOWN_TO_LINUX, header=header
        ),
        f"sdkconfig.defaults.{target}": sdkconfig.to_text(chip, known=known, header=header),
        "sdkconfig.encrypted": sdkconfig.to_text(sdkconfig.encryption_keys(emission.chip), known=known, header=header),
    }


def _longest_step_s(evaluation: Evaluation) -> float:
    """A bound of every step: the slowest branch as a whole, at the upper end of the prediction."""
    branches = evaluation.details.get("branch_latency_s", {}).values()
    above = evaluation.latency_range_s[1] / evaluation.latency_s if evaluation.latency_s > 0 else 1.0
    return float(max(branches, default=evaluation.latency_s) * above)
