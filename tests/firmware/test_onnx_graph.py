"""Networks as ONNX: onnxruntime gives the bytes of the oracle, and so of the C code."""

import sys
from pathlib import Path

import numpy as np
import pytest

from tinysearch.app.cli import main
from tinysearch.architectures.resnet import Resnet
from tinysearch.architectures.separable import Separable
from tinysearch.core.candidate import Architecture
from tinysearch.core.network import Shape
from tinysearch.core.program import lower
from tinysearch.core.quantization import Precision
from tinysearch.firmware.integer_network import run
from tinysearch.firmware.onnx_graph import onnx_bytes
from tinysearch.firmware.untrained import untrained

RESIDUAL = Resnet(blocks=(1, 2), width=8, embedding=8)
SEPARABLE = Separable(stages=(1, 1), width=8, kernel=5, embedding=8)


@pytest.mark.parametrize(
    ("architecture", "precision"),
    [(RESIDUAL, "int8"), (SEPARABLE, "int8"), (RESIDUAL, "xnor2/2"), (RESIDUAL, "xnor3/1"), (SEPARABLE, "float32")],
)
def test_a_network_in_onnx_gives_the_oracles_embeddings(architecture: Architecture, precision: str) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed: pip install onnx onnxruntime")
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install onnxruntime")
    network = architecture.build(Shape(height=33, width=33, channels=3))
    frozen = untrained(lower(network, Precision.parse(precision)), seed=3)
    inputs = np.random.default_rng(5).integers(-128, 128, (3, 33, 33, 3), dtype=np.int8)
    session = onnxruntime.InferenceSession(
        onnx_bytes(frozen, name="face", version="0.0.0"), providers=["CPUExecutionProvider"]
    )
    (found,) = session.run(None, {"input": inputs})
    expected = run(frozen, inputs)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    if precision == "float32":
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    else:
        np.testing.assert_array_equal(found, expected)


def test_onnx_is_for_the_verb_emit_and_needs_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    spelled = ["modality=face", "face.blocks=[1]", "face.precision=int8", "trainer=none", f"out={tmp_path / 'out'}"]
    assert main(["emit", *spelled, "emit.format=onnx"]) == 2
    assert "the package onnx must be installed for emit.format=onnx" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()
    assert main(["search", "emit.format=onnx", "trainer=none", f"run_dir={tmp_path / 'run'}"]) == 2
    assert "emit.format of a search must be esp_idf or component" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "run").exists()
