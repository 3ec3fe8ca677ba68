"""tinysearch: what can I build for 15 dollars?

    import tinysearch as ts

    result = ts.search(budget="15usd", n_trials=40, seed=0)
    result.front                          # pandas.DataFrame
    result.points[0].emit("firmware/")
    result = ts.load(result.folder)       # the same again, in another session
    point = ts.evaluate(modality="face", face={"blocks": [2, 2], "precision": "int8"})

``ts.SearchProblem`` is the search among components of your own. Everything is imported late: ``import tinysearch``
loads neither torch nor plotly.
"""

from __future__ import annotations

import sys
from types import ModuleType

TYPE_CHECKING = False  # ``typing`` takes 20 ms, in which Ctrl-C would meet nobody
if TYPE_CHECKING:
    from typing import Any

    from tinysearch.app.api import Point, Result, evaluate, load, search
    from tinysearch.search.components import SearchProblem

__all__ = ["Point", "Result", "SearchProblem", "evaluate", "load", "search"]


class _Package(ModuleType):
    """The package, whose name ``search`` stays the function also after the room ``tinysearch.search`` is imported.

    ``from tinysearch.search import loop`` reaches the room; ``tinysearch.search(...)`` is the main job.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name == "SearchProblem":
        from tinysearch.search.components import SearchProblem

        return SearchProblem
    if name in __all__:
        from tinysearch.app import api

        return getattr(api, name)
    raise AttributeError(f"module 'tinysearch' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
