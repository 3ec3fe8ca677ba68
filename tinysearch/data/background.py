"""Long recordings in which nobody speaks, cut into clips: the folder ``_background_noise_`` of Speech Commands."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import partial

from tinysearch.core.protocols import Split
from tinysearch.data.broken import BrokenSampleError
from tinysearch.data.labelled import LabelledFile
from tinysearch.data.preparation import SampleFile
from tinysearch.data.splits import FoundFile


def background_clips(
    file: FoundFile, *, label: int, clip_s: float, shares: tuple[float, float]
) -> Mapping[Split, list[LabelledFile]]:
    """Clips side by side of one recording: the first ones train, then some validate, the last ones test.

    A recording that cannot be read is one clip of training, which says so when it is loaded.

    Args:
        label: their class.
        clip_s: seconds of a clip.
        shares: of validation and test among the clips; none of fewer than three.
    """
    length, count = _length(file, clip_s=clip_s)
    clips = [
        LabelledFile(
            sample=SampleFile(
                name=f"{file.name}#{number}", identity=label, read=partial(_excerpt, file, number * length, length)
            ),
            group=f"{file.name}#{number}",
        )
        for number in range(count)
    ]
    least = 1 if count > 2 else 0
    validation, test = (max(least, round(share * count)) * least for share in shares)
    train = count - validation - test
    return {
        "train": clips[:train],
        "validation": clips[train : train + validation],
        "test": clips[train + validation :],
    }


def _length(file: FoundFile, *, clip_s: float) -> tuple[int, int]:
    """Samples of a clip, and how many clips there are."""
    import soundfile

    try:
        known = soundfile.info(io.BytesIO(file.read()))
    except Exception:  # libsndfile's errors and soundfile's own differ by version
        return 1, 1
    length = max(1, round(clip_s * known.samplerate))
    return length, known.frames // length


def _excerpt(file: FoundFile, start: int, length: int) -> bytes:
    """A part of a recording, as a file of its own.

    Raises:
        BrokenSampleError: it cannot be read.
    """
    import soundfile

    try:
        wave, rate_hz = soundfile.read(
            io.BytesIO(file.read()), start=start, frames=length, dtype="int16", always_2d=True
        )
    except Exception as error:
        raise BrokenSampleError(f"not a readable recording ({type(error).__name__})") from error
    buffer = io.BytesIO()
    soundfile.write(buffer, wave, rate_hz, format="WAV", subtype="PCM_16")
    return buffer.getvalue()
