"""Data sets, pairs, and the audio and image front-ends that compute what the firmware computes.

``embedded`` ships with the package; ``folder``, ``orl``, ``voxceleb`` and ``digits`` read the user's own copies.
"""

from tinysearch.data.digits import DigitsDataset
from tinysearch.data.embedded_dataset import EmbeddedDataset
from tinysearch.data.folder import FolderDataset
from tinysearch.data.image import frame_to_rgb, prepare_image
from tinysearch.data.log_mel import LogMel, LogMelSettings, LogMelTables
from tinysearch.data.orl import OrlDataset
from tinysearch.data.pairs import PairOptions, draw_pairs, evaluation_pairs, matched_samples
from tinysearch.data.preparation import AudioOptions
from tinysearch.data.samples import FileDataset, Skipped
from tinysearch.data.voxceleb import VoxCelebDataset

__all__ = [
    "AudioOptions",
    "DigitsDataset",
    "EmbeddedDataset",
    "FileDataset",
    "FolderDataset",
    "LogMel",
    "LogMelSettings",
    "LogMelTables",
    "OrlDataset",
    "PairOptions",
    "Skipped",
    "VoxCelebDataset",
    "draw_pairs",
    "evaluation_pairs",
    "frame_to_rgb",
    "matched_samples",
    "prepare_image",
]
