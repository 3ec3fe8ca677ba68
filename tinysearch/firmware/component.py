"""The networks of a point alone, as a library of plain C99 with one header: ``emit.format=component``.

One folder that ESP-IDF takes as a component, Arduino as a library and ESPHome as an external component. What is
compiled is in ``src/``: the runtime as it is, and the branches as in a project under the library's own name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tinysearch.firmware.constants import layer_constants
from tinysearch.firmware.documents import candidate_json
from tinysearch.firmware.emission import Emission
from tinysearch.firmware.folder import digests
from tinysearch.firmware.identifiers import component_name, markdown_text
from tinysearch.firmware.rendering import Templates, c_values
from tinysearch.firmware.runtime import runtime_files
from tinysearch.inputs.camera import Camera
from tinysearch.inputs.microphone import SAMPLE_RATE_HZ
from tinysearch.inputs.motion import Motion
from tinysearch.inputs.signal import Signal

GOLDEN_VECTORS = 2
"""Of each branch, in the header that examples include."""

_MODEL = ("ts_model.c", "include/ts_model.h")
_RELEASE = re.compile(r"\d+\.\d+\.\d+")
_FROM_BRANCH = {"model.h": ".h", "model.c": ".c", "weights.h": "_weights.h", "weights.c": "_weights.c"}


def component_contents(emission: Emission, templates: Templates, *, name: str) -> dict[str, bytes]:
    """Contents of the folder by path.

    Args:
        name: of the library, and the beginning of everything that it defines but the kernels.

    Raises:
        UserError: a name that cannot be one.
    """
    component_name(name)
    own = replace(emission, sources=tuple(source.renamed(name) for source in emission.sources))
    values = _values(own, name)
    origin = templates.folder / "esp_idf" / "components" / "model"
    files = {f"src/{path.name}": path.read_bytes() for path in _runtime(own, templates)}
    files |= {f"src/{Path(part).name}": (origin / part).read_bytes() for part in _MODEL}
    text = _rendered(values, templates, name=name)
    values["sources"] = sorted(
        path.removeprefix("src/") for path in (*files, *text) if path.startswith("src/") and path.endswith(".c")
    )
    for rendered in ("CMakeLists.txt", "README.md", "idf_component.yml", "library.properties"):
        text[rendered] = templates.render(f"component/{rendered}", values)
    text["NOTICE"] = templates.render("component/NOTICE", values)
    files["LICENSE"] = (templates.folder / "esp_idf" / "LICENSE").read_bytes()
    files |= {path: content.encode() for path, content in text.items()}
    files["candidate.json"] = candidate_json(own, digests=digests(files), component=name).encode()
    return files


def _rendered(values: Mapping[str, Any], templates: Templates, *, name: str) -> dict[str, str]:
    """What depends on the networks, by path."""
    paths = {
        f"src/{name}.h": "src/component.h",
        f"src/{name}.c": "src/component.c",
        f"src/{name}_golden.h": "src/golden.h",
        "examples/check.c": "examples/check.c",
        "examples/golden/golden.ino": "examples/golden/golden.ino",
        f"esphome/{name}/__init__.py": "esphome/__init__.py",
        f"esphome/{name}/networks.h": "esphome/networks.h",
    }
    text = {path: templates.render(f"component/{template}", values) for path, template in paths.items()}
    for branch in values["branches"]:
        for template, suffix in _FROM_BRANCH.items():
            text[f"src/{branch['component']}{suffix}"] = templates.render(
                f"esp_idf/components/branch/{template}", {"branch": branch, "banner": values["banner"]}
            )
    return text


def _runtime(emission: Emission, templates: Templates) -> tuple[Path, ...]:
    """Kernels, front-ends and cosines that the library calls."""
    headers = {header for source in emission.sources for header in source.headers}
    headers |= {header for kind in emission.kinds for header in kind.front_ends}
    headers |= {"ts_crc32.h", "ts_cosine_f32.h", "ts_cosine_s8.h"}
    return runtime_files(templates.folder / "runtime", tuple(sorted(headers)))


def _values(emission: Emission, name: str) -> dict[str, Any]:
    """Values of the templates."""
    release = _RELEASE.match(emission.version)
    summary = " + ".join(branch.short for branch in emission.evaluation.candidate.branches)
    branches = [_branch(emission, place) for place in range(len(emission.sources))]
    return {
        "banner": emission.banner,
        "id": emission.evaluation.candidate.id,
        "name": name,
        "macro": name.upper(),
        "release": release.group() if release is not None else "0.0.0",
        "sentence": f"Neural network {emission.evaluation.candidate.id} for microcontrollers.",
        "summary": markdown_text(summary),
        "trained": emission.trained,
        "branches": branches,
        "camera": emission.source_of(Camera) is not None,
        "front_ends": sorted({header for kind in emission.kinds for header in kind.front_ends}),
        "count": GOLDEN_VECTORS,
        "most_arena_bytes": max(branch["arena_bytes"] for branch in branches),
        "most_embedding_bytes": max(source.embedding_bytes for source in emission.sources),
    }


def _branch(emission: Emission, place: int) -> dict[str, Any]:
    """Values of one branch, with its golden vectors and its front-end."""
    source, kind = emission.sources[place], emission.kinds[place]
    inputs, embeddings = emission.golden[source.modality]
    layer = emission.layers.get(source.modality)
    symbol = f"{source.component}_layer"
    fields: Mapping[str, Any] = {} if layer is None else layer.fields
    rate_hz = kind.rate_hz if isinstance(kind, Motion | Signal) else SAMPLE_RATE_HZ
    return source.values(in_psram=False) | {
        "golden_inputs": [c_values(row) for row in inputs[:GOLDEN_VECTORS]],
        "golden_embeddings": [c_values(row) for row in embeddings[:GOLDEN_VECTORS]],
        "layer": "" if layer is None else layer_constants(layer, symbol),
        "layer_symbol": symbol,
        "layer_function": "" if layer is None else layer.function,
        "samples": fields.get("clip_samples", fields.get("samples", 0)),
        "axes": fields.get("axes", 0),
        "rate_hz": f"{rate_hz:g}",
    }
