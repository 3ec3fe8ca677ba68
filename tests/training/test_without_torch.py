"""An environment without torch: settings, digest and remembered branches work; training says what is missing."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from tinysearch.architectures.resnet import resnet, resnet_branch
from tinysearch.core.errors import UserError
from tinysearch.training import settings
from tinysearch.training.trainer import TorchTrainer


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)


def test_settings_keep_their_digest(without_torch: None) -> None:
    assert TorchTrainer(epochs=3, device="auto").digest == TorchTrainer(epochs=3, device="cpu").digest
    with pytest.raises(UserError, match="CUDA"):
        TorchTrainer(device="cuda")


def test_a_machine_without_a_driver_is_not_asked_through_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading torch takes longer than many a second answer."""
    monkeypatch.setattr(settings, "_has_driver", lambda: False)
    monkeypatch.setitem(sys.modules, "torch", _Untouched("torch"))
    assert TorchTrainer(device="auto").settings.device_type == "cpu"


class _Untouched(ModuleType):
    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"torch.{name} was asked for")


def test_training_says_what_to_install(without_torch: None, tmp_path: Path) -> None:
    branch = resnet_branch("face", blocks=(1,), precision="int8", width=8, input_size=32)
    network = resnet(blocks=branch.architecture.blocks, width=8, input_size=32, channels=3, embedding=64)
    with pytest.raises(UserError, match=r"PyTorch must be installed.*pip install .*torch"):
        TorchTrainer().fit(branch, network, None, workspace=tmp_path, progress=print)  # type: ignore[arg-type]
