"""Every built-in plug-in passes the suite of its kind."""

from __future__ import annotations

import gzip
import sys
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from tinysearch.app.building.branches import architecture_of
from tinysearch.app.config.plugins import BUILT_IN, plugin
from tinysearch.app.config.resources import data_dir
from tinysearch.catalog.tables import load_latency_table
from tinysearch.core.network import Shape
from tinysearch.core.task import Input
from tinysearch.firmware.backends import EspDsp, EspNn
from tinysearch.inputs.camera import Camera
from tinysearch.inputs.kind import kind_class
from tinysearch.operators import RECORDS
from tinysearch.operators.products import ProductsRecord
from tinysearch.search.samplers import SAMPLERS, make_sampler
from tinysearch.testing import (
    ArchitectureConformance,
    BackendConformance,
    DatasetConformance,
    InputConformance,
    LatencyModelConformance,
    OperatorConformance,
    SamplerConformance,
    TrainerConformance,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))

from sample_files import write_archives, write_door

torch.set_num_threads(1)

SLOW = ("gp", "pymoo_nsga3", "botorch_qlogehvi")


def test_every_sampler_has_its_file_of_settings() -> None:
    assert set(SAMPLERS) == {path.stem for path in (data_dir("conf") / "sampler").glob("*.yaml")} - {"plugin"}
    assert set(BUILT_IN) == {"architectures", "trainers", "datasets", "events"}


def square(family: str, *, layout: str = "blocks", **more):
    """A family as a function of what every architecture is asked for."""

    def build(*, blocks, width, input_size, channels, embedding):
        given = {layout: list(blocks), "width": width, "embedding": embedding, **more}
        shape = Shape(height=input_size, width=input_size, channels=channels)
        return architecture_of(family, given, where="face").build(shape)

    return build


class TestSeparable(ArchitectureConformance):
    @pytest.fixture
    def plugin(self):
        return square("separable", layout="stages")


class TestInverted(ArchitectureConformance):
    @pytest.fixture(params=[{}, {"kernel": 5, "expansion": 1}], ids=["expanding", "wide"])
    def plugin(self, request):
        return square("inverted", layout="stages", **request.param)


class TestPlain(ArchitectureConformance):
    @pytest.fixture
    def plugin(self):
        return square("plain", layout="stages")


class TestResnet(ArchitectureConformance):
    @pytest.fixture
    def plugin(self):
        return square("resnet")


class TestResnetOfPatches(ArchitectureConformance):
    @pytest.fixture
    def plugin(self):
        return square("resnet", stem=[4, 4, 1])


class TestTorchTrainer(TrainerConformance):
    precisions = ("float32", "int8", "xnor1/1", "xnor2/2")

    @pytest.fixture
    def plugin(self):
        settings = {"epochs": 2, "float_epochs": 1, "batch_size": 12, "samples_per_epoch": 0, "threads": 1}
        return partial(plugin("trainers", "torch"), **settings)


class TestEmbedded(DatasetConformance):
    @pytest.fixture
    def plugin(self, tmp_path: Path):
        people = {"train": 3, "validation": 2, "test": 2}
        (tmp_path / "archives").mkdir()
        write_archives(tmp_path / "archives", faces=people, voices=people)
        return partial(plugin("datasets", "embedded"), root=tmp_path / "archives")


@pytest.mark.slow
def test_embedded_people_share_no_sample(tmp_path: Path) -> None:
    suite = DatasetConformance()
    suite.test_splits_share_no_sample(suite._make(plugin("datasets", "embedded"), tmp_path))


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


class TestDigits(DatasetConformance):
    channels: ClassVar[dict[str, int]] = {"face": 1}

    @pytest.fixture
    def plugin(self, tmp_path: Path):
        random = np.random.default_rng(0)
        pictures = random.integers(0, 256, (100, 784))
        rows = [",".join(map(str, [*picture, number % 10])) for number, picture in enumerate(pictures)]
        (tmp_path / "mnist_5k.csv.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
        lengths = random.integers(5, 20, 100)
        frames = random.normal(size=(lengths.sum(), 13)).astype(np.float32)
        np.savez(tmp_path / "digits.npz", X=frames, y=np.arange(100) % 10, lengths=lengths)
        return partial(plugin("datasets", "digits"), root=tmp_path)


class TestClasses(DatasetConformance):
    channels: ClassVar[dict[str, int]] = {"view": 3}

    @pytest.fixture
    def plugin(self, tmp_path: Path):
        random = np.random.default_rng(0)
        for name in ("cup", "key"):
            (tmp_path / name).mkdir()
            for number in range(12):
                picture = random.integers(0, 256, (20, 20, 3)).astype(np.uint8)
                Image.fromarray(picture).save(tmp_path / name / f"{number}.png")
        given = Input(name="view", kind=Camera())
        return partial(plugin("datasets", "classes"), given=given, root=tmp_path, validation_share=0.3, test_share=0.3)


class TestMotions(DatasetConformance):
    channels: ClassVar[dict[str, int]] = {"wrist": 6}

    @pytest.fixture
    def plugin(self):
        return partial(plugin("datasets", "motions"), hop_s=4.0)


@pytest.mark.slow
class TestDoor(DatasetConformance):
    channels: ClassVar[dict[str, int]] = {"face": 3, "hand": 6}

    @pytest.fixture
    def plugin(self, tmp_path: Path):
        return partial(plugin("datasets", "door"), root=write_door(tmp_path / "archives"))


class TestCameraKind(InputConformance):
    @pytest.fixture
    def plugin(self):
        return kind_class("camera")


class TestMicrophoneKind(InputConformance):
    settings: ClassVar[dict[str, object]] = {"clip_s": 2.0}

    @pytest.fixture
    def plugin(self):
        return kind_class("microphone")


class TestMotionKind(InputConformance):
    channels: ClassVar[int] = 6
    settings: ClassVar[dict[str, object]] = {"window_s": 4.0, "center": True}

    @pytest.fixture
    def plugin(self):
        return kind_class("motion")


class TestSignalKind(InputConformance):
    channels: ClassVar[int] = 2
    settings: ClassVar[dict[str, object]] = {"axes": ("x", "y"), "window_s": 2.0}

    @pytest.fixture
    def plugin(self):
        return kind_class("signal")


class TestVoxCeleb(DatasetConformance):
    @pytest.fixture
    def plugin(self, tmp_path: Path):
        root, random = tmp_path / "voxceleb", np.random.default_rng(0)
        for person in range(8):
            for video in ("a", "b"):
                for number in range(2):
                    path = root / f"vox2/dev/wav/id0000{person}/{video}/0000{number}.wav"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    soundfile.write(path, random.uniform(-0.5, 0.5, 16_000), 16_000, subtype="PCM_16")
        for number in range(4):
            path = root / f"vox1/wav/id1000{number % 2}/c/0000{number}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, random.uniform(-0.5, 0.5, 16_000), 16_000, subtype="PCM_16")
        listed = [f"id1000{n % 2}/c/0000{n}.wav" for n in range(4)]
        pairs = [f"1 {listed[0]} {listed[2]}", f"1 {listed[1]} {listed[3]}", f"0 {listed[0]} {listed[1]}"]
        (root / "veri_test2.txt").write_text("\n".join(pairs))
        return partial(plugin("datasets", "voxceleb"), root=root, validation_people=3)


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
            from tinysearch.app.building.wiring import build_catalog
            from tinysearch.app.config.compose import compose_config, plain

            chips = build_catalog(plain(compose_config([]))).chips.values()
            return load_latency_table(files / "opcount.yaml", chips, default=files / "default.yaml")

        return make


@pytest.mark.parametrize("name", [name for name in SAMPLERS if name not in ("auto", *SLOW)])
class TestSamplers(SamplerConformance):
    @pytest.fixture
    def plugin(self, name: str):
        return partial(make_sampler, name, options={})


class TestOperators(OperatorConformance):
    """Those without weights; sums of products are tried in more shapes by tests/firmware and tests/training."""

    @pytest.fixture(params=[name for name, record in RECORDS.items() if not isinstance(record, ProductsRecord)])
    def plugin(self, request):
        return RECORDS[request.param]


class TestEspDsp(BackendConformance):
    @pytest.fixture
    def plugin(self):
        return partial(EspDsp, processors=("esp32", "esp32s3"))

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
        return partial(EspNn, processors=("esp32s3",))
