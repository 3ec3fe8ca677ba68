#!/usr/bin/env bash
# Cast to int8 in ONNX wraps where quantization saturates.
# Guessed: 300.0 becomes 127, as QuantizeLinear of scale 1 gives.
# Seen: 44 in onnxruntime and in onnx's reference alike, 128.0 becomes -128; the specification leaves it undefined.
# Bites: whoever writes requantization as Mul, Round and Cast without a Clip: the loudest inputs turn into quiet ones.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
venv/bin/python - <<'END'
import warnings

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

warnings.filterwarnings("ignore", message="invalid value encountered in cast")
values = np.array([127.0, 128.0, 300.0, -129.0], np.float32)
constants = [helper.make_tensor("scale", TensorProto.FLOAT, [], [1.0]), helper.make_tensor("zero", TensorProto.INT8, [], [0])]
print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__)
seen = {}
for name, node in {
    "Cast": helper.make_node("Cast", ["x"], ["y"], to=TensorProto.INT8),
    "QuantizeLinear": helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["y"]),
}.items():
    graph = helper.make_graph(
        [node],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])],
        [helper.make_tensor_value_info("y", TensorProto.INT8, [4])],
        initializer=constants if name == "QuantizeLinear" else [],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    runtime = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    seen[name] = runtime.run(None, {"x": values})[0].tolist(), ReferenceEvaluator(model).run(None, {"x": values})[0].tolist()
    print(f"{name:15} onnxruntime {seen[name][0]} reference {seen[name][1]}")
assert seen == {
    "Cast": ([127, -128, 44, 127], [127, -128, 44, 127]),
    "QuantizeLinear": ([127, 127, 127, -128], [127, 127, 127, -128]),
}
END
