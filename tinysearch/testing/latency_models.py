"""What a latency model promises."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

from tinysearch.analytic.stepwise import StepwiseLatency
from tinysearch.app.building.wiring import build_catalog, latency_table
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.program import Program, Step, lower
from tinysearch.core.protocols import LatencyEstimate, LatencyModel
from tinysearch.core.quantization import Precision
from tinysearch.testing.laws import PRECISIONS, Suite, law, mixed_network, small_network


class LatencyModelConformance(Suite):
    """``plugin(table=..)`` makes a latency model; the table is the default one, to fall back on or to ignore.

    Attributes:
        processors, precisions: that it knows.
    """

    processors: ClassVar[tuple[str, ...]] = ("esp32", "esp32s3", "esp32c3")
    precisions: ClassVar[tuple[str, ...]] = PRECISIONS

    def _make(self, plugin: Any) -> Any:
        config = plain(compose_config([]))
        return plugin(table=latency_table(config, build_catalog(config)))

    def _programs(self) -> Iterator[Program]:
        for precision in self.precisions:
            yield lower(small_network(), Precision.parse(precision))

    def _cases(self) -> Iterator[tuple[Program, Step, str]]:
        for program in self._programs():
            for step in program.steps:
                for processor in self.processors:
                    yield program, step, processor

    def test_is_a_latency_model(self, plugin: Any) -> None:
        law(isinstance(self._make(plugin), LatencyModel), "a latency model has step")

    def test_times_are_positive_and_within_their_range(self, plugin: Any) -> None:
        model = self._make(plugin)
        for program, step, processor in self._cases():
            found, where = _step(model, program, step, processor), f"{step.name} of {program.precision} on {processor}"
            law(isinstance(found, LatencyEstimate), "a step takes a LatencyEstimate", type(found))
            law(found.low > 0, f"a step takes time: what is unknown is an error, never zero, {where}", found)
            law(found.low <= found.seconds <= found.high, f"low <= seconds <= high, {where}", found)
            law(math.isfinite(found.high), f"times are finite, {where}", found)
            law(isinstance(found.calibrated, bool), f"calibrated is true or false, {where}", found.calibrated)

    def test_layers_of_other_networks_take_time_or_raise(self, plugin: Any) -> None:
        """Depthwise and max pool layers, which residual networks have none of."""
        model = self._make(plugin)
        for precision in (p for p in self.precisions if not p.startswith("xnor")):
            program = lower(mixed_network(), Precision.parse(precision))
            for step in program.steps:
                for processor in self.processors:
                    try:
                        found = _step(model, program, step, processor)
                    except UnsupportedLayerError:
                        continue
                    law(0 < found.low <= found.seconds <= found.high, "0 < low <= seconds <= high", (step.name, found))

    def test_the_same_again(self, plugin: Any) -> None:
        model, other = self._make(plugin), self._make(plugin)
        for program, step, processor in self._cases():
            first = _step(model, program, step, processor)
            law(first == _step(model, program, step, processor), "a latency model is a function", step.name)
            law(first == _step(other, program, step, processor), "two of the same settings agree", step.name)

    def test_more_work_takes_no_less_time(self, plugin: Any) -> None:
        model = self._make(plugin)
        for precision in self.precisions:
            for processor in self.processors:
                steps: dict[str, list[tuple[int, float]]] = {}
                for width in (8, 16, 32, 64):
                    program = lower(small_network(width=width), Precision.parse(precision))
                    for step in program.steps:
                        seconds = _step(model, program, step, processor).seconds
                        steps.setdefault(step.name, []).append((step.macs, seconds))
                for name, found in steps.items():
                    times = [seconds for _, seconds in found]
                    law(
                        times == sorted(times),
                        f"a step with more multiply-accumulates takes no less time, {name} of {precision} on "
                        f"{processor}",
                        found,
                    )

    def test_external_memory_is_not_faster(self, plugin: Any) -> None:
        model = self._make(plugin)
        for program, step, processor in self._cases():
            inside = _step(model, program, step, processor).seconds
            outside = _step(model, program, step, processor, arena_in_psram=True).seconds
            law(inside <= outside, "an arena in PSRAM makes no step faster", (step.name, processor, inside, outside))

    def test_unknown_processors_raise(self, plugin: Any) -> None:
        program = next(self._programs())
        _refuses(self._make(plugin), program, program.steps[0], "z80_of_1976", what="a processor")

    def test_unknown_layers_raise(self, plugin: Any) -> None:
        model = self._make(plugin)
        for program in self._programs():
            step = replace(program.steps[-1], operator="unheard_of")
            _refuses(model, program, step, self.processors[0], what="a layer")

    def test_whole_networks_follow(self, plugin: Any) -> None:
        config = plain(compose_config([]))
        table = latency_table(config, build_catalog(config))
        latency = StepwiseLatency(model=plugin(table=table), table=table)
        for program in self._programs():
            for processor in self.processors:
                whole = latency.program(program, processor=processor, arena_in_psram=False)
                law(0 < whole.low <= whole.seconds <= whole.high, "a network takes time, low <= seconds <= high", whole)
                (among,) = latency.programs([program], processor=processor, arena_in_psram=False)
                law(among == whole.seconds, "a network takes as long among others as alone", (among, whole.seconds))


def _step(
    model: LatencyModel, program: Program, step: Step, processor: str, *, arena_in_psram: bool = False
) -> LatencyEstimate:
    return model.step(program, step, processor=processor, weights_in_flash=True, arena_in_psram=arena_in_psram)


def _refuses(model: LatencyModel, program: Program, step: Step, processor: str, *, what: str) -> None:
    rule = f"{what} that the model does not know raises UnsupportedLayerError"
    try:
        found = _step(model, program, step, processor)
    except UnsupportedLayerError:
        return
    except Exception as error:
        raise AssertionError(f"{rule}; found {error!r}") from error
    raise AssertionError(f"{rule}; found {found}")
