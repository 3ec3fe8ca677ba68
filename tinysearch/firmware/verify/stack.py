"""The rung on stacks: how deep each task of the application can get on RV32IMC, against the stack that it is given.

gcc writes the frame of every function and who calls whom (``-fcallgraph-info=su``); the deepest chain from a task's
entry is what our own code needs at most. Calls through pointers lead to what the application puts there: a command's
table to commands, a model's step to the steps of all branches. The C library, drivers and interrupts come on top, and
are not compiled here: ``RESERVE_BYTES`` must be left for them.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tinysearch.firmware.verify.emulator import COMPILE_TIMEOUT_S, COMPILER, INSTALL, ISA_OPTIONS
from tinysearch.firmware.verify.rung import Outcome, Rung, missing, run_tool

RESERVE_BYTES = 1536
"""To be left of each stack. printf takes 272 bytes (picolibc 1.8 on RV32IMC, a painted stack under QEMU); drivers, VFS,
what an interrupt saves, and Xtensa's windows, whose frames are larger, are assumed to take no more than the rest."""

OPTIONS = ("-std=gnu17", "-O2", "-ffp-contract=off", "-fstack-usage", "-fcallgraph-info=su")
SETTINGS = {
    **dict.fromkeys(("CAPTURE_HARDWARE", "SELFTEST_AT_START", "SENSORS_AT_START", "FEED", "DEBUG_SCORES"), "1"),
    **{"ATTEMPTS": "5", "LOCKOUT_S": "30", "OPEN_S": "120", "BUTTON_GPIO": "0", "EVENT_GPIO": "0"},
    **{"STREAM_AT_START": "1", "SLEEP_DEEP": "1", "AWAKE_S": "60"},
}
"""The application with everything on, less its drivers."""

_POINTED = {
    "branches.c": ("model_", "input_", "window.c"),
    "capture.c": ("input_", "window.c"),
    "commands.c": ("app_", "commands.c"),
    "show.c": ("input_",),
    "stream.c": (*(f"app_{name}.c:{part}" for name in ("classify", "anomaly") for part in ("judge", "reset")),),
    "ts_model.c": ("model_",),
}
"""Starts of the names of files or functions that are called through pointers, by the file that calls; else its own."""

_ONE_TARGET = re.compile(r'list\(APPEND srcs "(\w+)\.c"\)')
_BRANCH_ENTRIES = ("branches.c:sense", "branches.c:finish", "branches.c:half")
_NODE = re.compile(
    r'^node: \{ title: "([^"]+)" label: "[^"]*?\\n(\d+) bytes \((static|dynamic|dynamic,bounded)\)', re.M
)
_EDGE = re.compile(r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task of the application: its stack (bytes) and the functions of ours that it runs."""

    name: str
    stack_bytes: int
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """The deepest chain of calls from a task's entries: bytes of all frames, and the functions."""

    task: Task
    own_bytes: int
    chain: tuple[str, ...]

    @property
    def left_bytes(self) -> int:
        return self.task.stack_bytes - self.own_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CallGraph:
    """Frames (bytes) and callees by function, named ``file.c:function``."""

    frames: Mapping[str, int]
    calls: Mapping[str, frozenset[str]]

    def deepest(self, entries: Sequence[str]) -> tuple[int, tuple[str, ...]]:
        """Bytes and functions of the deepest chain from any of these.

        Raises:
            ValueError: no entry is there (the compiler leaves out what is not called), or a function reaches itself.
        """

        @cache
        def below(name: str) -> tuple[int, tuple[str, ...]]:
            if name in path:
                raise ValueError(f"{name} must not reach itself: {' > '.join((*path, name))}")
            path.append(name)
            found = max((below(callee) for callee in sorted(self.calls[name])), default=(0, ()))
            path.pop()
            return self.frames[name] + found[0], (name, *found[1])

        path: list[str] = []
        known = [name for name in entries if name in self.frames]
        if not known:
            raise ValueError(f"a task's entry must be a function of the project: {', '.join(entries)}")
        return max(below(name) for name in known)


def read_graph(texts: Mapping[str, str]) -> CallGraph:
    """The graph of a program from what gcc wrote for each of its files (by file name).

    Raises:
        ValueError: a frame without a bound.
    """
    frames: dict[str, int] = {}
    edges: list[tuple[str, str]] = []
    for file, text in texts.items():
        for title, size, kind in _NODE.findall(text):
            if kind == "dynamic":
                raise ValueError(f"a frame must have a bound: {title}")
            frames[_named(file, title)] = int(size)
        edges += [(_named(file, source), _named(file, target)) for source, target in _EDGE.findall(text)]
    owners = {name.split(":")[1]: name for name in frames}
    calls: dict[str, set[str]] = {name: set() for name in frames}
    for source, target in edges:
        called = target if target in frames else owners.get(target.split(":")[1])
        calls[source].update(() if called is None else (called,))
        if target.endswith(":port_branches"):
            calls[source].update(name for name in frames if name in _BRANCH_ENTRIES)
    direct = {name: frozenset(found) for name, found in calls.items()}
    for source in {source for source, target in edges if target.endswith(":__indirect_call")}:
        calls[source].update(_behind_pointers(source, direct))
    return CallGraph(frames=frames, calls={name: frozenset(found) for name, found in calls.items()})


def _named(file: str, title: str) -> str:
    return f"{file}:{title.rsplit(':', 1)[-1]}"


def _behind_pointers(source: str, direct: Mapping[str, frozenset[str]]) -> list[str]:
    """Where a call through a pointer may lead: into the files that ``_POINTED`` names, but not back to its own."""
    file = source.split(":", maxsplit=1)[0]
    files = _POINTED.get(file, (file,))
    return [name for name in direct if name.startswith(files) and not _reaches(direct, name, source)]


def _reaches(calls: Mapping[str, frozenset[str]], start: str, goal: str) -> bool:
    waiting, seen = [start], set[str]()
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            waiting += calls[name]
    return False


def tasks_of(project: Path) -> tuple[Task, ...]:
    """The tasks of a project, with the stacks that its files give them.

    Raises:
        ValueError: a file that does not say.
    """
    port = project / "components" / "port"
    main = _stated(project / "sdkconfig.defaults", r"^CONFIG_ESP_MAIN_TASK_STACK_SIZE=(\d+)$")
    branch = _stated(port / "tasks.c", r"\bSTACK_BYTES = (\d+)")
    apart = _stated(port / "tasks.c", r"\bAPART_STACK_BYTES = (\d+)")
    button = _stated(port / "port_chip.c", r'xTaskCreate\(watch_button, "button", (\d+)')
    streams = (project / "main" / "stream.c").is_file()
    stream = _stated(port / "tasks.c", r"\bREPEAT_STACK_BYTES = (\d+)")
    return (
        Task(name="main", stack_bytes=main, entries=("app_main.c:app_main",)),
        Task(name="branch", stack_bytes=branch, entries=_BRANCH_ENTRIES),
        Task(name="apart", stack_bytes=apart, entries=("capture.c:open_sensors",)),
        Task(name="button", stack_bytes=button, entries=("commands.c:commands_button",)),
        *([Task(name="stream", stack_bytes=stream, entries=("stream.c:live_window",))] if streams else []),
    )


def _stated(file: Path, pattern: str) -> int:
    found = re.search(pattern, file.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise ValueError(f"{file.name} must state a stack: {pattern}")
    return int(found.group(1))


def compile_graph(project: Path, folder: Path) -> Outcome | CallGraph:
    """The call graph of a project's application, or the compiler's failure. The compiler must be there."""
    settings = "".join(f"#define CONFIG_TS_{name} {value}\n" for name, value in SETTINGS.items())
    (folder / "sdkconfig.h").write_text(settings, encoding="utf-8")
    components = sorted((project / "components").iterdir())
    parts = [path for path in components if not path.name.startswith(("backend_", "port"))]
    skipped = set(_ONE_TARGET.findall((project / "main" / "CMakeLists.txt").read_text(encoding="utf-8")))
    sources = [path for path in sorted((project / "main").glob("*.c")) if path.stem not in skipped]
    sources += [
        path
        for part in parts
        if part.name != "store"
        for path in sorted(part.glob("*.c"))
        if "weights" not in path.stem
    ]
    includes = [project / "main", *(path / "include" for path in components), *parts]
    words = (COMPILER, *ISA_OPTIONS, *OPTIONS, f"-I{folder}", *(f"-I{path}" for path in includes))
    outcome = run_tool((*words, "-c", *sources), timeout_s=COMPILE_TIMEOUT_S, folder=folder)
    if not outcome.passed:
        return outcome
    return read_graph({f"{path.stem}.c": path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.ci"))})


def measure(project: Path) -> Outcome | tuple[Depth, ...]:
    """The depth of every task, or the compiler's failure.

    Raises:
        ValueError: recursion, a frame without a bound, or files that state no stack.
    """
    with tempfile.TemporaryDirectory(prefix="tinysearch-stack-") as name:
        graph = compile_graph(project, Path(name))
    if isinstance(graph, Outcome):
        return graph
    depths = []
    for task in tasks_of(project):
        own, chain = graph.deepest(task.entries)
        depths.append(Depth(task=task, own_bytes=own, chain=chain))
    return tuple(depths)


def stacks(project: Path) -> Rung:
    """Rung ``stack``."""
    if missing([COMPILER]):
        return Rung(name="stack", status="not run", detail=f"not run: needs {COMPILER}: {INSTALL}")
    try:
        depths = measure(project)
    except ValueError as error:
        return Rung(name="stack", status="failed", detail=str(error))
    if isinstance(depths, Outcome):
        return Rung(name="stack", status="failed", detail=depths.reason(timeout_s=COMPILE_TIMEOUT_S))
    shallow = [depth for depth in depths if depth.left_bytes < RESERVE_BYTES]
    if shallow:
        worst = min(shallow, key=lambda depth: depth.left_bytes)
        detail = (
            f"{RESERVE_BYTES} bytes of a stack must be left for libraries: {_said(worst)}: {' > '.join(worst.chain)}"
        )
        return Rung(name="stack", status="failed", detail=detail)
    return Rung(name="stack", status="passed", detail=", ".join(_said(depth) for depth in depths))


def _said(depth: Depth) -> str:
    return f"{depth.task.name} {depth.own_bytes} of {depth.task.stack_bytes} bytes"
