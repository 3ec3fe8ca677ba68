"""Measure code sizes of the runtime and of branches: python tools/measure_code_size.py OUT.

OUT is hardware_catalog/software/code_size.yaml, remade whenever the runtime, host/main.c or the templates of
a branch change; tests/analytic/test_code_size.py and benchmarks/footprint.py notice.

Emits small reference projects (sizes that no benchmark uses), compiles and links their host programs for RV32IMC and
for this machine, and reads linker maps: what each object of the runtime takes once it is linked, what it brings along,
what a branch and each of its steps add, and what is left for the C library, start-up code and main. The formulas that
use the table are those of tinysearch/analytic/code_size.py; nothing is fitted to them but the mean size of a call.
"""

from __future__ import annotations

import argparse
import platform
import re
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tinysearch.analytic.code_size import PATTERNS, kernels_of
from tinysearch.app.building.wiring import build_models
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.config.resources import data_dir
from tinysearch.app.run.firmware import emit_candidate
from tinysearch.architectures.resnet import resnet_branch
from tinysearch.core.program import Program
from tinysearch.evaluation.boards import PlatformWish
from tinysearch.files import write_atomically
from tinysearch.firmware.runtime import runtime_files
from tinysearch.firmware.verify.emulator import CODE_OPTIONS, ISA_OPTIONS, LINK_OPTIONS

LAYOUTS = ((1, 1), (2, 2))
PRECISIONS = ("float32", "int8", "xnor2/1")
WIDTH, INPUT_SIZE, EMBEDDING = 8, 48, 32
ALWAYS = ("ts_crc32", "ts_cosine_f32", "ts_cosine_s8")
FRONT_ENDS = {"face": "ts_image", "voice": "ts_log_mel"}

_IN_FLASH = re.compile(r"^\.(text|rodata|srodata|data|sdata|eh_frame)\b")
_NAMES = ".rodata.str"
_MAP_LINE = re.compile(r"^ (\.[\w.$-]+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+(\S.*)$")
_LAYER = re.compile(r"typedef struct \{(.*?)\}\s*(\w+)_layer;", re.DOTALL)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """One instruction set: its tools and what its linker does.

    Attributes:
        collected: unreferenced objects are left out of the program.
        relocation_bytes: in flash for each address in a constant, which then also lies in RAM; 0 for fixed addresses.
        frame_bytes: in flash for each function, to find its unwinding table.
        wide: constants of at least so many bytes are aligned to as many; 0 for none.
        name_alignment: of strings.
    """

    name: str
    prefix: str
    compile: tuple[str, ...]
    link: tuple[str, ...]
    collected: bool
    relocation_bytes: int
    frame_bytes: int
    wide: int
    name_alignment: int

    @property
    def title(self) -> str:
        lines = run(f"{self.prefix}gcc", "--version").splitlines()
        return f"{lines[0]}, {' '.join(option for option in self.compile if not option.startswith('-W'))}"


RV32 = Toolchain(
    name="rv32imc",
    prefix="riscv64-unknown-elf-",
    compile=(*ISA_OPTIONS, *CODE_OPTIONS),
    link=(*ISA_OPTIONS, *LINK_OPTIONS),
    collected=True,
    relocation_bytes=0,
    frame_bytes=0,
    wide=0,
    name_alignment=4,
)
HOST = Toolchain(
    name=platform.machine(),
    prefix="",
    compile=("-std=c99", "-O2", "-ffp-contract=off"),
    link=(),
    collected=False,
    relocation_bytes=24,
    frame_bytes=8,
    wide=32,
    name_alignment=1,
)


def run(*words: str | Path) -> str:
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout


@dataclass(slots=True, kw_only=True)
class Linked:
    """A linked program: flash without golden vectors and RAM, bytes by object and input section, and its objects."""

    flash: int
    ram: int
    sections: dict[str, dict[str, int]]
    objects: Path
    raw: dict[str, dict[str, int]] = field(default_factory=dict)

    def in_flash(self, name: str) -> int:
        """Flash of an object as linked, names left out."""
        found = self.sections.get(name, {})
        return sum(size for section, size in found.items() if _flash(section))


def _flash(section: str) -> bool:
    return bool(_IN_FLASH.match(section)) and not section.startswith(_NAMES)


def link(tools: Toolchain, project: Path, folder: Path, *, extra: Sequence[Path] = ()) -> Linked:
    """Compile every source of a project's host program, and ``extra`` ones that are kept whole; link with a map."""
    host = project / "host"
    includes, sources = (line.split() for line in run("make", "-s", "-C", host, "list").splitlines()[-2:])
    paths = [host / source for source in sources]
    paths += [path for path in extra if path.name not in {known.name for known in paths}]
    options = [f"-I{host / word[2:]}" for word in includes]
    options += [f"-I{path.parent}" for path in extra]
    for path in paths:
        run(f"{tools.prefix}gcc", *tools.compile, *options, "-c", path, "-o", folder / f"{path.stem}.o")
    kept = [f"-Wl,-u,{name}" for path in extra for name in _symbols(tools, folder / f"{path.stem}.o", "T")]
    elf, text = folder / "host.elf", folder / "map"
    objects = [folder / f"{path.stem}.o" for path in paths]
    run(f"{tools.prefix}gcc", *tools.link, *kept, *objects, "-o", elf, f"-Wl,-Map={text}", "-lm")
    whole, golden = _size(tools, elf), _size(tools, folder / "golden.o")
    raw = {path.stem: _raw_sections(tools, folder / f"{path.stem}.o") for path in paths}
    return Linked(
        flash=whole[0] + whole[1] - golden[0],
        ram=whole[1] + whole[2],
        sections=_read_map(text.read_text()),
        objects=folder,
        raw=raw,
    )


def _size(tools: Toolchain, file: Path) -> tuple[int, int, int]:
    text, data, bss = run(f"{tools.prefix}size", file).splitlines()[-1].split()[:3]
    return int(text), int(data), int(bss)


def _raw_sections(tools: Toolchain, file: Path) -> dict[str, int]:
    rows = (line.split() for line in run(f"{tools.prefix}size", "-A", file).splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 3 and row[0].startswith(".")}


def _symbols(tools: Toolchain, file: Path, kind: str) -> list[str]:
    rows = (line.split() for line in run(f"{tools.prefix}nm", file).splitlines())
    return [row[-1] for row in rows if row[-2] == kind]


def _addresses(tools: Toolchain, file: Path) -> int:
    """Addresses in constants, each a relocation of the program where it can be loaded anywhere."""
    count, inside = 0, False
    for line in run(f"{tools.prefix}readelf", "-rW", file).splitlines():
        if line.startswith("Relocation section"):
            inside = "'.rela.data" in line
        count += inside and bool(re.match(r"^[0-9a-f]{8,}", line))
    return count


def _read_map(text: str) -> dict[str, dict[str, int]]:
    """Bytes by object (file name without ``.o``) and input section, of what was linked."""
    text = re.sub(r"\n (\.[\w.$-]+)\n +", r"\n \1 ", text[text.index("Linker script and memory map") :])
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for line in text.splitlines():
        match = _MAP_LINE.match(line)
        if match and int(match[2], 16) and not match[4].endswith(")"):
            found[Path(match[4]).stem][match[1]] += int(match[3], 16)
    return {name: dict(sections) for name, sections in found.items()}


def layer_sizes(tools: Toolchain, runtime: Path, folder: Path) -> dict[str, dict[str, int]]:
    """Constant structure of a step by kernel."""
    fields = {}
    for header in sorted(runtime.glob("ts_*.h")):
        for body, name in _LAYER.findall(_COMMENT.sub("", header.read_text())):
            fields[name] = body.count("*")
    probe = folder / "probe.c"
    lines = [f'#include "{name}.h"\nchar size_{name}[sizeof({name}_layer)];' for name in fields]
    probe.write_text("\n".join(lines))
    run(f"{tools.prefix}gcc", *tools.compile, f"-I{runtime}", "-c", probe, "-o", folder / "probe.o")
    rows = (line.split() for line in run(f"{tools.prefix}nm", "-S", folder / "probe.o").splitlines())
    sizes = {row[-1].removeprefix("size_"): int(row[1], 16) for row in rows}
    result = {}
    for name, pointers in fields.items():
        size = sizes[name]
        if tools.wide and size >= tools.wide:
            size = -(-size // tools.wide) * tools.wide
        relocated = tools.relocation_bytes * pointers
        result[name] = {"flash": size + relocated, "ram": size if relocated else 0}
    return result


def _uses(tools: Toolchain, folder: Path, runtime: Path, names: Iterable[str]) -> dict[str, list[str]]:
    """Objects that an object brings along: by reference where the linker collects, else by inclusion."""
    names = sorted(names)
    if not tools.collected:
        closures = {
            name: {path.stem for path in runtime_files(runtime, (f"{name}.h",)) if path.suffix == ".c"}
            for name in names
        }
        return {name: sorted(closure - {name}) for name, closure in closures.items() if closure - {name}}
    owner = {symbol: name for name in names for symbol in _symbols(tools, folder / f"{name}.o", "T")}
    found = {name: {owner[s] for s in _symbols(tools, folder / f"{name}.o", "U") if s in owner} for name in names}
    return {name: sorted(used - {name}) for name, used in found.items() if used - {name}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A reference project of one branch."""

    project: Path
    program: Program

    @property
    def golden(self) -> int:
        """Bytes of golden embeddings in a float branch."""
        return 4 * PATTERNS * self.program.network.embedding * (self.program.precision.kind == "float32")


def references(folder: Path) -> list[Reference]:
    """Emit the reference projects."""
    config = plain(compose_config(["trainer=none"]))
    models, found = build_models(config), []
    for layout in LAYOUTS:
        for precision in PRECISIONS:
            branch = resnet_branch(
                "face",
                blocks=layout,
                precision=precision,
                width=WIDTH,
                input_size=INPUT_SIZE,
                embedding=EMBEDDING,
            )
            evaluation = models.choose([branch], PlatformWish())
            project = emit_candidate(config, evaluation, folder / branch.key)
            found.append(Reference(project=project, program=models.needs(branch).program))
    return found


def measure(tools: Toolchain, projects: Sequence[Reference], folder: Path) -> dict[str, Any]:
    """The table of one instruction set."""
    runtime = data_dir("firmware_templates") / "runtime"
    sources = sorted([*runtime.glob("ts_*.c"), *(runtime / "frontend").glob("ts_*.c")])
    names = [path.stem for path in sources]
    whole_folder = folder / "whole"
    whole_folder.mkdir(parents=True)
    whole = link(tools, projects[0].project, whole_folder, extra=sources)
    objects = {name: _object(tools, whole, name) for name in names}
    uses = _uses(tools, whole_folder, runtime, names)
    layers = layer_sizes(tools, runtime, whole_folder)
    rows, bases = [], []
    for number, reference in enumerate(projects):
        place = folder / str(number)
        place.mkdir()
        linked = link(tools, reference.project, place)
        rows.append(_branch_row(tools, linked, reference))
        bases.append(_base(tools, linked, reference, names))
        print(f"{tools.name} {reference.project.name}: base {bases[-1]}, branch {rows[-1]}")
    steps = np.array([[1.0, len(reference.program.steps)] for reference in projects])
    flash, ram = (np.linalg.lstsq(steps, np.array([row[i] for row in rows]), rcond=None)[0] for i in (0, 1))
    base = np.mean(bases, axis=0)
    return {
        "measured": {
            "unit": "bytes",
            "kind": "measured",
            "source": f"tools/measure_code_size.py: linker maps of {len(projects)} reference projects; {tools.title}",
            "date": date.today().isoformat(),
        },
        "name_alignment": tools.name_alignment,
        "base": {"flash": round(float(base[0])), "ram": round(float(base[1]))},
        "branch": {"flash": round(float(flash[0]), 1), "ram": round(float(ram[0]), 1)},
        "step": {"flash": round(float(flash[1]), 2), "ram": round(float(ram[1]), 2)},
        "always": list(ALWAYS),
        "front_ends": {} if tools.collected else {modality: [name] for modality, name in FRONT_ENDS.items()},
        "objects": objects,
        "uses": uses,
        "layers": layers,
    }


def _branch_row(tools: Toolchain, linked: Linked, reference: Reference) -> tuple[int, int]:
    """Flash and RAM of a branch's calls and tables and of its entry among the golden vectors."""
    raw, golden = linked.raw["model_face"], linked.raw["golden"]
    constants = sum(size for name, size in raw.items() if _flash(name) and name not in (".text", ".eh_frame"))
    code = sum(linked.sections["model_face"].get(name, 0) for name in (".text", ".eh_frame"))
    writable = sum(size for part in (raw, golden) for name, size in part.items() if name.startswith(".data"))
    entries = sum(size for name, size in golden.items() if name.startswith(".data"))
    addresses = sum(_addresses(tools, linked.objects / f"{name}.o") for name in ("model_face", "golden"))
    flash = constants + code - reference.golden + entries + addresses * tools.relocation_bytes
    return flash, writable


def _base(tools: Toolchain, linked: Linked, reference: Reference, names: Sequence[str]) -> tuple[int, int]:
    """Flash and RAM of everything that is neither runtime nor branch nor golden vectors."""
    branch = _branch_row(tools, linked, reference)
    weights = linked.raw["model_face_weights"]
    relocated = tools.relocation_bytes * _addresses(tools, linked.objects / "model_face_weights.o")
    texts = sum(_padded(len(step.name) + 1, tools.name_alignment) for step in reference.program.steps)
    texts += _padded(len("face") + 1, tools.name_alignment)
    runtime = [_object(tools, linked, name) for name in names if name in linked.sections]
    flash = linked.flash - sum(part["flash"] for part in runtime) - branch[0] - reference.golden - texts
    flash -= sum(size for name, size in weights.items() if _flash(name)) + relocated
    ram = linked.ram - branch[1] - sum(size for name, size in weights.items() if name.startswith(".data"))
    return flash, ram - sum(part["ram"] for part in runtime) - linked.raw["golden"].get(".bss", 0)


def _object(tools: Toolchain, linked: Linked, name: str) -> dict[str, int]:
    """What an object of the runtime adds to flash and RAM."""
    file = linked.objects / f"{name}.o"
    tables = tools.relocation_bytes * _addresses(tools, file)
    tables += tools.frame_bytes * len(_symbols(tools, file, "T") + _symbols(tools, file, "t"))
    data = sum(size for section, size in linked.raw[name].items() if section.startswith((".data", ".bss")))
    return {"flash": linked.in_flash(name) + tables, "ram": data}


def _padded(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure code sizes of the runtime and of branches.")
    parser.add_argument("out", type=Path, help="YAML file to write")
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory(prefix="tinysearch-size-") as name:
        folder = Path(name)
        projects = references(folder / "projects")
        for reference in projects:
            layers = set(kernels_of(reference.program))
            print(reference.project.name, *sorted(layers))
        tables = {tools.name: measure(tools, projects, folder / tools.name) for tools in (RV32, HOST)}
    text = "# Code sizes by instruction set; written by tools/measure_code_size.py, read by analytic/code_size.py.\n"
    write_atomically(out.absolute(), (text + yaml.safe_dump(tables, sort_keys=False, width=110)).encode())


if __name__ == "__main__":
    main()
