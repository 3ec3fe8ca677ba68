#!/usr/bin/env bash
# ONNX's own reference gives a maximum pool fewer rows than ONNX says that it has.
# Guessed: the shape for auto_pad SAME_LOWER is that of SAME_UPPER, the input's divided by the stride and rounded up.
# Seen: onnx's shape inference, its AveragePool and onnxruntime say 4 of 7; onnx's reference evaluator gives 3.
# Bites: whoever checks a converter or a board's kernels against the reference evaluator.
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
from onnx import TensorProto, helper, shape_inference
from onnx.reference import ReferenceEvaluator

print("onnx", version("onnx"), "onnxruntime", version("onnxruntime"))
samples = np.arange(7, dtype=np.float32).reshape(1, 1, 7)
for pool, side, rows in (("MaxPool", "SAME_UPPER", 4), ("MaxPool", "SAME_LOWER", 3), ("AveragePool", "SAME_LOWER", 4)):
    graph = helper.make_graph(
        [helper.make_node(pool, ["x"], ["y"], auto_pad=side, kernel_shape=[3], strides=[2])],
        "pool",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 7])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    inferred = shape_inference.infer_shapes(model).graph.output[0].type.tensor_type.shape.dim[2].dim_value
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    run = session.run(None, {"x": samples})[0].shape[2]
    reference = ReferenceEvaluator(model).run(None, {"x": samples})[0].shape[2]
    print(pool, side, "rows of 7: inferred", inferred, "onnxruntime", run, "reference", reference)
    assert inferred == run == 4 and reference == rows
END
