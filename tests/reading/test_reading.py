"""Files as people bring them: kinds that are refused, encodings, separators and decimal commas of spreadsheets."""

import os
import socket

import pytest

from tinysearch.reading import SpreadsheetError, decimal_point, read_bytes, read_spreadsheet, read_text, same_name


def test_only_regular_files_of_a_bounded_length_are_read(tmp_path):
    plain = tmp_path / "plain"
    plain.write_bytes(b"content")
    assert read_bytes(plain) == b"content"
    (tmp_path / "link").symlink_to(plain)
    assert read_bytes(tmp_path / "link") == b"content"
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        for name in ("pipe", "circle", "socket", "nothing", "."):
            with pytest.raises(OSError):
                read_bytes(tmp_path / name)
    for device in ("/dev/zero", "/dev/null"):
        with pytest.raises(OSError, match="must be a regular file and is a device"):
            read_bytes(device)
    with (tmp_path / "endless").open("wb") as stream:
        stream.truncate(2**40)  # a hole, nothing is written
    with pytest.raises(OSError, match="at most 1 MiB"):
        read_bytes(tmp_path / "endless", most=2**20)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_text_is_read_in_the_encodings_that_people_save(tmp_path, encoding):
    (tmp_path / "list.txt").write_bytes("bär\r\nzoë\r\n".encode(encoding))
    assert read_text(tmp_path / "list.txt").split() == ["bär", "zoë"]


def test_what_is_no_text_is_told(tmp_path):
    (tmp_path / "picture").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    with pytest.raises(OSError, match="must be text"):
        read_text(tmp_path / "picture")


def test_names_are_the_same_composed_or_not_and_with_either_slash():
    assert same_name("mu\u0308ller\\face") == same_name("müller/face")


@pytest.mark.parametrize(
    "content",
    [
        "part,usd\na,1.90\n\nb,2\n",
        "\n part ; usd \na;1.90\n;;\nb;2\n;\n",
        "sep=|\npart|usd\na|1.90\nb|2\n",
        "\ufeffpart\tusd\t\t\r\na\t1.90\r\n\r\nb\t2\r\n",
    ],
)
def test_separators_and_empty_rows_of_spreadsheets(tmp_path, content):
    (tmp_path / "t.csv").write_text(content, encoding="utf-8", newline="")
    columns, rows = read_spreadsheet(tmp_path / "t.csv")
    assert columns == ("part", "usd")
    assert [tuple(row.cells.values()) for row in rows] == [("a", "1.90"), ("b", "2")]


def test_a_row_names_its_line_and_what_is_too_much(tmp_path):
    (tmp_path / "t.csv").write_text('part;usd\n"a\nb";1;;c\n', encoding="utf-8")
    (row,) = read_spreadsheet(tmp_path / "t.csv")[1]
    assert (row.place, row.extra, row.comma) == ("t.csv:3", ("c",), True)


@pytest.mark.parametrize("line", [1, 2])
def test_an_over_long_cell_is_told_with_its_line(tmp_path, line):
    (tmp_path / "t.csv").write_text("part,usd\n" * (line - 1) + '"' + "x" * 140_000, encoding="utf-8")
    with pytest.raises(SpreadsheetError, match=f"t.csv:{line}: a cell of over 131072 characters"):
        list(read_spreadsheet(tmp_path / "t.csv")[1])


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("1", "1"),
        ("1.90", "1.90"),
        ("1,90", "1.90"),
        ("-0,5", "-0.5"),
        ("0,125", "0.125"),
        ("1.234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1,234,567", "1234567"),
        ("1,2,3", "1,2,3"),
        ("12,34.5", "12,34.5"),
        ("n/a", "n/a"),
    ],
)
def test_decimal_commas_become_points(text, point):
    assert decimal_point(text) == point


def test_a_mark_that_may_be_either_is_refused():
    assert decimal_point("1,234", comma=True) == "1.234"
    assert decimal_point("1.234") == "1.234"
    for text, comma in (("1,234", False), ("1.234", True)):
        with pytest.raises(ValueError, match=r"may be 1\.234 or 1234"):
            decimal_point(text, comma=comma)
