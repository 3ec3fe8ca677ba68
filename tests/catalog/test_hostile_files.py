"""Whatever a file contains, checking it ends with a list of problems, never with a traceback."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tinysearch.catalog import load_catalog
from tinysearch.catalog.document import Problem, read_document
from tinysearch.catalog.parts import read_entry
from tinysearch.core.errors import UserError

ROOT = Path(__file__).parents[2] / "hardware_catalog"
SEEDS = [
    (ROOT / "espressif" / file).read_text()
    for file in ("chips/esp32s3.yaml", "boards/esp-eye.yaml", "modules/esp32-s3r8.yaml", "memory/w25q16.yaml")
]
SNIPPETS = [
    "",
    " ",
    "\n",
    ":",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "!!set ",
    "null",
    "~",
    "1e999",
    "\t",
    "'",
    '"',
    "é",
    "0",
]

MUTATIONS = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 12), st.sampled_from(SNIPPETS)), min_size=1, max_size=4
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(seed=st.sampled_from(SEEDS), mutations=MUTATIONS)
def test_a_mutated_file_is_right_or_has_problems(
    tmp_path: Path, seed: str, mutations: list[tuple[float, int, str]]
) -> None:
    text = seed
    for where, removed, inserted in mutations:
        at = int(where * len(text))
        text = text[:at] + inserted + text[at + removed :]
    path = tmp_path / "mutated.yaml"
    path.write_text(text)
    problems: list[Problem] = []
    document = read_document(path, file=path.name, problems=problems)
    entry = None if document is None else read_entry(document, problems=problems)
    assert (entry is None) == bool(problems)
    for problem in problems:
        assert 1 <= problem.line <= text.count("\n") + 2
        assert "\n" not in str(problem.error())


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=200))
def test_a_head_of_bytes_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "catalog.yaml").write_bytes(content)
    with pytest.raises(UserError) as caught:
        load_catalog(tmp_path, root=ROOT)
    assert "\n" not in str(caught.value)
