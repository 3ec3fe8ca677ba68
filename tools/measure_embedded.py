"""Measure how hard the embedded data are: equal error rate (EER) of simple baselines on the test people.

Faces: raw gray pixels (32 x 32), and PCA + LDA learned from the training people. Voices: mean and deviation over time
of mel cepstra, raw, and with PCA + LDA learned from the training people. Pairs are all pairs of test samples;
similarity is the cosine. These are yardsticks for the data, not the project's metrics (see tinysearch.metrics). Needs
scikit-learn, Pillow, SciPy and soundfile.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image
from scipy import fft, signal
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_curve

_MELS = 32
_FRAME, _HOP = 400, 160


def main() -> None:
    """Print one line for each archive and baseline."""
    parser = argparse.ArgumentParser(description="Measure baselines on the embedded archives.")
    parser.add_argument("archives", type=Path, nargs="+")
    parser.add_argument(
        "--train-samples", type=int, default=None, help="use only this many samples of each training identity"
    )
    arguments = parser.parse_args()
    for path in arguments.archives:
        features, identities, splits = read_features(path)
        learn = splits == "train"
        if arguments.train_samples is not None:
            learn &= _rank(identities) < arguments.train_samples
        held = splits == "test"
        mean, deviation = features[learn].mean(0), features[learn].std(0) + 1e-6
        scaled = (features - mean) / deviation
        raw = equal_error_rate(scaled[held], identities[held])
        pca = PCA(min(100, features.shape[1]), whiten=False, random_state=0).fit(scaled[learn])
        lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.1).fit(
            pca.transform(scaled[learn]), identities[learn]
        )
        learned = equal_error_rate(lda.transform(pca.transform(scaled[held])), identities[held])
        print(f"{path.name}: test EER raw {100 * raw:.1f} %, PCA + LDA {100 * learned:.1f} %")


def read_features(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return features [n, d], identities [n] and splits [n] of every sample in an archive."""
    features, identities, splits = [], [], []
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.count("/") != 2:
                continue
            split, identity, _ = name.split("/")
            content = io.BytesIO(archive.read(name))
            features.append(_voice(content) if name.endswith(".opus") else _face(content))
            identities.append(identity)
            splits.append(split)
    return np.array(features), np.array(identities), np.array(splits)


def equal_error_rate(embeddings: np.ndarray, identities: np.ndarray) -> float:
    """Return the rate at which false accepts and false rejects are equal, over all pairs, by cosine."""
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    row, column = np.triu_indices(len(unit), 1)
    similarity = (unit @ unit.T)[row, column]
    accepts, hits, _ = roc_curve(identities[row] == identities[column], similarity)
    at = np.argmin(np.abs(accepts - (1 - hits)))
    return float((accepts[at] + 1 - hits[at]) / 2)


def _rank(identities: np.ndarray) -> np.ndarray:
    """Return the place of each sample among those of its identity."""
    seen: dict[str, int] = {}
    ranks = []
    for identity in identities:
        ranks.append(seen.get(identity, 0))
        seen[identity] = ranks[-1] + 1
    return np.array(ranks)


def _face(content: io.BytesIO) -> np.ndarray:
    with Image.open(content) as image:
        gray = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.BOX), np.float64)
    return ((gray - gray.mean()) / (gray.std() + 1e-6)).ravel()


def _voice(content: io.BytesIO) -> np.ndarray:
    wave, rate_hz = soundfile.read(content)
    _, _, spectrum = signal.stft(wave, rate_hz, nperseg=_FRAME, noverlap=_FRAME - _HOP, nfft=512)
    power = np.log(_mel_bands(spectrum.shape[0], rate_hz) @ np.abs(spectrum) ** 2 + 1e-10)
    cepstrum = fft.dct(power, axis=0, norm="ortho")[1:25]
    return np.concatenate([cepstrum.mean(1), cepstrum.std(1), np.diff(cepstrum, axis=1).std(1)])


def _mel_bands(bins: int, rate_hz: int) -> np.ndarray:
    def to_mel(f: float) -> float:
        return 2595 * np.log10(1 + f / 700)

    edges_hz = 700 * (10 ** (np.linspace(to_mel(60), to_mel(rate_hz / 2), _MELS + 2) / 2595) - 1)
    frequency_hz = np.linspace(0, rate_hz / 2, bins)
    rise = (frequency_hz - edges_hz[:-2, None]) / np.diff(edges_hz)[:-1, None]
    fall = (edges_hz[2:, None] - frequency_hz) / np.diff(edges_hz)[1:, None]
    return np.maximum(0, np.minimum(rise, fall))


if __name__ == "__main__":
    main()
