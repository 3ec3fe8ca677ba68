#!/usr/bin/env bash
# Counters of multiply-accumulates disagree on common layers, up to a factor of twenty, and PyTorch's own counts no LSTM.
# Guessed: a linear layer over 20 steps costs 20 times one step; a transposed convolution costs input pixels times kernel; a recurrent
# layer's count grows with its steps; what cannot be counted is said.
# Seen: torchinfo counts the linear layer once; torchinfo and thop count a transposed convolution of stride 2 over its output pixels, 4.4
# times too many; torch.utils.flop_counter counts a GRU exactly and an LSTM as 0 (on a processor the LSTM is one step of oneDNN, which has no formula).
# Bites: whoever chooses a chip, or compares networks, by such a number.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  torchinfo==1.8.0 thop==0.1.1.post2209072238 torch==2.14.1 numpy==2.4.6
venv/bin/python - <<'END'
from importlib.metadata import version

import thop
import torch
import torchinfo
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

print({name: version(name) for name in ("torchinfo", "thop", "torch")})
layers = {
    "linear 16 -> 16 over 20 steps": (nn.Linear(16, 16, bias=False), (1, 20, 16), 20 * 16 * 16),
    "transposed convolution 3 -> 8, 3x3, stride 2": (nn.ConvTranspose2d(3, 8, 3, stride=2, bias=False), (1, 3, 10, 10), 100 * 3 * 8 * 9),
    "GRU 10 -> 16 over 100 steps": (nn.GRU(10, 16, batch_first=True, bias=False), (1, 100, 10), 100 * 3 * 16 * 26),
    "LSTM 10 -> 16 over 100 steps": (nn.LSTM(10, 16, batch_first=True, bias=False), (1, 100, 10), 100 * 4 * 16 * 26),
}
seen = {}
for name, (layer, shape, macs) in layers.items():
    layer.eval()
    with FlopCounterMode(display=False) as counter:
        layer(torch.zeros(shape))
    seen[name] = (
        int(torchinfo.summary(layer, shape, verbose=0).total_mult_adds),
        int(thop.profile(layer, inputs=(torch.zeros(shape),), verbose=False)[0]),
        counter.get_total_flops() // 2,
    )
    print(f"{name}: {macs} by hand; torchinfo, thop, torch: {seen[name]}")
linear, transposed, gru, lstm = seen.values()
assert linear == (256, 5120, 5120)
assert transposed[0] > 4 * 21600 and transposed[1] > 4 * 21600 and transposed[2] == 21600
assert gru[2] == 124800
assert lstm[2] == 0 and lstm[0] == 166400
END
