"""The ESP32-P4: instructions of RV32IM that kernels need, and those of its vector unit ("PIE", the extension xespv).

What they do is from Espressif's instruction reference of the unit (esp-dl, tools/agents/skills/esp32p4-pie-simd), from
the use that the assembly of esp-dl and ESP-NN makes of them, and their operands from RISCVInstrInfoESP32P4.td of
espressif/llvm-project (November 2026): no manual has a chapter on it yet. Only what these agree on is here, and nothing
that depends on the unit's modes, which ESP-IDF does not keep for a task: no shift that rounds, no address that is not a
multiple of what is loaded. No hardware loop either: revisions before 3 may lose its count at an interrupt (ESP-IDF
issue 19025, September 2026).
Nothing of it was compared with a chip or an emulator.
"""

from __future__ import annotations

import re

from tinysearch.firmware.verify.simd.instructions import Instruction, InstructionSet, Operand, span

_NAMES = (
    *("zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1"),
    *(f"a{n}" for n in range(8)),
    *(f"s{n}" for n in range(2, 12)),
    *(f"t{n}" for n in range(3, 7)),
)
"""Of x0 .. x31."""

_STACK, _FIRST_ARGUMENT, _ARGUMENTS = 2, 10, 6
_KEPT = (8, 9, *range(18, 28))
"""s0 .. s11, which a function gives back as they were."""

_FIXED = (0, 1, 3, 4)
"""zero, the return address, gp and tp: no kernel writes them."""

_OF_VECTOR_UNIT = (*range(8, 16), *range(24, 32))
"""Registers that its instructions can name."""

_BRANCH_BYTES, _JUMP_BYTES = 1 << 12, 1 << 20


def _core() -> dict[str, Instruction]:
    three = {
        "add": "{1} + {2}",
        "sub": "{1} - {2}",
        "and": "{1} & {2}",
        "or": "{1} | {2}",
        "xor": "{1} ^ {2}",
        "sll": "{1} << ({2} & 31)",
        "srl": "{1} >> ({2} & 31)",
        "sra": "(uint32_t)((int32_t){1} >> ({2} & 31))",
        "slt": "(uint32_t)((int32_t){1} < (int32_t){2})",
        "sltu": "(uint32_t)({1} < {2})",
        "mul": "{1} * {2}",
        "mulh": "pie_mulsh({1}, {2})",
        "mulhu": "(uint32_t)((uint64_t){1} * {2} >> 32)",
        "mulhsu": "(uint32_t)((int64_t)(int32_t){1} * (int64_t){2} >> 32)",
        "div": "pie_quos({1}, {2})",
    }
    table = {name: Instruction(operands=("x=", "x", "x"), code=f"{{0}} = {text};") for name, text in three.items()}
    for name, text in {"mv": "{1}", "neg": "0u - {1}", "not": "~{1}"}.items():
        table[name] = Instruction(operands=("x=", "x"), code=f"{{0}} = {text};")
    whole, shift = span(-2048, 2047), span(0, 31)
    immediate: dict[str, tuple[Operand, str]] = {
        "addi": (whole, "{1} + (uint32_t){2}"),
        "andi": (whole, "{1} & (uint32_t){2}"),
        "ori": (whole, "{1} | (uint32_t){2}"),
        "xori": (whole, "{1} ^ (uint32_t){2}"),
        "slti": (whole, "(uint32_t)((int32_t){1} < {2})"),
        "slli": (shift, "{1} << {2}"),
        "srli": (shift, "{1} >> {2}"),
        "srai": (shift, "(uint32_t)((int32_t){1} >> {2})"),
    }
    table |= {
        name: Instruction(operands=("x=", "x", operand), code=f"{{0}} = {text};")
        for name, (operand, text) in immediate.items()
    }
    table["li"] = Instruction(operands=("x=", whole), code="{0} = (uint32_t)({1});")
    table["lui"] = Instruction(operands=("x=", span(0, (1 << 20) - 1)), code="{0} = (uint32_t){1} << 12;")
    loads = {"lw": "pie_load32", "lhu": "pie_load16u", "lh": "pie_load16s", "lbu": "pie_load8u"}
    for name, call in loads.items():
        table[name] = Instruction(operands=("x=", whole, "x"), code=f"{{0}} = {call}({{2}} + (uint32_t){{1}});")
    for name, call in {"sw": "pie_store32", "sh": "pie_store16", "sb": "pie_store8"}.items():
        table[name] = Instruction(operands=("x", whole, "x"), code=f"{call}({{2}} + (uint32_t){{1}}, {{0}});")
    table["fence"] = Instruction(operands=(), code=";")
    pairs = {"beq": "{0} == {1}", "bne": "{0} != {1}", "bltu": "{0} < {1}", "bgeu": "{0} >= {1}"}
    pairs |= {"blt": "(int32_t){0} < (int32_t){1}", "bge": "(int32_t){0} >= (int32_t){1}"}
    for name, text in pairs.items():
        table[name] = Instruction(operands=("x", "x", "label"), code=text, reach=_BRANCH_BYTES)
    for name, sign in {"beqz": "==", "bnez": "!=", "bltz": "<", "bgez": ">=", "blez": "<=", "bgtz": ">"}.items():
        table[name] = Instruction(operands=("x", "label"), code=f"(int32_t){{0}} {sign} 0", reach=_BRANCH_BYTES)
    table["j"] = Instruction(operands=("label",), code="1", reach=_JUMP_BYTES)
    return {name: _four(instruction) for name, instruction in table.items()}


def _four(instruction: Instruction) -> Instruction:
    """With its length: the assembler may take a form of two bytes."""
    return Instruction(operands=instruction.operands, code=instruction.code, length=4, reach=instruction.reach)


_STEP = span(-128, 112, 16)
"""By which an address moves: what every source allows."""


def _moves() -> dict[str, Instruction]:
    line = "{0} = pie_load_line(pie_line({1}));"
    table: dict[str, Instruction] = {}
    for suffix, step in ((".ip", _STEP), (".xp", "p")):
        move = " {1} += (uint32_t){2};"
        table[f"esp.vld.128{suffix}"] = Instruction(operands=("q=", "p+", step), code=line + move)
        table[f"esp.vst.128{suffix}"] = Instruction(operands=("q", "p+", step), code="pie_store_line({1}, {0});" + move)
    for bits in (8, 32):
        call = "pie_load32" if bits == 32 else "pie_load8u"
        table[f"esp.vldbc.{bits}.ip"] = Instruction(
            operands=("q=", "p+", span(0, 0) if bits == 32 else span(0, 1)),
            code=f"{{0}} = pie_broadcast{bits}({call}({{1}})); {{1}} += {{2}};",
        )
    for quarter, name in enumerate(("l.l", "l.h", "h.l", "h.h")):
        for way in ("ld", "st"):
            table[f"esp.{way}.qacc.{name}.128.ip"] = Instruction(
                operands=("p+", _STEP), code=f"pie_{way}_words({{0}}, {quarter}); {{0}} += (uint32_t){{1}};"
            )
    table["esp.zero.q"] = Instruction(operands=("q=",), code="{0} = pie_broadcast32(0);")
    table["esp.zero.qacc"] = Instruction(operands=(), code="memset(pie_words, 0, sizeof pie_words);")
    table["esp.movi.32.a"] = Instruction(operands=("q", "p=", span(0, 3)), code="{1} = {0}.u32[{2}];")
    table["esp.movi.32.q"] = Instruction(operands=("q+", "p", span(0, 3)), code="{0}.u32[{2}] = {1};")
    table["esp.movx.w.sar.bytes"] = Instruction(operands=("p",), code="pie_sar_byte = pie_below_16({0});")
    table["esp.src.q"] = Instruction(operands=("q=", "q", "q"), code="{0} = pie_funnel({1}, {2}, pie_sar_byte);")
    table["esp.src.q.qup"] = Instruction(
        operands=("q=", "q+", "q"),
        code="{{ const pie_vector shifted = pie_funnel({1}, {2}, pie_sar_byte); {1} = {2}; {0} = shifted; }}",
    )
    return table


def _vectors() -> dict[str, Instruction]:
    table = {
        "esp.vmulas.s8.qacc": Instruction(operands=("q", "q"), code="pie_vmulas_s8_words({0}, {1});"),
        "esp.vmulas.s8.qacc.ld.ip": Instruction(
            operands=("q=", "p+", _STEP, "q", "q"),
            code="pie_vmulas_s8_words({3}, {4}); {0} = pie_load_line(pie_line({1})); {1} += (uint32_t){2};",
        ),
        "esp.vsmulas.s8.qacc.ld.incp": Instruction(
            operands=("q=", "p+", "q", "q", span(0, 15)),
            code="pie_vmulas_s8_words({2}, pie_broadcast8({3}.u8[{4}]));"
            " {0} = pie_load_line(pie_line({1})); {1} += 16;",
        ),
    }
    for name in ("and", "or", "xor"):
        table[f"esp.{name}q"] = Instruction(operands=("q=", "q", "q"), code=f"{{0}} = pie_{name}({{1}}, {{2}});")
    table["esp.notq"] = Instruction(operands=("q=", "q"), code="{0} = pie_not({1}, {1});")
    for bits in (8, 16, 32):
        for operation in ("vmax", "vmin", "vcmp.eq", "vcmp.lt", "vcmp.gt"):
            call = f"pie_{operation.replace('.', '_')}_s{bits}"
            table[f"esp.{operation}.s{bits}"] = Instruction(
                operands=("q=", "q", "q"), code=f"{{0}} = {call}({{1}}, {{2}});"
            )
        for name in ("zip", "unzip"):
            table[f"esp.v{name}.{bits}"] = Instruction(
                operands=("q+", "q+"), code=f"pie_{name}(&{{0}}, &{{1}}, {bits // 8});"
            )
    return table


_VECTOR = re.compile(r"^q([0-7])$")


def _register(text: str, kind: str) -> str | None:
    """``x`` is any register of the core, ``p`` one that the vector unit can name, ``q`` one of its own."""
    vector = _VECTOR.match(text)
    if kind[0] == "q":
        return None if vector is None else f"pie_q[{vector.group(1)}]"
    if text not in _NAMES:
        return None
    number = _NAMES.index(text)
    if (kind[0] == "p" and number not in _OF_VECTOR_UNIT) or (kind[1:] and number in _FIXED):
        return None
    return f"x{number}"


def _first(number: int) -> str:
    """What a register holds when a function begins."""
    if number == 0:
        return "0"
    if number == _STACK:
        return "stack"
    argument = number - _FIRST_ARGUMENT
    return f"window[{argument + 2}]" if 0 <= argument < _ARGUMENTS else f"0xA5A5A500u + {number}"


RISCV = InstructionSet(
    instructions=_core() | {name: _four(instruction) for name, instruction in (_moves() | _vectors()).items()},
    register=_register,
    flow={
        "ret": f"if (x2 != stack || {' || '.join(f'x{n} != {_first(n)}' for n in _KEPT)}) "
        'pie_fault("a function must give back the stack and s0 .. s11 as they were", x2); return;',
    },
    begin="",
    frame=" ".join(f"uint32_t x{n} = {_first(n)}; (void)x{n};" for n in range(len(_NAMES))),
)
"""Functions of the standard calling convention with up to six arguments, a0 .. a5."""
