"""Make tinysearch/data/embedded/keywords.zip: spoken words, other words and silence in 1 s clips at 16 kHz, Ogg Opus.

Inputs are those of tools/generate_voices.py (docs/reference/data-card.md says how to get them), and so are people and
their splits: nobody who is heard in training is heard in a test, and the unknown words of a test are others than those
of training. Every random draw has a generator of its own, seeded by what it is for. Synthetic throughout.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from archive import write_archive
from scipy import signal
from voices.channel import SAMPLE_RATE_HZ, background, draw_channel, encode, transmit
from voices.people import Person, blended_people, original_people, seed_number
from voices.recipe import ORIGIN, parser
from voices.speech import SAMPLE_RATE_HZ as SPEECH_RATE_HZ
from voices.speech import Synthesizer, blend, kept, load_styles
from voices.words import CLASSES, KEYWORDS, OTHERS, SILENCE, UNKNOWN

VERSION = "1"
CLIP_SAMPLES = SAMPLE_RATE_HZ  # 1 s
OTHER_WORDS = 4  # of each person
CLIPS = {"train": 3, "validation": 1, "test": 1}  # of each spoken word, each in another room
SILENT_CLIPS = {"train": 60, "validation": 24, "test": 54}
PEOPLE, UTTERANCE, CHANNEL, SILENT = range(10, 14)  # streams of random numbers, others than those of the voices
_OPUS_EFFORT = 0.97  # libsndfile's scale, 0 .. 1: about 16 kbit/s

log = logging.getLogger("generate_keywords")


def main() -> None:
    """Parse the command line, speak what is not in the cache yet, write the archive."""
    options = parser("Make the embedded set of spoken words.", cached="words", blended="people", blends=0)
    arguments = options.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    seed: int = arguments.seed
    styles = load_styles(arguments.styles)
    rng = np.random.default_rng([seed, PEOPLE])
    originals = original_people(list(styles), rng=rng)
    people = originals + blended_people(originals, arguments.blends, rng=rng)
    synthesizer = Synthesizer(arguments.packages)
    arguments.cache.mkdir(parents=True, exist_ok=True)
    clips: dict[str, np.ndarray] = {}
    for person in people:
        style = blend(styles, person.weights)
        for place, (name, word) in enumerate(_words(person, seed=seed)):
            wave = _utterance(person, word, place, style, synthesizer, cache=arguments.cache, seed=seed)
            for room in range(CLIPS[person.split]):
                rng = np.random.default_rng([seed, CHANNEL, seed_number(person), place, room])
                member = f"{person.split}/{name}/{person.identity}-{place:02d}-{room}.opus"
                clips[member] = transmit(placed(wave, rng=rng), draw_channel(rng=rng), rng=rng)
        log.info("%s %s: %d clips in all", person.identity, person.split, len(clips))
    clips.update(_silence(seed=seed))
    samples = {
        name: encode(clip, serial=place + 1, effort=_OPUS_EFFORT) for place, (name, clip) in enumerate(clips.items())
    }
    write_archive(arguments.output, description=_description(people, seed=seed), samples=samples)
    log.info("%s: %d clips, %d bytes", arguments.output, len(samples), arguments.output.stat().st_size)


def _words(person: Person, *, seed: int) -> Iterator[tuple[str, str]]:
    """What one person says, as (class, word): every keyword, then some other words of the split."""
    for word in KEYWORDS:
        yield word, word
    rng = np.random.default_rng([seed, UTTERANCE, seed_number(person)])
    for word in rng.choice(OTHERS[person.split], size=OTHER_WORDS, replace=False):
        yield UNKNOWN, str(word)


def placed(wave: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Return a word at a random place in CLIP_SAMPLES of silence, float64 at 16 kHz; a longer one loses its ends."""
    wave = signal.resample_poly(wave, SAMPLE_RATE_HZ, SPEECH_RATE_HZ)
    spare = CLIP_SAMPLES - len(wave)
    if spare < 0:
        return wave[-spare // 2 :][:CLIP_SAMPLES]
    before = int(rng.integers(spare + 1))
    return np.pad(wave, (before, spare - before))


def _silence(*, seed: int) -> dict[str, np.ndarray]:
    """Rooms in which nobody speaks, by member name."""
    clips = {}
    for stream, (split, count) in enumerate(SILENT_CLIPS.items()):
        for index in range(count):
            rng = np.random.default_rng([seed, SILENT, stream, index])
            name = f"{split}/{SILENCE}/{index:03d}.opus"
            clips[name] = background(CLIP_SAMPLES, draw_channel(rng=rng), rng=rng)
    return clips


def _utterance(
    person: Person, word: str, place: int, style: np.ndarray, synthesizer: Synthesizer, *, cache: Path, seed: int
) -> np.ndarray:
    """Return one spoken word."""

    def speak() -> np.ndarray:
        rng = np.random.default_rng([seed, UTTERANCE, seed_number(person), place])
        return synthesizer.speak(word, style, speed=rng.uniform(0.85, 1.3))

    return kept(cache / f"{seed}-{person.identity}-{place:02d}-{word.replace(' ', '')}.flac", speak)


def _description(people: list[Person], *, seed: int) -> dict[str, object]:
    return {
        "name": "tinysearch-keywords",
        "version": VERSION,
        "classes": list(CLASSES),
        "generator": "tools/generate_keywords.py",
        "seed": seed,
        "clip_samples": CLIP_SAMPLES,
        **ORIGIN,
        "other_words": {split: list(words) for split, words in OTHERS.items()},
        "people": {p.identity: {"split": p.split, "styles": dict(p.weights)} for p in people},
    }


if __name__ == "__main__":
    main()
