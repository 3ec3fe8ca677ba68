"""List, prepare and inspect data sets.

  python -m tinysearch data list
  python -m tinysearch data inspect data=folder data.root=DIR
  python -m tinysearch data prepare data=embedded

`inspect` counts people and samples by split, names every file that is not used and why, and says what cannot be judged;
`prepare` decodes everything into the cache.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tinysearch.app.building.branches import shape_of
from tinysearch.app.building.datasets import build_dataset
from tinysearch.app.building.wiring import Config
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.config.tasks import task_of
from tinysearch.app.config.words import options_of
from tinysearch.app.console import say
from tinysearch.app.invocation import OK, Invocation
from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS, Dataset, Split
from tinysearch.data.pairs import evaluation_pairs
from tinysearch.data.samples import FileDataset, broken_allowed
from tinysearch.data.series import SeriesDataset

_ACTIONS = ("list", "prepare", "inspect")


def run(invocation: Invocation) -> int:
    """List or look at data sets."""
    action = invocation.words[0] if invocation.words else "list"
    if action not in _ACTIONS or len(invocation.words) > 1:
        raise UserError(
            f"data must be given one of {', '.join(_ACTIONS)}",
            value=" ".join(invocation.words),
            remedy="write data inspect",
        )
    config = plain(compose_config(invocation.overrides))
    if action == "list":
        for name in options_of("data"):
            say(f"{name:10} {_purpose(name)}")
        return OK
    limit = config["data"].get("broken_limit")
    if action == "inspect" and limit is not None:  # show all of them, and say which splits would be refused
        config = config | {"data": config["data"] | {"broken_limit": 1.0}}
    dataset = build_dataset(config)
    say(f"{dataset.name}, digest {dataset.digest}")
    for modality in dataset.modalities:
        for split in SPLITS:
            _describe(dataset, modality, split, config, limit=limit)
    if action == "inspect":
        _tell_unread(dataset)
        _tell_series(dataset, limit=limit)
        _tell_pairs(dataset, config)
    return OK


def _purpose(name: str) -> str:
    from tinysearch.app.config.resources import data_dir

    first = (data_dir("conf") / "data" / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]
    return first.lstrip("# ")


def _describe(dataset: Dataset, modality: str, split: Split, config: Config, *, limit: float | None) -> None:
    sizes = _sizes(config, modality)
    skipped = dataset.skipped(modality, split, **sizes) if isinstance(dataset, FileDataset) else None
    if skipped is not None and len(skipped.reasons) == skipped.files:
        say(f"  {modality:6} {split:10}      0 samples")
    else:
        samples = dataset.load(modality, split, **sizes)
        people = len(np.unique(samples.identities))
        labelled = dataset.classes is not None or dataset.normal is not None
        what = "classes" if labelled else "people"
        say(f"  {modality:6} {split:10} {len(samples.inputs):6} samples of {people:4} {what}")
    if skipped is None:
        return
    for name, reason in skipped.reasons.items():
        say(f"    skipped {name}: {reason}")
    for reason, names in _by_reason(skipped.mended).items():
        say(f"    {len(names)} {reason} ({names[0]}{' ..' if len(names) > 1 else ''})")
    if limit is not None and len(skipped.reasons) > broken_allowed(skipped.files, limit=limit):
        say(f"    {len(skipped.reasons)} of {skipped.files} are too many for data.broken_limit={limit:g}")


def _sizes(config: Config, modality: str) -> dict[str, int]:
    asked = task_of(config).input(modality)
    shape_of(asked, {})  # refuses an input without them
    return {name: int(str(asked.defaults[name])) for name in ("input_size", "channels")}


def _by_reason(reasons: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        found.setdefault(reason, []).append(name)
    return found


def _tell_unread(dataset: Dataset) -> None:
    """Files that are no samples, by the reason why."""
    unread = dataset.unread if isinstance(dataset, FileDataset) else {}
    for reason, names in unread.items():
        say(f"  not read {len(names)}: {reason} ({', '.join(names[:3])}{' ..' if len(names) > 3 else ''})")


def _tell_series(dataset: Dataset, *, limit: float | None) -> None:
    """CSV files, and rows of them, that are not used."""
    if not isinstance(dataset, SeriesDataset):
        return
    for name, reason in dataset.skipped.items():
        say(f"  skipped {name}: {reason}")
    for name, told in dataset.mended.items():
        say(f"  {name}: {told}")
    if limit is not None and len(dataset.skipped) > broken_allowed(dataset.files, limit=limit):
        say(f"  {len(dataset.skipped)} of {dataset.files} files are too many for data.broken_limit={limit:g}")


def _tell_pairs(dataset: Dataset, config: Config) -> None:
    """What cannot be judged, because a split lacks people or their samples."""
    if dataset.classes is not None or dataset.normal is not None:
        return
    together = [dataset.modalities] if len(dataset.modalities) > 1 else []
    for modalities in [*((name,) for name in dataset.modalities), *together]:
        shapes = {name: tuple(_sizes(config, name).values()) for name in modalities}
        for split in ("validation", "test"):
            try:
                evaluation_pairs(dataset, split, shapes)
            except UserError as error:
                say(f"  {'+'.join(modalities)} cannot be judged: {error}")
