#!/usr/bin/env bash
# A network that was only brought to a newer opset gives other numbers.
# Guessed: onnx's version converter keeps what a network computes, or refuses.
# Seen: Upsample with mode "linear" becomes a Resize that puts its pixels elsewhere (half_pixel, where Upsample's are
# asymmetric): values differ by as much as the picture does. Hardmax over several axes becomes one over the last axis;
# Softmax, which changed in the same opset, is rewritten as it must be.
# Bites: segmentation and detection networks of opset 9 that are converted for a tool that wants a newer one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check onnx==1.23.2 onnxruntime==1.31.1 numpy==2.4.6
venv/bin/python - <<'END'
from importlib.metadata import version

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, version_converter

print("onnx", version("onnx"), "onnxruntime", version("onnxruntime"))


def network(node, opset, shape, output, weights=()):
    graph = helper.make_graph(
        [node],
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, output)],
        list(weights),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def run(model, values):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": values})[0]


twice = helper.make_tensor("scales", TensorProto.FLOAT, [4], [1.0, 1.0, 1.0, 2.0])
upsample = network(helper.make_node("Upsample", ["x", "scales"], ["y"], mode="linear"), 9, [1, 1, 1, 2], [1, 1, 1, 4], [twice])
row = np.array([0.0, 100.0], np.float32).reshape(1, 1, 1, 2)
before, after = run(upsample, row).ravel().tolist(), run(version_converter.convert_version(upsample, 13), row).ravel().tolist()
print("Upsample of 0, 100:", before, "opset 13:", after)
assert before == [0.0, 50.0, 100.0, 100.0] and after == [0.0, 25.0, 75.0, 100.0]

values = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
for name, same in (("Softmax", True), ("Hardmax", False)):
    old = network(helper.make_node(name, ["x"], ["y"], axis=1), 11, [2, 3, 4], [2, 3, 4])
    before, after = run(old, values), run(version_converter.convert_version(old, 13), values)
    print(name, "sum of all:", before.sum(), "opset 13:", after.sum())
    assert np.allclose(before, after) == same
END
