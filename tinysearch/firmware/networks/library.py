"""A network of somebody's own as a library of plain C99 with one header: ``emit.format=component``.

One folder that ESP-IDF takes as a component, Arduino as a library and ESPHome as an external component, as
:mod:`tinysearch.firmware.component` writes for searched networks. It is the same whatever the board.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tinysearch.firmware.folder import GENERATOR, MARKER, digests, write_folder
from tinysearch.firmware.identifiers import component_name, digest_text, version_text
from tinysearch.firmware.networks.project import KIND
from tinysearch.firmware.networks.source import NetworkSource
from tinysearch.firmware.networks.values import common_values
from tinysearch.firmware.rendering import Templates
from tinysearch.firmware.runtime import runtime_files

_RELEASE = re.compile(r"\d+\.\d+\.\d+")
_LAYOUTS = ("CMakeLists.txt", "idf_component.yml", "library.properties")
"""What ESP-IDF and Arduino read, as of the libraries of searched networks."""


def emit_library(
    source: NetworkSource,
    *,
    point: dict[str, Any],
    lowering: dict[str, Any],
    out: Path,
    templates: Path,
    version: str,
    digest: str,
) -> Path:
    """Write one library; the same arguments give the same bytes.

    Args:
        source: its ``prefix`` names the library, and begins the name of everything in it but the kernels.
        point: what ``candidate.json`` tells of a board that carries the network.
        lowering: the report that ``lowering.json`` keeps.
        out: the folder; made anew or, where it is one of ours, replaced.
        templates: ``firmware_templates``.
        version, digest: of the generator and of the network's file.

    Raises:
        UserError: a name that cannot be one, or a folder that is not ours.
    """
    name = component_name(source.prefix)
    banner = f"tinysearch {version_text(version)} ({digest_text(digest)})"
    files = _contents(source, Templates(templates), banner, version=version)
    marker = {
        "generator": {"name": GENERATOR, "version": version, "configuration": digest},
        "kind": KIND,
        **point,
        "firmware_facts": {
            "component": name,
            "files": digests(files),
            "arena_bytes": source.memory.peak_bytes,
            "model_id": f"{source.model_id:08x}",
            "kernels": list(source.functions),
        },
    }
    for path, document in ((MARKER, marker), ("lowering.json", lowering)):
        files[path] = (json.dumps(document, indent=2, allow_nan=False) + "\n").encode()
    return write_folder(out, files)


def _contents(source: NetworkSource, templates: Templates, banner: str, *, version: str) -> dict[str, bytes]:
    """Contents of the folder by path."""
    values = common_values(source, banner) | {"library": True} | _library_values(source, version)
    runtime = runtime_files(templates.folder / "runtime", (*source.headers, "ts_crc32.h"))
    files = {f"src/{path.name}": path.read_bytes() for path in runtime}
    text = {path: templates.render(template, values) for path, template in _rendered(source.prefix).items()}
    values["sources"] = sorted(
        path.removeprefix("src/") for path in (*files, *text) if path.startswith("src/") and path.endswith(".c")
    )
    text |= {layout: templates.render(f"component/{layout}", values) for layout in _LAYOUTS}
    files["LICENSE"] = (templates.folder / "esp_idf" / "LICENSE").read_bytes()
    return files | {path: content.encode() for path, content in text.items()}


def _rendered(name: str) -> dict[str, str]:
    """Templates of what depends on the network, by path in the folder."""
    own, network = "network_library", "network/components/network"
    return {
        f"src/{name}.h": f"{network}/network.h",
        f"src/{name}.c": f"{network}/network.c",
        f"src/{name}_weights.h": f"{network}/network_weights.h",
        f"src/{name}_weights.c": f"{network}/network_weights.c",
        f"src/{name}_library.c": f"{own}/src/library.c",
        f"src/{name}_golden.h": f"{own}/src/golden.h",
        "examples/check.c": f"{own}/examples/check.c",
        "examples/golden/golden.ino": f"{own}/examples/golden/golden.ino",
        f"esphome/{name}/__init__.py": "component/esphome/__init__.py",
        f"esphome/{name}/networks.h": f"{own}/esphome/networks.h",
        "README.md": f"{own}/README.md",
        "NOTICE": f"{own}/NOTICE",
    }


def _library_values(source: NetworkSource, version: str) -> dict[str, Any]:
    """What the layouts say of the library."""
    release = _RELEASE.match(version)
    return {
        "name": source.prefix,
        "release": release.group() if release is not None else "0.0.0",
        "sentence": f"Neural network {source.name} for microcontrollers.",
    }
