"""Modules by name that remember their type, which torch's own dictionary does not."""

from __future__ import annotations

from collections.abc import ItemsView, ValuesView
from typing import Generic, TypeVar, cast

from torch import nn

OneModule = TypeVar("OneModule", bound=nn.Module)


class Modules(nn.ModuleDict, Generic[OneModule]):
    """A :class:`torch.nn.ModuleDict` whose modules are all of one type; its state is that of a plain one."""

    def __getitem__(self, key: str) -> OneModule:
        return cast(OneModule, super().__getitem__(key))

    def values(self) -> ValuesView[OneModule]:
        """The modules, in the order of their names' insertion."""
        return cast("ValuesView[OneModule]", super().values())

    def items(self) -> ItemsView[str, OneModule]:
        """Names with modules."""
        return cast("ItemsView[str, OneModule]", super().items())
