"""The ESP32-S3: instructions of Xtensa LX7 that kernels need, and those of its vector unit.

The latter are those of "Processor Instruction Extensions (PIE)" in the ESP32-S3 Technical Reference Manual, version
1.7.
"""

from __future__ import annotations

import re

from tinysearch.firmware.verify.simd.instructions import Instruction, InstructionSet, Range
from tinysearch.firmware.verify.simd.instructions import span as _imm

_BRANCH_CONSTANTS = frozenset((-1, *range(1, 9), 10, 12, 16, 32, 64, 128, 256))
_BRANCH_CONSTANTS_UNSIGNED = frozenset((32768, 65536, *range(2, 9), 10, 12, 16, 32, 64, 128, 256))
_SHORT, _LONG = 128, 2048
"""Bytes that conditional branches reach; those that compare with zero reach further."""


def _core() -> dict[str, Instruction]:
    three = {
        "add": "{1} + {2}",
        "sub": "{1} - {2}",
        "and": "{1} & {2}",
        "or": "{1} | {2}",
        "xor": "{1} ^ {2}",
        "addx2": "({1} << 1) + {2}",
        "addx4": "({1} << 2) + {2}",
        "addx8": "({1} << 3) + {2}",
        "subx2": "({1} << 1) - {2}",
        "subx4": "({1} << 2) - {2}",
        "subx8": "({1} << 3) - {2}",
        "mull": "{1} * {2}",
        "mulsh": "pie_mulsh({1}, {2})",
        "quos": "pie_quos({1}, {2})",
        "muluh": "(uint32_t)((uint64_t){1} * {2} >> 32)",
        "mul16u": "(uint32_t)(uint16_t){1} * (uint16_t){2}",
        "mul16s": "(uint32_t)((int32_t)(int16_t){1} * (int16_t){2})",
        "min": "(int32_t){1} < (int32_t){2} ? {1} : {2}",
        "max": "(int32_t){1} > (int32_t){2} ? {1} : {2}",
        "minu": "{1} < {2} ? {1} : {2}",
        "maxu": "{1} > {2} ? {1} : {2}",
        "saltu": "(uint32_t)({1} < {2})",
        "salt": "(uint32_t)((int32_t){1} < (int32_t){2})",
        "src": "pie_src({1}, {2})",
    }
    table = {name: Instruction(operands=("a=", "a", "a"), code=f"{{0}} = {text};") for name, text in three.items()}
    two = {
        "mov": "{1}",
        "neg": "0u - {1}",
        "abs": "(int32_t){1} < 0 ? 0u - {1} : {1}",
        "sra": "pie_sra({1})",
        "srl": "pie_src(0, {1})",
        "sll": "pie_src({1}, 0)",
        "nsau": "pie_nsau({1})",
    }
    table |= {name: Instruction(operands=("a=", "a"), code=f"{{0}} = {text};") for name, text in two.items()}
    conditional = {
        "moveqz": "{2} == 0",
        "movnez": "{2} != 0",
        "movltz": "(int32_t){2} < 0",
        "movgez": "(int32_t){2} >= 0",
    }
    table |= {
        name: Instruction(operands=("a+", "a", "a"), code=f"if ({text}) {{0}} = {{1}};")
        for name, text in conditional.items()
    }
    immediate = {
        "addi": (_imm(-128, 127), "{1} + (uint32_t){2}"),
        "addmi": (_imm(-32768, 32512, 256), "{1} + (uint32_t){2}"),
        "slli": (_imm(1, 31), "{1} << {2}"),
        "srli": (_imm(0, 15), "{1} >> {2}"),
        "srai": (_imm(0, 31), "(uint32_t)((int32_t){1} >> {2})"),
        "sext": (_imm(7, 22), "pie_sext({1}, {2})"),
        "clamps": (
            _imm(7, 22),
            "(uint32_t)pie_clamp((int32_t){1}, -(INT64_C(1) << {2}), (INT64_C(1) << {2}) - 1)",
        ),
    }
    table |= {
        name: Instruction(operands=("a=", "a", span), code=f"{{0}} = {text};")
        for name, (span, text) in immediate.items()
    }
    table["extui"] = Instruction(
        operands=("a=", "a", _imm(0, 31), _imm(1, 16)), code="{0} = {1} >> {2} & ((1u << {3}) - 1);"
    )
    table["movi"] = Instruction(operands=("a=", _imm(-(1 << 31), (1 << 32) - 1)), code="{0} = (uint32_t)({1});")
    for name, (span, call) in {
        "l8ui": (_imm(0, 255), "pie_load8u"),
        "l16ui": (_imm(0, 510, 2), "pie_load16u"),
        "l16si": (_imm(0, 510, 2), "pie_load16s"),
        "l32i": (_imm(0, 1020, 4), "pie_load32"),
    }.items():
        table[name] = Instruction(operands=("a=", "a", span), code=f"{{0}} = {call}({{1}} + {{2}}u);")
    for name, (span, call) in {
        "s8i": (_imm(0, 255), "pie_store8"),
        "s16i": (_imm(0, 510, 2), "pie_store16"),
        "s32i": (_imm(0, 1020, 4), "pie_store32"),
    }.items():
        table[name] = Instruction(operands=("a", "a", span), code=f"{call}({{1}} + {{2}}u, {{0}});")
    table["ssai"] = Instruction(operands=(_imm(0, 31),), code="pie_sar = {0};")
    table["ssr"] = Instruction(operands=("a",), code="pie_sar = {0} & 31;")
    table["ssl"] = Instruction(operands=("a",), code="pie_sar = 32 - ({0} & 31);")
    table["wsr.sar"] = Instruction(operands=("a",), code="pie_sar = {0} & 63;")
    table["nop"] = Instruction(operands=(), code=";")
    table["memw"] = Instruction(operands=(), code=";")
    return table | _branches()


def _branches() -> dict[str, Instruction]:
    pairs = {"beq": "==", "bne": "!=", "bltu": "<", "bgeu": ">="}
    table = {
        name: Instruction(operands=("a", "a", "label"), code=f"{{0}} {sign} {{1}}", reach=_SHORT)
        for name, sign in pairs.items()
    }
    for name, sign in {"blt": "<", "bge": ">="}.items():
        table[name] = Instruction(
            operands=("a", "a", "label"), code=f"(int32_t){{0}} {sign} (int32_t){{1}}", reach=_SHORT
        )
    signed = Range(low=0, high=0, only=_BRANCH_CONSTANTS)
    for name, sign in {"beqi": "==", "bnei": "!=", "blti": "<", "bgei": ">="}.items():
        table[name] = Instruction(operands=("a", signed, "label"), code=f"(int32_t){{0}} {sign} {{1}}", reach=_SHORT)
    unsigned = Range(low=0, high=0, only=_BRANCH_CONSTANTS_UNSIGNED)
    for name, sign in {"bltui": "<", "bgeui": ">="}.items():
        table[name] = Instruction(operands=("a", unsigned, "label"), code=f"{{0}} {sign} {{1}}u", reach=_SHORT)
    for name, sign in {"beqz": "==", "bnez": "!=", "bltz": "<", "bgez": ">="}.items():
        table[name] = Instruction(operands=("a", "label"), code=f"(int32_t){{0}} {sign} 0", reach=_LONG)
    for name, sign in {"bbci": "==", "bbsi": "!="}.items():
        table[name] = Instruction(
            operands=("a", _imm(0, 31), "label"), code=f"({{0}} >> {{1}} & 1) {sign} 0", reach=_SHORT
        )
    for name, sign in {"bbc": "==", "bbs": "!="}.items():
        table[name] = Instruction(
            operands=("a", "a", "label"), code=f"({{0}} >> ({{1}} & 31) & 1) {sign} 0", reach=_SHORT
        )
    table["j"] = Instruction(operands=("label",), code="1", reach=1 << 17)
    return table


_POST = {
    128: _imm(-512, 496, 16),  # of loads esp-dl's reference says so, of stores it allows four times as much
    64: _imm(-1024, 1016, 8),
    32: _imm(-512, 508, 4),
    16: _imm(0, 254, 2),
    8: _imm(0, 127),
}
_FUSED = _imm(-512, 496, 16)
"""Step of the loads that a multiply-accumulate does on the side."""

_BIG = 4  # bytes of the instructions that do two things


def _moves() -> dict[str, Instruction]:
    table: dict[str, Instruction] = {}

    def post(name: str, bits: int, before: str, *, q: str, length: int = 3) -> None:
        """``name.ip`` and ``name.xp``: something with memory at {1}, which then moves on."""
        for suffix, operand in ((".ip", _POST[bits]), (".xp", "a")):
            table[name + suffix] = Instruction(
                operands=(q, "a+", operand), code=f"{before} {{1}} += (uint32_t){{2}};", length=length
            )

    post("ee.vld.128", 128, "{0} = pie_load_line({1});", q="q=")
    post("ee.vst.128", 128, "pie_store_line({1}, {0});", q="q")
    post("ee.ld.128.usar", 128, "pie_sar_byte = {1} & 15; {0} = pie_load_line({1});", q="q=")
    for half, index in (("l", 0), ("h", 1)):
        post(f"ee.vld.{half}.64", 64, f"{{0}}.u64[{index}] = pie_load_half({{1}});", q="q+")
        post(f"ee.vst.{half}.64", 64, f"pie_store_half({{1}}, {{0}}.u64[{index}]);", q="q")
        for name, upper in (("l.128", 0), ("h.32", 1)):
            for way in ("ld", "st"):
                call = "pie_load_qacc" if way == "ld" else "pie_store_qacc"
                table[f"ee.{way}.qacc_{half}.{name}.ip"] = Instruction(
                    operands=("a+", _POST[32 if upper else 128]),
                    code=f"{call}({{0}}, {index}, {upper}); {{0}} += (uint32_t){{1}};",
                )
    for bits in (8, 16, 32):
        load = "pie_load32" if bits == 32 else f"pie_load{bits}u"
        post(f"ee.vldbc.{bits}", bits, f"{{0}} = pie_broadcast{bits}({load}({{1}}));", q="q=")
        table[f"ee.vldbc.{bits}"] = Instruction(
            operands=("q=", "a"), code=f"{{0}} = pie_broadcast{bits}({load}({{1}}));"
        )
    table["ee.ld.accx.ip"] = Instruction(
        operands=("a+", _POST[64]), code="pie_accx = pie_sign40(pie_load_half({0})); {0} += (uint32_t){1};"
    )
    table["ee.st.accx.ip"] = Instruction(
        operands=("a+", _POST[64]), code="pie_store_half({0}, (uint64_t)pie_accx & PIE_MASK40); {0} += (uint32_t){1};"
    )
    table["ld.qr"] = Instruction(
        operands=("q=", "a", _imm(-128, 112, 16)), code="{0} = pie_load_line({1} + (uint32_t){2});"
    )
    table["st.qr"] = Instruction(
        operands=("q", "a", _imm(-128, 112, 16)), code="pie_store_line({1} + (uint32_t){2}, {0});"
    )
    table["mv.qr"] = Instruction(operands=("q=", "q"), code="{0} = {1};")
    table["ee.zero.q"] = Instruction(operands=("q=",), code="{0} = pie_broadcast32(0);")
    table["ee.zero.accx"] = Instruction(operands=(), code="pie_accx = 0;")
    table["ee.zero.qacc"] = Instruction(
        operands=(), code="memset(pie_wide, 0, sizeof pie_wide); memset(pie_narrow, 0, sizeof pie_narrow);"
    )
    table["ee.movi.32.a"] = Instruction(operands=("q", "a=", _imm(0, 3)), code="{1} = {0}.u32[{2}];")
    table["ee.movi.32.q"] = Instruction(operands=("q+", "a", _imm(0, 3)), code="{0}.u32[{2}] = {1};")
    table["rur.accx_0"] = Instruction(operands=("a=",), code="{0} = (uint32_t)pie_accx;")
    table["rur.accx_1"] = Instruction(operands=("a=",), code="{0} = (uint32_t)((uint64_t)pie_accx >> 32) & 255;")
    table["wur.sar_byte"] = Instruction(operands=("a",), code="pie_sar_byte = {0} & 15;")
    table["rur.sar_byte"] = Instruction(operands=("a=",), code="{0} = pie_sar_byte;")
    return table


def _vectors() -> dict[str, Instruction]:
    table: dict[str, Instruction] = {}
    load = "{vector} = pie_load_line({pointer}); {pointer} += (uint32_t){step};"
    for name in ("s8.accx", "s16.accx", "s8.qacc", "s16.qacc", "u16.qacc"):
        call = f"pie_vmulas_{name.replace('.', '_')}"
        table[f"ee.vmulas.{name}"] = Instruction(operands=("q", "q"), code=f"{call}({{0}}, {{1}});")
        after = load.format(vector="{0}", pointer="{1}", step="{2}")
        for suffix, step in ((".ld.ip", _FUSED), (".ld.xp", "a")):
            table[f"ee.vmulas.{name}{suffix}"] = Instruction(
                operands=("q=", "a+", step, "q", "q"), code=f"{call}({{3}}, {{4}}); {after}", length=_BIG
            )
            table[f"ee.vmulas.{name}{suffix}.qup"] = Instruction(
                operands=("q=", "a+", step, "q", "q", "q+", "q"),
                code=f"{call}({{3}}, {{4}}); {{5}} = pie_funnel({{5}}, {{6}}, pie_sar_byte); {after}",
                length=_BIG,
            )
        if name.endswith("qacc"):
            bits = 8 if name.startswith("s8") else 16
            table[f"ee.vmulas.{name}.ldbc.incp"] = Instruction(
                operands=("q=", "a+", "q", "q"),
                code=f"{call}({{2}}, {{3}}); {{0}} = pie_broadcast{bits}(pie_load{bits}u({{1}}));"
                f" {{1}} += {bits // 8};",
            )
    for bits, lanes in ((8, 16), (16, 8)):
        call = f"pie_vmulas_s{bits}_qacc({{x}}, pie_broadcast{bits}((uint32_t){{y}}.s{bits}[{{lane}}]));"
        lane = _imm(0, lanes - 1)
        table[f"ee.vsmulas.s{bits}.qacc"] = Instruction(
            operands=("q", "q", lane), code=call.format(x="{0}", y="{1}", lane="{2}")
        )
        table[f"ee.vsmulas.s{bits}.qacc.ld.incp"] = Instruction(
            operands=("q=", "a+", "q", "q", lane),
            code=call.format(x="{2}", y="{3}", lane="{4}") + " {0} = pie_load_line({1}); {1} += 16;",
            length=_BIG,
        )
        table[f"ee.srcmb.s{bits}.qacc"] = Instruction(
            operands=("q=", "a", _imm(0, 0)), code=f"{{0}} = pie_srcmb_s{bits}({{1}});"
        )
    table["ee.srs.accx"] = Instruction(operands=("a=", "a", _imm(0, 0)), code="{0} = pie_srs_accx({1});")
    for bits in (8, 16, 32):
        for operation in ("vadds", "vsubs", "vmax", "vmin", "vcmp.eq", "vcmp.lt", "vcmp.gt"):
            call = f"pie_{operation.replace('.', '_')}_s{bits}"
            table[f"ee.{operation}.s{bits}"] = Instruction(
                operands=("q=", "q", "q"), code=f"{{0}} = {call}({{1}}, {{2}});"
            )
            if operation.startswith("vcmp"):
                continue
            table[f"ee.{operation}.s{bits}.ld.incp"] = Instruction(
                operands=("q=", "a+", "q=", "q", "q"),
                code=f"{{2}} = {call}({{3}}, {{4}}); {{0}} = pie_load_line({{1}}); {{1}} += 16;",
                length=_BIG,
            )
            table[f"ee.{operation}.s{bits}.st.incp"] = Instruction(
                operands=("q", "a+", "q=", "q", "q"),
                code=f"pie_store_line({{1}}, {{0}}); {{1}} += 16; {{2}} = {call}({{3}}, {{4}});",
                length=_BIG,
            )
        for name in ("zip", "unzip"):
            table[f"ee.v{name}.{bits}"] = Instruction(
                operands=("q+", "q+"), code=f"pie_{name}(&{{0}}, &{{1}}, {bits // 8});"
            )
    for name in ("and", "or", "xor"):
        table[f"ee.{name}q"] = Instruction(operands=("q=", "q", "q"), code=f"{{0}} = pie_{name}({{1}}, {{2}});")
    table["ee.notq"] = Instruction(operands=("q=", "q"), code="{0} = pie_not({1}, {1});")
    for name in ("vsr.32", "vsl.32"):
        call = f"pie_{name.replace('.', '_')}"
        table[f"ee.{name}"] = Instruction(operands=("q=", "q"), code=f"{{0}} = {call}({{1}}, {{1}});")
    table["ee.src.q"] = Instruction(operands=("q=", "q", "q"), code="{0} = pie_funnel({1}, {2}, pie_sar_byte);")
    table["ee.src.q.qup"] = Instruction(
        operands=("q=", "q+", "q"),
        code="{{ const pie_vector shifted = pie_funnel({1}, {2}, pie_sar_byte); {1} = {2}; {0} = shifted; }}",
    )
    table["ee.src.q.ld.ip"] = Instruction(
        operands=("q=", "a+", _POST[128], "q+", "q"),
        code="{3} = pie_funnel({3}, {4}, pie_sar_byte); {0} = pie_load_line({1}); {1} += (uint32_t){2};",
        length=_BIG,
    )
    return table


_REGISTER = re.compile(r"^([aq])(\d+)$")
_ARGUMENTS, _REGISTERS, _VECTORS = 8, 16, 8


def _register(text: str, kind: str) -> str | None:
    """``a`` is any register of the core, ``a=`` and ``a+`` one that may be written; a1 has the stack."""
    match = _REGISTER.match("a1" if text == "sp" else text)
    if match is None or match.group(1) != kind[0]:
        return None
    number = int(match.group(2))
    if kind[0] == "q":
        return f"pie_q[{number}]" if number < _VECTORS else None
    return f"a{number}" if number < _REGISTERS and (number > 1 or kind == "a") else None


_CALLEE = ", ".join(f"a{number}" for number in range(_ARGUMENTS, _REGISTERS))

XTENSA = InstructionSet(
    instructions=_core() | _moves() | _vectors(),
    register=_register,
    flow={
        "entry": "a1 = stack - {1};",
        "retw": " ".join(f"window[{n}] = a{n};" for n in range(_ARGUMENTS)) + " return;",
        "loop": 'if ({0} == 0) pie_fault("a loop must run at least once", 0); count_{index} = {0};',
        "loopnez": "count_{index} = {0}; if (count_{index} == 0) goto at_{1};",
        "loopgtz": "count_{index} = {0}; if ((int32_t)count_{index} <= 0) goto at_{1};",
        "call8": f"{{{{ uint32_t callee[8] = {{{{{_CALLEE}}}}}; model_{{0}}(callee, a1); "
        + " ".join(f"a{n + _ARGUMENTS} = callee[{n}];" for n in range(_ARGUMENTS))
        + " }}",
    },
    begin="entry",
    frame=" ".join(
        f"uint32_t a{n} = {f'window[{n}]' if n < _ARGUMENTS else '0xA5A5A5A5u'}; (void)a{n};" for n in range(_REGISTERS)
    ),
)
"""Functions of the windowed calling convention: a0 .. a7 of a callee are a8 .. a15 of its caller."""
