"""Every built-in plug-in passes the suite of its kind."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tinysearch.app.plugins import BUILT_IN, OWN_WORDS, plugin
from tinysearch.app.resources import data_dir
from tinysearch.catalog.tables import load_latency_table
from tinysearch.firmware.backends import NAMES, EspDsp, EspNn
from tinysearch.search.samplers import SAMPLERS, make_sampler
from tinysearch.testing import (
    ArchitectureConformance,
    BackendConformance,
    DatasetConformance,
    LatencyModelConformance,
    SamplerConformance,
    TrainerConformance,
)

torch.set_num_threads(1)

SLOW = ("gp", "pymoo_nsga3", "pymoo_agemoea")


def test_words_of_the_rooms_are_known() -> None:
    assert OWN_WORDS["samplers"] == SAMPLERS
    assert OWN_WORDS["backends"] == NAMES
    assert set(BUILT_IN) == {"architectures", "trainers", "datasets"}


class TestResnet(ArchitectureConformance):
    @pytest.fixture
    def plugin(self):
        return plugin("architectures", "resnet")


class TestTorchTrainer(TrainerConformance):
    precisions = ("float32", "int8", "xnor1/1", "xnor2/2")

    @pytest.fixture
    def plugin(self):
        settings = {"epochs": 2, "float_epochs": 1, "batch_size": 12, "samples_per_epoch": 0, "threads": 1}
        return partial(plugin("trainers", "torch"), **settings)


class TestEmbedded(DatasetConformance):
    @pytest.fixture
    def plugin(self):
        return plugin("datasets", "embedded")


class TestFolder(DatasetConformance):
    @pytest.fixture
    def plugin(self, tmp_path: Path):
        random = np.random.default_rng(0)
        for person in range(10):
            for number in range(3):
                path = tmp_path / "people" / f"p{person}" / "face" / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(random.integers(0, 256, (50, 40, 3), np.uint8)).save(path)
        return partial(plugin("datasets", "folder"), root=tmp_path / "people")


class TestOrl(DatasetConformance):
    @pytest.fixture
    def plugin(self, tmp_path: Path):
        random = np.random.default_rng(0)
        for person in range(1, 41):
            folder = tmp_path / "orl" / f"s{person}"
            folder.mkdir(parents=True)
            for number in range(1, 11):
                Image.fromarray(random.integers(0, 256, (112, 92), np.uint8)).save(folder / f"{number}.pgm")
        return partial(plugin("datasets", "orl"), root=tmp_path / "orl")


class TestTable(LatencyModelConformance):
    @pytest.fixture
    def plugin(self):
        return lambda *, table: table


class TestOpcount(LatencyModelConformance):
    """The paper's own rule, which counts the operations of convolutions and of nothing else."""

    test_times_are_positive_and_within_their_range = None
    test_layers_of_other_networks_take_time_or_raise = None
    test_whole_networks_follow = None

    @pytest.fixture
    def plugin(self):
        files = data_dir("hardware_catalog") / "latency"

        def make(*, table):
            from tinysearch.app.config import compose_config, plain
            from tinysearch.app.wiring import build_catalog

            chips = build_catalog(plain(compose_config([]))).chips.values()
            return load_latency_table(files / "opcount.yaml", chips, default=files / "default.yaml")

        return make


@pytest.mark.parametrize("name", [name for name in SAMPLERS if name not in ("auto", *SLOW)])
class TestSamplers(SamplerConformance):
    @pytest.fixture
    def plugin(self, name: str):
        return partial(make_sampler, name, options={})


class TestEspDsp(BackendConformance):
    @pytest.fixture
    def plugin(self):
        return EspDsp

    @pytest.fixture(autouse=True)
    def dot_product(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What ESP-DSP documents of its dot product."""
        (tmp_path / "dsp").mkdir()
        (tmp_path / "dsp/dsps_dotprod.h").write_text(
            "static inline int dsps_dotprod_f32(const float *a, const float *b, float *result, int count)\n"
            "{\n    float sum = 0;\n    for (int i = 0; i < count; i++)\n        sum += a[i] * b[i];\n"
            "    *result = sum;\n    return 0;\n}\n"
        )
        monkeypatch.setattr(TestEspDsp, "host_flags", ("-isystem", str(tmp_path / "dsp")))


class TestEspNn(BackendConformance):
    @pytest.fixture
    def plugin(self):
        return EspNn
