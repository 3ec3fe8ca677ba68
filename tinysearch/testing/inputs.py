"""What a kind of input promises."""

from __future__ import annotations

import re
from typing import Any, ClassVar, get_args

import pytest

from tinysearch.app.config.resources import data_dir
from tinysearch.core.network import Shape
from tinysearch.core.task import Augmentation, Capture, InputKind
from tinysearch.firmware.contents import kind_sources
from tinysearch.testing.laws import Suite, law, same_after_pickling


class InputConformance(Suite):
    """``plugin(**settings)`` makes a kind of input; without settings it has the kind's defaults.

    Attributes:
        settings: that it is tried with.
        channels: of its network's input.
        input_sizes: that it is asked for; the sensor must be able to deliver them.
    """

    settings: ClassVar[dict[str, object]] = {}
    channels: ClassVar[int] = 1
    input_sizes: ClassVar[tuple[int, ...]] = (16, 32, 64)

    @pytest.fixture
    def kind(self, plugin: Any) -> InputKind:
        """The kind as a task makes it."""
        made: InputKind = plugin(**self.settings)
        return made

    def test_says_what_it_is(self, kind: InputKind) -> None:
        law(re.fullmatch(r"[a-z][a-z0-9_]*", kind.name), "a kind's name is a lower-case word", kind.name)
        law(re.fullmatch(r"[a-z][a-z0-9_]*", kind.sensor), "a kind of sensor is a lower-case word", kind.sensor)
        law(re.match(r"an? \S", kind.wanted), "what is wanted is told with its article", kind.wanted)
        law(re.fullmatch(r"[A-Z][A-Z0-9_]*", kind.kconfig), "a Kconfig group is in capitals", kind.kconfig)
        law(kind.footprint, "a footprint names its key of the catalogue's tables", kind.footprint)
        law(kind.augmentation in get_args(Augmentation), "an augmentation is one that trainers know", kind.augmentation)

    def test_lists_are_tuples_of_texts(self, kind: InputKind) -> None:
        for name in ("interfaces", "drivers", "suffixes", "sources", "chip_sources", "components", "front_ends"):
            listed = getattr(kind, name)
            law(
                isinstance(listed, tuple) and all(isinstance(text, str) for text in listed), f"{name} are texts", listed
            )
        law(kind.interfaces, "a sensor is attached by at least one interface", kind.interfaces)
        for suffix in kind.suffixes:
            law(suffix.startswith(".") and suffix == suffix.lower(), "suffixes are lower case with their dot", suffix)
        for source in (*kind.sources, *kind.chip_sources):
            law(source.startswith("main/") and source.endswith(".c"), "sources are C files of main/", source)
        for header in kind.front_ends:
            law(header.endswith(".h"), "front-ends are named by their headers", header)

    def test_brings_its_c_files(self, kind: InputKind) -> None:
        law(kind.sources, "the first source defines the kind in C", kind.sources)
        origin = data_dir("firmware_templates") / "esp_idf"
        texts = [path.read_text(encoding="utf-8") for path in kind_sources(kind, origin).values()]
        symbol = f"const input_kind input_{kind.name} "
        law(symbol in texts[0], f"the first source defines input_{kind.name}", kind.sources[0])

    def test_equal_settings_give_equal_kinds_that_can_be_keys(self, kind: InputKind, plugin: Any) -> None:
        other = plugin(**self.settings)
        law(kind == other and hash(kind) == hash(other), "equal settings give equal kinds with equal hashes")
        law(same_after_pickling(kind, "a kind of input") == kind, "a kind is equal in another process")

    def test_cannot_be_changed(self, kind: InputKind) -> None:
        for name in self.settings or {"name": None}:
            try:
                setattr(kind, name, None)
            except (AttributeError, TypeError):
                continue
            law(holds=False, rule="a kind is frozen", found=f"{name} could be set")

    def test_unknown_settings_are_refused(self, plugin: Any) -> None:
        with pytest.raises(TypeError):
            plugin(**self.settings, no_kind_has_this=1)

    def test_shapes_have_the_size_and_channels_asked_for(self, kind: InputKind) -> None:
        for size in self.input_sizes:
            shape = kind.shape(input_size=size, channels=self.channels)
            law(isinstance(shape, Shape), "shape gives a Shape", type(shape))
            law(shape.channels == self.channels, "a network's input has the channels asked for", shape)
            law(min(shape.height, shape.width) >= 1, "a network's input has a side", shape)
            law(kind.shape(input_size=size, channels=self.channels) == shape, "shapes are the same each time", size)

    def test_a_capture_holds_what_it_says(self, kind: InputKind) -> None:
        for size in self.input_sizes:
            capture = kind.capture(kind.shape(input_size=size, channels=self.channels))
            law(isinstance(capture, Capture), "capture gives a Capture", type(capture))
            law(re.fullmatch(r"[a-z][a-z0-9_]*", capture.buffer), "a buffer's name is fit for C", capture.buffer)
            law(capture.size_bytes > 0 and isinstance(capture.size_bytes, int), "a capture takes bytes", capture)
            law(0 <= capture.seconds < float("inf"), "a capture takes a time, 0 for an instant", capture.seconds)
