"""What people and tools read of a project: candidate.json, bom.csv, and the values of README.md."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from tinysearch.core.bill import OrderNote
from tinysearch.core.platform import WiredPin
from tinysearch.core.safe_text import plain_line
from tinysearch.core.units import fixed, format_bytes
from tinysearch.evaluation.answers import Detector
from tinysearch.evaluation.operating import in_words
from tinysearch.firmware import sdkconfig, wiring
from tinysearch.firmware.deciders import normal_document
from tinysearch.firmware.emission import SIGNAL_SENSOR, Emission
from tinysearch.firmware.folder import GENERATOR
from tinysearch.firmware.identifiers import markdown_text
from tinysearch.firmware.networks.branch import OwnBranch
from tinysearch.inputs.camera import Camera


def candidate_json(emission: Emission, *, digests: Mapping[str, str], component: str | None = None) -> str:
    """The point as front.json spells it, with what the firmware was given.

    Args:
        digests: of its files by path.
        component: name of the library where the networks alone were written; None for a project.
    """
    point: dict[str, Any] = {
        "generator": {"name": GENERATOR, "version": emission.version, "configuration": emission.digest},
        **emission.evaluation.to_dict(),
    }
    point["firmware_facts"] = {
        "trained": emission.trained,
        "target": emission.chip.idf_target,
        "kconfig": sorted(sdkconfig.known_keys(emission.chip)),
        "threshold": emission.threshold if emission.threshold_far is not None else None,
        "threshold_far": emission.threshold_far,
        "stricter_threshold": emission.stricter_threshold,
        "stricter_far": emission.stricter_far,
        "fusion_weights": dict(emission.evaluation.errors.weights),
        "selftest_crc": emission.selftest_crc,
        "tasks": emission.tasks,
        **_application_facts(emission),
        "branches": {
            source.modality: {
                "backend": source.backend,
                "backend_steps": list(source.accelerated),
                "arena_bytes": source.memory.peak_bytes,
                "arena_in_psram": emission.arena_in_psram(source.modality),
                "model_id": f"{source.model_id:08x}",
                "kernels": sorted({packed.function for packed in source.packed}),
                **({"embedding_type": "float32"} if isinstance(source, OwnBranch) else {}),
            }
            for source in emission.sources
        },
        **({} if component is None else {"component": component}),
        "files": dict(digests),
    }
    return json.dumps(point, indent=2, allow_nan=False) + "\n"


def _application_facts(emission: Emission) -> dict[str, Any]:
    """What the application was given: room for people, classes with their thresholds, or what is normal."""
    decider = emission.decider
    if decider is None:
        return {"people": emission.people, "captures": emission.captures}
    hops = dict(zip(emission.modalities, emission.hops, strict=True))
    if isinstance(decider, Detector):
        return {
            "threshold": decider.alarms.threshold if decider.far is not None else None,
            "threshold_far": decider.far,
            "alarm": {
                "threshold": decider.alarms.threshold,
                "smooth": decider.alarms.smooth,
                "hold_off": decider.alarms.hold_off,
            },
            "hops": hops,
            "normal": {name: normal_document(model) for name, model in decider.normal.items()},
        }
    answers = decider.answers
    return {
        "classes": list(answers.names),
        "class_thresholds": list(answers.thresholds),
        "smooth": answers.smooth,
        "hold_off": answers.hold_off,
        "reject": decider.reject,
        "hops": hops,
        "prototypes": {name: rows.tolist() for name, rows in decider.prototypes.items()},
    }


def bom_csv(emission: Emission) -> str:
    """One row a part: US$ of one piece, whose price it is, for which order, when; the total says order or design."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["part", "usd", "source", "quantity", "seller", "date", "kind"])
    for line in emission.evaluation.bom:
        about = [line.quantity or "", line.seller, line.date, line.kind]
        writer.writerow([plain_line(line.part), f"{line.usd:.4f}", plain_line(line.source), *about])
    order = emission.evaluation.order
    about = ["", "", "", ""] if order is None else [order.quantity or "", "", "", "order" if order.ready else "design"]
    writer.writerow(["total", f"{emission.evaluation.bom_cost_usd:.4f}", plain_line(emission.banner), *about])
    return stream.getvalue()


def _pins(emission: Emission, kconfig: str) -> list[tuple[str, str, str]]:
    """Sensor, signal and GPIO of everything that is wired by default."""
    target = emission.chip.idf_target
    chosen = frozenset([f"IDF_TARGET_{target.upper()}", emission.board_kconfig.removeprefix("CONFIG_")])
    wired = {f"TS_MICROPHONE_PIN_{pin.signal.upper()}": pin for pin in emission.microphone_pins}
    read = [kind for kind in emission.kinds if not isinstance(kind, Camera) or reads_camera(emission)]
    analog = {SIGNAL_SENSOR} if emission.signal_interface == "adc" else set()
    groups = list(dict.fromkeys((kind.sensor, kind.kconfig) for kind in read if kind.sensor not in analog))
    pins = [
        (sensor, label, _pin_text(wired[option]) if option in wired else f"GPIO {gpio}")
        for sensor, group in groups
        for option, (label, gpio) in wiring.pins(kconfig, group=group, chosen=chosen).items()
        if gpio >= 0 and not (emission.microphone_pdm and option == "TS_MICROPHONE_PIN_WORD")
    ]
    return pins + [
        (kind.sensor, "Analog output", "analog channel 0 of the first converter; further axes the next ones")
        for kind in read
        if kind.sensor in analog
    ]


def _order_values(order: OrderNote) -> dict[str, Any]:
    return {
        "ready": order.ready,
        "build": order.build,
        "text": markdown_text(order.text),
        "bring": [markdown_text(thing) for thing in order.bring],
        "marking": markdown_text(order.marking),
    }


def reads_camera(emission: Emission) -> bool:
    """Whether a camera can be read on the project's chip with a driver of ours."""
    return emission.chip.camera_driver in Camera.drivers


def _pin_text(pin: WiredPin) -> str:
    """``D2 (GPIO 2)``: what the board calls the pin first."""
    gpio = f"GPIO {pin.gpio}"
    text = gpio if pin.label == str(pin.gpio) else f"{markdown_text(pin.label)} ({gpio})"
    return text if pin.source is not None else f"{text}; not checked: is it on your board's header?"


def readme_values(emission: Emission, *, kconfig: str) -> dict[str, Any]:
    """Values that README.md needs beside those of all templates; text from outside is escaped for Markdown."""
    evaluation, platform = emission.evaluation, emission.evaluation.candidate.platform
    eer, point = evaluation.errors.eer, evaluation.operating_point
    return {
        "target": emission.chip.idf_target,
        "preview": emission.chip.preview,
        "idf_minimum": emission.idf_minimum,
        "chip_name": markdown_text(emission.chip.name),
        "board_name": markdown_text(str(evaluation.details.get("board_name", platform.board))),
        "flash": format_bytes(platform.flash_bytes),
        "psram": format_bytes(platform.psram_bytes) if platform.psram_bytes else "none",
        "summary": " + ".join(markdown_text(branch.short) for branch in evaluation.candidate.branches),
        "eer": "not known" if eer is None else f"{fixed(100 * eer, 1)} %",
        "eer_evidence": evaluation.errors.evidence,
        "evaluated_people": "" if point is None else in_words(point),
        "cascade_words": "" if evaluation.cascade is None else evaluation.cascade.text,
        "capture_ms": fixed(1e3 * evaluation.acquisition_s, 0),
        "latency_ms": fixed(1e3 * evaluation.latency_s, 0),
        "latency_range_ms": " to ".join(fixed(1e3 * value, 0) for value in evaluation.latency_range_s),
        "latency_evidence": evaluation.latency_evidence,
        "bom": [(markdown_text(line.part), fixed(line.usd, 2), markdown_text(line.about)) for line in evaluation.bom],
        "order": None if evaluation.order is None else _order_values(evaluation.order),
        "revision": emission.chip.revision,
        "total_usd": f"{evaluation.bom_cost_usd:.2f}",
        "sensors": [markdown_text(name) for name in evaluation.sensors],
        "partitions": [(row.name, f"{row.offset:#x}", format_bytes(row.size)) for row in emission.table],
        "ota": any(row.subtype.startswith("ota_") for row in emission.table),
        "pins": _pins(emission, kconfig),
        "camera_supported": reads_camera(emission),
        "microphone_pdm": emission.microphone_pdm,
        "encrypts_by_hmac": emission.chip.kconfig.nvs_by_hmac,
        "selftest_crc": emission.selftest_crc,
        "threshold_far": None if emission.threshold_far is None else f"{100 * emission.threshold_far:g} %",
        "stricter_far": None if emission.stricter_far is None else f"{100 * emission.stricter_far:g} %",
        "far_test": None if point is None or point.far_test is None else f"{100 * point.far_test:.1f} %",
    }
