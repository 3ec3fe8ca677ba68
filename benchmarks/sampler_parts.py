"""Parts of the memoized sampler that ``benchmarks/search.py --ablation`` leaves out, one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of our sampler that can be left out: by its settings, or by constants of its modules.

    Attributes:
        options: settings without it.
        constants: (module within tinysearch.search, name, value without it).
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    constants: tuple[tuple[str, str, Any], ...] = ()

    @contextmanager
    def left_out(self) -> Iterator[None]:
        """Within this the constants are those without it; processes forked within it have them, too."""
        modules = [import_module(f"tinysearch.search.{module}") for module, *_ in self.constants]
        names = [name for _, name, _ in self.constants]
        kept = [getattr(module, name) for module, name in zip(modules, names, strict=True)]
        for module, (_, name, value) in zip(modules, self.constants, strict=True):
            setattr(module, name, value)
        try:
            yield
        finally:
            for module, name, value in zip(modules, names, kept, strict=True):
                setattr(module, name, value)


PARTS: Mapping[str, Part] = {
    "several hypotheses": Part(constants=(("memoized.surrogate", "MOST_HYPOTHESES", 1),)),
    "bends, odd layouts": Part(
        constants=(("memoized.surrogate", "BENDS", (0.0,)), ("memoized.surrogate", "MOST_ODD", 0))
    ),
    "fusions as evidence": Part(constants=(("memoized.evidence", "SHARES", (0.0,)),)),
    "evidence beyond 12": Part(
        constants=(("memoized.evidence", "MOST_POINTS", 12), ("memoized.surrogate", "MOST_WEIGHED", 12))
    ),
    "64 draws": Part(options={"draws": 16}),
    "24 on the shortlist": Part(options={"shortlist": 6}),
    "costs of training": Part(options={"cost_exponent": 0.0}),
}
"""What can be left out, see ``--ablation``."""
