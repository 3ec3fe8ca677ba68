"""Two recipes of training side by side, seed by seed: test errors, and CPU seconds of ``fit``.

    python benchmarks/recipes.py [--input voice] [--blocks 2-2] [--precisions int8,xnor2/1] [--seeds 4] SETTING=VALUE ..

Settings of ``trainer=torch`` (``epochs=12 float_epochs=8``) make the new recipe; the one before is that of ``conf/``,
or of ``--before "epochs=.. .."``. Both train a layout on the embedded people with the same seeds, in one process and
in turn. In each training the first precision pays for the float start that those after it share. An error is the EER of
all pairs of test samples, by the integers of the firmware.

Last line, by precision: ``difference`` of the errors (new - before, mean over seeds), its ``standard_error`` (null with
one seed), ``errors`` [before, new] of every seed, and ``cpu_s`` [before, new], means.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinysearch.app.building.datasets import build_dataset
from tinysearch.app.building.errors import build_trainer
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.architectures.resnet import resnet_branch
from tinysearch.core.protocols import Dataset, Trainer
from tinysearch.firmware.integer_network import run
from tinysearch.training.stage import verification_eer

CHANNELS = {"face": 3, "voice": 1}
SHAPE = {"width": 16, "input_size": 64, "embedding": 64}
"""Of branches as the task ``face_voice`` has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What one ``fit`` gave: EER of all pairs of test samples, a fraction, and its CPU seconds."""

    error: float
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What is trained: an input's residual blocks, in some precisions, the first of which trains the float start."""

    modality: str
    blocks: tuple[int, ...]
    precisions: tuple[str, ...]

    def trained(self, data: Dataset, trainer: Trainer) -> Iterator[Trained]:
        """One training a precision, in a workspace of their own."""
        shape = SHAPE | {"channels": CHANNELS[self.modality]}
        test = data.load(self.modality, "test", input_size=shape["input_size"], channels=shape["channels"])
        with tempfile.TemporaryDirectory() as folder:
            for precision in self.precisions:
                branch = resnet_branch(self.modality, blocks=self.blocks, precision=precision, **shape)
                begun = time.process_time()
                frozen = trainer.fit(branch, branch.network(), data, workspace=Path(folder), progress=lambda _: None)
                seconds = time.process_time() - begun
                found = run(frozen, test.inputs).astype(np.float64)
                yield Trained(error=verification_eer(found, test.identities), cpu_s=seconds)


def compared(pairs: Sequence[tuple[Trained, Trained]]) -> dict[str, object]:
    """What is told of one precision: (before, new) of every seed."""
    differences = [new.error - before.error for before, new in pairs]
    spread = float(np.std(differences, ddof=1)) / len(pairs) ** 0.5 if len(pairs) > 1 else None
    return {
        "difference": round(float(np.mean(differences)), 5),
        "standard_error": None if spread is None else round(spread, 5),
        "errors": [[round(before.error, 5), round(new.error, 5)] for before, new in pairs],
        "cpu_s": [round(float(np.mean([pair[side].cpu_s for pair in pairs])), 1) for side in (0, 1)],
    }


def trainer_of(settings: Sequence[str], *, seed: int) -> Trainer:
    """The trainer of ``conf/`` with some settings changed, on one thread."""
    words = ["trainer=torch", f"seed={seed}", *(f"trainer.{word}" for word in settings)]
    return build_trainer(plain(compose_config(words)), threads=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", choices=tuple(CHANNELS), default="voice")
    parser.add_argument("--blocks", default="2-2")
    parser.add_argument("--precisions", default="int8,xnor2/1")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--before", default="", help="settings of the recipe compared with, between spaces")
    parser.add_argument("settings", nargs="+", metavar="SETTING=VALUE")
    options = parser.parse_args()
    layout = Layout(
        modality=options.input,
        blocks=tuple(map(int, options.blocks.split("-"))),
        precisions=tuple(options.precisions.split(",")),
    )
    data = build_dataset(plain(compose_config(["data=embedded"])))
    pairs: dict[str, list[tuple[Trained, Trained]]] = {precision: [] for precision in layout.precisions}
    for seed in range(options.seeds):
        before, new = (
            list(layout.trained(data, trainer_of(settings, seed=seed)))
            for settings in (options.before.split(), options.settings)
        )
        for precision, pair in zip(layout.precisions, zip(before, new, strict=True), strict=True):
            pairs[precision].append(pair)
            told = ", ".join(f"{100 * each.error:.1f} % in {each.cpu_s:.1f} CPU s" for each in pair)
            print(f"seed {seed} {precision}: {told}", flush=True)
    print(json.dumps({precision: compared(each) for precision, each in pairs.items()}))


if __name__ == "__main__":
    main()
