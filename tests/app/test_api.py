"""Results in other people's programs: pickled, printed, and empty."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import tinysearch as ts

RATES = """kind,modality,face_blocks,face_precision,voice_blocks,voice_precision,eer,eer_lo,eer_hi,train_s
branch,voice,,,1-1,int8,0.20,0.18,0.22,60
"""


def test_a_result_and_its_points_are_pickled_printed_and_still_emit(tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text(RATES)
    result = ts.search(
        budget="15usd",
        trainer="table",
        run_dir=str(tmp_path / "run"),
        **{"trainer.path": str(tmp_path / "rates.csv"), "space.modalities": ["voice"], "emit.top": "none"},
    )
    again = pickle.loads(pickle.dumps(result))  # noqa: S301 - made here
    assert [point.id for point in again.points] == [point.id for point in result.points]
    assert set(again.points) == set(result.points)
    assert list(again.front.columns) == list(result.front.columns)
    assert len(repr(result)) < 500
    assert "\n" not in repr(result.points)
    folder = again.points[0].emit(tmp_path / "firmware")
    assert (folder / "candidate.json").is_file()


def test_a_spelled_out_point_is_pickled() -> None:
    point = ts.evaluate(modality="voice", voice={"blocks": [1], "precision": "int8"})
    assert pickle.loads(pickle.dumps(point)).to_dict() == point.to_dict()  # noqa: S301 - made here


def test_an_empty_front_has_columns(tmp_path: Path) -> None:
    front = ts.Result(points=(), study=None, folder=tmp_path, reason="nothing was tried").front  # type: ignore[arg-type]
    assert {"id", "eer", "bom_cost_usd", "latency_s"} <= set(front.columns)


HOST = """
import logging, multiprocessing, random, signal, sys, threading
from concurrent.futures import ThreadPoolExecutor
import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobRuntime
from hydra.version import VersionBase

import optuna
import tinysearch as ts

rates, folder = sys.argv.pop(), sys.argv.pop()
OPTIONS = {
    "trainer": "table", "trainer.path": rates, "space.modalities": "voice", "emit.top": "none", "budget": "15usd",
}


def search(name):
    return ts.search(run_dir=f"{folder}/{name}", **OPTIONS)


def settings():
    root, libraries = logging.getLogger(), [logging.getLogger(name) for name in ("hydra", "optuna", "tinysearch")]
    return {
        "hydra": (id(GlobalHydra.instance().hydra), JobRuntime.instance().get("name"), HydraConfig.get().job.name),
        "version base": VersionBase.instance().version_base,
        "logging": [root.level, list(root.handlers), *((logger.level, list(logger.handlers)) for logger in libraries)],
        "optuna": optuna.logging.get_verbosity(),
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        "start method": multiprocessing.get_start_method(allow_none=True),
        "threads": threading.active_count(),
        "random": hash(random.getstate()),
    }


@hydra.main(version_base="1.2", config_path=None)
def host(config):
    optuna.logging.set_verbosity(optuna.logging.DEBUG)
    optuna.create_study()
    before = settings()
    point = ts.evaluate(modality="voice", voice={"blocks": [1], "precision": "int8"})
    alone = search("alone").front
    assert settings() == before, (before, settings())
    with ThreadPoolExecutor(2) as threads:  # as a notebook's cells, in no thread that may catch signals
        results = list(threads.map(search, ("one", "two")))
    assert all(result.front.equals(alone) for result in results)
    assert settings() == before, (before, settings())
    print("a good guest", point.id)


host()
"""


def test_a_guest_leaves_its_host_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text(RATES)
    (tmp_path / "host.py").write_text(HOST)
    words = [sys.executable, "host.py", str(tmp_path), str(tmp_path / "rates.csv")]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "a good guest" in done.stdout
