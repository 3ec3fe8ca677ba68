"""Reads a ``.S`` file: functions of checked instructions, with every label resolved."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tinysearch.firmware.verify.simd.instructions import Instruction, InstructionSet, Range
from tinysearch.firmware.verify.simd.xtensa import XTENSA

_LABEL = re.compile(r"^([.\w$]+):\s*")
_LOCAL = re.compile(r"^(\d+)([bf])$")
_IGNORED = frozenset(
    (".text", ".literal", ".align", ".global", ".globl", ".type", ".size", ".section", ".literal_position", ".balign")
)
_ASSUMED = frozenset((".set", ".ifdef", ".endif"))
"""Conditions in sources of others, taken to hold."""
_GLOBAL = re.compile(r"^\s*\.globa?l\s+(\S+)", re.MULTILINE)
_ADDRESS = re.compile(r"(?<=,)([^,]+)\(([a-z]\w*)\)\s*$")
"""Of a load or store of RISC-V: an offset, and a register in parentheses."""
_LITERAL = re.compile(r"^\s*\.literal\s+(\S+)\s*,\s*(-?\w+)", re.MULTILINE)
_LOOPS = ("loop", "loopnez", "loopgtz")
_RETURNS = ("retw", "retw.n", "ret")
_CALLS = ("call8",)
_LOOP_BYTES = 256
_WINDOW_BYTES = 32
"""At the top of a frame that calls others: there registers of its caller are saved when the windows run out."""
_FLOW_BYTES = 3
_NARROW = ".n"
"""Ending of the two-byte form of an instruction of the core, which does the same."""


class AssemblyError(ValueError):
    """A file that the chip's assembler would refuse or change, or that the model does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One instruction.

    Attributes:
        operands: registers as written, immediates as integers, labels as places in :attr:`Function.statements`.
        instruction: None for what changes the flow: entry, loops, returns, calls.
    """

    mnemonic: str
    operands: tuple[str | int, ...]
    instruction: Instruction | None
    line: str

    @property
    def length(self) -> int:
        """Bytes, at most: an assembler may take a two-byte form."""
        return self.instruction.length if self.instruction is not None else _FLOW_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function of an instruction set's calling convention."""

    name: str
    statements: tuple[Statement, ...]


def read(
    path: Path, *, folders: tuple[Path, ...] = (), core: InstructionSet = XTENSA, strict: bool = True
) -> tuple[Function, ...]:
    """Functions of a file after the C preprocessor.

    Args:
        folders: for ``#include``.
        core: whose instructions they are.
        strict: refuse what an assembler would change, and frames without room for windows. Sources of others may rely
            on the former; their count is then that of the source.

    Raises:
        AssemblyError: an instruction, operand or label that is not there, or that cannot be encoded.
    """
    includes = [f"-I{folder}" for folder in (path.parent, *folders)]
    done = subprocess.run(
        ["gcc", "-E", "-P", "-x", "assembler-with-cpp", *includes, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise AssemblyError(f"{path.name}: {done.stderr.strip()[-400:]}")
    return parse(done.stdout, core=core, strict=strict)


def parse(text: str, *, core: InstructionSet = XTENSA, strict: bool = True) -> tuple[Function, ...]:
    """Functions of preprocessed text.

    Raises:
        AssemblyError: as :func:`read`.
    """
    lines = [line for raw in text.splitlines() for line in raw.split("#", 1)[0].split(";")]
    functions: list[tuple[str, list[str]]] = []
    waiting: list[str] = []
    literals = dict(_LITERAL.findall(text))
    public = frozenset(_GLOBAL.findall(text))
    for line in lines:
        rest = line.strip()
        while match := _LABEL.match(rest):
            waiting.append(match.group(1))
            rest = rest[match.end() :]
        if not rest or rest.split()[0] in _IGNORED or (not strict and rest.split()[0] in _ASSUMED):
            continue
        if rest.startswith("l32r"):
            register_of, name = rest.removeprefix("l32r").split(",")
            rest = f"movi {register_of.strip()}, {literals.get(name.strip(), name)}"
        if rest.split()[0] == core.begin or (not core.begin and waiting and waiting[-1] in public):
            functions.append((waiting.pop(), []))
        if not functions:
            raise AssemblyError(f"an instruction must stand in a function; got {rest}")
        functions[-1][1].extend(f"{label}:" for label in waiting)
        functions[-1][1].append(rest)
        waiting.clear()
    if waiting and functions:
        functions[-1][1].extend(f"{label}:" for label in waiting)
    return tuple(_function(name, body, core=core, strict=strict) for name, body in functions)


def _function(name: str, body: list[str], *, core: InstructionSet, strict: bool) -> Function:
    places: dict[str, list[int]] = {}
    code: list[str] = []
    for line in body:
        if line.endswith(":"):
            places.setdefault(line[:-1], []).append(len(code))
        else:
            code.append(line)
    statements = tuple(_statement(line, index, places, core=core, strict=strict) for index, line in enumerate(code))
    function = Function(name=name, statements=statements)
    if strict:
        _check(function)
    return function


def _statement(line: str, index: int, places: dict[str, list[int]], *, core: InstructionSet, strict: bool) -> Statement:
    mnemonic, _, rest = line.partition(" ") if " " in line.replace("\t", " ") else (line, "", "")
    if "\t" in line:
        mnemonic, _, rest = line.replace("\t", " ").partition(" ")
    words = [word.strip() for word in _ADDRESS.sub(r"\1, \2", rest).split(",")] if rest.strip() else []
    mnemonic = mnemonic.lower()
    flow = mnemonic.removesuffix(_NARROW)
    if flow in core.flow and (flow in _RETURNS or flow == core.begin):
        return Statement(mnemonic=flow, operands=tuple(words), instruction=None, line=line)
    if flow in core.flow and flow in _LOOPS:
        if len(words) != 2 or core.register(words[0], "a") is None:
            raise AssemblyError(f"a loop must have a register and a label; got {line}")
        return Statement(
            mnemonic=mnemonic, operands=(words[0], _place(words[1], index, places, line)), instruction=None, line=line
        )
    if flow in core.flow and flow in _CALLS:
        return Statement(mnemonic=mnemonic, operands=(words[0],), instruction=None, line=line)
    instruction = core.instructions.get(mnemonic.removesuffix(_NARROW))
    if instruction is None:
        raise AssemblyError(f"the model must know an instruction; got {line}")
    if len(words) != len(instruction.operands):
        raise AssemblyError(f"{mnemonic} must have {len(instruction.operands)} operands; got {line}")
    operands: list[str | int] = []
    for word, operand in zip(words, instruction.operands, strict=True):
        if isinstance(operand, Range):
            operands.append(_immediate(word, operand, line, strict=strict))
        elif operand == "label":
            operands.append(_place(word, index, places, line))
        else:
            name = core.register(word, operand)
            if name is None:
                raise AssemblyError(f"{operand[0]} registers must be there and free to use; got {line}")
            operands.append(name)
    return Statement(
        mnemonic=mnemonic.removesuffix(_NARROW), operands=tuple(operands), instruction=instruction, line=line
    )


def _immediate(word: str, span: Range, line: str, *, strict: bool) -> int:
    if not re.fullmatch(r"[-+*()x\da-fA-F\s<>|]+", word):
        raise AssemblyError(f"an immediate must be a number; got {line}")
    value = int(eval(word, {"__builtins__": {}}))  # noqa: S307 - digits and operators, matched above
    if strict and not span.holds(value):
        raise AssemblyError(f"an immediate must be one that the instruction can encode; got {value} in {line}")
    return value


def _place(word: str, index: int, places: dict[str, list[int]], line: str) -> int:
    local = _LOCAL.match(word)
    if local is None:
        found = places.get(word, [])
    else:
        all_places = places.get(local.group(1), [])
        found = (
            [p for p in all_places if p > index][:1]
            if local.group(2) == "f"
            else [p for p in all_places if p <= index][-1:]
        )
    if len(found) != 1:
        raise AssemblyError(f"a label must stand in the function, once; got {line}")
    return found[0]


def _check(function: Function) -> None:
    """Room of locals; reach of branches; loops that are short enough, not nested, and do not end in a jump.

    Raises:
        AssemblyError: one of these.
    """
    starts = [0]
    for statement in function.statements:
        starts.append(starts[-1] + statement.length)
    entry = function.statements[0]
    room = int(str(entry.operands[1])) - _WINDOW_BYTES if entry.mnemonic == "entry" else None
    for statement in function.statements:
        local = len(statement.operands) == 3 and statement.operands[1] == "a1"
        if room is not None and local and int(statement.operands[2]) + 4 > room:
            raise AssemblyError(
                f"locals must lie below what windows are saved to; got {function.name}: {statement.line}"
            )
    bodies: list[tuple[int, int]] = []
    for index, statement in enumerate(function.statements):
        if statement.mnemonic in _LOOPS:
            end = int(statement.operands[1])
            if starts[end] - starts[index + 1] > _LOOP_BYTES or end <= index:
                raise AssemblyError(
                    f"the body of a loop must have at most {_LOOP_BYTES} bytes; got {function.name}: {statement.line}"
                )
            bodies.append((index + 1, end))
        elif statement.instruction is not None and statement.instruction.reach:
            target = int(statement.operands[-1])
            if abs(starts[target] - starts[index]) >= statement.instruction.reach - 4:
                raise AssemblyError(f"a branch must reach its label; got {function.name}: {statement.line}")
    for first, end in bodies:
        last = function.statements[end - 1]
        if last.instruction is None or last.instruction.reach:
            raise AssemblyError(f"a loop must not end in a jump; got {function.name}: {last.line}")
        inside = function.statements[first:end]
        if any(s.mnemonic in (*_LOOPS, *_CALLS, "retw") for s in inside):
            raise AssemblyError(
                f"a loop must hold no loop, call or return; got {function.name}: {function.statements[first].line}"
            )
        if any(s.instruction is not None and s.instruction.reach and s.operands[-1] == end for s in inside):
            raise AssemblyError(
                f"a branch to the end of its loop leaves it; got {function.name}: {function.statements[first].line}"
            )
