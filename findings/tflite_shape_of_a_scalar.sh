#!/usr/bin/env bash
# The shape of a scalar in a .tflite file is the number 0, not an empty array.
# Guessed: Tensor.ShapeAsNumpy() of a tensor without a shape (a scalar) is an array of no elements, whose product is 1.
# Seen: it is the int 0, so np.prod of it says that a scalar has 0 elements, and len() of it raises.
# Bites: importers of .tflite: converters write no shape for scalars (axes, sizes), and sizes of buffers come out as 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check tflite==2.18.0 flatbuffers==25.12.19 numpy==2.4.6
venv/bin/python - <<'END'
from importlib.metadata import version

import flatbuffers
import numpy as np
import tflite

print("tflite", version("tflite"))
builder = flatbuffers.Builder(0)
name = builder.CreateString("axis")
tflite.TensorStart(builder)
tflite.TensorAddName(builder, name)
builder.Finish(tflite.TensorEnd(builder))
shape = tflite.Tensor.GetRootAs(builder.Output(), 0).ShapeAsNumpy()
print("ShapeAsNumpy() of a scalar:", repr(shape), "elements by np.prod:", np.prod(shape), "of an empty array:", np.prod([]))
assert isinstance(shape, int) and shape == 0
END
