"""Everything that can be bought: chips, parts and the boards that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tinysearch.catalog.boards import board_options
from tinysearch.core.errors import UserError
from tinysearch.core.platform import BoardOption, BuildKind, CatalogRules, Chip, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Everything that can be bought, with what the chips in it can do.

    Attributes:
        name: of the catalogue.
        description: one line.
        rules: ``physical``, or ``as_printed`` where unbuildable boards of a publication are kept.
        chips, parts: by id.
        digest: sha256 of the content of all files (hex).
        build: what board options may be made of, see :meth:`bought`.
        quantity: of the order that prices are for; None for the prices as listed.
    """

    name: str
    description: str
    rules: CatalogRules
    chips: Mapping[str, Chip]
    parts: Mapping[str, Part]
    digest: str
    build: BuildKind = "any"
    quantity: int | None = None
    _options: dict[tuple[BuildKind, bool, tuple[str, ...]], tuple[BoardOption, ...]] = field(
        default_factory=dict, repr=False, compare=False, hash=False
    )

    def bought(self, *, build: BuildKind, quantity: int) -> Catalog:
        """The catalogue for one order: by what it may be made of, at the prices of so many pieces.

        Args:
            build: ``board`` for ready boards, ``module`` or ``chip`` for designs on a carrier of one's own, ``any``.
            quantity: pieces of everything, at least 1.
        """
        parts = {name: replace(part, price=part.price.for_order(quantity)) for name, part in self.parts.items()}
        return replace(self, parts=parts, build=build, quantity=quantity, _options={})

    def chip(self, processor: str) -> Chip:
        """One chip by id.

        Raises:
            UserError: unknown.
        """
        if processor not in self.chips:
            raise UserError(
                f"a processor of catalogue {self.name} must be one of {', '.join(self.chips)}",
                value=processor,
                remedy="choose one of them or add it to a catalogue of your own",
            )
        return self.chips[processor]

    def battery(self, name: str) -> Part:
        """One battery by id.

        Raises:
            UserError: unknown.
        """
        known = {part.id: part for part in self.parts.values() if part.battery is not None}
        if name not in known:
            raise UserError(
                f"a battery of catalogue {self.name} must be one of {', '.join(known) or 'none: it lists no battery'}",
                value=name,
                remedy="choose one of them, or add one to a catalogue of your own",
            )
        return known[name]

    def board_options(
        self, sensors: Sequence[str], *, build: BuildKind | None = None, previews: bool = False, bare: bool = False
    ) -> tuple[BoardOption, ...]:
        """All boards that have the kinds of sensor, for example ``("camera", "microphone")``.

        Args:
            sensors: kinds that the board must have.
            bare: whether a board may be asked for without any sensor.
            build: other than the catalogue's own.
            previews: whether chips that ESP-IDF supports as a preview only are among them.

        Returns:
            By processor and typical price.

        Raises:
            UserError: no board has them, or no kind is named and ``bare`` is not.
        """
        build = build or self.build
        kinds = tuple(sorted(set(sensors)))
        key = build, previews, kinds
        if key not in self._options:
            chips = self.chips
            parts = {
                name: part
                for name, part in self.parts.items()
                if part.processor is None
                or (build in ("any", part.kind) and (previews or not chips[part.processor].preview))
            }
            found = board_options(kinds, parts=parts, chips=chips, rules=self.rules)
            if kinds and not found and build != "any" and self.board_options(kinds, build="any"):
                raise UserError(
                    f"catalogue {self.name} must have a {build} with every kind of sensor asked for with build={build}",
                    value=", ".join(kinds),
                    remedy="use build=any, or add one that carries or accepts it",
                )
            if not found or not (kinds or bare):
                raise UserError(
                    f"catalogue {self.name} must have a board with every kind of sensor asked for",
                    value=", ".join(kinds) or "none",
                    remedy="add such a sensor, or a board that carries or accepts one",
                )
            self._options[key] = found
        return self._options[key]

    def board_option(self, board: str, sensors: Sequence[str]) -> BoardOption:
        """One board by its id.

        Raises:
            UserError: no such board with these kinds of sensor.
        """
        for option in self.board_options(sensors, build="any", previews=True):
            if option.id == board:
                return option
        raise UserError(
            f"a board of catalogue {self.name} with {' and '.join(sorted(sensors))} must be listed by 'catalog list'",
            value=board,
            remedy="choose one of the listed boards",
        )
