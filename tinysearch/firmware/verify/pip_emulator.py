"""The rung on the target's instruction set with tools that pip installs: Zig's clang and the emulator unicorn.

``pip install "tinysearch-boards[verify]"`` brings them to machines where Debian's compiler and QEMU are not. The
program is a static one for Linux on RV32IMAC without floating point; the few calls that it makes are answered here.
Bytes are those of gcc and QEMU. Instructions are exact, but clang's: its scheduler, which spills, is switched off.
"""

from __future__ import annotations

import importlib
import importlib.util
import struct
import sys
from pathlib import Path
from typing import Any

from tinysearch.firmware.verify.objects import list_build
from tinysearch.firmware.verify.rung import Outcome, run_tool

PACKAGES = ("ziglang", "unicorn")
INSTALL = 'pip install "tinysearch-boards[verify]"'
COMPILE_TIMEOUT_S = 900.0
OPTIONS = (
    *("-target", "riscv32-linux-musl", "-mcpu=generic_rv32+m+a+c", "-static", "-std=c99", "-O2"),
    *("-ffp-contract=off", "-fno-sanitize=all"),
    *("-mllvm", "-enable-misched=false", "-mllvm", "-enable-post-misched=false", "-mllvm", "-pre-RA-sched=source"),
)

_PAGE = 0x1000
_STACK, _STACK_BYTES = 0x7000_0000, 0x40_0000
_HEAP, _HEAP_BYTES = 0x6000_0000, 0x400_0000
_COUNTER = 0xB0202073
"""``csrr rd, minstret`` with rd = 0, and the mask of its other bits."""
_COUNTER_MASK = 0xFFFFF07F
_ENOSYS = (1 << 32) - 38
_ENOTTY = (1 << 32) - 25
_IOCTL, _WRITE, _WRITEV, _EXIT, _EXIT_GROUP, _SET_TID = 29, 64, 66, 93, 94, 96
_BRK, _MUNMAP, _MMAP = 214, 215, 222
"""Linux's numbers of calls on RISC-V."""


def available() -> bool:
    """Whether the packages are installed."""
    return all(importlib.util.find_spec(name) is not None for name in PACKAGES)


def build(project: Path, folder: Path, *, golden_limit: int) -> Outcome:
    """Compile a project's host program; ``folder`` gets ``host.elf``. make must be there."""
    host = project / "host"
    listed = list_build(host, timeout_s=COMPILE_TIMEOUT_S)
    if isinstance(listed, Outcome):
        return listed
    _, includes, sources = listed
    compiler = (sys.executable, "-m", "ziglang", "cc", *OPTIONS, f"-DGOLDEN_LIMIT={golden_limit}u")
    command: tuple[str | Path, ...] = (*compiler, *includes, *sources, "-o", folder / "host.elf", "-lm")
    return run_tool(command, timeout_s=COMPILE_TIMEOUT_S, folder=host)


def run(program: Path) -> Outcome:
    """Run a static RV32 program for Linux to its end; what it prints on either stream is the outcome's text."""
    return _Process(program.read_bytes()).run()


def _aligned(size: int) -> int:
    return -(-size // _PAGE) * _PAGE


class _Process:
    """One program in the emulator: its memory, the calls that it makes, and the instructions that it executed."""

    def __init__(self, elf: bytes) -> None:
        self._unicorn = importlib.import_module("unicorn")
        self._riscv = importlib.import_module("unicorn.riscv_const")
        self._machine = self._unicorn.Uc(self._unicorn.UC_ARCH_RISCV, self._unicorn.UC_MODE_RISCV32)
        self._text = bytearray()
        self._status: int | None = None
        self._instructions = 0
        self._lengths: dict[tuple[int, int], int] = {}
        self._break, self._mapped = _HEAP, _HEAP + _HEAP_BYTES // 2
        self._counters: list[int] = []
        self._entry = self._load(elf)

    def run(self) -> Outcome:
        unicorn, riscv, machine = self._unicorn, self._riscv, self._machine
        machine.mem_map(_HEAP, _HEAP_BYTES)
        machine.mem_map(_STACK, _STACK_BYTES)
        # argc 1, the name, the end of arguments, of variables, and of the auxiliary vector but for the page size
        top = _STACK + _STACK_BYTES - 256
        machine.mem_write(top + 128, b"host\0")
        machine.mem_write(top, struct.pack("<8I", 1, top + 128, 0, 0, 6, _PAGE, 0, 0))
        machine.reg_write(riscv.UC_RISCV_REG_SP, top)
        machine.hook_add(unicorn.UC_HOOK_BLOCK, self._count)
        machine.hook_add(unicorn.UC_HOOK_INTR, self._called)
        for address in self._counters:
            machine.hook_add(unicorn.UC_HOOK_CODE, self._read_counter, begin=address, end=address)
        try:
            machine.emu_start(self._entry, 0)
        except unicorn.UcError as error:
            self._text += f"ERR emulator: {error} at {machine.reg_read(riscv.UC_RISCV_REG_PC):#x}\n".encode()
            self._status = self._status or 1
        return Outcome(status=1 if self._status is None else self._status, text=self._text.decode(errors="replace"))

    def _load(self, elf: bytes) -> int:
        """Map the segments; the address to start at."""
        entry, headers = struct.unpack_from("<II", elf, 24)
        size, count = struct.unpack_from("<HH", elf, 42)
        segments = [struct.unpack_from("<8I", elf, headers + number * size) for number in range(count)]
        loaded = [row for row in segments if row[0] == 1]
        first = min(row[2] for row in loaded) // _PAGE * _PAGE
        self._machine.mem_map(first, _aligned(max(row[2] + row[5] for row in loaded) - first))
        for _, offset, address, _, length, _, flags, _ in loaded:
            self._machine.mem_write(address, elf[offset : offset + length])
            if flags & 1:
                self._find_counters(elf[offset : offset + length], address)
        return int(entry)

    def _find_counters(self, code: bytes, start: int) -> None:
        for at in range(0, len(code) - 3, 2):
            if struct.unpack_from("<I", code, at)[0] & _COUNTER_MASK == _COUNTER & _COUNTER_MASK:
                self._counters.append(start + at)

    def _count(self, machine: Any, address: int, size: int, _data: object) -> None:
        key = (address, size)
        if key not in self._lengths:
            code, at, found = bytes(machine.mem_read(address, size)), 0, 0
            while at < size:
                at += 4 if code[at] & 3 == 3 else 2
                found += 1
            self._lengths[key] = found
        self._instructions += self._lengths[key]

    def _read_counter(self, machine: Any, address: int, _size: int, _data: object) -> None:
        word = struct.unpack("<I", bytes(machine.mem_read(address, 4)))[0]
        machine.reg_write(self._riscv.UC_RISCV_REG_X0 + (word >> 7 & 31), self._instructions & 0xFFFF_FFFF)
        machine.reg_write(self._riscv.UC_RISCV_REG_PC, address + 4)

    def _called(self, machine: Any, _number: int, _data: object) -> None:
        a0, a1, a2, *_, number = [machine.reg_read(self._riscv.UC_RISCV_REG_A0 + place) for place in range(8)]
        machine.reg_write(self._riscv.UC_RISCV_REG_A0, self._answer(number, a0, a1, a2))

    def _answer(self, number: int, first: int, second: int, third: int) -> int:
        """What Linux would answer to a call with these arguments."""
        if number in (_EXIT, _EXIT_GROUP):
            self._status = first & 0xFF
            self._machine.emu_stop()
            return 0
        if number == _WRITE:
            return self._print(second, third)
        if number == _WRITEV:
            vectors = struct.iter_unpack("<II", bytes(self._machine.mem_read(second, 8 * third)))
            return sum(self._print(address, length) for address, length in vectors)
        if number == _BRK:
            self._break = first if _HEAP <= first <= _HEAP + _HEAP_BYTES // 2 else self._break
            return self._break
        if number == _MMAP:
            address, self._mapped = self._mapped, self._mapped + _aligned(second)
            return address if self._mapped <= _HEAP + _HEAP_BYTES else (1 << 32) - 12
        return {_IOCTL: _ENOTTY, _SET_TID: 1, _MUNMAP: 0}.get(number, _ENOSYS)

    def _print(self, address: int, length: int) -> int:
        if length:
            self._text += bytes(self._machine.mem_read(address, length))
        return length
