"""What optuna-dashboard is offered beside the trials."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import optuna
import pytest
from optuna.artifacts import FileSystemArtifactStore, get_all_artifact_meta

from tinysearch.app.run.artifacts import det_picture, publish
from tinysearch.core.error_rates import ErrorRates
from tinysearch.search.study.storage import load_study, make_study

CURVES = {"far": [0.0, 0.01, 0.1, 1.0], "frr": [1.0, 0.3, 0.05, 0.0]}
RATES = ErrorRates(eer=0.07, evidence="trained", curves=CURVES)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "report.html").write_text("<p>report</p>")
    project = tmp_path / "firmware" / "face-a"
    (project / "main").mkdir(parents=True)
    (project / "main" / "main.c").write_text("int x;\n")
    (project / "build").mkdir()
    (project / "build" / "main.o").write_bytes(b"no")
    return tmp_path


def opened(folder: Path) -> optuna.Study:
    backend = optuna.storages.journal.JournalFileBackend(str(folder / "journal.log"))
    return make_study(optuna.storages.JournalStorage(backend), "tinysearch", ["eer"])


def offered(study: optuna.Study) -> dict[str, str]:
    return {meta.filename: meta.artifact_id for meta in get_all_artifact_meta(study)}


def point(name: str, rates: ErrorRates, firmware: str | None) -> tuple[SimpleNamespace, dict]:
    return SimpleNamespace(candidate=SimpleNamespace(id=name), errors=rates), {"firmware": firmware}


def test_report_firmware_and_curves_are_offered_and_replaced(folder: Path) -> None:
    study = opened(folder)
    study.add_trial(optuna.trial.create_trial(value=0.1, user_attrs={"id": "face-a"}))
    first = point("face-a", RATES, "firmware/face-a")
    second = point("voice-b", replace(RATES, curves={}), None)
    store = FileSystemArtifactStore(str(publish(study, folder, *zip(first, second, strict=True))))
    names = offered(load_study(folder))
    assert set(names) == {"report.html", "det-face-a.svg", "firmware-face-a.zip"}
    with store.open_reader(names["firmware-face-a.zip"]) as file:
        archive = zipfile.ZipFile(io.BytesIO(file.read()))
    assert archive.namelist() == ["face-a/main/main.c"]
    shown = [key for key in study._storage.get_study_system_attrs(0) if key.startswith("dashboard:artifacts:0:")]
    assert len(shown) == 3
    lines = (folder / "journal.log").read_bytes().count(b"\n")
    publish(study, folder, *zip(first, second, strict=True))
    assert (folder / "journal.log").read_bytes().count(b"\n") == lines
    publish(study, folder, [second[0]], [second[1]])
    attributes = load_study(folder)._storage.get_study_system_attrs(0)
    left = [json.loads(value) for key, value in attributes.items() if key.startswith("artifacts:") and value != "null"]
    assert [meta["filename"] for meta in left] == ["report.html"]


def test_a_curve_is_a_picture_and_no_curve_is_none() -> None:
    picture = det_picture(RATES, title="face-a")
    assert picture is not None
    (line,) = ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}polyline")  # noqa: S314  made one line above
    places = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    assert places == sorted(places, key=lambda place: (place[0], -place[1]))
    assert len(places) == len(CURVES["far"])
    assert det_picture(replace(RATES, curves={}), title="x") is None
