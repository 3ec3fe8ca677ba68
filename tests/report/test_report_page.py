"""The page as a file: self-contained, small, the same bytes for the same run, and no markup that a name smuggled."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_cases import Case, branch, evaluation, make_case, rates

from tinysearch.app.cli import main
from tinysearch.core.errors import UserError
from tinysearch.core.objectives import OBJECTIVES
from tinysearch.report import write_report
from tinysearch.report.figures import _axes
from tinysearch.report.page import script_json

EVIL = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=2>"


def small_case(part: str = "ESP32-CAM") -> Case:
    """A front of three points with one dominated design."""
    return make_case(
        [
            evaluation([branch("voice")], board="bare", errors=rates(0.2), latency_s=0.1),
            evaluation([branch("face")], board="camera", errors=rates(0.1), parts=[(part, 7.0)]),
            evaluation([branch("face", precision="float32")], board="camera", errors=rates(0.2), parts=[(part, 7.0)]),
            evaluation([branch("face"), branch("voice")], board="two cores", errors=rates(0.05), latency_s=0.3),
        ],
        budget_usd=15.0,
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = small_case().write(tmp_path_factory.mktemp("run"))
    return write_report(folder).read_text(encoding="utf-8")


def test_the_page_is_small_and_the_same_for_the_same_run(page: str, tmp_path: Path) -> None:
    assert len(page.encode()) < 5e6
    assert write_report(small_case().write(tmp_path)).read_text(encoding="utf-8") == page
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "front.json",
        "manifest.json",
        "report.html",
        "report_data.json",
    ]


def test_the_page_asks_nobody_for_anything(page: str) -> None:
    without_plotly = re.sub(r'(<script type="application/octet-stream"[^>]*>)[^<]*', r"\1", page)
    assert not re.search(r"<(link|iframe|object|embed|base)\b", without_plotly)
    assert not re.search(r'\b(src|href)="(https?:)?//', without_plotly)
    assert not re.search(r"@import|url\(|\bfetch\(|XMLHttpRequest|WebSocket|innerHTML|\beval\(", without_plotly)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    rules = policy.group(1).replace("&#39;", "'")
    assert "default-src 'none'" in rules
    assert "connect-src 'none'" in rules
    script_rule = next(rule for rule in rules.split(";") if "script-src" in rule)
    assert "unsafe" not in script_rule


def test_the_policy_names_the_scripts_that_run(page: str) -> None:
    script = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    assert len(script) == 1
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert f"sha256-{digest}" in page.replace("&#43;", "+").replace("&#x2b;", "+")


def test_the_page_reads_without_scripts(page: str) -> None:
    case = small_case()
    assert page.count("<tr data-id=") == len(case.front) == 3
    assert "For $15.00, the lowest EER is 5.0 % [3.0-7.0 %]" in page.replace("\u00a0", " ")
    assert "What can be built for $15.00 - a door lock</title>" in page
    assert "n_trials=9 reached" in page


def test_a_battery_life_is_an_objective_like_others(tmp_path: Path) -> None:
    found = [
        evaluation([branch("voice")], board="bare", errors=rates(0.2), days=41.0),
        evaluation([branch("face")], board="camera", errors=rates(0.1), days=20.0),
    ]
    folder = tmp_path / "run"
    make_case(found, objectives=("eer", "power_mw", "battery_days")).write(folder)
    page = write_report(folder).read_text(encoding="utf-8")
    assert "runs 41 days on 2 AA, deciding every 10 s" in page
    heads = re.findall(r"data-sort=\"(\w+)\"", page)
    assert heads[:4] == ["network", "eer", "power", "battery"]


def test_every_objective_has_an_axis() -> None:
    assert set(OBJECTIVES) <= set(_axes())


def test_names_from_catalogues_stay_text(tmp_path: Path) -> None:
    case = small_case(EVIL)
    folder = case.write(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["search"]["reason"] = EVIL
    manifest["versions"][EVIL] = EVIL
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    text = write_report(folder).read_text(encoding="utf-8")
    assert EVIL not in text
    assert "<img" not in text
    assert len(re.findall(r"<script", text)) == 3
    assert len(re.findall(r"</script", text)) == 3


@settings(max_examples=50)
@given(st.recursive(st.text() | st.integers() | st.none(), st.lists, max_leaves=8))
def test_json_for_scripts_is_the_same_json_without_markup(value: object) -> None:
    text = str(script_json({"value": value}))
    assert json.loads(text) == {"value": value}
    assert not set("<>&\u2028\u2029") & set(text)


def test_the_verb_rebuilds_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_case().write(tmp_path)
    assert main(["report", f"run_dir={tmp_path}"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "report.html")
    assert (tmp_path / "report.html").is_file()


def test_the_verb_answers_mistakes_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["report"], ["report", f"run_dir={tmp_path}"], ["report", "somewhere"]):
        assert main(words) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_page_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = small_case().write(tmp_path)
    (folder / "report.html").write_text("old", encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tinysearch.files.os.replace", full)
    with pytest.raises(UserError, match="No space left"):
        write_report(folder)
    assert (folder / "report.html").read_text(encoding="utf-8") == "old"


def test_a_caveat_about_the_people_stands_on_top(page: str, tmp_path: Path) -> None:
    folder = small_case().write(tmp_path)
    document = json.loads((folder / "report_data.json").read_text())
    document["caveat"] = "Error rates are of <synthetic> people."
    (folder / "report_data.json").write_text(json.dumps(document))
    warned = write_report(folder).read_text(encoding="utf-8")
    assert warned.index("Error rates are of &lt;synthetic&gt; people.") < warned.index("What to order")
    del document["caveat"]  # a run from before there were any
    (folder / "report_data.json").write_text(json.dumps(document))
    assert write_report(folder).read_text(encoding="utf-8") == page
