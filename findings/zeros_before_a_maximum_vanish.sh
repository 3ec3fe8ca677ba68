#!/usr/bin/env bash
# A network gives other numbers once it is "optimized", or merely run.
# Guessed: zeros that are padded before a maximum stay, for a pool's own padding is no zero but minus infinity.
# Seen: onnxoptimizer's default passes, and onnxruntime 1.31.1's default session, make the pool's padding of them: a
# window whose other values are negative had 0 as its maximum and has a negative one now. onnxruntime with its
# optimizations off is right. For an average both do the same, and there it is right.
# Bites: networks exported from frameworks that pad by a layer of its own before a pool, behind anything but a ReLU;
# whoever measures a converter or a board against onnxruntime as it starts by default.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  onnxoptimizer==0.4.2 onnx==1.23.2 onnxruntime==1.31.1 numpy==2.4.6
venv/bin/python - <<'END'
from importlib.metadata import version

import numpy as np
import onnxoptimizer
import onnxruntime
from onnx import TensorProto, helper

print("onnxoptimizer", version("onnxoptimizer"), "onnxruntime", version("onnxruntime"))
AS_IT_STANDS = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
BY_DEFAULT = onnxruntime.SessionOptions().graph_optimization_level


def padded(pool):
    nodes = [
        helper.make_node("Pad", ["x", "pads"], ["padded"]),
        helper.make_node(pool, ["padded"], ["y"], kernel_shape=[3, 3], strides=[2, 2]),
    ]
    graph = helper.make_graph(
        nodes,
        "padded",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 2, 2])],
        [helper.make_tensor("pads", TensorProto.INT64, [8], [0, 0, 1, 1, 0, 0, 0, 0])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def run(model, level):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    values = -np.arange(1, 17, dtype=np.float32).reshape(1, 1, 4, 4)
    return session.run(None, {"x": values})[0].ravel().round(2).tolist()


for pool, same in (("MaxPool", False), ("AveragePool", True)):
    model = padded(pool)
    right, by_default = run(model, AS_IT_STANDS), run(model, BY_DEFAULT)
    optimized = run(onnxoptimizer.optimize(model), AS_IT_STANDS)
    print(pool, "as it stands", right, "run by default", by_default, "by onnxoptimizer", optimized)
    assert (by_default == right) == (optimized == right) == same
    assert same or right == [0.0, 0.0, 0.0, -6.0] and by_default == optimized == [-1.0, -2.0, -5.0, -6.0]
END
