"""What a firmware backend promises."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from tinysearch.app.config.resources import data_dir
from tinysearch.core.errors import UserError
from tinysearch.core.program import FrozenNetwork, Program, Step, lower
from tinysearch.core.quantization import Precision
from tinysearch.firmware.backends import Backend, component_files
from tinysearch.firmware.identifiers import c_identifier
from tinysearch.firmware.integer_network import trace
from tinysearch.firmware.packing import PackedStep
from tinysearch.firmware.rendering import C_TYPES
from tinysearch.firmware.untrained import untrained
from tinysearch.testing.host_kernels import Call, NoLibraryError, host_outputs, in_memory
from tinysearch.testing.laws import Suite, law, mixed_network, small_network

_SAMPLES = 3


class BackendConformance(Suite):
    """``plugin()`` makes a backend. Its steps are compiled and run on this machine where gcc is and the library, too.

    Attributes:
        processors: ESP-IDF targets that it is asked about.
        precisions: of the networks that it is asked about.
        host_flags: for gcc, such as where a library's headers and its sources in C lie on this machine.
        tolerance: largest error of a float32 output, relative to the largest value; integer outputs are equal.
    """

    processors: ClassVar[tuple[str, ...]] = ("esp32", "esp32s2", "esp32s3", "esp32c3", "esp32c6", "esp32p4")
    precisions: ClassVar[tuple[str, ...]] = ("float32", "int8", "xnor1/1", "xnor2/1", "xnor2/2")
    host_flags: ClassVar[tuple[str, ...]] = ()
    tolerance: ClassVar[float] = 1e-5

    def _programs(self) -> Iterator[Program]:
        for precision in self.precisions:
            yield lower(small_network(), Precision.parse(precision))
            if not precision.startswith("xnor"):
                yield lower(mixed_network(), Precision.parse(precision))

    def _supported(self, backend: Backend) -> Iterator[tuple[FrozenNetwork, list[Step]]]:
        """Networks with random parameters, and the steps that some processor has."""
        for number, program in enumerate(self._programs()):
            steps = [
                step
                for step in program.steps
                if any(backend.supports(program, step, processor=processor) for processor in self.processors)
            ]
            if steps:
                yield untrained(program, number), steps

    def test_is_a_backend(self, plugin: Any) -> None:
        backend = plugin()
        law(isinstance(backend, Backend), "a backend has name, shared, component, supports and pack", type(backend))
        law(isinstance(backend.shared, bool), "shared is true or false", backend.shared)
        try:
            c_identifier(backend.name)
        except UserError as error:
            raise AssertionError(f"a backend's name must be an identifier of C; found {backend.name!r}") from error

    def test_its_component_is_whole(self, plugin: Any) -> None:
        backend, folder = plugin(), _component(plugin())
        for name in component_files(backend.name):
            law((folder / name).is_file(), "the component has its files", f"no {name}")
        header = (folder / f"include/ts_{backend.name}.h").read_text(encoding="utf-8")
        for word in (f"ts_{backend.name}_layer", f"ts_{backend.name}_scratch_bytes"):
            law(word in header, "the header declares the layer and its scratch", f"no {word}")

    def test_supports_is_a_pure_question(self, plugin: Any) -> None:
        backend, other = plugin(), plugin()
        for program in self._programs():
            for step in program.steps:
                for processor in self.processors:
                    found = backend.supports(program, step, processor=processor)
                    law(isinstance(found, bool), "supports answers true or false", type(found))
                    again = [b.supports(program, step, processor=processor) for b in (backend, other)]
                    law(again == [found, found], "supports gives the same answer each time", step.name)

    def test_unknown_processors_are_not_supported(self, plugin: Any) -> None:
        backend = plugin()
        for program in self._programs():
            for step in program.steps:
                law(
                    backend.supports(program, step, processor="z80_of_1976") is False,
                    "a processor that the backend does not know is not supported, and no error",
                    step.name,
                )

    def test_supports_something(self, plugin: Any) -> None:
        law(any(True for _ in self._supported(plugin())), "a backend supports a step of the suite's networks")

    def test_packs_what_it_supports(self, plugin: Any) -> None:
        backend = plugin()
        for frozen, steps in self._supported(backend):
            for step in steps:
                packed = backend.pack(frozen, step)
                law(isinstance(packed, PackedStep), "pack returns a PackedStep", type(packed))
                law(packed.layer_type == f"ts_{backend.name}_layer", "steps are ts_<name>_layer", packed.layer_type)
                law(packed.header == f"ts_{backend.name}.h", "the header is ts_<name>.h", packed.header)
                _check_constants(packed, step)

    def test_packing_repeats_and_changes_nothing(self, plugin: Any) -> None:
        backend = plugin()
        for frozen, steps in self._supported(backend):
            before = {step.name: _copies(frozen, step) for step in steps}
            for step in steps:
                first = backend.pack(frozen, step)
                unchanged = all(
                    np.array_equal(array, frozen.parameters[step.name][key]) for key, array in before[step.name].items()
                )
                law(unchanged, "packing does not change the network", step.name)
                again = backend.pack(frozen, step)
                law(
                    dict(first.fields) == dict(again.fields)
                    and all(np.array_equal(array, again.arrays[key]) for key, array in first.arrays.items()),
                    "the same step is packed the same way",
                    step.name,
                )

    def test_computes_what_the_oracle_does(self, plugin: Any, tmp_path: Path) -> None:
        if shutil.which("gcc") is None:
            pytest.skip("gcc is not installed")
        backend, random = plugin(), np.random.default_rng(0)
        for number, (frozen, steps) in enumerate(self._supported(backend)):
            shape = frozen.program.network.input_shape
            inputs = random.integers(
                -128, 128, (_SAMPLES, shape.height, shape.width, shape.channels), np.int8, endpoint=False
            )
            tensors = trace(frozen, inputs)
            calls = [
                Call(
                    packed=backend.pack(frozen, step),
                    inputs=tuple(in_memory(frozen.program, name, tensors[name]) for name in step.inputs),
                    expected=in_memory(frozen.program, step.output, tensors[step.output]),
                )
                for step in steps
            ]
            try:
                found = host_outputs(
                    backend.name, calls, _component(backend), tmp_path / str(number), flags=self.host_flags
                )
            except NoLibraryError:
                pytest.skip("the backend says that its library is not on this machine: see host_flags")
            for step, call, output in zip(steps, calls, found, strict=True):
                self._compare(step, call.expected, output, precision=str(frozen.program.precision))

    def _compare(self, step: Step, expected: Any, output: Any, *, precision: str) -> None:
        where = f"{step.operator} {step.name} of {precision}"
        if expected.dtype == np.float32:
            error = float(np.abs(output - expected).max() / max(np.abs(expected).max(), 1e-30))
            law(error <= self.tolerance, f"float32 outputs are the oracle's within {self.tolerance}, {where}", error)
        else:
            wrong = int((output != expected).sum())
            law(
                wrong == 0,
                f"integer outputs are the oracle's, bit for bit, {where}",
                f"{wrong} of {expected.size} differ",
            )


def _component(backend: Backend) -> Path:
    if backend.component is not None:
        return Path(backend.component)
    return data_dir("firmware_templates") / "esp_idf" / "components" / f"backend_{backend.name}"


def _check_constants(packed: PackedStep, step: Step) -> None:
    for name in (packed.function, *packed.fields, *packed.arrays):
        try:
            c_identifier(name)
        except UserError as error:
            raise AssertionError(f"fields, arrays and functions must be identifiers of C; found {name!r}") from error
    for key, array in packed.arrays.items():
        law(
            array.ndim == 1 and array.dtype.name in C_TYPES,
            f"arrays are flat and of a type of C, {step.name}.{key}",
            (array.dtype, array.shape),
        )


def _copies(frozen: FrozenNetwork, step: Step) -> dict[str, Any]:
    return {key: array.copy() for key, array in frozen.parameters.get(step.name, {}).items()}
