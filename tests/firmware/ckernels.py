"""Compile the C runtime and call it: on the host, under sanitizers, and on RV32IMC in an emulator.

A :class:`Case` is one packed step with a batch of inputs. :func:`run_host` and :func:`run_rv32` generate one ``main``
for a list of cases, as the emitter would write the constants, and return what the kernels wrote. Every buffer is
allocated at its exact size, so that the address sanitizer sees a read or write one byte too far.
:func:`library` is for plain functions such as ``ts_crc32``: a shared library to call through ctypes.
"""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tinysearch.core.network import INPUT
from tinysearch.core.program import FrozenNetwork
from tinysearch.firmware.branch_source import branch_source, branch_values
from tinysearch.firmware.packing import PackedStep

RUNTIME = Path(__file__).resolve().parents[2] / "firmware_templates" / "runtime"
WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-Wsign-compare", "-Wunused-parameter", "-Wshadow", "-pedantic")
FLAGS = (*WARNINGS, "-O2", "-ffp-contract=off")
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")
THREADS = ("-fsanitize=thread", "-g", "-pthread")
RV32_COMPILER = "riscv64-unknown-elf-gcc"
RV32_EMULATOR = "qemu-system-riscv32"
RV32_FLAGS = (
    *("-march=rv32imc", "-mabi=ilp32", "-misa-spec=2.2", "--specs=picolibc.specs", "--oslib=semihost"),
    *("--crt0=hosted", "-Wl,--defsym=__flash=0x80000000", "-Wl,--defsym=__flash_size=0x800000"),
    *("-Wl,--defsym=__ram=0x80800000", "-Wl,--defsym=__ram_size=0x800000"),
)
RV32_RUN = (
    *(RV32_EMULATOR, "-M", "virt", "-cpu", "rv32", "-m", "32M", "-nographic", "-bios", "none"),
    *("-semihosting-config", "enable=on,target=native", "-icount", "shift=0", "-kernel"),
)

Halves = Literal["in order", "backward", "at once"]

_C_TYPES = {
    "int8": "int8_t",
    "uint8": "uint8_t",
    "int16": "int16_t",
    "uint16": "uint16_t",
    "int32": "int32_t",
    "uint32": "uint32_t",
    "float32": "float",
}
_INCLUDE = re.compile(r'^\s*#include\s+"([^"]+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kernel call, repeated over a batch.

    Attributes:
        packed: constants and names of the kernel.
        inputs: one array per input of the step, each with the batch as first axis.
        output_bytes: size of the output.
        in_place: index of the input that is also the output, or None.
    """

    packed: PackedStep
    inputs: tuple[npt.NDArray[np.generic], ...]
    output_bytes: int
    in_place: int | None = None

    @property
    def batch(self) -> int:
        return len(self.inputs[0])

    def input_bytes(self, index: int) -> int:
        return self.inputs[index].nbytes // self.batch if index < len(self.inputs) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a case gave: bytes [batch, output_bytes], scratch asked for, instructions of the last call (RV32)."""

    output: npt.NDArray[np.uint8]
    scratch_bytes: int
    instructions: int


def have_emulator() -> bool:
    """Whether the RISC-V compiler and QEMU are installed."""
    return shutil.which(RV32_COMPILER) is not None and shutil.which(RV32_EMULATOR) is not None


def sources_of(headers: Iterable[str]) -> list[Path]:
    """Runtime sources that headers need: the .c of each one and of whatever it includes, transitively."""
    found: dict[Path, None] = {}
    waiting = list(headers)
    seen: set[str] = set()
    while waiting:
        header = waiting.pop()
        if header in seen:
            continue
        seen.add(header)
        source = (RUNTIME / header).with_suffix(".c")
        if source.exists():
            found[source] = None
        for path in (RUNTIME / header, source):
            if path.exists():
                waiting += [_included(name, path) for name in _INCLUDE.findall(path.read_text())]
    return sorted(found)


def _included(name: str, by: Path) -> str:
    """A header as a path below the runtime: beside the file that includes it, or at the top."""
    beside = by.parent / name
    return beside.relative_to(RUNTIME).as_posix() if beside.exists() else name


def library(headers: Sequence[str], *, extra: str = "") -> ctypes.CDLL:
    """The sources behind some headers, and ``extra`` C text, as a shared library; undefined behavior aborts."""
    undefined = ("-fsanitize=undefined", "-fno-sanitize-recover=all")
    with tempfile.TemporaryDirectory(prefix="ckernels_") as name:
        folder = Path(name)
        (folder / "extra.c").write_text(extra or "typedef int nothing;\n")
        sources = (folder / "extra.c", *sources_of(headers))
        path = folder / "library.so"
        _run("gcc", *FLAGS, *undefined, "-fPIC", "-shared", f"-I{RUNTIME}", *sources, "-o", path, "-lm")
        return ctypes.CDLL(str(path))


def run_host(cases: Sequence[Case], *, sanitize: bool = True, flags: Sequence[str] = ()) -> list[Outcome]:
    """Run cases on this machine, by default under the address and undefined-behavior sanitizers."""
    headers, text, rows = _calls(cases)
    return _execute(cases, headers, text, rows, rv32=False, flags=(*(SANITIZE if sanitize else ()), *flags))


def run_rv32(cases: Sequence[Case], *, flags: Sequence[str] = ()) -> list[Outcome]:
    """Run cases on an emulated RV32IMC that counts instructions exactly."""
    headers, text, rows = _calls(cases)
    return _execute(cases, headers, text, rows, rv32=True, flags=flags)


def run_network(
    frozen: FrozenNetwork, inputs: npt.NDArray[np.int8], *, rv32: bool = False, halves: Halves = "in order"
) -> Outcome:
    """Run a whole network in its planned arena, from the C text that the emitter writes, one image after the other.

    Args:
        halves: when the two of a shared step are computed; at once is under the thread sanitizer.
    """
    source = branch_source("face", frozen)
    program, values = source.program, branch_values(source, in_psram=False)
    text = [*(f'#include "{header}"' for header in source.headers), _MAIN]
    text += [step["constants"] for step in values["steps"]]
    text += ["#include <pthread.h>"] if halves == "at once" else []
    text += [
        f"static uint8_t arena[{source.memory.peak_bytes}] __attribute__((aligned(16)));",
        f"static const int8_t *const input = (const int8_t *)arena + {source.memory.offsets[INPUT]};",
        *(line for step in values["steps"] if halves == "at once" and step["shared"] for line in _threads(step)),
        "static void network(const void *first, const void *second, void *embedding, void *scratch)",
        "{",
        "    (void)second; (void)scratch; (void)input;",
        f"    memcpy(arena + {source.memory.offsets[INPUT]}, first, {program.network.input_shape.elements});",
        *(f"    {call};" for step in values["steps"] for call in _step_calls(step, halves)),
        "}",
    ]
    case = _text_case("network", inputs, output_bytes=source.embedding_bytes)
    flags = THREADS if halves == "at once" else SANITIZE
    return _execute([case], source.headers, text, [_text_row(case)], rv32=rv32, flags=() if rv32 else flags)[0]


def _step_calls(step: Mapping[str, Any], halves: Halves) -> Sequence[str]:
    if not step["shared"] or halves == "in order":
        return list(step["calls"])
    return [f"both_{step['name']}()"] if halves == "at once" else list(reversed(step["calls"]))


def _threads(step: Mapping[str, Any]) -> Iterator[str]:
    """C functions that compute the halves of a step on two threads."""
    name = step["name"]
    for which, call in enumerate(step["calls"]):
        yield f"static void *half{which}_{name}(void *unused) {{ {call}; return unused; }}"
    yield f"static void both_{name}(void) {{ pthread_t other; pthread_create(&other, NULL, half1_{name}, NULL);"
    yield f"half0_{name}(NULL); pthread_join(other, NULL); }}"


def count_rv32(body: str, inputs: npt.NDArray[np.generic], *, output_bytes: int) -> Outcome:
    """Run the body of a C function on RV32IMC: ``first`` is one of the inputs, ``output`` what it writes."""
    text = [_MAIN, "static void body(const void *first, const void *second, void *output, void *scratch)", "{"]
    text += ["    (void)second; (void)scratch;", body, "}"]
    case = _text_case("body", inputs, output_bytes=output_bytes)
    return _execute([case], (), text, [_text_row(case)], rv32=True, flags=())[0]


def _text_case(function: str, inputs: npt.NDArray[np.generic], *, output_bytes: int) -> Case:
    packed = PackedStep(function=function, layer_type="", header="", fields={}, arrays={})
    return Case(packed=packed, inputs=(inputs,), output_bytes=output_bytes)


def _text_row(case: Case) -> str:
    return f"{{{case.packed.function}, 0, {case.input_bytes(0)}, 0, {case.output_bytes}, {case.batch}, -1}}"


def initializer(packed: PackedStep, name: str) -> str:
    """C text of the constants of one step, as the emitter writes them."""
    lines = []
    members = [f".{key} = {_number(value)}" for key, value in packed.fields.items()]
    for key, array in packed.arrays.items():
        if array.ndim != 1:
            raise ValueError(f"{packed.function}.{key} is not one-dimensional")
        values = ", ".join(_number(value) for value in array.tolist())
        lines.append(f"static const {_C_TYPES[array.dtype.name]} {name}_{key}[] = {{{values}}};")
        members.append(f".{key} = {name}_{key}")
    lines.append(f"static const {packed.layer_type} {name} = {{{', '.join(members)}}};")
    return "\n".join(lines)


def _number(value: float | tuple[int, ...]) -> str:
    if isinstance(value, tuple):
        return "{" + ", ".join(_number(item) for item in value) + "}"
    if isinstance(value, float):
        return f"{value.hex()}f"
    return str(int(value)) if value != -(2**31) else "INT32_MIN"


_MAIN = """
typedef struct {
    void (*call)(const void *first, const void *second, void *output, void *scratch);
    size_t scratch_bytes, first_bytes, second_bytes, output_bytes, batch;
    int in_place;
} test_case;

extern const unsigned char case_inputs[];

static unsigned instructions(void)
{
#ifdef __riscv
    unsigned value;
    __asm__ volatile("csrr %0, minstret" : "=r"(value));
    return value;
#else
    return 0;
#endif
}

static void *fresh(size_t bytes)
{
    void *block = bytes > 0 ? malloc(bytes) : NULL;
    if (bytes > 0 && block == NULL) {
        printf("out of memory\\n");
        exit(1);
    }
    if (bytes > 0)
        memset(block, 0xA5, bytes);
    return block;
}

static void run(const test_case *test, const unsigned char *input)
{
    const size_t step = test->first_bytes + test->second_bytes;
    printf("case %lu\\n", (unsigned long)test->scratch_bytes);
    for (size_t index = 0; index < test->batch; ++index) {
        const size_t larger = test->in_place >= 0 && test->output_bytes > test->first_bytes ? test->output_bytes : 0;
        unsigned char *first = fresh(larger > 0 ? larger : test->first_bytes), *second = fresh(test->second_bytes);
        unsigned char *scratch = fresh(test->scratch_bytes), *own = fresh(test->in_place < 0 ? test->output_bytes : 0);
        unsigned char *output = test->in_place < 0 ? own : test->in_place == 0 ? first : second;
        memcpy(first, input + index * step, test->first_bytes);
        if (test->second_bytes > 0)
            memcpy(second, input + index * step + test->first_bytes, test->second_bytes);
        unsigned count = instructions();
        test->call(first, second, output, scratch);
        count = instructions() - count;
        printf("%u ", count);
        for (size_t byte = 0; byte < test->output_bytes; ++byte) {
            putchar("0123456789abcdef"[output[byte] >> 4]);
            putchar("0123456789abcdef"[output[byte] & 15]);
        }
        putchar('\\n');
        free(first);
        free(second);
        free(scratch);
        free(own);
    }
}
"""


def _calls(cases: Sequence[Case]) -> tuple[list[str], list[str], list[str]]:
    """Headers, C text with one function a case, and the rows of the table that lists these."""
    headers = sorted({case.packed.header for case in cases})
    text, rows = [*(f'#include "{header}"' for header in headers), _MAIN], []
    for index, case in enumerate(cases):
        name, function = f"layer_{index}", case.packed.function
        text.append(initializer(case.packed, name))
        arguments = "first, second" if len(case.inputs) == 2 else "first"
        unused = "" if len(case.inputs) == 2 else "(void)second; "
        text.append(
            f"static void call_{index}(const void *first, const void *second, void *output, void *scratch)\n"
            f"{{ {unused}{function}(&{name}, {arguments}, output, scratch); }}"
        )
        place = -1 if case.in_place is None else case.in_place
        sizes = f"{case.input_bytes(0)}, {case.input_bytes(1)}, {case.output_bytes}, {case.batch}, {place}"
        rows.append(f"{{call_{index}, {function}_scratch_bytes(&{name}), {sizes}}}")
    return headers, text, rows


def _execute(
    cases: Sequence[Case],
    headers: Iterable[str],
    text: Sequence[str],
    rows: Sequence[str],
    *,
    rv32: bool,
    flags: Sequence[str],
) -> list[Outcome]:
    """Compile a program of calls with the inputs of its cases, and run it."""
    main = ["#include <stdint.h>", "#include <stdio.h>", "#include <stdlib.h>", "#include <string.h>", *text]
    main += ["int main(void)", "{", "    const test_case tests[] = {", *(f"        {row}," for row in rows), "    };"]
    data = bytearray()
    for index, case in enumerate(cases):
        main.append(f"    run(&tests[{index}], case_inputs + {len(data)});")
        for sample in range(case.batch):
            for array in case.inputs:
                data += np.ascontiguousarray(array[sample]).tobytes()
    main += ["    return 0;", "}", ""]
    with tempfile.TemporaryDirectory(prefix="ckernels_") as name:
        folder = Path(name)
        (folder / "main.c").write_text("\n".join(main))
        (folder / "inputs.bin").write_bytes(bytes(data) + b"\0")
        section = ".section .rodata\n.globl case_inputs\n.balign 16\ncase_inputs:\n"
        note = '.section .note.GNU-stack,"",%progbits\n'
        (folder / "inputs.s").write_text(f'{section}.incbin "{folder / "inputs.bin"}"\n{note}')
        command = (*((RV32_COMPILER, *RV32_FLAGS) if rv32 else ("gcc",)), *FLAGS, *flags, f"-I{RUNTIME}")
        objects = [_object(source, command) for source in sources_of(headers)]
        program = folder / "program"
        _run(*command, folder / "main.c", folder / "inputs.s", *objects, "-o", program, "-lm")
        return _parse(cases, _run(*(RV32_RUN if rv32 else ()), program))


@cache
def _object_folder() -> Path:
    """That of all workers of a test run; of a benchmark its own."""
    if "COMPILED_ONCE" in os.environ:
        return Path(os.environ["COMPILED_ONCE"])
    folder = tempfile.mkdtemp(prefix="ckernels_")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@cache
def _object(source: Path, command: tuple[str, ...]) -> Path:
    """Object file of a runtime source, compiled once for one command."""
    name = hashlib.sha256("\0".join([str(source), *command]).encode()).hexdigest()[:16]
    path = _object_folder() / f"{source.stem}_{name}.o"
    if not path.exists():
        own = path.with_suffix(f".{os.getpid()}")
        _run(*command, "-c", source, "-o", own)
        own.replace(path)
    return path


def _parse(cases: Sequence[Case], text: str) -> list[Outcome]:
    lines = iter(text.splitlines())
    outcomes = []
    for case in cases:
        scratch = int(next(lines).removeprefix("case "))
        rows = [next(lines).split(" ") for _ in range(case.batch)]
        output = np.frombuffer(bytes.fromhex("".join(row[1] for row in rows)), np.uint8)
        outcomes.append(
            Outcome(
                output=output.reshape(case.batch, case.output_bytes),
                scratch_bytes=scratch,
                instructions=int(rows[-1][0]),
            )
        )
    return outcomes


def _run(*command: str | Path) -> str:
    """Standard output and error of a command; its error as an exception."""
    done = subprocess.run(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{Path(str(command[0])).name} failed ({done.returncode}):\n{done.stdout[-4000:]}")
    return done.stdout
