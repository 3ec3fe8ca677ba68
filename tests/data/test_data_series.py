"""Series out of CSV files: columns, units, rates, rows that are left out, and what is refused, by file and row."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS
from tinysearch.core.task import Input
from tinysearch.data import series_file
from tinysearch.data.series import SeriesDataset
from tinysearch.data.series_file import UnusableFileError, Wanted, read_series
from tinysearch.inputs.camera import Camera
from tinysearch.inputs.motion import Motion
from tinysearch.inputs.signal import Signal
from tinysearch.reading import read_text

WANTED = Wanted(axes=("x",), units=("g",), full_scale=(16.0,), rate_hz=100.0)
PUMP = Input(
    name="pump",
    kind=Signal(
        window_s=0.64, rate_hz=100, axes=("x",), units=("g",), full_scale=(16.0,), content="samples", center=False
    ),
)


def _file(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _rows(count: int = 40, *, rate_hz: float = 100.0, value: str = "{n}") -> list[str]:
    return [f"{n / rate_hz:.4f},{value.format(n=n % 8)}" for n in range(count)]


def _table(*rows: str, head: str = "time,x") -> str:
    return "\n".join([head, *rows]) + "\n"


def _series(root: Path, *, classes: tuple[str, ...] = ("sound", "worn"), files: int = 4, rows: int = 200) -> Path:
    for place, name in enumerate(classes):
        for number in range(files):
            _file(root / name / f"{number}.csv", _table(*_rows(rows, value=f"{place}.{{n}}")))
    return root


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (_table(*_rows()), 2048),
        (_table(*_rows(), head="Time [s],X (g)"), 2048),
        (_table(*[f"{n * 10},0,{n % 8 * 9.80665}" for n in range(40)], head="t [ms],junk,x [m/s^2]"), 2048),
        (_table(*[f"{n * 10},{n % 8 * 1000}" for n in range(40)], head="t_ms,x [mg]"), 2048),
        (_table(*[f"{n * 10000},{n % 8}" for n in range(40)], head="micros,x"), 2048),
        (_table(*[f"{n / 100:.2f};{n % 8},0".replace(".", ",") for n in range(40)], head="time;x"), 2048),
        (_table(*[f"{n / 100:.2f}\t{n % 8}.0" for n in range(40)], head="time\tx"), 2048),
        (_table(*[f"{n / 100:.2f}\t{n % 8}.125" for n in range(40)], head="seconds\tx"), 2304),
    ],
)
def test_units_time_and_separators_are_recognized(tmp_path: Path, text: str, first: int) -> None:
    (part,), told, _ = read_series(_file(tmp_path / "a.csv", text), WANTED)
    assert not told
    assert part.counts.shape == (40, 1)
    assert part.counts[1, 0] == first


@pytest.mark.parametrize(
    ("given", "wanted", "value"),
    [("cm", "m", 300), ("mm", "cm", 30), ("kPa", "Pa", 0.003), ("uV", "mV", 3000), ("rad/s", "dps", 0.0523599)],
)
def test_prefixes_of_units_are_read(tmp_path: Path, given: str, wanted: str, value: float) -> None:
    text = _table(*[f"{n / 100:.2f},{value}" for n in range(40)], head=f"time,x [{given}]")
    asked = replace(WANTED, units=(wanted,), full_scale=(6.0,))
    (part,), _, _ = read_series(_file(tmp_path / "a.csv", text), asked)
    assert part.counts[0, 0] == 16384


def test_values_beyond_the_range_are_clamped(tmp_path: Path) -> None:
    rows = ["0,99", "0.01,-99", "0.02,16.1", *_rows()[3:]]
    (part,), told, _ = read_series(_file(tmp_path / "a.csv", _table(*rows)), WANTED)
    assert part.counts[:4, 0].tolist() == [32767, -32768, 32767, 3 * 2048]
    assert told == "2 rows beyond full_scale clamped, first a.csv:2"


def test_a_file_in_another_unit_or_of_two_rates_is_told_of_and_not_used(tmp_path: Path) -> None:
    later = [f"{2 + n / 80:.4f},1" for n in range(200)]
    for name, text, reason in (
        ("volts", _table(*_rows(value="{n}00")), r"has 35 rows of 40 beyond full_scale, first volts\.csv:3"),
        ("rates", _table(*_rows(200), *later), r"more than one rate, 8\d\.\d+ Hz in all and 100 from rates\.csv:2$"),
    ):
        asked = replace(WANTED, rate_hz=88.9) if name == "rates" else WANTED
        with pytest.raises(UnusableFileError, match=reason):
            read_series(_file(tmp_path / f"{name}.csv", text), asked)
    milliseconds = [f"{int(n * 2.5)},1" for n in range(800)]
    (part,), told, _ = read_series(
        _file(tmp_path / "ms.csv", _table(*milliseconds, head="millis,x")), replace(WANTED, rate_hz=400)
    )
    assert len(part.counts) == 800 and not told


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("0.2000,", "x is empty"),
        ("0.2000,nan", "x is nan"),
        ("0.2000,-inf", "x is -inf"),
        ("0.2000,stop", "x is stop"),
        ("0.2000,1,2,3", "more cells than columns"),
        ("0.2000", "x is empty"),
        ("2026-01-01,1", "time is 2026-01-01"),
    ],
)
def test_a_row_that_cannot_be_used_parts_the_series(tmp_path: Path, row: str, reason: str) -> None:
    rows = _rows()
    rows[20] = row
    parts, told, _ = read_series(_file(tmp_path / "a.csv", _table(*rows)), WANTED)
    assert [len(part.counts) for part in parts] == [20, 19]
    assert told == f"1 row left out, first a.csv:22: {reason}"


def test_gaps_and_labels_part_a_series_too(tmp_path: Path) -> None:
    rows = [f"{n / 100 + (n >= 10):.2f},1,{'a' if n < 25 else 'b'}" for n in range(40)]
    wanted = Wanted(axes=("x",), units=("g",), full_scale=(16.0,), rate_hz=100.0, label="Label")
    parts, _, _ = read_series(_file(tmp_path / "a.csv", _table(*rows, head="time,x,label")), wanted)
    assert [(len(part.counts), part.label) for part in parts] == [(10, "a"), (15, "a"), (15, "b")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "has no column x; its first line names nothing"),
        (_table(*_rows(), head="time,y"), "has no column x; its first line names time, y"),
        (_table(*_rows(), head="time,x [kg]"), "has x in kg, which must be g"),
        (_table(*_rows(), head="time [days],x"), "has a unit of time that must be one of"),
        (_table(*_rows(), head="x,X"), "has two columns x"),
        (_table(*_rows(rate_hz=50.0)), "is at 50 Hz, and the task at 100 Hz"),
        (_table(*_rows(10), *_rows(10)), "has a time that does not rise, a.csv:12"),
        (_table(*["0,1"] * 9), "has a time that does not rise, a.csv:3"),
        (
            _table(*["1"] * 40, head="x"),
            "has no column time or t or timestamp or seconds; add one, or write data.rate_hz",
        ),
        (_table(*_rows(10), "0.1,oops"), r"1 of its 11 rows cannot be used: a.csv:12: x is oops"),
        (_table("0,1"), "has 1 row"),
        (_table(), "has no rows"),
        ("time,x\n0,1\0\n", "must be text"),
    ],
)
def test_a_file_of_which_nothing_can_be_used_says_why(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(UnusableFileError) as raised:
        read_series(_file(tmp_path / "a.csv", text), WANTED)
    assert str(raised.value).startswith(reason)


def test_a_rate_may_be_stated(tmp_path: Path) -> None:
    stated = Wanted(axes=("x",), units=("g",), full_scale=(16.0,), rate_hz=100.0, stated_hz=100.0)
    (part,), _, _ = read_series(_file(tmp_path / "a.csv", _table(*["1"] * 40, head="x")), stated)
    assert len(part.counts) == 40


def test_a_folder_a_class(tmp_path: Path) -> None:
    data = SeriesDataset(given=PUMP, root=_series(tmp_path), hop_s=0.64)
    assert data.class_names == ("sound", "worn")
    assert data.classes == 2
    assert {split: np.bincount(data.labels(split)).tolist() for split in SPLITS} == {
        "train": [6, 6],
        "validation": [3, 3],
        "test": [3, 3],
    }


def test_training_sees_what_is_normal_alone(tmp_path: Path) -> None:
    root = _series(tmp_path, classes=("slow", "fast", "worn"))
    data = SeriesDataset(given=PUMP, root=root, normal=["slow", "fast"])
    assert data.class_names == ("slow", "fast", "worn")
    assert data.normal == 2
    assert data.labels("train").max() == 1
    assert data.labels("test").max() == 2


def test_a_single_normal_class_is_told_from_itself_transformed(tmp_path: Path) -> None:
    data = SeriesDataset(given=PUMP, root=_series(tmp_path, rows=600), normal=["sound"])
    counts = np.bincount(data.labels("train"))
    assert len(counts) == 4  # as it is, faster, slower, sharper
    assert counts[1] < counts[0] == counts[3] < counts[2]
    assert np.unique(data.labels("test")).tolist() == [0, 1]


def test_files_with_a_column_of_labels(tmp_path: Path) -> None:
    for number in range(3):
        rows = [f"{n / 100:.2f},1,{'up' if n < 100 else 'down'}" for n in range(200)]
        _file(tmp_path / f"{number}.csv", _table(*rows, head="time,x,what"))
    data = SeriesDataset(given=PUMP, root=tmp_path, label="what", hop_s=0.1)
    assert data.class_names == ("down", "up")


def test_a_motion_sensor_has_its_own_columns(tmp_path: Path) -> None:
    head = "time,ax [m/s2],ay [m/s2],az [m/s2],wx [rad/s],wy [rad/s],wz [rad/s]"
    for name in ("wave", "rest"):
        for number in range(3):
            rows = [f"{n / 50:.2f},9.80665,0,0,3.14159265,0,0" for n in range(120)]
            _file(tmp_path / name / f"{number}.csv", _table(*rows, head=head))
    data = SeriesDataset(given=Input(name="wrist", kind=Motion()), root=tmp_path)
    image = data.load("wrist", "test", input_size=10, channels=6).inputs[0]
    assert image[0, 0].tolist() == [64, 0, 0, 46, 0, 0]  # 1 of 2 g, and 180 of 500 degrees a second


def test_few_unusable_files_are_skipped_and_many_are_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = _series(tmp_path)
    _file(root / "worn" / "4.csv", _table(*_rows(rate_hz=25.0)))
    data = SeriesDataset(given=PUMP, root=root)
    assert data.skipped == {"worn/4.csv": "is at 25 Hz, and the task at 100 Hz"}
    assert "1 files are skipped (worn/4.csv: is at 25 Hz" in caplog.text
    _file(root / "worn" / "5.csv", "nothing")
    with pytest.raises(UserError, match=r"2 of 10, first worn/4.csv, which is at 25 Hz, and the task at 100 Hz"):
        SeriesDataset(given=PUMP, root=root)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"normal": ["silent"]}, r"of which data.normal names some; got sound, worn, and normal \['silent'\]"),
        ({"normal": ["sound", "worn"]}, "of which data.normal names some"),
        ({"test_share": 0.9}, "must be positive and leave some"),
        ({"rate_hz": -1.0}, "data.rate_hz must be a positive number"),
        ({"root": "nowhere"}, "data.root must be a folder with CSV files"),
        ({"given": Input(name="view", kind=Camera())}, "must be read as a motion sensor's or another signal"),
    ],
)
def test_what_no_data_set_can_be_made_of_is_refused(tmp_path: Path, words: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        SeriesDataset(**{"given": PUMP, "root": _series(tmp_path), **words})  # type: ignore[arg-type]


def test_a_name_that_is_not_utf8_is_spelled_and_refused(tmp_path: Path) -> None:
    _file(tmp_path / "0.csv", _table(*_rows(200)))
    os.rename(tmp_path / "0.csv", os.path.join(os.fsencode(tmp_path), b"a\xff.csv"))
    with pytest.raises(UserError, match=r"names of series must be UTF-8, on one line; got a\\xff.csv"):
        SeriesDataset(given=PUMP, root=tmp_path)


def test_a_class_with_one_file_is_refused(tmp_path: Path) -> None:
    root = _series(tmp_path)
    _file(root / "rare" / "0.csv", _table(*_rows(200)))
    with pytest.raises(UserError, match=r"a class must have 3 usable files or more, one a split; got class rare has 1"):
        SeriesDataset(given=PUMP, root=root)


def test_a_file_is_read_once_and_what_it_says_decides_the_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, taken = _series(tmp_path), []

    def noted(path: Path) -> str:
        taken.append(path)
        return read_text(path)

    monkeypatch.setattr(series_file, "read_text", noted)
    before = SeriesDataset(given=PUMP, root=root).digest
    assert sorted(taken) == sorted(root.rglob("*.csv"))
    taken[0].write_text(taken[0].read_text() + "2.0,1\n")
    assert SeriesDataset(given=PUMP, root=root).digest != before


def test_what_is_shorter_than_a_window_and_an_empty_class_are_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = _series(tmp_path / "d", files=12)
    _file(root / "sound" / "short.csv", _table(*_rows(20)))
    _file(root / "worn" / "parted.csv", _table(*_rows(200), *[f"{9 + n / 100},1" for n in range(30)]))
    (root / "nothing").mkdir()
    data = SeriesDataset(given=PUMP, root=root)
    assert data.skipped == {"sound/short.csv": "has no 64 rows in a row, a window"}
    assert data.mended == {"worn/parted.csv": "30 rows between breaks shorter than a window left out"}
    assert "1 x an empty folder: fill or remove it (nothing)" in caplog.text
