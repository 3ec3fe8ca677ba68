"""From a network of somebody's own to a folder that ``idf.py build`` builds, and ``make -C host`` too."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinysearch.core.platform import Chip
from tinysearch.firmware import partitions, sdkconfig
from tinysearch.firmware.contents import component_contents
from tinysearch.firmware.emission import IDF_MINIMUM
from tinysearch.firmware.folder import GENERATOR, MARKER, digests, write_folder
from tinysearch.firmware.identifiers import digest_text, version_text
from tinysearch.firmware.networks.source import NetworkSource
from tinysearch.firmware.networks.values import common_values
from tinysearch.firmware.rendering import Templates
from tinysearch.firmware.runtime import runtime_files

KIND = "network"
"""``kind`` in the marker file of these projects, and the folder of their templates."""

REQUIRED = (
    *("CMakeLists.txt", "sdkconfig.defaults", "sdkconfig.defaults.linux", "partitions.csv", "README.md", MARKER),
    *("main/CMakeLists.txt", "main/app_main.c", "main/idf_component.yml", "main/Kconfig.projbuild"),
    *("host/Makefile", "host/main.c", "host/golden.c", "components/runtime/CMakeLists.txt"),
    *("components/network/CMakeLists.txt", "components/port/CMakeLists.txt"),
)
"""Files without which such a project is none."""

_PORT = ("CMakeLists.txt", "line.c", "port_chip.c", "port_linux.c", "tasks.c", "include/line.h", "include/port.h")
_COPIED = ("host/main.c", "host/golden.h", "main/app_main.c", "main/selftest.h", "main/Kconfig.projbuild")
_SHARED = "host/instructions.h"
"""The same in every project, whatever its host program."""

_RENDERED = (
    *("CMakeLists.txt", "README.md", "NOTICE", "main/CMakeLists.txt", "main/idf_component.yml", "main/selftest.c"),
    *("components/network/CMakeLists.txt", "components/network/network.c", "components/network/network_weights.c"),
    *("components/network/network_weights.h", "host/Makefile", "host/golden.c"),
)
_IGNORED = "build*/\nsdkconfig\nsdkconfig.old\nmanaged_components/\ndependencies.lock\nhost/build/\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a network's project is built for.

    Attributes:
        flash_bytes: of the part.
        app_bytes: what the application needs.
        latency_s: of one inference, a bound.
        arena_in_psram: the arena does not fit into internal RAM.
        psram_interface: how the board's PSRAM is attached, None for a board without.
        point: what ``candidate.json`` tells of the board.
    """

    chip: Chip
    flash_bytes: int
    app_bytes: int
    latency_s: float
    point: dict[str, Any]
    arena_in_psram: bool = False
    psram_interface: str | None = None


def emit_network(
    source: NetworkSource,
    target: Target,
    *,
    lowering: dict[str, Any],
    out: Path,
    templates: Path,
    version: str,
    digest: str,
) -> Path:
    """Write one project; the same arguments give the same bytes.

    Args:
        lowering: the report that ``lowering.json`` keeps.
        out: the project's folder; made anew or, where it is a project of ours, replaced.
        templates: ``firmware_templates``.
        version, digest: of the generator and of the network's file.

    Raises:
        UserError: too little flash, or a folder that is not a project of ours.
    """
    banner = f"tinysearch {version_text(version)} ({digest_text(digest)})"
    files = _contents(source, target, Templates(templates), banner)
    marker = {
        "generator": {"name": GENERATOR, "version": version, "configuration": digest},
        "kind": KIND,
        **target.point,
        "firmware_facts": {
            "target": target.chip.idf_target,
            "kconfig": sorted(sdkconfig.known_keys(target.chip)),
            "files": digests(files),
            "arena_bytes": source.memory.peak_bytes,
            "arena_in_psram": target.arena_in_psram,
            "slow_arena_bytes": source.slow_bytes,
            "model_id": f"{source.model_id:08x}",
            "kernels": list(source.functions),
            **_backend_facts(source),
        },
    }
    for name, document in ((MARKER, marker), ("lowering.json", lowering)):
        files[name] = (json.dumps(document, indent=2, allow_nan=False) + "\n").encode()
    return write_folder(out, files)


def _backend_facts(source: NetworkSource) -> dict[str, Any]:
    """The backend, and the steps by number that it computes; nothing where all kernels are portable."""
    found = source.accelerated
    return {} if found is None else {"backend": found.backend, "backend_steps": sorted(found.packed)}


def _contents(source: NetworkSource, target: Target, templates: Templates, banner: str) -> dict[str, bytes]:
    runtime = runtime_files(templates.folder / "runtime", (*source.headers, "ts_crc32.h"))
    values = _values(source, target, banner) | {"sources": [path.name for path in runtime if path.suffix == ".c"]}
    files = {f"components/runtime/{path.name}": path.read_bytes() for path in runtime}
    idf = templates.folder / "esp_idf"
    files |= {f"components/port/{name}": (idf / "components/port" / name).read_bytes() for name in _PORT}
    files |= {name: (templates.folder / "network" / name).read_bytes() for name in _COPIED}
    if source.accelerated is not None:
        folder = f"components/backend_{source.accelerated.backend}"
        files |= component_contents(idf / folder, folder)
    files[_SHARED] = (templates.folder / _SHARED).read_bytes()
    files["LICENSE"] = (idf / "LICENSE").read_bytes()
    text = {name: templates.render(f"network/{name}", values) for name in _RENDERED}
    text["components/network/include/network.h"] = templates.render("network/components/network/network.h", values)
    runtime_cmake = "components/runtime/CMakeLists.txt"
    text[runtime_cmake] = templates.render(f"esp_idf/{runtime_cmake}", values)
    text |= _board_files(target, banner, slow_bytes=source.slow_bytes)
    text[".gitignore"] = _IGNORED
    return files | {name: content.encode() for name, content in text.items()}


def _values(source: NetworkSource, target: Target, banner: str) -> dict[str, Any]:
    return {
        **common_values(source, banner),
        "library": False,
        "arena_in_psram": target.arena_in_psram,
        "target": target.chip.idf_target,
        "preview": target.chip.preview,
        "idf_minimum": ".".join(map(str, max(IDF_MINIMUM, target.chip.idf_minimum))),
    }


def _board_files(target: Target, banner: str, *, slow_bytes: int) -> dict[str, str]:
    """Partition table and configuration defaults; ``slow_bytes`` of a second arena lie in PSRAM."""
    chip = target.chip
    table = partitions.lay_out(
        flash_bytes=target.flash_bytes, app_bytes=target.app_bytes, nvs=2 * partitions.NVS_MINIMUM
    )
    in_psram = target.arena_in_psram or slow_bytes > 0
    keys = sdkconfig.chip_keys(
        chip,
        flash_mb=target.flash_bytes >> 20,
        psram_interface=target.psram_interface,
        buffers_in_psram=in_psram,
        microphone_pdm=False,
        board={},
        longest_s=target.latency_s,
    )
    texts = {
        "": (sdkconfig.common_keys(), sdkconfig.KNOWN_TO_ALL),
        ".linux": (sdkconfig.linux_keys(), sdkconfig.KNOWN_TO_LINUX),
        f".{chip.idf_target}": (keys, sdkconfig.known_keys(chip)),
    }
    files = {
        f"sdkconfig.defaults{suffix}": sdkconfig.to_text(found, known=known, header=banner)
        for suffix, (found, known) in texts.items()
    }
    return files | {"partitions.csv": partitions.to_csv(table, header=banner)}
