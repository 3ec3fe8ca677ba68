"""Predicted against real memory: what 12 networks write while they run, by painting their arenas."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from projects import emitted, evaluated, face, voice

from tinysearch.core.candidate import BranchSpec

GUARD = 4096
ALIGNMENT = 16
PROGRAM = r"""
#include <stdio.h>
#include <string.h>
#include "golden.h"
enum { GUARD = %d };
static _Alignas(TS_MODEL_ALIGNMENT) unsigned char arena[%d + GUARD], written[sizeof(arena)];
static void paint(const golden_branch *branch, int color)
{
    const ts_model *model = branch->model;
    memset(arena, color, sizeof(arena));
    memcpy(arena + model->input_offset, branch->inputs, model->input_bytes);
    memset(written + model->input_offset, 1, model->input_bytes);
    ts_model_run(model, (const int8_t *)arena + model->input_offset, golden_embedding, arena);
    for (size_t i = 0; i < sizeof(arena); i++) {
        written[i] |= arena[i] != color;
    }
}
int main(void)
{
    for (unsigned b = 0; b < golden_branch_count; b++) {
        size_t end = 0, count = 0;
        memset(written, 0, sizeof(written));
        paint(&golden_branches[b], 0xA5);
        paint(&golden_branches[b], 0x5A);
        for (size_t i = 0; i < sizeof(arena); i++) {
            count += written[i];
            end = written[i] ? i + 1 : end;
        }
        printf("%%s %%lu %%lu\n", golden_branches[b].model->name, (unsigned long)end, (unsigned long)count);
    }
    return 0;
}
"""

PAIRS = (
    (face("int8"), voice("int8", (2, 1))),
    (face("xnor1/1"), voice("xnor1/1", (1, 2))),
    (face("xnor2/1", (2,), width=16), voice("xnor3/1", (1,))),
    (face("float32"), voice("float32", (1,), width=4)),
    (face("int8", (1, 1, 1), input_size=48, channels=1), voice("xnor2/2")),
    (face("xnor2/2", (2, 2)), voice("int8", (1, 1, 1), embedding=48)),
)


def written(project: Path, folder: Path) -> dict[str, tuple[int, int]]:
    """By branch: the end of what it writes in its arena, and how many bytes it writes there."""
    made = subprocess.run(["make", "-s", "-C", project / "host", "list"], check=True, capture_output=True, text=True)
    includes, sources = (line.split() for line in made.stdout.splitlines()[-2:])
    most = max(int(n) for n in re.findall(r"golden_arena\[(\d+)\]", (project / "host/golden.c").read_text()))
    (folder / "paint.c").write_text(PROGRAM % (GUARD, most))
    command = ["gcc", "-std=c11", "-O1", *includes, folder / "paint.c", *(s for s in sources if s != "main.c")]
    subprocess.run([*command, "-o", folder / "paint", "-lm"], check=True, cwd=project / "host")
    printed = subprocess.run([folder / "paint"], check=True, capture_output=True, text=True).stdout
    return {name: (int(end), int(count)) for name, end, count in (line.split() for line in printed.splitlines())}


@pytest.mark.parametrize("branches", PAIRS, ids=lambda pair: "+".join(branch.short for branch in pair))
def test_a_network_writes_the_memory_that_was_predicted(branches: tuple[BranchSpec, ...], tmp_path: Path) -> None:
    project = emitted(*branches, out=tmp_path / "p", processor="esp32s3")
    facts = json.loads((project / "candidate.json").read_text())["firmware_facts"]["branches"]
    figures = evaluated(*branches, processor="esp32s3").figures
    for modality, (end, count) in written(project, tmp_path).items():
        predicted = figures[modality].arena_bytes
        assert predicted == facts[modality]["arena_bytes"]
        assert predicted - ALIGNMENT < end <= predicted, (modality, end, predicted)
        assert count <= end
