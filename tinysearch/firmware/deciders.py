"""What an application decides by, as constants of C: flash that it takes, and layers of the runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinysearch.evaluation.answers import Classifier, Decider
from tinysearch.firmware.packing import PackedStep
from tinysearch.metrics import NormalModel


def normal_layer(model: NormalModel) -> PackedStep:
    """What is normal of one branch, as ``ts_normal`` reads it."""
    values = len(model.matrix)
    return PackedStep(
        function="ts_normal",
        layer_type="ts_normal_layer",
        header="ts_normal.h",
        fields={
            "values": values,
            "center_count": len(model.centers),
            "shift": model.shift,
            "exponent": model.exponent,
        },
        arrays={"matrix": model.matrix[np.tril_indices(values)], "centers": model.centers.reshape(-1)},
    )


def decider_bytes(decider: Decider | None) -> int:
    """Bytes of constants in flash; 0 for a lock, whose people are records."""
    if decider is None:
        return 0
    if isinstance(decider, Classifier):
        return sum(rows.nbytes for rows in decider.prototypes.values())
    layers = (normal_layer(model) for model in decider.normal.values())
    return sum(array.nbytes for layer in layers for array in layer.arrays.values())


def normal_document(model: NormalModel) -> dict[str, object]:
    """What is normal of one branch, for candidate.json: the matrix as rows back to back, row r of r + 1 values."""
    arrays = normal_layer(model).arrays
    return {
        "matrix": arrays["matrix"].tolist(),
        "shift": model.shift,
        "centers": model.centers.tolist(),
        "exponent": model.exponent,
    }


def normal_of_document(document: Mapping[str, Any]) -> NormalModel:
    """The reverse of :func:`normal_document`.

    Raises:
        KeyError, ValueError: a document that is none.
    """
    centers = np.array(document["centers"], np.int32)
    values = centers.shape[1]
    matrix = np.zeros((values, values), np.int16)
    matrix[np.tril_indices(values)] = document["matrix"]
    return NormalModel(matrix=matrix, shift=int(document["shift"]), centers=centers, exponent=int(document["exponent"]))
