"""Answers to windows in C are those of Python for the same scores, alarms those for the same embeddings."""

from __future__ import annotations

import ctypes
import json

import ckernels
import numpy as np
import numpy.typing as npt
import pytest

from tinysearch.evaluation.answers import Detector
from tinysearch.firmware.deciders import decider_bytes, normal_document, normal_layer, normal_of_document
from tinysearch.metrics import NormalModel, anomaly_distances, normal_model
from tinysearch.metrics.windows import Alarms, Answers, alarm, answer

EXTRA = """
#include "ts_classes.h"
#include "ts_alarm.h"
#include "ts_normal.h"
void answers(int32_t *out, const int64_t *scores, const int32_t *groups, const int32_t *thresholds, const uint8_t *told,
             int64_t *recent, int count, int classes, int smooth, int hold_off)
{
    const ts_classes_layer layer = {thresholds, told, (uint16_t)classes, (uint16_t)smooth, (uint32_t)hold_off};
    ts_recent state = {.values = recent};
    for (int i = 0; i < count; i++) {
        if (i == 0 || groups[i] != groups[i - 1]) {
            ts_recent_reset(&state);
        }
        const ts_classes_result result = ts_classes_add(&layer, &state, scores + i * classes);
        const int32_t row[] = {result.nearest, result.answer, result.score, result.event};
        for (int j = 0; j < 4; j++) {
            out[4 * i + j] = row[j];
        }
    }
}
void alarms(int64_t *out, const int64_t *distances, const int32_t *groups, int64_t *recent, int count,
            int64_t threshold, int smooth, int hold_off)
{
    const ts_alarm_layer layer = {threshold, (uint16_t)smooth, (uint32_t)hold_off};
    ts_recent state = {.values = recent};
    for (int i = 0; i < count; i++) {
        if (i == 0 || groups[i] != groups[i - 1]) {
            ts_recent_reset(&state);
        }
        const ts_alarm_result result = ts_alarm_add(&layer, &state, distances[i]);
        out[3 * i] = result.distance;
        out[3 * i + 1] = result.alarm;
        out[3 * i + 2] = result.event;
    }
}
void distances(int64_t *out, const void *rows, int is_float, const int16_t *matrix, const int32_t *centers,
               int32_t *scratch, int count, int values, int center_count, int shift, int exponent)
{
    const ts_normal_layer layer = {matrix, centers, (uint16_t)values, (uint16_t)center_count, (uint8_t)shift,
                                   (int8_t)exponent};
    for (int i = 0; i < count; i++) {
        out[i] = is_float ? ts_normal_f32(&layer, (const float *)rows + i * values, scratch)
                          : ts_normal_s8(&layer, (const int8_t *)rows + i * values, scratch);
    }
}
"""

HEADERS = ["ts_classes.h", "ts_alarm.h", "ts_normal.h"]


def test_random_windows_get_the_answers_of_python() -> None:
    code = ckernels.library(HEADERS, extra=EXTRA)
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
            *(out, scores.astype(np.int64), groups, np.array(thresholds, np.int32)),
            *(np.array(given.told, np.uint8), np.zeros((smooth, classes), np.int64)),
        )
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
        code.answers(*pointers, count, classes, smooth, given.hold_off)
        stacked = np.stack([wanted.nearest, wanted.answer, wanted.score, wanted.event], axis=1)
        assert np.array_equal(out, stacked), given


def test_random_distances_raise_the_alarms_of_python() -> None:
    code = ckernels.library(HEADERS, extra=EXTRA)
    random = np.random.default_rng(5)
    for _ in range(40):
        smooth, hold_off, count = int(random.integers(1, 33)), int(random.integers(0, 5)), 80
        largest = int(random.choice([3, 1 << 53]))
        distances = random.integers(0, largest, count)
        groups = np.repeat(np.arange(4, dtype=np.int32), 20)
        given = Alarms(threshold=int(random.integers(1, largest)), smooth=smooth, hold_off=hold_off)
        wanted = alarm(distances, groups, given)
        out = np.zeros((count, 3), np.int64)
        arrays = (out, distances, groups, np.zeros(smooth, np.int64))
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
        code.alarms(*pointers, count, ctypes.c_int64(given.threshold), smooth, hold_off)
        assert np.array_equal(out, np.stack([wanted.distance, wanted.alarm, wanted.event], axis=1)), given


def distances_in_c(rows: npt.NDArray[np.int8] | npt.NDArray[np.float32], model: NormalModel) -> npt.NDArray[np.int64]:
    code = ckernels.library(HEADERS, extra=EXTRA)
    count, values = rows.shape
    layer = normal_layer(model)
    out = np.zeros(count, np.int64)
    given = (layer.arrays["matrix"], layer.arrays["centers"], np.zeros(values * 2, np.int32))
    arrays = (out, np.ascontiguousarray(rows), *given)
    out_, rows_, *others = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
    code.distances(
        *(out_, rows_, int(rows.dtype == np.float32), *others),
        *(count, values, len(model.centers), model.shift, model.exponent),
    )
    return out


@pytest.mark.parametrize("dtype", [np.int8, np.float32])
def test_distances_to_what_is_normal_are_those_of_python(dtype: type) -> None:
    random = np.random.default_rng(6)
    for values, spread in ((1, 40), (16, 3), (33, 0), (64, 90)):
        drawn = np.clip(np.rint(random.normal(0, spread, (50, values)) + random.integers(-30, 30, values)), -128, 127)
        rows = drawn.astype(dtype) if dtype is np.int8 else (drawn / 77).astype(dtype)
        model = normal_model(rows[:30], np.arange(30, dtype=np.int32) % 4, classes=3)
        farthest = np.full((1, values), dtype(-128 if dtype is np.int8 else 1e9))
        away = np.concatenate([rows, rows[::-1] * dtype(-1), farthest])
        assert np.array_equal(distances_in_c(away, model), anomaly_distances({"x": away}, {"x": model})), values


def test_the_document_of_what_is_normal_gives_it_back() -> None:
    rows = np.random.default_rng(7).integers(-100, 100, (40, 12)).astype(np.int8)
    model = normal_model(rows, np.arange(40, dtype=np.int32) % 2, classes=2)
    again = normal_of_document(json.loads(json.dumps(normal_document(model))))
    assert np.array_equal(model.matrix, again.matrix)
    assert np.array_equal(model.centers, again.centers)
    assert (model.shift, model.exponent) == (again.shift, again.exponent)
    detector = Detector(alarms=Alarms(threshold=1), normal={"x": model}, hop_s=1, far=None)
    assert decider_bytes(detector) == 12 * 13 + 2 * 12 * 4
