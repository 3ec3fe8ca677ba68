"""What a keyword spotter is to tell apart: the words it knows, and words that it must not take for one of them."""

from __future__ import annotations

KEYWORDS = ("down", "go", "left", "no", "right", "stop", "up", "yes")
UNKNOWN, SILENCE = "_unknown_", "_silence_"
CLASSES = (*KEYWORDS, UNKNOWN, SILENCE)
"""In the order of their numbers."""

# Unknown words differ by split, so that a test meets words that no training has heard. Some sound like a keyword.
OTHERS: dict[str, tuple[str, ...]] = {
    "train": (
        *("bed", "bird", "cat", "happy", "house", "tree", "zero", "one", "three", "five"),
        *("cup", "row", "less", "night", "snow", "shop", "town", "guess"),
    ),
    "validation": ("dog", "wow", "two", "six", "light", "step"),
    "test": ("marvin", "forward", "four", "seven", "nine", "map", "know how", "chess", "lift", "stock"),
}
