from __future__ import annotations

from copy import copy
from dataclasses import replace

import pytest

from tinysearch import operators
from tinysearch.analytic.features import arithmetic_of, step_features
from tinysearch.analytic.kernels import call_of, step_calls
from tinysearch.architectures.resnet import resnet
from tinysearch.core.network import INPUT
from tinysearch.core.program import Program, lower
from tinysearch.core.quantization import PRECISIONS, Precision
from tinysearch.operators import record_of


def program_of(precision: str, *, width: int = 8) -> Program:
    return lower(
        resnet(blocks=(2, 1), width=width, input_size=48, channels=1, embedding=32), Precision.parse(precision)
    )


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_call_tells_what_the_record_of_its_step_does(precision: str) -> None:
    program = program_of(precision)
    for step, call in zip(program.steps, step_calls(program), strict=True):
        record = record_of(step)
        assert call.footprint == record.footprint(program, step)
        assert call.entry == (arithmetic_of(program, step), record.kernel_class(program, step))
        assert call.features == {name: value for name, value in step_features(program, step).items() if value}
        assert call.output_bytes == program.tensors[step.output].size_bytes


@pytest.mark.parametrize("precision", PRECISIONS)
def test_calls_that_differ_in_names_are_one(precision: str) -> None:
    program = program_of(precision)
    renamed = {name: name if name == INPUT else f"other_{name}" for name in program.tensors}
    tensors = {renamed[name]: replace(tensor, name=renamed[name]) for name, tensor in program.tensors.items()}
    steps = tuple(
        replace(
            step,
            name=renamed[step.output],
            output=renamed[step.output],
            inputs=tuple(renamed[name] for name in step.inputs),
        )
        for step in program.steps
    )
    assert step_calls(replace(program, tensors=tensors, steps=steps)) == step_calls(program)


def test_calls_of_another_width_or_of_a_networks_input_are_others() -> None:
    program, wider = program_of("int8"), program_of("int8", width=12)
    assert not set(step_calls(program)) & set(step_calls(wider)[:-1])
    first, *_, last = program.steps
    moved = replace(program, tensors={**program.tensors, "held": program.tensors[INPUT]})
    assert call_of(moved, replace(first, inputs=("held",))) is not call_of(program, first)
    assert call_of(program, last) is step_calls(program)[-1]


def test_a_record_that_takes_anothers_place_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    program = program_of("int8")
    first, kernel = program.steps[0], call_of(program, program.steps[0]).entry[1]
    changed = copy(operators.RECORDS[first.operator])
    monkeypatch.setattr(changed, "kernel_class", lambda program, step: "another", raising=False)
    monkeypatch.setattr(operators, "RECORDS", {**operators.RECORDS, first.operator: changed})
    assert call_of(program, first).entry[1] == "another" != kernel
    monkeypatch.undo()
    assert call_of(program, first).entry[1] == kernel
