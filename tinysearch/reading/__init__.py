"""Files that people bring: which ones are read at all, in which encodings, and how a spreadsheet spells a table."""

from tinysearch.reading.documents import SAFE_LOADER, read_json, read_yaml
from tinysearch.reading.regular import MOST_TABLE_BYTES, is_regular, read_bytes
from tinysearch.reading.spreadsheet import Row, SpreadsheetError, decimal_point, read_spreadsheet, spreadsheet_of
from tinysearch.reading.text import decode_text, read_text, same_name

__all__ = [
    "MOST_TABLE_BYTES",
    "SAFE_LOADER",
    "Row",
    "SpreadsheetError",
    "decimal_point",
    "decode_text",
    "is_regular",
    "read_bytes",
    "read_json",
    "read_spreadsheet",
    "read_text",
    "read_yaml",
    "same_name",
    "spreadsheet_of",
]
