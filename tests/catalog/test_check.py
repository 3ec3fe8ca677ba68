"""What 'catalog check' finds, with file and line; and that loading refuses the same in one line."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tinysearch.catalog import check_catalog, load_catalog
from tinysearch.core.errors import UserError

Edit = Callable[[str, str, str], int]
MODULE, BASE, MICROPHONE = "parts/module.yaml", "parts/base.yaml", "parts/microphone.yaml"


def test_a_right_folder_has_no_problems(mine: Path, root: Path) -> None:
    assert check_catalog(mine, root=root) == []
    catalog = load_catalog(mine, root=root)
    assert catalog.name == "mine"
    assert [option.id for option in catalog.board_options(["microphone"])] == ["my-module+my-microphone"]


@pytest.mark.parametrize(
    ("file", "old", "new", "at", "word"),
    [
        (MODULE, "  source: my supplier\n", "", "price:", "source"),
        (MODULE, "  source: its data sheet\n", "", "contents:", "source"),
        (MODULE, "unit: usd", "unit: eur", "eur", "usd"),
        (MODULE, "typical: 3.0", "typical: -3.0", "-3.0", "negative"),
        (MODULE, "low: 2.0", "low: 3.5", "price", "low <= typical <= high"),
        (MODULE, "low: 2.0", "low: 0", "price", "a price must be positive"),
        (MODULE, "flash: 8MB", "flash: 6MB", "flash", "a power of two"),
        (MODULE, "flash: 8MB", "flash: eight", "flash", "bytes"),
        (MODULE, "processor: esp32s3", "processor: esp32c3", "psram: 2MB", "must have a controller"),
        (MODULE, "processor: esp32s3", "processor: esp32x9", "processor: esp32x9", "must name a chip"),
        (
            MODULE,
            "psram_interface: quad",
            "psram_interface: hex",
            "psram_interface",
            "PSRAM of ESP32-S3 must be quad or octal",
        ),
        (MODULE, "needs: [my-base]", "needs: [your-base]", "needs", "must name parts"),
        (MODULE, "quantity: 100", "quantity: 0", "quantity", "whole number"),
        (MODULE, 'date: "2026-11-22"', 'date: "22.11.2026"', "date", "date"),
        (MODULE, 'date: "2026-11-22"', 'date: "2026-13-40"', "date", "date"),
        (MODULE, "  kind: measured", "  kind: rumor", "kind", "datasheet"),
        (MODULE, "id: my-module", "id: My Module", "id", "lower-case"),
        (MODULE, "name: My module", "name: My module\ncolor: red", "color", "a key here"),
        (MODULE, "name: My module", "name: My module\nname: twice", "twice", "must stand once"),
        (MODULE, "kind: module", "kind: modul", "kind", "must be one of"),
        (MODULE, "name: My module", "name: [My, module]", "name", "text"),
        (MODULE, "high: 4.0", "high: .inf", "high", "number"),
        (MODULE, "high: 4.0", "high: true", "high", "number"),
        (MODULE, "low: 2.0", "low: '2.0'", "low", "number"),
        (MODULE, "name: My module", "name: &a My module\nnote: *a", "note", "alias"),
        (MODULE, "name: My module", "name: !!python/name:os.system x", "name", "text, a number"),
        (BASE, "id: my-base", "id: my-microphone", "id", "ids must differ"),
        (MICROPHONE, "interface: pdm", "interface: dvp", "interface", "i2s, pdm"),
    ],
)
def test_each_fault_is_found_at_its_line(  # noqa: PLR0917
    mine: Path, root: Path, edit: Edit, file: str, old: str, new: str, at: str, word: str
) -> None:
    edit(file, old, new)
    problems = check_catalog(mine, root=root)
    named = [problem for problem in problems if word in f"{problem.rule} {problem.value} {problem.remedy}"]
    assert named, [str(problem) for problem in problems]
    problem = named[0]
    place = mine / problem.file
    assert at in place.read_text().splitlines()[problem.line - 1]
    with pytest.raises(UserError) as caught:
        load_catalog(mine, root=root)
    assert ".yaml:" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_problems_are_listed_and_none_is_invented(mine: Path, root: Path, edit: Edit) -> None:
    lines = {
        edit(MODULE, "typical: 3.0", "typical: -3.0"),
        edit(MODULE, "flash: 8MB", "flash: 6MB"),
        edit(MODULE, "unit: usd", "unit: pence"),
    }
    problems = check_catalog(mine, root=root)
    assert {problem.line for problem in problems} == lines
    assert {problem.file for problem in problems} == {MODULE}
    with pytest.raises(UserError, match="2 more: run catalog check"):
        load_catalog(mine, root=root)


def test_a_broken_part_does_not_make_others_complain(mine: Path, root: Path, edit: Edit) -> None:
    edit(BASE, "typical: 2", "typical: two")
    assert [problem.file for problem in check_catalog(mine, root=root)] == [BASE]


@pytest.mark.parametrize("content", [b"a: [1, 2", b"\xff\xfe\x00", b"- just\n- a list\n", b"", b"a: \x07", b"a: {b: c"])
def test_what_is_not_a_yaml_mapping_is_one_problem(mine: Path, root: Path, content: bytes) -> None:
    (mine / "parts" / "broken.yaml").write_bytes(content)
    problems = check_catalog(mine, root=root)
    assert [problem.file for problem in problems] == ["parts/broken.yaml"]


def test_deep_nesting_is_refused_not_a_crash(mine: Path, root: Path) -> None:
    (mine / "parts" / "deep.yaml").write_text("a: " + "[" * 200000)
    assert [problem.file for problem in check_catalog(mine, root=root)] == ["parts/deep.yaml"]


def test_a_huge_file_is_refused(mine: Path, root: Path) -> None:
    (mine / "parts" / "huge.yaml").write_text("#" * (1 << 20) + "\n")
    assert "1 MiB" in check_catalog(mine, root=root)[0].value


def test_a_link_out_of_the_folder_is_refused(mine: Path, root: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("id: secret\n")
    (mine / "parts" / "link.yaml").symlink_to(secret)
    problems = check_catalog(mine, root=root)
    assert [problem.rule for problem in problems] == ["a catalogue must stay in its folder"]


def test_a_link_to_itself_is_one_line(mine: Path, root: Path) -> None:
    (mine / "parts" / "link.yaml").symlink_to("link.yaml")
    assert [problem.file for problem in check_catalog(mine, root=root)] == ["parts/link.yaml"]
    with pytest.raises(UserError, match=r"link\.yaml"):
        load_catalog(mine, root=root)
    (mine.parent / "loop").symlink_to("loop")
    with pytest.raises(UserError, match="loop"):
        check_catalog(mine.parent / "loop", root=root)


@pytest.mark.parametrize("name", ["../espressif", "nowhere", "/etc/passwd", "mine", "latency"])
def test_chips_come_from_a_built_in_catalogue_only(mine: Path, root: Path, edit: Edit, name: str) -> None:
    edit("catalog.yaml", "chips_from: espressif", f"chips_from: {name}")
    assert any("built-in" in problem.rule for problem in check_catalog(mine, root=root))


CLAMP = """id: clamp
kind: signal
name: A current clamp
interface: adc
measures: [A]
accepted_by: [esp32-devkit-v1, %s]
price: {low: 1, typical: 1.5, high: 3, quantity: 1, source: my supplier, date: 2026-11-22, kind: measured}
"""


def test_a_sensor_is_put_beside_the_built_in_parts(tmp_path: Path, root: Path) -> None:
    (tmp_path / "catalog.yaml").write_text(
        "name: mine\ndescription: with a clamp\nrules: physical\nparts_from: espressif\n"
    )
    (tmp_path / "clamp.yaml").write_text(CLAMP % "xiao-esp32c3")
    found, built_in = load_catalog(tmp_path, root=root), load_catalog("espressif", root=root)
    assert found.parts.keys() - built_in.parts.keys() == {"clamp"}
    boards = [board.accepts for board in found.parts.values() if board.kind == "board" and "clamp" in board.accepts]
    assert boards == [
        (*built_in.parts[name].accepts, "clamp") for name in ("esp32-devkit-v1", "xiao-esp32c3")
    ]  # and what they took before
    assert found.digest != built_in.digest
    (tmp_path / "clamp.yaml").write_text(CLAMP % "xiao")
    (problem,) = check_catalog(tmp_path, root=root)
    assert (problem.file, problem.line, problem.value) == ("clamp.yaml", 6, "xiao")


@pytest.mark.parametrize("name", ["nowhere", "../nowhere", "", "latency", "espressif/catalog.yaml\0"])
def test_a_missing_catalogue_is_one_line(
    root: Path, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        load_catalog(name or "missing", root=root)
    assert "espressif" in str(caught.value)
    assert "paper2023" in str(caught.value)


def test_a_folder_without_a_head_is_refused(mine: Path, root: Path) -> None:
    (mine / "catalog.yaml").unlink()
    assert any("catalog.yaml" in problem.rule for problem in check_catalog(mine, root=root))


def test_a_catalogue_that_sells_nothing_is_refused(mine: Path, root: Path) -> None:
    (mine / MODULE).unlink()
    assert any("at least one" in problem.rule for problem in check_catalog(mine, root=root))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_a_problem(mine: Path, root: Path) -> None:
    (mine / MODULE).chmod(0)
    assert [problem.file for problem in check_catalog(mine, root=root)] == [MODULE]


def test_a_single_file_can_be_checked(mine: Path, root: Path, edit: Edit) -> None:
    assert check_catalog(mine / MODULE, root=root) == []
    edit(MODULE, "low: 2.0", "low: 9")
    assert len(check_catalog(mine / MODULE, root=root)) == 1


def test_a_single_file_is_judged_with_its_catalogue(mine: Path, root: Path, edit: Edit) -> None:
    line = edit(MODULE, "processor: esp32s3", "processor: esp32c3")
    assert [problem.place for problem in check_catalog(mine / MODULE, root=root)] == [f"{MODULE}:{line + 13}"]
    assert check_catalog(mine / BASE, root=root) == []
    (mine / "parts" / "again.yaml").write_text((mine / BASE).read_text())
    for file in (BASE, "parts/again.yaml"):
        assert [problem.rule for problem in check_catalog(mine / file, root=root)] == ["ids must differ"]


def test_a_single_file_of_no_catalogue_is_judged_by_the_built_in_chips(mine: Path, root: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.yaml"
    alone.write_text((mine / MODULE).read_text())
    assert check_catalog(alone, root=root) == []  # that my-base is elsewhere is no fault of the file
    alone.write_text((mine / MODULE).read_text().replace("processor: esp32s3", "processor: esp32c3"))
    (problem,) = check_catalog(alone, root=root)
    assert problem.rule == "PSRAM must have a controller, and ESP32-C3 has none"
    assert "psram: 2MB" in alone.read_text().splitlines()[problem.line - 1]


def test_the_digest_follows_the_content(mine: Path, root: Path, edit: Edit) -> None:
    before = load_catalog(mine, root=root).digest
    assert load_catalog(mine, root=root).digest == before
    edit(MODULE, "typical: 3.0", "typical: 3.1")
    assert load_catalog(mine, root=root).digest != before


def test_units_are_converted_and_wrong_ones_refused(mine: Path, root: Path) -> None:
    chip = (root / "espressif" / "chips" / "esp32c3.yaml").read_text()
    (mine / "chip.yaml").write_text(chip.replace("id: esp32c3", "id: esp32z1"))
    assert load_catalog(mine, root=root).chip("esp32z1").sram_bytes.value == 400 * 1024
    (mine / "chip.yaml").write_text(chip.replace("id: esp32c3", "id: esp32z1").replace("unit: MHz", "unit: furlongs"))
    assert [problem.value for problem in check_catalog(mine, root=root)] == ["furlongs"]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("cameras: []", "cameras: [dvp]", "camera interface"),
        ("cameras: []", "cameras: []\ncamera_driver: mine", "camera interface"),
        ("cameras: []", "cameras: [usb]", "different words out of dvp, mipi-csi"),
        ('date: "2026-11"\nfrequency', 'date: "soon"\nfrequency', "date"),
        ("isa: rv32imc", "isa: z80", "isa must be one of"),
        ('idf_minimum: "4.3"', "idf_minimum: new", "ESP-IDF version"),
        ("fpu: false", "fpu: 0", "true or false"),
        ("cores: 1", "cores: 0", "whole number"),
    ],
)
def test_chip_facts_are_checked(mine: Path, root: Path, old: str, new: str, rule: str) -> None:
    chip = (root / "espressif" / "chips" / "esp32c3.yaml").read_text().replace("id: esp32c3", "id: esp32z1")
    assert chip.count(old) == 1
    (mine / "chip.yaml").write_text(chip.replace(old, new))
    problems = check_catalog(mine, root=root)
    assert any(rule in problem.rule for problem in problems), problems


def test_a_chip_needs_memory_in_order(mine: Path, root: Path) -> None:
    chip = (root / "espressif" / "chips" / "esp32c3.yaml").read_text()
    (mine / "chip.yaml").write_text(
        chip.replace("id: esp32c3", "id: esp32z1").replace("value: 180224", "value: 980224")
    )
    assert [problem.rule for problem in check_catalog(mine, root=root)] == [
        "it must hold that largest_block <= heap <= sram"
    ]
