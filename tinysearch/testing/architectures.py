"""What an architecture promises."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from tinysearch.analytic.memory import plan
from tinysearch.core.errors import UserError
from tinysearch.core.network import NetworkSpec
from tinysearch.core.program import lower
from tinysearch.core.quantization import Precision
from tinysearch.firmware.identifiers import c_identifier
from tinysearch.firmware.integer_network import run
from tinysearch.firmware.packing import pack
from tinysearch.firmware.untrained import untrained
from tinysearch.testing.laws import PRECISIONS, Suite, law

_SIZES = {"width": 8, "input_size": 40, "channels": 3, "embedding": 16}


class ArchitectureConformance(Suite):
    """An architecture is a function of blocks, width, input_size, channels and embedding that returns a NetworkSpec.

    Attributes:
        precisions: in which its networks are to run.
        layouts: that it is tried with; each has no fewer blocks than the one before.
        sizes: other arguments.
    """

    precisions: ClassVar[tuple[str, ...]] = PRECISIONS
    layouts: ClassVar[tuple[tuple[int, ...], ...]] = ((1,), (1, 1), (2, 2))
    sizes: ClassVar[dict[str, int]] = _SIZES

    def _networks(self, plugin: Any) -> list[NetworkSpec]:
        return [plugin(blocks=blocks, **self.sizes) for blocks in self.layouts]

    def test_gives_network_specs(self, plugin: Any) -> None:
        for network in self._networks(plugin):
            law(isinstance(network, NetworkSpec), "an architecture returns a NetworkSpec", type(network))

    def test_input_and_embedding_are_those_asked_for(self, plugin: Any) -> None:
        for changed in ({}, {"input_size": 48}, {"channels": 1}, {"embedding": 24}):
            sizes = self.sizes | changed
            network = plugin(blocks=self.layouts[-1], **sizes)
            shape = network.input_shape
            law(
                (shape.height, shape.width, shape.channels)
                == (sizes["input_size"], sizes["input_size"], sizes["channels"]),
                "the input is input_size x input_size x channels",
                shape,
            )
            law(network.embedding == sizes["embedding"], "the last unit gives the embedding", network.embedding)

    def test_equal_arguments_give_equal_hashable_networks(self, plugin: Any) -> None:
        for first, second in zip(self._networks(plugin), self._networks(plugin), strict=True):
            law(first == second, "an architecture is a function of its arguments alone", first.name)
            try:
                law(hash(first) == hash(second), "equal networks have equal hashes", first.name)
            except TypeError as error:
                raise AssertionError(f"a network must be hashable: its units must be a tuple; found {error}") from error

    def test_blocks_may_be_any_sequence(self, plugin: Any) -> None:
        for blocks in self.layouts:
            listed = plugin(blocks=list(blocks), **self.sizes)
            law(listed == plugin(blocks=blocks, **self.sizes), "blocks may be a list or a tuple", blocks)

    def test_more_blocks_and_width_are_more_network(self, plugin: Any) -> None:
        networks = self._networks(plugin)
        params = [network.params for network in networks]
        law(params == sorted(set(params)), "a layout of more blocks has more parameters", params)
        wider = plugin(blocks=self.layouts[-1], **(self.sizes | {"width": 2 * self.sizes["width"]}))
        law(wider.params > params[-1], "twice the width has more parameters", (params[-1], wider.params))

    def test_names_are_identifiers_of_c(self, plugin: Any) -> None:
        for network in self._networks(plugin):
            for text in (*(unit.name for unit in network.units), network.name.replace("-", "_")):
                try:
                    c_identifier(text)
                except UserError as error:
                    raise AssertionError(f"units must be named by identifiers of C; found {text!r}") from error

    def test_lowers_to_every_precision(self, plugin: Any) -> None:
        for network in self._networks(plugin):
            for precision in self.precisions:
                try:
                    program = lower(network, Precision.parse(precision))
                    plan(program)
                except UserError as error:
                    raise AssertionError(f"a network must lower to {precision}; found {error}") from error
                law(
                    program.output.shape.elements == self.sizes["embedding"],
                    "a lowered network ends in the embedding",
                    program.output,
                )

    def test_runs_and_packs_in_every_precision(self, plugin: Any) -> None:
        network = self._networks(plugin)[-1]
        shape = network.input_shape
        inputs = np.random.default_rng(0).integers(-128, 128, (2, shape.height, shape.width, shape.channels), np.int8)
        for precision in self.precisions:
            frozen = untrained(lower(network, Precision.parse(precision)), 0)
            embeddings = run(frozen, inputs)
            law(embeddings.shape == (2, self.sizes["embedding"]), "the oracle gives one embedding a sample")
            law(np.isfinite(embeddings).all(), "embeddings are finite", precision)
            for step in frozen.program.steps:
                pack(frozen, step)  # raises where no kernel of C computes it

    @pytest.mark.parametrize("changed", [{"blocks": ()}, {"input_size": 1}, {"width": 0}, {"embedding": 0}])
    def test_the_impossible_is_refused_in_words(self, plugin: Any, changed: dict[str, Any]) -> None:
        try:
            network = plugin(**({"blocks": self.layouts[0]} | self.sizes | changed))
        except UserError:
            return
        except Exception as error:
            raise AssertionError(f"impossible sizes must raise UserError; found {error!r} for {changed}") from error
        small = min(min(s.height, s.width, s.channels) for s in network.shapes().values())
        law(small >= 1, "every layer has an output, else UserError", changed)
