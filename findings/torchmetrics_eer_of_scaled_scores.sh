#!/usr/bin/env bash
# The equal error rate depends on the unit of the scores.
# Guessed: EER and AUROC are of the order of scores; the same scores times 1000, as fixed-point scores are, give the same rates.
# Seen: scores beyond [0, 1] are taken for logits; in float32 the sigmoid of anything above 17 is 1, so that most scores become equal.
# Bites: whoever judges integer scores of a device: an AUROC of 0.76 becomes 0.67 without a word, an EER of 31.8 % becomes 33.1 %.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check torchmetrics==1.9.0 torch==2.14.1 numpy==2.4.6
venv/bin/python - <<'END'
from importlib.metadata import version

import numpy as np
import torch
from torchmetrics.functional.classification import binary_auroc, binary_eer

print("torchmetrics", version("torchmetrics"), "torch", version("torch"))
draw = np.random.default_rng(0)
scores = torch.tensor(np.r_[draw.normal(1, 1, 2000), draw.normal(0, 1, 2000)], dtype=torch.float32)
genuine = torch.tensor(np.repeat([1, 0], 2000))
rates = {}
for factor in (0.01, 1, 1000, 2**20):
    rates[factor] = float(binary_eer(scores * factor, genuine)), float(binary_auroc(scores * factor, genuine))
    print(f"scores x {factor}: EER {rates[factor][0]:.4f}, AUROC {rates[factor][1]:.4f}")
assert abs(rates[0.01][0] - rates[1][0]) < 1e-3, "small factors change nothing"
assert rates[1000][0] > rates[1][0] + 0.01
assert rates[2**20][1] < rates[1][1] - 0.05
END
