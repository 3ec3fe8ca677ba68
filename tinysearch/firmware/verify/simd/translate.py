"""From ``.S`` files to C text that executes them on this machine and counts what the chip would execute."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from tinysearch.firmware.verify.simd.assembly import AssemblyError, Function, read
from tinysearch.firmware.verify.simd.instructions import InstructionSet
from tinysearch.firmware.verify.simd.xtensa import XTENSA


def model_header() -> str:
    """Text of ``model.h``."""
    return (files("tinysearch.firmware.verify.simd") / "model.h").read_text()


def translate(
    paths: Iterable[Path], *, folders: tuple[Path, ...] = (), core: InstructionSet = XTENSA, strict: bool = True
) -> str:
    """C text with one function ``model_<name>(uint32_t *window, uint32_t stack)`` for each function of the files.

    ``folders``, ``core`` and ``strict`` as in :func:`~tinysearch.firmware.verify.simd.assembly.read`; ``window`` holds
    arguments from its third word on: of Xtensa a0 .. a7 as the callee sees them, before and after.

    Raises:
        AssemblyError: as :func:`~tinysearch.firmware.verify.simd.assembly.read`.
    """
    functions = [function for path in paths for function in read(path, folders=folders, core=core, strict=strict)]
    names = {function.name for function in functions}
    for function in functions:
        for statement in function.statements:
            if statement.mnemonic == "call8" and statement.operands[0] not in names:
                raise AssemblyError(f"a call must go to a function of the files; got {function.name}: {statement.line}")
    text = [f"static void model_{function.name}(uint32_t *window, uint32_t stack);" for function in functions]
    text += [_function(function, core) for function in functions]
    return "\n".join(text) + "\n"


def _function(function: Function, core: InstructionSet) -> str:
    statements = function.statements
    loops = {int(s.operands[1]): index for index, s in enumerate(statements) if s.mnemonic.startswith("loop")}
    targets = {
        int(s.operands[-1])
        for s in statements
        if (s.instruction is not None and s.instruction.reach) or s.mnemonic.startswith("loop")
    }
    leaders = (
        targets
        | {index + 1 for index, s in enumerate(statements) if s.instruction is None or s.instruction.reach}
        | {0}
    )
    lines = [f"static void model_{function.name}(uint32_t *window, uint32_t stack)", "{"]
    lines += [f"    {core.frame}"]
    lines += [f"    uint32_t count_{index} = 0;" for index in sorted(loops.values())]
    for index in range(len(statements) + 1):
        if index in loops:
            lines.append(f"    if (--count_{loops[index]} != 0) goto body_{loops[index]};")
        if index in targets:
            lines.append(f"at_{index}:;")
        if index == len(statements):
            break
        if index in leaders:
            end = next((i for i in range(index + 1, len(statements)) if i in leaders), len(statements))
            if index - 1 in loops.values():
                lines.append(f"body_{index - 1}:;")
            lines.append(f"    pie_instructions += {end - index};")
        lines.append(f"    {_line(function, core, index)}")
    lines += [f'    pie_fault("a function must return: {function.name}", 0);', "}"]
    return "\n".join(lines)


def _line(function: Function, core: InstructionSet, index: int) -> str:
    statement = function.statements[index]
    instruction = statement.instruction
    if instruction is None:
        return core.flow[statement.mnemonic].format(*statement.operands, index=index)
    words = [f"({word})" if isinstance(word, int) and word < 0 else str(word) for word in statement.operands]
    code = instruction.code.format(*words)
    return f"if ({code}) goto at_{statement.operands[-1]};" if instruction.reach else code
