#!/usr/bin/env bash
# An integer in a union of Avro comes back as another one, where a float stands before int.
# Guessed: fastavro writes a Python int by the union's int, wherever in the union it stands.
# Seen: it writes by the first type that takes the value, and float takes every int: of ["float", "int"] 16777217 comes
# back as 16777216.0, of ["float", "long"] 2^53 + 1 as 2^53; with int before float both are kept.
# Bites: whoever stores counts, tick times or 32-bit samples beside measured floats in one field: no error says so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check fastavro==1.13.1
venv/bin/python - <<'END'
import io
from importlib.metadata import version

import fastavro

print("fastavro", version("fastavro"))


def kept(union, value):
    schema, stream = fastavro.parse_schema(union), io.BytesIO()
    fastavro.schemaless_writer(stream, schema, value)
    stream.seek(0)
    found = fastavro.schemaless_reader(stream, schema)
    print(union, value, "->", repr(found))
    return repr(found)


assert kept(["float", "int"], 16777217) == "16777216.0"
assert kept(["float", "long"], 2**53 + 1) == "9007199254740992.0"
assert kept(["int", "float"], 16777217) == "16777217"
assert kept(["double", "int"], 16777217) == "16777217.0"
END
