"""``network=FILE`` on the command line: evaluate, search, emit, and what they refuse."""

from __future__ import annotations

import json
import subprocess
from hashlib import sha256

import pytest
from random_tflite import everything
from small_tflite import Op, T, model

from tinysearch.app.cli import main
from tinysearch.app.config.resources import data_dir
from tinysearch.app.networks.again import again_source
from tinysearch.distribution import installed_version
from tinysearch.firmware.verify import component
from tinysearch.firmware.verify.again import as_the_run_emits
from tinysearch.firmware.verify.emitted import Package, as_emitted
from tinysearch.firmware.verify.own_code import only_ours

C3 = "platform.processor=esp32c3"


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "model.tflite"
    path.write_bytes(everything())
    return path


def test_evaluate_tells_arena_lowering_latency_and_price(network, capsys):
    assert main(["evaluate", f"network={network}", C3, "--json"]) == 0
    point = json.loads(capsys.readouterr().out)
    assert point["platform"]["processor"] == "esp32c3"
    assert point["feasible"]
    assert point["unsupported"] == []
    assert point["arena_bytes"] == point["arena_bound_bytes"] > 0
    assert [row["op"] for row in point["lowering"]][:4] == ["CONV_2D", "CONV_2D", "CONV_2D", "ADD"]
    assert point["instructions"] == sum(row["instructions"] for row in point["lowering"])
    assert 0 < point["values"]["latency_s"] < 1
    assert point["values"]["bom_cost_usd"] > 0


def test_search_gives_a_front_of_boards(network, tmp_path, capsys):
    run = tmp_path / "run"
    words = [f"network={network}", "budget=15usd", f"run_dir={run}", "emit.top=1", "emit.verify=false", "-q"]
    assert main(words) == 0
    front = json.loads((run / "front.json").read_text())
    prices = [point["values"]["bom_cost_usd"] for point in front["points"]]
    latencies = [point["values"]["latency_s"] for point in front["points"]]
    assert prices == sorted(prices)
    assert prices[-1] <= 15
    assert latencies[0] == max(latencies)
    assert (run / front["points"][0]["firmware"] / "host" / "Makefile").is_file()
    assert "What became of its operators" in (run / "report.html").read_text()
    assert (run / "lowering.txt").read_text().splitlines()[-1].startswith("total")


def test_an_emitted_project_is_as_the_package_has_it(network, tmp_path):
    out = tmp_path / "project"
    assert main(["emit", f"network={network}", C3, f"out={out}"]) == 0
    package = Package(templates=data_dir("firmware_templates"), version=installed_version(), project="network")
    assert as_emitted(out, package=package).status == "passed"
    main_c = out / "host" / "main.c"
    main_c.write_text(main_c.read_text() + "\n")
    assert as_emitted(out, package=package).status == "failed"


def test_where_candidates_are_asked_for_a_network_is_refused(network, capsys):
    assert main(["enumerate", f"network={network}"]) == 2
    assert "network must be given to one of the commands" in capsys.readouterr().err


def test_refusals_are_one_line_with_status_2(tmp_path, capsys):
    path = tmp_path / "model.tflite"
    tensors = [T(shape=(1, 4)), T(shape=(1, 4), name="negative")]
    path.write_bytes(model(tensors, [Op(code="NEG", inputs=[0], outputs=[1])], [0], [1]))
    for words in (f"network={path}", f"network={tmp_path / 'no.tflite'}", f"network={tmp_path / 'model.onnx'}"):
        assert main(["evaluate", words]) == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 1
        assert lines[0].startswith("tinysearch: ")


def test_labels_must_fit_the_output(network, tmp_path, capsys):
    labels = tmp_path / "labels.txt"
    labels.write_text("one\ntwo\n")
    assert main(["evaluate", f"network={network}", C3, f"labels={labels}"]) == 2
    assert "labels must hold a name for each of the 10 values" in capsys.readouterr().err
    labels.write_text("".join(f"class {number}\n" for number in range(10)))
    assert main(["evaluate", f"network={network}", C3, f"labels={labels}", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["network"]["labels"][9] == "class 9"


def test_other_forms_of_firmware_are_refused(network, tmp_path, capsys):
    for form in ("emit.format=onnx", "emit.format=zip"):
        assert main(["emit", f"network={network}", C3, f"out={tmp_path / 'out'}", form]) == 2
        assert "must be" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_library_gives_its_golden_vectors_and_is_what_its_network_gives(tmp_path):
    out, labels, network = tmp_path / "library", tmp_path / "labels.txt", tmp_path / "model.tflite"
    network.write_bytes(model([T(shape=(1, 4)), T(shape=(1, 4))], [Op(code="TANH", inputs=[0], outputs=[1])], [0], [1]))
    labels.write_text("one\ntwo\nthree\nfour\n")
    words = [f"network={network}", f"labels={labels}"]
    assert main(["emit", *words, C3, f"out={out}", "emit.format=component", "emit.name=own_net"]) == 0
    package = Package(templates=data_dir("firmware_templates"), version=installed_version(), project="network")
    rungs = [
        as_emitted(out, package=package),
        as_the_run_emits(out, again=again_source(out, words), package=package, accept=()),
        only_ours(out, package=package, accept=()),
        component.golden_vectors(out),
        component.layouts(out),
    ]
    assert [rung.status for rung in rungs] == ["passed"] * 5, rungs
    sources = sorted(str(path.relative_to(out)) for path in (out / "src").glob("*.c"))
    subprocess.run(["gcc", "-r", "-Isrc", *sources, "-o", "all.o"], cwd=out, check=True)
    table = subprocess.run(["nm", "-g", "--defined-only", out / "all.o"], check=True, capture_output=True, text=True)
    assert [line for line in table.stdout.splitlines() if not line.split()[2].startswith(("own_net_", "ts_"))] == []
    weights = out / "src/own_net_weights.c"
    weights.write_text(weights.read_text().replace("{\n    ", "{\n    1", 1))
    assert component.golden_vectors(out).status == "failed"


def test_samples_and_names_are_refused_where_nothing_takes_them(network, capsys):
    assert main(["evaluate", f"network={network}", C3, "calibration=samples.npz"]) == 2
    assert "calibration must be for a float network" in capsys.readouterr().err
    for word in ("calibration=samples.npz", "labels=names.txt"):
        assert main(["evaluate", "modality=face", "face.precision=int8", word]) == 2
        assert f"{word.partition('=')[0]} must be that of a network" in capsys.readouterr().err


def test_a_project_is_compared_with_what_its_network_gives(network, tmp_path, capsys):
    out = tmp_path / "project"
    assert main(["emit", f"network={network}", C3, f"out={out}"]) == 0
    again = again_source(out, [f"network={network}"])
    package = Package(templates=data_dir("firmware_templates"), version=installed_version(), project="network")

    def rung():
        return as_the_run_emits(out, again=again, package=package, accept=())

    assert rung().status == "passed"
    weights = out / "components/network/network_weights.c"
    text = weights.read_text()
    weights.write_text(text.replace("{\n    ", "{\n    1", 1))
    point = json.loads((out / "candidate.json").read_text())
    point["firmware_facts"]["files"][str(weights.relative_to(out))] = sha256(weights.read_bytes()).hexdigest()
    (out / "candidate.json").write_text(json.dumps(point))
    assert as_emitted(out, package=package).status == "passed"
    assert only_ours(out, package=package, accept=()).status == "passed"
    assert "changed: candidate.json (firmware_facts" in rung().detail
    point["id"] = "other"
    (out / "candidate.json").write_text(json.dumps(point))
    assert rung().detail.startswith("other is no board with this network")
    assert main(["verify", str(out), f"network={tmp_path / 'no.tflite'}"]) == 2
    assert "no.tflite" in capsys.readouterr().err


def test_a_run_of_something_else_is_not_written_over(network, tmp_path, capsys):
    run, words = tmp_path / "run", [f"network={network}", "emit.top=none", "-q"]
    assert main([*words, f"run_dir={run}"]) == 0
    before = (run / "front.json").read_bytes()
    assert main([*words, f"run_dir={run}"]) == 0
    other = tmp_path / "other.tflite"
    other.write_bytes(model([T(shape=(1, 4)), T(shape=(1, 4))], [Op(code="RELU", inputs=[0], outputs=[1])], [0], [1]))
    (tmp_path / "search").mkdir()
    (tmp_path / "search/journal.log").write_text("")
    capsys.readouterr()
    for given, folder in ((other, run), (network, tmp_path / "search")):
        assert main([f"network={given}", "emit.top=none", "-q", f"run_dir={folder}"]) == 2
        assert "run_dir of a network must be empty" in capsys.readouterr().err
    assert (run / "front.json").read_bytes() == before
