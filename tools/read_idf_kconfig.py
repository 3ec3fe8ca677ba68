"""Which options that emitted projects set ESP-IDF takes, by version and target: hardware_catalog/software/kconfig.yaml.

  git clone --bare https://github.com/espressif/esp-idf.git IDF
  pip install esp-idf-kconfig
  python tools/read_idf_kconfig.py IDF v5.5 v5.5.2 v5.5.5 v6.0 v6.0.2 v6.1-beta1

Reads the Kconfig files of each tag and evaluates them as ESP-IDF's own build does, with all of its components: an
option is taken where it then has the value that it was given. Nothing is compiled.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tinysearch.app.building.wiring import build_catalog
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.config.resources import data_dir
from tinysearch.core.platform import Chip
from tinysearch.firmware import sdkconfig

_KCONFIG = re.compile(r"(^|/)Kconfig[^/]*$")
_OTHER = re.compile(r"^(examples|tools/test_apps)/|/test_apps/|/tests?/")
_NOT_BUILT = {("linux", "bt")}
"""Components of a target whose Kconfig reads files that it does not have."""

_LINES = {"COMPONENT_KCONFIGS_SOURCE_FILE": "Kconfig", "COMPONENT_KCONFIGS_PROJBUILD_SOURCE_FILE": "Kconfig.projbuild"}
_EXCLUDED = ("COMPONENT_KCONFIGS_EXCLUDED_SOURCE_FILE", "COMPONENT_KCONFIGS_PROJBUILD_EXCLUDED_SOURCE_FILE")


def extract(repository: Path, tag: str, out: Path) -> None:
    """Write the Kconfig files of a tag."""
    listed = subprocess.run(
        ["git", "-C", str(repository), "ls-tree", "-r", "--name-only", tag], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    names = [name for name in listed if _KCONFIG.search(name) and not _OTHER.search(name)]
    asked = "".join(f"{tag}:{name}\n" for name in names).encode()
    command = ["git", "-C", str(repository), "cat-file", "--batch"]
    stream = io.BytesIO(subprocess.run(command, input=asked, check=True, capture_output=True).stdout)
    for name in names:
        size = int(stream.readline().split()[2])
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(stream.read(size))
        stream.readline()


def cases(chips: Sequence[Chip]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Target and options of every kind of project: with and without PSRAM, encrypted or not, and for the PC."""
    common = sdkconfig.common_keys()
    yield "linux", common | sdkconfig.linux_keys()
    for chip in chips:
        for interface in (None, *(() if chip.psram is None else chip.psram.interfaces)):
            for size in (1, 2, 4, 8, 16, 32):
                keys = common | sdkconfig.chip_keys(
                    chip,
                    flash_mb=size,
                    psram_interface=interface,
                    buffers_in_psram=True,
                    microphone_pdm=False,
                    board={},
                    longest_s=sdkconfig.WATCHDOG_S,
                )
                yield chip.idf_target, keys
                yield chip.idf_target, keys | sdkconfig.encryption_keys(chip)


def taken(root: Path, version: str, chosen: Sequence[tuple[str, Mapping[str, str]]]) -> set[tuple[str, str]]:
    """Option and target that a version takes in every case of the target."""
    import esp_kconfiglib

    asked, refused = set(), set()
    with tempfile.TemporaryDirectory() as name:
        for variable in (*_LINES, *_EXCLUDED):
            (Path(name) / variable).write_text("")
            os.environ[variable] = str(Path(name) / variable)
        os.environ |= {"IDF_PATH": str(root), "IDF_VERSION": version, "IDF_INIT_VERSION": version, "IDF_ENV_FPGA": ""}
        os.environ |= {"IDF_TOOLCHAIN": "gcc"}
        os.chdir(root)
        for target in sorted({target for target, _ in chosen}):
            if target != "linux" and not (root / "components/soc" / target).is_dir():
                continue
            os.environ["IDF_TARGET"] = target
            for variable, file in _LINES.items():
                sources = sorted(root.glob(f"components/*/{file}"))
                lines = [f'source "{path}"\n' for path in sources if (target, path.parent.name) not in _NOT_BUILT]
                (Path(name) / variable).write_text("".join(lines))
            tree = esp_kconfiglib.Kconfig("Kconfig", warn=False)
            for keys in (keys for own, keys in chosen if own == target):
                defaults = Path(name) / "defaults"
                defaults.write_text("".join(f"{key}={value}\n" for key, value in keys.items()))
                tree.load_config(str(defaults), replace=True)
                for key, value in keys.items():
                    symbol = tree.syms.get(key.removeprefix("CONFIG_"))
                    known = symbol is not None and symbol.nodes and symbol.str_value == value.strip('"')
                    asked.add((key, target))
                    refused |= set() if known else {(key, target)}
    return asked - refused


def main(repository: Path, tags: Sequence[str]) -> None:
    """Write the table."""
    chosen = list(cases(list(build_catalog(plain(compose_config([]))).chips.values())))
    versions = [tag.removeprefix("v") for tag in tags]
    found = []
    for tag, version in zip(tags, versions, strict=True):
        with tempfile.TemporaryDirectory() as name:
            extract(repository.resolve(), tag, Path(name))
            with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
                found.append(taken(Path(name), version, chosen))
            os.chdir("/")
    since: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for key, target in sorted({(key, target) for target, keys in chosen for key in keys}):
        refused = [place for place, own in enumerate(found) if (key, target) not in own]
        lasting = max(refused, default=-1) + 1
        if lasting < len(found):
            since[key][versions[lasting]].append(target)
    lines = [
        "# Options of ESP-IDF that emitted projects set, and the targets that take them, by the first version from",
        "# which on all that were read do. Written by tools/read_idf_kconfig.py.",
        f"versions: {list(versions)}",
        'source: "Kconfig files of github.com/espressif/esp-idf at these tags, evaluated by esp-idf-kconfig"',
        'date: "2026-11-29"',
        "taken:",
    ]
    for key, by_version in sorted(since.items()):
        lines.append(f"  {key}:")
        lines += [f"    '{version}': [{', '.join(targets)}]" for version, targets in sorted(by_version.items())]
    (data_dir("hardware_catalog") / "software/kconfig.yaml").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
