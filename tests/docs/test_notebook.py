"""The notebook of the documentation, run cell by cell as Jupyter would."""

from __future__ import annotations

import ast
import json
from typing import Any

from docs_pages import DOCS


def test_the_notebook_runs_and_its_results_have_something_to_show() -> None:
    cells = json.loads((DOCS / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    assert all(not cell.get("outputs") for cell in cells), "outputs are made by whoever opens it"
    names: dict[str, Any] = {}
    shown = [_run("".join(cell["source"]), names) for cell in cells if cell["cell_type"] == "code"]
    assert "<table" in shown[1]._repr_html_() and "Result with" in shown[1]._repr_html_()
    assert shown[3].id in shown[3]._repr_html_()
    assert [point.id for point in names["again"].points] == [point.id for point in names["result"].points]
    assert names["again"].points[0].evaluation == names["result"].points[0].evaluation
    assert names["again"].reason == names["result"].reason
    assert "candidate.json" in shown[-1]


def _run(source: str, names: dict[str, Any]) -> Any:
    """Run one cell; the value of its last line, where that is an expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)  # noqa: S102 - ours
    return None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307
