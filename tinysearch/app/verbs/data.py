"""List, prepare and inspect data sets.

  python -m tinysearch data list
  python -m tinysearch data inspect data=folder data.root=DIR
  python -m tinysearch data prepare data=embedded

`inspect` counts people and samples by split and names broken files; `prepare` decodes everything into the cache.
"""

from __future__ import annotations

import numpy as np

from tinysearch.app.cli import OK, Invocation
from tinysearch.app.config import compose_config, options_of, plain
from tinysearch.app.console import say
from tinysearch.app.tasks import task_of
from tinysearch.app.training import build_dataset
from tinysearch.app.wiring import Config
from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS, Dataset
from tinysearch.data.samples import broken_allowed

_ACTIONS = ("list", "prepare", "inspect")


def run(invocation: Invocation) -> int:
    """List or look at data sets."""
    action = invocation.words[0] if invocation.words else "list"
    if action not in _ACTIONS or len(invocation.words) > 1:
        raise UserError(
            f"data does one of {', '.join(_ACTIONS)}", value=" ".join(invocation.words), remedy="write data inspect"
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
    return OK


def _purpose(name: str) -> str:
    from tinysearch.app.resources import data_dir

    first = (data_dir("conf") / "data" / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]
    return first.lstrip("# ")


def _describe(dataset: Dataset, modality: str, split: str, config: Config, *, limit: float | None) -> None:
    sizes = {name: task_of(config).input(modality).defaults[name] for name in ("input_size", "channels")}
    samples = dataset.load(modality, split, **sizes)  # type: ignore[arg-type]
    people = len(np.unique(samples.identities))
    what = "people" if getattr(dataset, "classes", None) is None else "classes"
    say(f"  {modality:6} {split:10} {len(samples.inputs):6} samples of {people:4} {what}")
    skipped = getattr(dataset, "skipped", None)
    if skipped is not None:
        left_out = skipped(modality, split, **sizes)
        for name, reason in left_out.reasons.items():
            say(f"    skipped {name}: {reason}")
        if limit is not None and len(left_out.reasons) > broken_allowed(left_out.files, limit=limit):
            say(f"    {len(left_out.reasons)} of {left_out.files} are too many for data.broken_limit={limit:g}")
