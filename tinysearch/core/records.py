"""Records out of documents: whether every field holds what its annotation says, before anybody computes with it."""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

Record = TypeVar("Record")


def checked(record: Record) -> Record:
    """The record itself, with the records within it.

    Numbers must be finite; a whole number may stand for a fraction.

    Raises:
        TypeError: a field of another kind; names it.
    """
    _check(record, type(record), type(record).__name__)
    return record


@cache
def _hints(kind: Any) -> dict[str, Any]:
    """Annotations of a record's fields by name."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _is_record(kind: Any) -> bool:
    return dataclasses.is_dataclass(kind)


def _check(value: object, kind: Any, where: str) -> None:
    if not _fits(value, kind):
        raise TypeError(f"{where} is {str(value)[:40]!r}")
    origin, inner = get_origin(kind) or kind, get_args(kind)
    if origin in (Union, types.UnionType):
        _check(value, next(one for one in inner if _fits(value, one)), where)
    elif _is_record(origin):
        for name, its in _hints(origin).items():
            _check(getattr(value, name), its, f"{where}.{name}")
    elif isinstance(value, Mapping) and inner:
        for key, one in value.items():
            _check(key, inner[0], f"{where}'s key")
            _check(one, inner[1], f"{where}.{key}")
    elif isinstance(value, tuple | list) and inner:
        of_each = [inner[0]] * len(value) if origin is not tuple or Ellipsis in inner else inner
        if len(of_each) != len(value):
            raise TypeError(f"{where} has {len(value)} values")
        for place, (one, its) in enumerate(zip(value, of_each, strict=True)):
            _check(one, its, f"{where}[{place}]")


def _fits(value: object, kind: Any) -> bool:
    """Whether a value is of a kind, looking at neither fields nor elements."""
    origin = get_origin(kind) or kind
    match origin:
        case _ if origin is Any:
            fits = True
        case _ if origin in (Union, types.UnionType):
            fits = any(_fits(value, one) for one in get_args(kind))
        case _ if origin is Literal:
            fits = value in get_args(kind)
        case _ if origin in (int, float):
            whole = isinstance(value, int) and not isinstance(value, bool)
            fits = whole or (origin is float and isinstance(value, float) and math.isfinite(value))
        case _:
            fits = isinstance(value, tuple | list if origin is Sequence else origin)
    return fits
