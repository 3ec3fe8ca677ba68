"""The memo of trained branches: a folder a branch, complete once its record is there.

A branch is keyed by data, trainer and its own spec, so nothing is trained twice, across candidates, runs and budgets.
Files are written under temporary names and renamed; ``record.json`` comes last, so a killed process leaves no
half-written branch that anybody would believe.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.network import NetworkSpec
from tinysearch.core.objectives import ErrorRates
from tinysearch.core.program import Array, FrozenNetwork, lower
from tinysearch.core.quantization import Precision
from tinysearch.files import fresh_folder, replace_folder, write_atomically, writing

_SEPARATOR = "|"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoEntry:
    """What is stored of a branch: its network, embeddings by split, and the record (seconds, seed, versions ...)."""

    frozen: FrozenNetwork
    embeddings: Mapping[str, Array]
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchMemo:
    """Folder of trained branches for one data set and one trainer.

    Attributes:
        root: the cache; this memo lives in ``root / key``.
        key: digest of data and trainer.
        architecture: network of a branch, to lower it again when it is loaded.
        elsewhere: folders of branches that another memo's training stands for.
    """

    root: Path
    key: str
    architecture: Callable[[BranchSpec], NetworkSpec]
    elsewhere: Mapping[BranchSpec, Path] = field(default_factory=dict)

    def folder(self, branch: BranchSpec) -> Path:
        """Where a branch is stored."""
        return self.elsewhere.get(branch) or self.root / "branches" / self.key / branch.key

    @property
    def workspace(self) -> Path:
        """Where trainings keep stages and checkpoints that branches share."""
        return self.root / "stages" / self.key

    def has(self, branch: BranchSpec) -> bool:
        """Whether a branch is complete."""
        return (self.folder(branch) / "record.json").is_file()

    def record(self, branch: BranchSpec) -> dict[str, Any]:
        """The record of a stored branch."""
        return dict(json.loads((self.folder(branch) / "record.json").read_text(encoding="utf-8")))

    def embeddings(self, branch: BranchSpec) -> dict[str, Array]:
        """Embeddings of a stored branch by split: [N, E]."""
        with np.load(self.folder(branch) / "embeddings.npz", allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}

    def network(self, branch: BranchSpec) -> FrozenNetwork:
        """The frozen network of a stored branch."""
        return load_network(self.folder(branch) / "network.npz", branch, self.architecture)

    def store(self, branch: BranchSpec, entry: MemoEntry) -> None:
        """Store a branch; a process that stored it first wins.

        Raises:
            UserError: the disk is full or the folder cannot be written.
        """
        target = self.folder(branch)
        with writing(target), fresh_folder(target) as fresh:
            save_network(fresh / "network.npz", entry.frozen)
            np.savez_compressed(fresh / "embeddings.npz", **entry.embeddings)
            (fresh / "record.json").write_text(json.dumps(dict(entry.record), indent=1), encoding="utf-8")
            if not self.has(branch):
                replace_folder(fresh, target)

    def rates(self, branches: Sequence[BranchSpec], *, settings: object) -> ErrorRates | None:
        """Stored error rates of a branch or fusion under the same settings, or None."""
        try:
            document = json.loads(self._rates_path(branches, settings).read_text(encoding="utf-8"))
            by_far = {
                name: {float(far): value for far, value in document.pop(name).items()}
                for name in ("frr_at_far", "frr_at_far_validation", "thresholds")
            }
        except (OSError, ValueError, KeyError):  # absent, damaged, or written before there was one of these
            return None
        interval = document.pop("eer_ci95")
        weights = {modality: int(weight) for modality, weight in document.pop("weights", {}).items()}
        bounds = None if interval is None else (interval[0], interval[1])
        return ErrorRates(eer_ci95=bounds, weights=weights, **by_far, **document)

    def store_rates(self, branches: Sequence[BranchSpec], rates: ErrorRates, *, settings: object) -> None:
        """Store error rates; they are computed from what the memo holds, so losing them costs only time."""
        path = self._rates_path(branches, settings)
        with writing(path):
            write_atomically(path, json.dumps(asdict(rates)).encode())

    def _rates_path(self, branches: Sequence[BranchSpec], settings: object) -> Path:
        """Named by a digest of the stored branches' bytes, so that a branch stored anew makes old rates unreachable."""
        stamps = [f"{branch.key} {self.record(branch)}" for branch in branches]
        digest = hashlib.sha256(f"{stamps} {settings}".encode()).hexdigest()[:32]
        return self.root / "rates" / self.key / f"{digest}.json"


def save_network(path: Path, frozen: FrozenNetwork) -> None:
    """Write a frozen network; its branch is needed to load it again."""
    arrays: dict[str, Any] = {
        f"{step}{_SEPARATOR}{key}": value for step, values in frozen.parameters.items() for key, value in values.items()
    }
    meta = {
        "scales": dict(frozen.scales),
        "zero_points": dict(frozen.zero_points),
        "trained": frozen.trained,
        "seed": frozen.seed,
    }
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    np.savez_compressed(path, **arrays)


def load_network(path: Path, branch: BranchSpec, architecture: Callable[[BranchSpec], NetworkSpec]) -> FrozenNetwork:
    """Read what :func:`save_network` wrote for a branch."""
    parameters: dict[str, dict[str, Array]] = {}
    with np.load(path, allow_pickle=False) as archive:
        meta = json.loads(archive["meta"].tobytes())
        for name in archive.files:
            step, _, key = name.partition(_SEPARATOR)
            if key:
                parameters.setdefault(step, {})[key] = archive[name]
    return FrozenNetwork(
        program=lower(architecture(branch), Precision.parse(branch.precision)),
        parameters=parameters,
        scales={name: float(value) for name, value in meta["scales"].items()},
        zero_points={name: int(value) for name, value in meta["zero_points"].items()},
        trained=bool(meta["trained"]),
        seed=int(meta["seed"]),
    )
