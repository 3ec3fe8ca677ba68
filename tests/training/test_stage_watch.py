"""When a training tells its validation EER."""

from __future__ import annotations

import pytest

from tinysearch.training.settings import TrainingSettings
from tinysearch.training.stage import Stage, is_watched


@pytest.mark.parametrize(("epochs", "expected"), [(16, [4, 8, 12]), (4, [1, 2, 3]), (1, []), (2, [1]), (6, [2, 3, 5])])
def test_the_quarters_of_the_whole_training_are_told(epochs: int, expected: list[int]) -> None:
    settings = TrainingSettings(epochs=epochs)
    shared = settings.shared_epochs
    told = []
    for name, before, count in (("float", 0, shared), ("int8", shared, epochs - shared)):
        stage = Stage(name=name, epochs=count, before=before, rate=0.1, margin_rises=False)
        told += [before + done for done in range(1, count + 1) if is_watched(stage, done, settings)]
    assert told == expected
