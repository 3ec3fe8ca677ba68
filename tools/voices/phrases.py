"""What is said: sentences from a small grammar, so many that the words never tell who speaks."""

from __future__ import annotations

import numpy as np

_SUBJECTS = (
    "the quiet river",
    "my older brother",
    "every second visitor",
    "a tall green door",
    "our new neighbor",
    "the morning train",
    "nobody in town",
    "the yellow kite",
    "an honest baker",
    "her first teacher",
    "the captain of the ship",
    "one curious child",
    "their garden gate",
    "the last bus home",
    "a very small engine",
    "the winter market",
    "his favorite jacket",
    "this wooden bridge",
    "the girl next door",
    "a flock of birds",
)
_VERBS = (
    "carries",
    "opens before",
    "never forgets",
    "always follows",
    "looks after",
    "could not find",
    "will soon replace",
    "walks behind",
    "might borrow",
    "has already counted",
    "listens to",
    "pushes against",
    "wants to measure",
    "remembers",
    "should avoid",
    "stands beside",
    "turns toward",
    "is hiding",
    "jumps over",
    "asked about",
)
_OBJECTS = (
    "seven paper boats",
    "the kitchen light",
    "a cup of black tea",
    "three zero nine four",
    "the blue umbrella",
    "an empty glass jar",
    "two hundred maps",
    "the broken clock",
    "fresh bread and cheese",
    "a box of matches",
    "eighteen silver coins",
    "the garage keys",
    "old photographs",
    "six warm blankets",
    "a thick dictionary",
    "the music upstairs",
    "my grandmother's chair",
    "five narrow streets",
    "the orange juice",
    "a zebra crossing",
)
_ENDINGS = (
    "in the early evening",
    "before the rain starts",
    "without any noise",
    "on the way to school",
    "near the harbor",
    "every other Thursday",
    "because it was cheap",
    "for the whole summer",
    "under a heavy sky",
    "while others sleep",
    "at a quarter past ten",
    "with great care",
    "just in case",
    "if the weather is good",
    "between both houses",
    "as fast as possible",
    "after the phone call",
    "for no good reason",
    "until they are thirsty",
    "despite the cold wind",
)
_COMMANDS = (
    "please verify my voice",
    "open the front door",
    "hello computer",
    "turn the volume down",
    "show me the way",
    "wake up now",
    "start the timer",
    "call the office again",
    "unlock this device",
    "check the temperature",
    "good morning everyone",
    "stop right there",
)
_COMMAND_SHARE = 0.3


def draw_phrase(*, rng: np.random.Generator) -> str:
    """Return one sentence of nine to sixteen words, about three seconds long; there are over 200 000."""

    def pick(words: tuple[str, ...]) -> str:
        return words[int(rng.integers(len(words)))]

    core = " ".join(pick(words) for words in (_SUBJECTS, _VERBS, _OBJECTS))
    if rng.random() < _COMMAND_SHARE:
        return f"{pick(_COMMANDS)}, {core}"
    return f"{core} {pick(_ENDINGS)}"
