from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tinysearch.app.cli import VERBS, main, parse
from tinysearch.app.config.resources import data_dir
from tinysearch.catalog import load_catalog
from tinysearch.core.errors import UserError

FACE = ["modality=face", "face.blocks=[2,2]", "face.precision=int8"]


def evaluated(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert main(["evaluate", *words]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_verb_is_search_unless_a_word_says_otherwise() -> None:
    assert parse(["budget=15usd"]).verb == "search"
    assert parse([]).verb == "search"
    for words in (["verify", "some/folder", "--json"], ["--json", "verify", "some/folder"]):
        invocation = parse(words)
        assert (invocation.verb, invocation.words, invocation.json) == ("verify", ("some/folder",), True)


def test_a_path_with_an_equals_sign_is_no_option() -> None:
    words = ["calibrate", "./a=b.log", "runs/budget=15/x", "out=a=b.yaml"]
    assert parse(words).words == ("./a=b.log", "runs/budget=15/x")
    assert parse(words).overrides == ("out=a=b.yaml",)


def test_a_word_that_is_not_utf_8_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "inspect", "data=folder", "data.root=/tmp/m\udcfcller"]) == 2
    assert "must be UTF-8; got data.root=/tmp/m\\xfcller; rename it" in capsys.readouterr().err


def test_unknown_verbs_and_flags_are_refused() -> None:
    with pytest.raises(UserError, match="verb"):
        parse(["serch"])
    with pytest.raises(UserError, match="flags"):
        parse(["evaluate", "--jsn"])


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0
    text = capsys.readouterr().out
    assert "python -m tinysearch " in text
    assert f"tinysearch {verb}" in text or verb == "search"


@pytest.mark.parametrize(
    "words",
    [
        ["budget=abc"],
        ["budget=-3usd"],
        ["budget=15gbp"],
        ["budgt=15usd"],
        ["evaluate", "modality=face", "face.blocks=[2,2]", "face.precision=int7"],
        ["evaluate", "modality=face", "face.blocks=[2,2,2,2,2,2,2]", "face.precision=int8", "face.input_size=8"],
        ["evaluate", "modality=face", "face=x"],
        ["evaluate", *FACE, "platform.flash=four"],
        ["evaluate", *FACE, "platform.processor=z80"],
        ["evaluate", *FACE, "catalog=/does/not/exist"],
        ["evaluate", *FACE, "flash=guess"],
        ["evaluate", *FACE, "far=1.5"],
        ["evaluate", *FACE, "branches=${budget}"],
        ["evaluate", *FACE, "branches=${nothing}"],
        ["evaluate", *FACE, "branches.face=${nothing}"],
        ["evaluate", *FACE, "task.inputs=${seed}"],
        ["emit", *FACE, "trainer=none", "out=x", "seed=-1"],
        ["data", "inspect", "data=folder", "data.root=.", "data.split_seed=-1"],
        ["evaluate", *FACE, "surplus"],
        ["catalog", "check", "/does/not/exist"],
        ["verify"],
        ["emit", *FACE],
        ["budget=3usd", "trainer=none"],
        ["objectives=[speed]", "trainer=none"],
        ["enumerate", "out=c.csv", "objectives=[1,2]"],
        ["report", "run_dir=nowhere", "task=null"],
        ["enumerate", "out=${seed}"],
        ["trainer=table"],
        ["trainer=table", "trainer.path=/does/not/exist.csv"],
        ["sampler.draws=1000000000"],
        ["trainer=none", "sampler=random", "sampler.settings=[[1,1]]", "space.layouts=[[1]]"],
        ["trainer.samples_per_epoch=1000000000000"],
        ["trainer=none", "emit.top=some"],
        ["trainer=published", "experiment=paper", "far=[2]"],
        ["trainer=published", "experiment=paper", "far=[]"],
        ["trainer=none", "budget=15 eur", "rates.eur=-1"],
        ["trainer=none", "budget=15 eur"],
        ["trainer=none", "budget=${nothing}"],
        ["trainer=none", "budget=[1,2]"],
        ["trainer=none", "seed=x"],
        ["trainer=none", "n_trials=0"],
        ["trainer=none", "timeout=10parsecs"],
        ["trainer=none", "engine=spark"],
        ["trainer=none", "firmware.backend=fast"],
        ["trainer=none", "price_level=cheap"],
        ["enumerate", "out=/does/not/exist/all.csv"],
        ["enumerate", "out=all.txt"],
        ["calibrate", "emulator", "out=/does/not/exist/table.yaml"],
        ["calibrate", "out=table.yaml"],
        ["completion"],
        ["data", "guess"],
        ["doctor", "please"],
        ["worker"],
        ["report"],
        ["emit", "run_dir=/does/not/exist", "id=x", "out=x"],
        ["train"],
        ["catalog", "list", "hats"],
        ["++budget=3"],
        ["budget={a"],
        ["-x", "budget=1,2"],
    ],
)
def test_wrong_input_is_one_line_and_status_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("tinysearch: ")
    assert "; got " in lines[0]
    assert lines[0].count("; ") >= 2


def test_a_refused_run_leaves_no_rules_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "trainer=published",
        "budget=15usd",
        "emit.top=none",
        "space.layouts=[[1,1]]",
        f"run_dir={tmp_path / 'run'}",
    ]
    assert main(words) == 2
    assert "add experiment=paper" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    assert main([*words, "experiment=paper"]) == 0


@pytest.mark.parametrize(
    ("build", "told"),
    [
        ("board", "build=any would give nothing cheaper"),
        ("module", r"build=any would give .* at \$\d+\.\d\d, an order"),
    ],
)
def test_an_empty_front_says_what_any_build_would_give(
    capsys: pytest.CaptureFixture[str], build: str, told: str
) -> None:
    assert main(["budget=3usd", "trainer=none", f"build={build}"]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert re.search(told, message)


@pytest.mark.parametrize("word", ["build=kit", "quantity=0", "quantity=1.5", "quantity=many", "quantity=9999999999"])
def test_builds_and_quantities_that_do_not_exist_get_one_line(capsys: pytest.CaptureFixture[str], word: str) -> None:
    assert main(["evaluate", *FACE, word]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_bill_says_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """An order by default, of one piece; a design where a part of one is named, with its price of so many."""
    ordered = evaluated(capsys, *FACE)
    assert ordered["order"]["ready"]
    assert {line["quantity"] for line in ordered["bom"]} == {1}
    assert all(line["seller"] and line["date"] and line["kind"] for line in ordered["bom"])
    module = "platform.module=esp32-s3-wroom-1-n4r8"
    designed = [evaluated(capsys, *FACE, module, f"quantity={pieces}") for pieces in (1, 10, 500)]
    assert [point["bom"][0]["usd"] for point in designed] == [5.8, 4.94, 4.31]
    assert [point["bom"][0]["quantity"] for point in designed] == [1, 10, 100]
    assert all(point["order"]["text"].startswith("design, not an order") for point in designed)


def test_a_budget_that_buys_nothing_names_the_cheapest_board(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["budget=3usd", "trainer=none"]) == 2
    message = capsys.readouterr().err
    assert "cheapest feasible board costs $" in message
    assert "use budget=" in message


def test_evaluate_prints_a_point(capsys: pytest.CaptureFixture[str]) -> None:
    point = evaluated(capsys, *FACE)
    assert point["feasible"]
    assert point["violations"] == []
    assert point["values"]["eer"] is None
    assert point["evidence"] == {"eer": "none", "latency": "uncalibrated"}
    low, high = point["values"]["latency_range_s"]
    assert low <= point["values"]["latency_s"] <= high
    assert point["values"]["bom_cost_usd"] == pytest.approx(sum(line["usd"] for line in point["bom"]))
    assert point["requires"]["flash_bytes"] <= point["platform"]["flash_bytes"]


def test_evaluate_is_a_table_on_a_terminal_and_json_elsewhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    words = [*FACE, "platform.processor=esp32c3", "platform.psram=2MB"]
    assert main(["evaluate", *words]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    for part in ("not feasible", "esp32c3, 1 core,", "breaks", "psram-on-chip", "not known", "47,248 parameters"):
        assert part in text
    assert main(["evaluate", *words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["feasible"] is False


def test_what_a_chip_cannot_do_shows_as_violations(capsys: pytest.CaptureFixture[str]) -> None:
    point = evaluated(capsys, *FACE, "platform.processor=esp32c3", "platform.psram=2MB")
    assert not point["feasible"]
    rules = {violation["rule"] for violation in point["violations"]}
    assert {"psram-on-chip", "camera-interface"} <= rules
    assert point["values"]["bom_cost_usd"] is None


def test_a_mistyped_number_of_blocks_does_not_take_minutes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "modality=voice", "voice.blocks=[20000]", "voice.precision=int8"]) == 2
    assert "at most 256 blocks" in capsys.readouterr().err


def test_paper_rules_give_the_papers_board(capsys: pytest.CaptureFixture[str]) -> None:
    rules = ["experiment=paper", "catalog=paper2023", "flash=paper", "memory=paper"]
    point = evaluated(capsys, *FACE, *rules)
    assert point["branches"]["face"]["params"] == 750656
    assert point["values"]["bom_cost_usd"] == pytest.approx(7.6 + 1.1 + 0.44 + 2.07 + 3.19)
    larger = evaluated(capsys, "modality=face", "face.blocks=[2,2]", "face.precision=float32", *rules)
    smaller = evaluated(capsys, "modality=face", "face.blocks=[1,1]", "face.precision=float32", *rules)
    assert larger["values"]["bom_cost_usd"] - smaller["values"]["bom_cost_usd"] == pytest.approx(0.16)


def test_a_point_beyond_every_flash_is_infeasible(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["modality=face", "face.blocks=[2,2,2,2]", "face.precision=float32", "experiment=paper"]
    point = evaluated(capsys, *words, "catalog=paper2023", "flash=paper", "memory=paper")
    assert not point["feasible"]
    assert {violation["rule"] for violation in point["violations"]} == {"flash"}


def test_enumerate_writes_one_row_a_model_and_processor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "all.csv"
    assert main(["enumerate", "space.layouts=[[1],[1,1]]", "space.precisions=[int8]", f"out={out}"]) == 0
    rows = out.read_text().splitlines()
    assert f"{len(rows) - 1} candidates" in capsys.readouterr().out
    assert main(["enumerate", f"out={tmp_path}/all.txt"]) == 2
    assert main(["enumerate", "space.processors=[esp99]"]) == 2
    assert "esp32c3" in capsys.readouterr().err


def test_an_empty_front_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = Path(__file__).parents[2] / "benchmarks" / "data" / "embedded.csv"
    # One random proposal for this little money is not as good as is asked for.
    words = ["trainer=table", f"trainer.path={table}", "budget=9usd", "sampler=random", "n_trials=1", "seed=5"]
    words.append("max_error=7%")
    assert main([*words, f"run_dir={tmp_path}/run"]) == 0
    assert "the front is empty" in capsys.readouterr().err
    assert json.loads((tmp_path / "run" / "front.json").read_text())["points"] == []


def test_parquet_says_what_csv_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["enumerate", "space.layouts=[[1],[1,1]]", "space.precisions=[int8]"]
    assert main([*words, f"out={tmp_path}/all.csv"]) == main([*words, f"out={tmp_path}/all.parquet"]) == 0
    columns = pd.read_parquet(tmp_path / "all.parquet").replace({"None": None, "nan": None, "": None})
    text = pd.read_csv(tmp_path / "all.csv")
    assert list(columns.columns) == list(text.columns)
    numbers = text.select_dtypes("number").columns
    pd.testing.assert_frame_equal(columns[numbers], text[numbers], check_dtype=False)
    assert columns["face_branch"].fillna("").tolist() == text["face_branch"].fillna("").tolist()
    monkeypatch.setattr("tinysearch.app.verbs.enumerate.find_spec", lambda name: None)
    assert main([*words, f"out={tmp_path}/more.parquet"]) == 2
    assert "the package pyarrow must be installed to write .parquet" in " ".join(capsys.readouterr().err.split())


def test_prices_go_into_a_copy_of_a_built_in_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    before = evaluated(capsys, *FACE, "platform.module=esp32-cam")["values"]["bom_cost_usd"]
    listed = load_catalog("espressif", root=data_dir("hardware_catalog")).parts["esp32-cam"].price.typical
    Path("today.csv").write_text(f"part,usd\nesp32-cam,{listed + 1}\n")
    assert main(["catalog", "price", "today.csv"]) == 0
    assert "catalog=./today" in capsys.readouterr().err
    assert evaluated(capsys, *FACE, "platform.module=esp32-cam")["values"]["bom_cost_usd"] == before
    priced = evaluated(capsys, *FACE, "platform.module=esp32-cam", "catalog=./today")
    assert priced["values"]["bom_cost_usd"] == before + 1
    assert main(["catalog", "price", "today.csv"]) == 2  # the copy of another day is not overwritten
    assert main(["catalog", "price", "today.csv", "catalog=./today"]) == 0
    assert main(["catalog", "price", "today.csv", "out=today.csv"]) == 2


def test_importing_is_fast_to_load_and_light() -> None:
    code = "import sys, tinysearch; print(sorted(m for m in ('torch', 'plotly', 'optuna') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_plug_in_that_ends_the_program_is_no_success(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def leave(invocation: object) -> int:
        raise SystemExit(0)

    monkeypatch.setattr("tinysearch.app.verbs.doctor.run", leave)
    assert main(["doctor"]) == 1
    assert "SystemExit 0" in capsys.readouterr().err
