"""Every validity rule: broken by what it forbids, silent on what is possible and on what it cannot know."""

from dataclasses import replace
from pathlib import Path

import pytest

from tinysearch.analytic.rules import RULES, SENSOR_RULES, Build, option_build, violations
from tinysearch.catalog import Catalog, load_catalog
from tinysearch.core.platform import Sensor
from tinysearch.inputs.camera import CIF_PIXELS

MIB = 2**20
ROOT = Path(__file__).parents[2] / "hardware_catalog"

DVP = Sensor(kind="camera", interface="dvp", name="OV2640")
MIPI = Sensor(kind="camera", interface="mipi-csi", name="OV5647")
I2S = Sensor(kind="microphone", interface="i2s", name="INMP441")
PDM = Sensor(kind="microphone", interface="pdm", name="MP34DT06J")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog("espressif", root=ROOT)


BROKEN = [
    ("psram-on-chip", "esp32c3", {"psram_bytes": 2 * MIB}, 0, 2 * MIB),
    ("psram-on-chip", "esp32c6", {"psram_bytes": 2 * MIB}, 0, 2 * MIB),
    ("psram-interface", "esp32", {"psram_bytes": 2 * MIB, "psram_interface": "octal"}, 1, 0),
    ("psram-interface", "esp32p4", {"psram_bytes": 16 * MIB, "psram_interface": "quad"}, 1, 0),
    ("psram-addressable", "esp32", {"psram_bytes": 8 * MIB}, 4 * MIB, 8 * MIB),
    ("camera-interface", "esp32c3", {"senses": ("camera",)}, 1, 0),
    ("camera-interface", "esp32c5", {"senses": ("camera", "microphone")}, 1, 0),
    ("camera-interface", "esp32c6", {"senses": ("camera",)}, 1, 0),
    ("camera-interface", "esp32c61", {"senses": ("camera",)}, 1, 0),
    ("camera-interface", "esp32s3", {"senses": ("camera",), "sensors": (MIPI,)}, 1, 0),
    ("camera-interface", "esp32s3", {"senses": ("camera",), "sensors": ()}, 1, 0),
    ("camera-driver", "esp32p4", {"senses": ("camera",), "drivers": ("espressif/esp32-camera",)}, 1, 0),
    ("camera-driver", "esp32", {"senses": ("camera", "microphone"), "drivers": ()}, 1, 0),
    ("microphone-interface", "esp32s2", {"senses": ("microphone",), "sensors": (PDM,)}, 1, 0),
    ("microphone-interface", "esp32s2", {"senses": ("microphone",), "sensors": (DVP,)}, 1, 0),
    (
        "camera-frame",
        "esp32s3",
        {"senses": ("camera",), "psram_bytes": 0, "frame_pixels": 640 * 480},
        CIF_PIXELS,
        640 * 480,
    ),
    ("flash-on-chip", "esp32c3", {"flash_bytes": 32 * MIB}, 16 * MIB, 32 * MIB),
    ("flash-on-chip", "esp32", {"flash_bytes": 32 * MIB}, 16 * MIB, 32 * MIB),
    ("flash-fits", "esp32s3", {"flash_bytes": 4 * MIB, "flash_needed_bytes": 4 * MIB + 1}, 4 * MIB, 4 * MIB + 1),
    ("flash-window", "esp32c3", {"mapped_flash_bytes": 9 * MIB}, 8 * MIB, 9 * MIB),
    ("flash-window", "esp32", {"mapped_flash_bytes": 5 * MIB}, 4 * MIB, 5 * MIB),
    ("shared-window", "esp32s3", {"psram_bytes": 16 * MIB, "mapped_flash_bytes": 17 * MIB}, 32 * MIB, 33 * MIB),
    ("shared-window", "esp32c5", {"psram_bytes": 16 * MIB, "mapped_flash_bytes": 17 * MIB}, 32 * MIB, 33 * MIB),
    ("shared-window", "esp32c61", {"psram_bytes": 16 * MIB, "mapped_flash_bytes": 17 * MIB}, 32 * MIB, 33 * MIB),
    ("idf-minimum", "esp32c5", {"idf_version": (5, 5)}, 505.02, 505),
    ("idf-minimum", "esp32c5", {"idf_version": (5, 5, 1)}, 505.02, 505.01),
    ("idf-minimum", "esp32s2", {"idf_version": (4, 1)}, 402, 401),
    ("idf-minimum", "esp32c3", {"idf_version": (4, 2)}, 403, 402),
    ("idf-minimum", "esp32s3", {"idf_version": (4, 3)}, 404, 403),
    ("idf-minimum", "esp32c6", {"idf_version": (5, 0)}, 501, 500),
    ("idf-minimum", "esp32p4", {"idf_version": (5, 5, 2)}, 505.03, 505.02),
    ("idf-minimum", "esp32p4-v1", {"idf_version": (5, 5, 1)}, 505.02, 505.01),
    ("idf-minimum", "esp32c61", {"idf_version": (5, 4)}, 505.02, 504),
    *(
        ("microphone-interface", chip, {"senses": ("microphone",), "sensors": (PDM,)}, 1, 0)
        for chip in ("esp32c3", "esp32c5", "esp32c6", "esp32c61")
    ),
]

POSSIBLE = [
    ("esp32s3", {"psram_bytes": 8 * MIB, "psram_interface": "octal"}),
    ("esp32s3", {"psram_bytes": 2 * MIB, "psram_interface": "quad"}),
    ("esp32", {"psram_bytes": 4 * MIB, "psram_interface": "quad"}),
    ("esp32c3", {"psram_bytes": 0}),
    ("esp32c3", {"senses": ("microphone",), "sensors": (I2S,)}),
    ("esp32s2", {"senses": ("camera", "microphone"), "sensors": (DVP, I2S)}),
    ("esp32s2", {"senses": ("microphone",), "sensors": (PDM, I2S)}),
    ("esp32p4", {"senses": ("camera",), "sensors": (MIPI,)}),
    ("esp32p4", {"senses": ("camera",), "sensors": (DVP,)}),
    ("esp32s3", {"senses": ("microphone",), "sensors": (PDM,)}),
    ("esp32s3", {"senses": ("camera",), "drivers": ("espressif/esp32-camera",)}),
    ("esp32p4", {"senses": ("microphone",), "drivers": ("espressif/esp32-camera",)}),
    ("esp32s3", {"senses": ("camera",), "psram_bytes": 0, "frame_pixels": CIF_PIXELS}),
    ("esp32s3", {"senses": ("camera",), "psram_bytes": 2 * MIB, "frame_pixels": 640 * 480}),
    ("esp32s3", {"flash_bytes": 4 * MIB, "flash_needed_bytes": 4 * MIB}),
    ("esp32s3", {"psram_bytes": 16 * MIB, "mapped_flash_bytes": 16 * MIB}),
    ("esp32p4", {"psram_bytes": 32 * MIB, "mapped_flash_bytes": 17 * MIB}),
    ("esp32", {"psram_bytes": 4 * MIB, "mapped_flash_bytes": 4 * MIB}),
    ("esp32c5", {"idf_version": (5, 5, 2)}),
    ("esp32c5", {"idf_version": (6, 0)}),
    *((chip, {"senses": ("microphone",), "sensors": (PDM,)}) for chip in ("esp32", "esp32p4", "esp32p4-v1")),
    ("esp32s3", {}),
]


@pytest.mark.parametrize(("rule", "processor", "asked", "limit", "actual"), BROKEN)
def test_a_rule_is_broken(  # noqa: PLR0917
    catalog: Catalog, rule: str, processor: str, asked: dict[str, object], limit: float, actual: float
) -> None:
    found = violations(Build(chip=catalog.chip(processor), **asked))  # type: ignore[arg-type]
    assert [violation.rule for violation in found] == [rule]
    assert (found[0].limit, found[0].actual) == (limit, actual)
    statement, limit_text, actual_text = found[0].message.split("; ")
    assert statement
    assert limit_text.startswith("limit ")
    assert actual_text.startswith("actual ")


@pytest.mark.parametrize(("processor", "asked"), POSSIBLE)
def test_the_possible_breaks_no_rule(catalog: Catalog, processor: str, asked: dict[str, object]) -> None:
    assert violations(Build(chip=catalog.chip(processor), **asked)) == ()  # type: ignore[arg-type]


def test_every_rule_has_a_case() -> None:
    names = [rule.name for rule in RULES]
    names += [f"{kind}-{rule.name}" for kind in ("camera", "microphone") for rule in SENSOR_RULES]
    assert len(set(names)) == len(names)
    assert set(names) - {"microphone-driver"} == {case[0] for case in BROKEN}
    assert all(rule.statement for rule in (*RULES, *SENSOR_RULES))


def test_several_rules_are_reported_in_order(catalog: Catalog) -> None:
    build = Build(chip=catalog.chip("esp32c3"), senses=("camera",), psram_bytes=MIB, flash_bytes=32 * MIB)
    assert [violation.rule for violation in violations(build)] == ["psram-on-chip", "flash-on-chip", "camera-interface"]


def test_offered_boards_break_no_rule(catalog: Catalog) -> None:
    for sensors in (("camera",), ("microphone",), ("camera", "microphone")):
        for option in catalog.board_options(sensors):
            build = option_build(option, catalog.chip(option.processor), idf_version=(6, 0))
            assert violations(build) == ()


def test_the_papers_unbuildable_boards_break_one_and_its_others_none() -> None:
    paper = load_catalog("paper2023", root=ROOT)
    for sensors in (("camera",), ("microphone",), ("camera", "microphone")):
        for option in paper.board_options(sensors):
            broken = violations(option_build(option, paper.chip(option.processor)))
            assert bool(broken) == (not option.buildable)


def test_a_chip_that_gains_psram_may_use_it(catalog: Catalog) -> None:
    chip = replace(catalog.chip("esp32c3"), psram=catalog.chip("esp32c5").psram)
    assert violations(Build(chip=chip, psram_bytes=2 * MIB, psram_interface="quad")) == ()
