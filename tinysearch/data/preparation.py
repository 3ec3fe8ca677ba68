"""What is made of encoded files before a network sees them: one modality's front-end, over a split, batch by batch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tinysearch.core.candidate import SampleShape
from tinysearch.core.errors import UserError
from tinysearch.data.broken import BrokenSampleError
from tinysearch.data.capture_signal import Signal, judge_clip, judge_picture
from tinysearch.data.decode import decode_audio, decode_image
from tinysearch.data.image import VERSION as IMAGE_VERSION
from tinysearch.data.image import prepare_image
from tinysearch.data.log_mel import VERSION as LOG_MEL_VERSION
from tinysearch.data.log_mel import LogMel, LogMelSettings, fit_clip

_FILES_AT_ONCE = 64

FRONT_ENDS: Mapping[str, Literal["mel", "linear"]] = {"log_mel": "mel", "log_spectrogram": "linear"}
"""Audio front-ends by name, with their band spacing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFile:
    """One encoded sample: where it is from (for messages and lists), whose it is, and how to get its bytes."""

    name: str
    identity: int
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioOptions:
    """How recordings become images; ``input_size`` completes it to :class:`~tinysearch.data.log_mel.LogMelSettings`.

    Attributes:
        frontend: ``log_mel``, or ``log_spectrogram`` as in the paper.
        clip_s: of the task's clips, whose spectrograms are square; a shorter one has as many seconds a frame.
        steps_per_octave, normalize: see LogMelSettings.
    """

    frontend: str = "log_mel"
    clip_s: float = 1.6
    steps_per_octave: int = 12
    normalize: Literal["clip", "band"] = "clip"

    def settings(self, input_size: int, *, frames: int | None = None) -> LogMelSettings:
        """Complete settings for one input size, and for the frames of a shorter clip.

        Raises:
            UserError: an unknown front-end, or settings out of range.
        """
        if self.frontend not in FRONT_ENDS:
            raise UserError(
                f"an audio front-end must be {' or '.join(FRONT_ENDS)}",
                value=self.frontend,
                remedy="use frontend=log_mel",
            )
        return LogMelSettings(
            size=input_size,
            frames=frames,
            clip_s=self.clip_s if frames is None else self.clip_s * frames / input_size,
            scale=FRONT_ENDS[self.frontend],
            steps_per_octave=self.steps_per_octave,
            normalize=self.normalize,
        )


def with_front_ends(digest: str, audio: AudioOptions) -> str:
    """Digest of the files and of what the front-ends make of them."""
    settings = f"{audio.frontend}|{audio.clip_s:g}|{audio.steps_per_octave}|{audio.normalize}"
    text = f"{digest}|{settings}|{IMAGE_VERSION}|{LOG_MEL_VERSION}"
    return hashlib.sha256(text.encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """One modality's front-end.

    Attributes:
        key: of all settings that change what comes out.
        row: height, width and channels of a network input.
        decode: of a file's bytes; remarks on what it had to guess are appended to the list.
        fit: what was decoded, to the size of a capture.
        finish: fitted captures to network inputs, int8 [N, *row].
    """

    key: str
    row: tuple[int, int, int]
    decode: Callable[[bytes, list[str]], npt.NDArray[Any]]
    fit: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
    finish: Callable[[Sequence[npt.NDArray[Any]]], npt.NDArray[np.int8]]

    @classmethod
    def of(cls, audio: AudioOptions | None, shape: SampleShape) -> Preparation:
        """That of recordings; without options, of pictures.

        Raises:
            UserError: a shape that pictures or spectrograms do not have.
        """
        input_size, channels, *shorter = shape
        frames = shorter[0] if shorter else None
        row = (input_size if frames is None else frames, input_size, channels)
        if audio is not None:
            front_end = LogMel(audio.settings(input_size, frames=frames), channels=channels)
            samples = front_end.settings.clip_samples
            return cls(
                key=front_end.settings.key,
                row=row,
                decode=lambda content, remarks: decode_audio(content, remarks=remarks),
                fit=lambda wave: _with_signal(fit_clip(wave, samples), judge_clip),
                finish=lambda clips: front_end(np.stack(clips)),
            )
        if channels not in (1, 3) or input_size < 1:
            raise UserError(
                "a picture must have 1 or 3 channels",
                value=f"{input_size} x {channels}",
                remedy="use channels=3 or channels=1",
            )
        return cls(
            key=f"image-v{IMAGE_VERSION}",
            row=row,
            decode=lambda content, remarks: decode_image(content, remarks=remarks),
            fit=lambda picture: _with_signal(
                prepare_image(picture, input_size=input_size, channels=channels),
                lambda image: judge_picture((image.astype(np.int16) + 128).astype(np.uint8)),
            ),
            finish=np.stack,
        )


def _with_signal(fitted: npt.NDArray[Any], judge: Callable[[npt.NDArray[Any]], Signal]) -> npt.NDArray[Any]:
    """What a network is to be fed with, if the firmware would take it as a capture.

    Raises:
        BrokenSampleError: there is no signal in it.
    """
    verdict = judge(fitted)
    if not verdict.good:
        raise BrokenSampleError(f"no signal: it {verdict.reason}")
    return fitted


@dataclass(slots=True)
class FileNotes:
    """What is noted of a split's files while they are read, besides their network inputs.

    Attributes:
        identities, prints: of the readable files, in their order; a print is 64 bits of a hash of what a file holds.
        broken, mended: why by file name, of files that are left out and of those that are guessed at.
    """

    identities: list[int] = field(default_factory=list)
    prints: list[int] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    mended: dict[str, str] = field(default_factory=dict)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """``identities`` int32 [N] and ``prints`` uint64 [N] of the readable files."""
        return {"identities": np.array(self.identities, np.int32), "prints": np.array(self.prints, np.uint64)}

    def blocks(self, files: Sequence[SampleFile], preparation: Preparation) -> Iterator[npt.NDArray[np.int8]]:
        """Network inputs of the readable files, int8 [n, *row] a batch; notes are taken on the way."""
        waiting: list[npt.NDArray[Any]] = []
        for file in files:
            remarks: list[str] = []
            try:
                decoded = preparation.decode(file.read(), remarks)
                waiting.append(preparation.fit(decoded))
            except (BrokenSampleError, OSError) as error:
                self.broken[file.name] = getattr(error, "strerror", None) or str(error)
                continue
            if remarks:
                self.mended[file.name] = "; ".join(remarks)
            self.identities.append(file.identity)
            self.prints.append(_print_of(decoded))
            if len(waiting) == _FILES_AT_ONCE:
                yield preparation.finish(waiting)
                waiting = []
        if waiting:
            yield preparation.finish(waiting)


def _print_of(decoded: npt.NDArray[Any]) -> int:
    """64 bits of a hash of what a file decodes to."""
    digest = hashlib.sha256(f"{decoded.shape}".encode() + np.ascontiguousarray(decoded).tobytes())
    return int.from_bytes(digest.digest()[:8], "little")
