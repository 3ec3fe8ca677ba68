#!/usr/bin/env bash
# A data set of arrays that asks its unpickler for _codecs.encode.
# Guessed: an .npy of objects that holds arrays and strings needs NumPy's names only (_reconstruct, ndarray, dtype).
# Seen: seglearn's watch data were pickled by protocol 2, which has no bytes: each buffer is a text that _codecs.encode makes bytes
# of. Protocol 3 and later ask for no such name.
# Bites: whoever lets an unpickler import arrays only, so that a data set cannot run code: the file is refused, or the list grows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-deps seglearn==1.2.5 numpy==2.4.6
venv/bin/python - <<'END'
import io
import pickle
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np


class Names(pickle.Unpickler):
    def __init__(self, stream):
        super().__init__(stream)
        self.asked = set()

    def find_class(self, module, name):
        self.asked.add(f"{module}.{name}")
        return super().find_class(module, name)


def asked(stream):
    unpickler = Names(stream)
    unpickler.load()
    return unpickler.asked


print("seglearn", version("seglearn"), "numpy", np.__version__)
path = Path(find_spec("seglearn").submodule_search_locations[0]) / "data" / "watch_dataset.npy"
with path.open("rb") as stream:
    np.lib.format.read_magic(stream)
    np.lib.format.read_array_header_1_0(stream)
    real = asked(stream)
print("its file asks for", sorted(real))
old, new = (asked(io.BytesIO(pickle.dumps(np.arange(3), protocol=protocol))) for protocol in (2, 3))
print("protocol 2 asks for", sorted(old))
print("protocol 3 asks for", sorted(new))
assert "_codecs.encode" in real and "_codecs.encode" in old and "_codecs.encode" not in new
END
