"""Accuracy of the latency model on the emulated instruction set: python benchmarks/latency.py.

Counts the instructions of networks of many shapes on RV32IMC, fits the coefficients on some and predicts whole
networks of layouts that were held out. The last line is JSON: max_abs_relative_error, mean_abs_relative_error,
held_out.
"""

from __future__ import annotations

import json
import sys

from tinysearch.analytic.calibration import fit_coefficients
from tinysearch.app.building.wiring import build_models
from tinysearch.app.calibration.counting import PRECISIONS, count_precision, relative_error
from tinysearch.app.config.compose import compose_config, plain


def main() -> None:
    config = plain(compose_config(["trainer=none"]))
    models = build_models(config)
    errors, held_out = [], []
    for precision in sys.argv[1:] or PRECISIONS:
        layers, kept = count_precision(config, models, precision)
        coefficients = fit_coefficients(layers)
        for network in kept:
            errors.append(abs(relative_error(coefficients, network)))
            held_out.append(network.branch.key)
            instructions = sum(network.counts.values())
            print(f"{network.branch.key:48} {instructions:>12,} instructions, off by {errors[-1]:.2%}", flush=True)
    mean = sum(errors) / len(errors)
    print(json.dumps({"max_abs_relative_error": max(errors), "mean_abs_relative_error": mean, "held_out": held_out}))


if __name__ == "__main__":
    main()
