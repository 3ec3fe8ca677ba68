"""Answers to windows in C are those of Python for the same scores."""

from __future__ import annotations

import ctypes

import ckernels
import numpy as np

from tinysearch.metrics.windows import Answers, answer

EXTRA = """
#include "ts_classes.h"
void answers(int32_t *out, const int32_t *scores, const int32_t *groups, const int32_t *thresholds, const uint8_t *told,
             int32_t *recent, int count, int classes, int smooth, int hold_off)
{
    const ts_classes_layer layer = {thresholds, told, (uint16_t)classes, (uint16_t)smooth, (uint32_t)hold_off};
    ts_classes_state state = {.recent = recent};
    for (int i = 0; i < count; i++) {
        if (i == 0 || groups[i] != groups[i - 1]) {
            ts_classes_reset(&state);
        }
        const ts_classes_result result = ts_classes_add(&layer, &state, scores + i * classes);
        const int32_t row[] = {result.nearest, result.answer, result.score, result.event};
        for (int j = 0; j < 4; j++) {
            out[4 * i + j] = row[j];
        }
    }
}
"""


def test_random_windows_get_the_answers_of_python() -> None:
    code = ckernels.library(["ts_classes.h"], extra=EXTRA)
    random = np.random.default_rng(4)
    for _ in range(60):
        classes, smooth, count = int(random.integers(1, 6)), int(random.integers(1, 33)), 80
        width = int(random.choice([3, 1 << 10, 1 << 23]))
        scores = random.integers(-width, width + 1, (count, classes))
        groups = np.repeat(np.arange(8, dtype=np.int32), 10)
        names = tuple(random.choice(["silence", "x"], classes).tolist())
        thresholds = tuple(random.integers(-width // 2, width // 2 + 1, classes).tolist())
        given = Answers(names=names, thresholds=thresholds, smooth=smooth, hold_off=int(random.integers(0, 5)))
        wanted = answer(scores, groups, given)
        out = np.zeros((count, 4), np.int32)
        arrays = (
            *(out, scores.astype(np.int32), groups, np.array(thresholds, np.int32)),
            *(np.array(given.told, np.uint8), np.zeros((smooth, classes), np.int32)),
        )
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
        code.answers(*pointers, count, classes, smooth, given.hold_off)
        stacked = np.stack([wanted.nearest, wanted.answer, wanted.score, wanted.event], axis=1)
        assert np.array_equal(out, stacked), given
