"""What a family of networks is, and how its parameters are read; a family that is only a function has an adapter.

A family is a frozen dataclass whose fields are its parameters: whole numbers, or tuples of them. It satisfies
:class:`~tinysearch.core.candidate.Architecture`, so that an instance of it is one architecture, and has ``variables``,
what a space may vary where it lists nothing of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from typing import Any, ClassVar, Protocol

from tinysearch.core.candidate import Architecture
from tinysearch.core.errors import UserError
from tinysearch.core.network import Convolution, NetworkSpec, SeriesConvolution, Shape

Value = int | tuple[int, ...]


class Family(Protocol):
    """The class of a family's architectures."""

    @classmethod
    def variables(cls) -> Mapping[str, tuple[Value, ...]]:
        """Values by parameter that are searched where neither space nor task names any; others keep one value."""
        ...

    def __call__(self, **parameters: Value) -> Architecture: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionArchitecture:
    """An architecture that a function of ``blocks, width, input_size, channels, embedding`` builds.

    Attributes:
        family: what the function is called where it is configured.
        function: builds the network; equal families are taken to have equal functions.
    """

    family: str
    function: Callable[..., NetworkSpec] = field(repr=False, compare=False)
    blocks: tuple[int, ...]
    width: int = 16
    embedding: int = 64

    names: ClassVar[tuple[str, ...]] = ("blocks", "width", "embedding")

    @property
    def layout(self) -> str:
        return joined(self.blocks)

    @property
    def label(self) -> str:
        word = re.sub(r"[^a-z0-9]", "", re.split(r"[:.]", self.family)[-1].lower())
        return f"{word}-{self.layout}"

    @property
    def depth(self) -> int:
        return len(self.blocks)

    @property
    def extras(self) -> tuple[str, ...]:
        return ()

    def parameters(self) -> dict[str, Any]:
        """See :class:`~tinysearch.core.candidate.Architecture`."""
        return {"blocks": list(self.blocks), "width": self.width, "embedding": self.embedding}

    def build(self, shape: Shape) -> NetworkSpec:
        """What the function makes of a square input.

        Raises:
            UserError: an input that is not square, or parameters that the function refuses.
        """
        if shape.height != shape.width:
            raise UserError(
                f"an architecture that is a function must have a square input: {self.family}",
                value=f"{shape.height}x{shape.width}",
                remedy="choose a family of tinysearch, or write a class",
            )
        return self.function(
            blocks=self.blocks,
            width=self.width,
            input_size=shape.height,
            channels=shape.channels,
            embedding=self.embedding,
        )


def is_family(made: object) -> bool:
    """Whether what a name stands for is a family, and no function."""
    return isinstance(made, type) and is_dataclass(made)


def parameter_names(made: Any) -> tuple[str, ...]:
    """Names of a family's parameters, or of those that a function is given."""
    return tuple(item.name for item in fields(made)) if is_family(made) else FunctionArchitecture.names


def parameter_default(made: Any, name: str) -> Value | None:
    """The default of a family's parameter; None where it has none."""
    item = next(item for item in fields(made if is_family(made) else FunctionArchitecture) if item.name == name)
    default: Value | None = None if item.default is MISSING else item.default
    return default


def is_listed(made: Any, name: str) -> bool:
    """Whether a parameter is a tuple of whole numbers."""
    item = next(item for item in fields(made if is_family(made) else FunctionArchitecture) if item.name == name)
    return "tuple" in str(item.type)


def read_parameters(made: Any, given: Mapping[str, object], *, where: str) -> dict[str, Value]:
    """Parameters of a family as configured: whole numbers, and lists of them as tuples.

    Args:
        where: the input, for messages.

    Raises:
        UserError: one that is missing, or neither.
    """
    found: dict[str, Value] = {}
    for name in parameter_names(made):
        value = given.get(name)
        if value is None:
            value = parameter_default(made, name)
        listed = is_listed(made, name)
        if value is None:
            raise UserError(
                f"a branch must have {name} and a precision",
                value=f"{where}.{name} is not set",
                remedy=f"add {where}.{name}={'[2,2]' if listed else '16'}",
            )
        if listed:
            found[name] = _whole_numbers(value, name=name, where=where)
        elif _is_whole(value):
            found[name] = value  # type: ignore[assignment]
        else:
            raise UserError(f"{name} must be a whole number", value=value, remedy=f"write {where}.{name}=16")
    return found


def _whole_numbers(value: object, *, name: str, where: str) -> tuple[int, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or not value or not all(map(_is_count, value)):
        raise UserError(
            f"{name} must list a whole number from 1 for every stage",
            value=f"{where}.{name}={value}",
            remedy=f"write for example {where}.{name}=[2,2]",
        )
    return tuple(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def joined(numbers: Sequence[int]) -> str:
    """``2-2``."""
    return "-".join(map(str, numbers))


def plain_parameters(architecture: Any) -> dict[str, Any]:
    """The fields of a family's record in plain values."""
    return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(architecture).items()}


def check_counts(what: Mapping[str, int | tuple[int, ...]], *, most: int) -> None:
    """Refuse numbers below 1 and more than so many blocks in all.

    Raises:
        UserError: one of them, or an empty list.
    """
    for name, value in what.items():
        numbers = value if isinstance(value, tuple) else (value,)
        if not numbers or min(numbers) < 1:
            raise UserError(f"{name} must be whole numbers from 1", value=value, remedy=f"write for example {name}=16")
        if isinstance(value, tuple) and sum(numbers) > most:
            raise UserError(f"{name} must have at most {most} blocks in all", value=list(value), remedy="list fewer")


def check_odd(name: str, side: int) -> None:
    """Refuse a kernel without a middle.

    Raises:
        UserError: an even side.
    """
    if side % 2 == 0:
        raise UserError(f"{name} must be odd", value=side, remedy=f"write {name}=3 or {name}=5")


def is_series(shape: Shape) -> bool:
    """Whether an input is a series: one column of samples, with an axis a channel.

    Its networks have the same layers, of kernels that are one column wide, and no pools.
    """
    return shape.width == 1 < shape.height


def convolution_of(shape: Shape) -> type[Convolution]:
    """The convolutions of a network for an input: square, or along a series."""
    return SeriesConvolution if is_series(shape) else Convolution
