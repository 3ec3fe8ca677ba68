"""The catalogues that ship: nothing wrong, nothing unsourced, and the paper's prices to the cent."""

import pickle
from pathlib import Path

import pytest

from tinysearch.catalog import Catalog, check_catalog, load_catalog
from tinysearch.core.errors import UserError
from tinysearch.core.platform import BoardOption
from tinysearch.core.provenance import KINDS, Sourced

MIB = 2**20
SENSORS = (("camera",), ("microphone",), ("camera", "microphone"))


@pytest.fixture(scope="module")
def espressif(root: Path) -> Catalog:
    return load_catalog("espressif", root=root)


@pytest.fixture(scope="module")
def paper(root: Path) -> Catalog:
    return load_catalog("paper2023", root=root)


def paper_board(paper: Catalog, module: str, flash: int, psram: int, *sensors: str) -> BoardOption:
    found = [
        option
        for option in paper.board_options(sensors)
        if (option.module, option.flash_bytes, option.psram_bytes) == (module, flash * MIB, psram * MIB)
    ]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("name", ["espressif", "paper2023"])
def test_nothing_is_wrong(root: Path, name: str) -> None:
    assert check_catalog(name, root=root) == []


def test_all_processors_of_the_contract_are_there(espressif: Catalog) -> None:
    assert {"esp32", "esp32s2", "esp32s3", "esp32c3", "esp32c5", "esp32c6", "esp32c61", "esp32p4"} <= set(
        espressif.chips
    )
    carried = {part.processor for part in espressif.parts.values()}
    assert {name for name, chip in espressif.chips.items() if not chip.preview} <= carried


def test_every_number_has_a_source(espressif: Catalog, paper: Catalog) -> None:
    for catalog in (espressif, paper):
        for part in catalog.parts.values():
            assert part.price.source
            assert part.price.date
            assert part.price.kind in KINDS
            assert 0 < part.price.low <= part.price.typical <= part.price.high
        for chip in catalog.chips.values():
            numbers = [getattr(chip, name) for name in chip.__slots__]
            for number in numbers:
                if isinstance(number, Sourced):
                    assert number.source
                    assert number.value > 0


def test_measured_blocks_are_kept(espressif: Catalog) -> None:
    assert espressif.chip("esp32c3").largest_block_bytes.value == 180224
    assert espressif.chip("esp32").largest_block_bytes.value == 155648
    assert espressif.chip("esp32c3").largest_block_bytes.kind == "measured"


def test_every_part_in_a_file_of_its_name(root: Path) -> None:
    for path in root.glob("*/*/*.yaml"):
        assert path.read_text().splitlines()[0] == f"id: {path.stem}"


@pytest.mark.parametrize("sensors", SENSORS)
def test_offered_boards_can_be_built(espressif: Catalog, sensors: tuple[str, ...]) -> None:
    options = espressif.board_options(sensors)
    assert len({option.id for option in options}) == len(options)
    for option in options:
        chip = espressif.chip(option.processor)
        assert option.buildable
        assert option.flash_bytes >= MIB
        assert option.psram_bytes == 0 or chip.psram is not None
        assert option.psram_bytes <= (chip.psram.addressable_bytes.value if chip.psram else 0)
        assert (option.psram_interface is None) == (option.psram_bytes == 0)
        assert set(sensors) <= set(option.sensors)
        for sensor in option.fitted:
            assert sensor.interface in chip.sensor_interfaces(sensor.kind)


def test_chips_without_a_camera_interface_serve_no_faces(espressif: Catalog) -> None:
    assert {option.processor for option in espressif.board_options(["camera"])} == {
        "esp32",
        "esp32s2",
        "esp32s3",
        "esp32p4",
        "esp32p4-v1",
    }


def test_eight_megabytes_of_psram_count_as_four_on_the_esp32(espressif: Catalog) -> None:
    eye = espressif.board_option("esp-eye", ["camera", "microphone"])
    assert espressif.parts["esp-eye"].psram_bytes == 8 * MIB
    assert eye.psram_bytes == 4 * MIB


def test_whole_boards_bring_their_sensors_and_take_only_what_fits(espressif: Catalog) -> None:
    sense = espressif.board_option("xiao-esp32s3-sense", ["camera", "microphone"])
    assert [item.part for item in sense.items] == ["xiao-esp32s3-sense"]
    assert sense.sensors == ("camera", "microphone")
    assert espressif.board_option("esp32-cam+inmp441", ["camera", "microphone"]).sensor_names == ("OV2640", "INMP441")
    assert not any(option.module == "xiao-esp32c3" for option in espressif.board_options(["camera"]))


def test_bom_is_additive(espressif: Catalog) -> None:
    for option in espressif.board_options(["camera", "microphone"]):
        for level in ("low", "typical", "high"):
            assert option.price_usd(level) == pytest.approx(sum(item.price.at(level) for item in option.items))
        assert option.price_usd("low") <= option.price_usd() <= option.price_usd("high")
        assert sum(line.usd for line in option.bom) == pytest.approx(option.price_usd())


PRINTED = {
    "camera": 7.6,
    "microphone": 1.56,
    "esp32-c3": 1.1,
    "esp32-s3": 3.52,
    "psram-1mb": 2.07,
    "psram-2mb": 2.48,
    "psram-4mb": 2.81,
    "psram-8mb": 3.3,
    "psram-16mb": 3.88,
    "flash-1mb": 0.44,
    "flash-2mb": 0.57,
    "flash-4mb": 0.73,
    "flash-8mb": 0.92,
    "flash-16mb": 1.44,
    "base": 3.19,
    "esp-eye": 19.9,
}


def test_the_papers_table_is_as_printed(paper: Catalog) -> None:
    assert {part.id: part.price.typical for part in paper.parts.values()} == PRINTED
    for part in paper.parts.values():
        assert part.price.low == part.price.typical == part.price.high


def test_the_papers_sums_to_the_cent(paper: Catalog) -> None:
    def usd(flash: int, psram: int, *sensors: str) -> float:
        return round(paper_board(paper, "esp32-s3", flash, psram, *sensors).price_usd(), 2)

    assert usd(4, 8, "camera", "microphone") == 19.9
    assert round(usd(4, 2, "camera") - usd(2, 2, "camera"), 2) == 0.16
    assert round(usd(16, 2, "camera") - usd(4, 2, "camera"), 2) == 0.71
    assert round(usd(16, 2, "camera") - usd(1, 2, "camera"), 2) == 1.0
    assert usd(2, 2, "camera") == 17.36
    single = paper_board(paper, "esp32-c3", 2, 2, "camera").price_usd()
    assert round(usd(2, 2, "camera") - single, 2) == 2.42


def test_the_papers_impossible_board_is_kept_and_marked(paper: Catalog) -> None:
    board = paper_board(paper, "esp32-c3", 4, 8, "camera", "microphone")
    assert not board.buildable
    assert "no PSRAM controller" in board.reason
    assert "camera" in board.reason
    assert board.psram_bytes == 8 * MIB
    assert paper_board(paper, "esp32-c3", 1, 0, "microphone").buildable
    assert paper_board(paper, "esp32-s3", 4, 8, "camera", "microphone").buildable


def test_the_paper_offers_every_combination_of_its_table(paper: Catalog) -> None:
    for sensors in SENSORS:
        sizes = {(o.processor, o.flash_bytes // MIB, o.psram_bytes // MIB) for o in paper.board_options(sensors)}
        assert sizes == {
            (processor, flash, psram)
            for processor in ("esp32c3", "esp32s3")
            for flash in (1, 2, 4, 8, 16)
            for psram in (0, 1, 2, 4, 8, 16)
        }


def test_a_catalogue_travels_between_processes(espressif: Catalog) -> None:
    espressif.board_options(["camera"])
    other = pickle.loads(pickle.dumps(espressif))  # noqa: S301
    assert other.board_options(["camera"]) == espressif.board_options(["camera"])


def test_asking_for_the_unknown_is_one_line(espressif: Catalog) -> None:
    for ask in (
        lambda: espressif.chip("esp33"),
        lambda: espressif.board_options(["smell"]),
        lambda: espressif.board_options([]),
        lambda: espressif.board_option("breadboard", ["microphone"]),
    ):
        with pytest.raises(UserError):
            ask()
