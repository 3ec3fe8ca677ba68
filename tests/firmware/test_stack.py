"""Stacks: the deepest chain of calls is found, and every task of an emitted application has room left."""

import shutil
from pathlib import Path

import pytest
from projects import emitted, face

from tinysearch.firmware.verify import Rung, stack


def node(name: str, size: int, kind: str = "static") -> str:
    return f'node: {{ title: "{name}" label: "{name}\\nx.c:1:1\\n{size} bytes ({kind})\\n0 dynamic objects" }}'


def edge(source: str, target: str) -> str:
    return f'edge: {{ sourcename: "{source}" targetname: "{target}" label: "x.c:1:1" }}'


MAIN = "\n".join([node("a", 16), node("x.c:b", 32), node("c", 8), edge("a", "x.c:b"), edge("a", "c"), edge("c", "far")])


def test_the_deepest_chain_goes_through_other_files() -> None:
    graph = stack.read_graph({"x.c": MAIN, "y.c": node("far", 100)})
    assert graph.deepest(["x.c:a"]) == (16 + 8 + 100, ("x.c:a", "x.c:c", "y.c:far"))
    assert stack.read_graph({"x.c": MAIN}).deepest(["x.c:a"])[0] == 16 + 32


def test_recursion_and_unbounded_frames_are_refused() -> None:
    around = stack.read_graph({"x.c": MAIN + "\n" + edge("x.c:b", "a")})
    with pytest.raises(ValueError, match=r"x\.c:a must not reach itself: x\.c:a > x\.c:b > x\.c:a"):
        around.deepest(["x.c:a"])
    with pytest.raises(ValueError, match="must have a bound: d"):
        stack.read_graph({"x.c": node("d", 16, "dynamic")})
    with pytest.raises(ValueError, match=r"must be a function of the project: x\.c:none"):
        around.deepest(["x.c:none"])


def test_a_stack_without_room_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    task = stack.Task(name="branch", stack_bytes=2048, entries=("x.c:a",))
    depth = stack.Depth(task=task, own_bytes=513, chain=("x.c:a", "y.c:far"))
    monkeypatch.setattr(stack, "missing", lambda tools: [])
    monkeypatch.setattr(stack, "measure", lambda project: (depth,))
    detail = "1536 bytes of a stack must be left for libraries: branch 513 of 2048 bytes: x.c:a > y.c:far"
    assert stack.stacks(Path()) == Rung(name="stack", status="failed", detail=detail)


@pytest.mark.emulator
@pytest.mark.skipif(shutil.which(stack.COMPILER) is None, reason="needs the RISC-V compiler")
def test_every_task_of_an_application_has_room_left(tmp_path: Path) -> None:
    project = emitted(face("xnor2/2"), out=tmp_path / "p")
    depths = stack.measure(project)
    assert isinstance(depths, tuple), depths.text
    found = {depth.task.name: depth for depth in depths}
    assert {name: depth.task.stack_bytes for name, depth in found.items()} == {
        "main": 8192,
        "branch": 4096,
        "apart": 6144,
        "button": 6144,
    }
    assert found["main"].chain[-1] == "sha256.c:compress"
    assert all(depth.own_bytes <= 1536 and depth.left_bytes >= stack.RESERVE_BYTES for depth in depths)
