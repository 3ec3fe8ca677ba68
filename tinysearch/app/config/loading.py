"""Hydra's composition without its globals: a program that uses Hydra itself finds them as they were.

``hydra.compose`` needs an initialized ``GlobalHydra``, of which a process has one, and which a ``@hydra.main`` program
has taken. Its loader needs none; what it reads of the process, its version base, is borrowed.
"""

from __future__ import annotations

import copy
import functools
import itertools
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.utils import setup_globals
from hydra.types import RunMode
from hydra.version import VersionBase, setbase
from omegaconf import DictConfig, open_dict

from tinysearch.app.config.resources import data_dir
from tinysearch.core.borrowed import Borrowed

_composing = threading.RLock()
"""Hydra makes its singletons, and registers resolvers, without a thought of other threads."""


def _write_base(base: Any) -> None:
    if isinstance(base, str):
        setbase(base)
    else:
        VersionBase.instance().version_base = base


_version_base = Borrowed[Any](lambda: VersionBase.instance().version_base, _write_base)


def load_config(words: Sequence[str], *, search_path: Sequence[str] = ()) -> DictConfig:
    """The configuration under words of Hydra's grammar.

    Options of the package do not change while a program runs, and there are few choices of them: what these give is
    composed once, and words for single values are applied to a copy of it, as Hydra applies them at the end.

    Args:
        search_path: further places of options, by group, as ``hydra.searchpath`` has them.

    Raises:
        HydraException, OmegaConfBaseException: the words do not fit.
    """
    with _composing, _version_base.as_("1.3"):
        setup_globals()
        if search_path:
            return _loaded((*words, f"hydra.searchpath=[{','.join(search_path)}]"), data_dir("conf"))
        overrides = OverridesParser.create().parse_overrides(list(words))
        ConfigLoaderImpl.validate_sweep_overrides_legal(overrides, run_mode=RunMode.RUN, from_shell=False)
        chooses = [_chooses(override) for override in overrides]
        config = copy.deepcopy(_composed(tuple(itertools.compress(words, chooses)), data_dir("conf")))
        values = [override for override, chosen in zip(overrides, chooses, strict=True) if not chosen]
        ConfigLoaderImpl._apply_overrides_to_config(values, config)
        return config


def _chooses(override: Override) -> bool:
    """Whether a word is of Hydra's list of defaults: an option of a group, or a word for Hydra itself."""
    key = override.key_or_group
    group = override.package is not None or (data_dir("conf") / key).is_dir()
    return override.is_hydra_override() or (group and not isinstance(override.value(), dict))


@functools.lru_cache(maxsize=16)
def _composed(choices: tuple[str, ...], folder: Path) -> DictConfig:
    """What choices of the package's options give; to be copied."""
    return _loaded(choices, folder)


def _loaded(words: Sequence[str], folder: Path) -> DictConfig:
    loader = ConfigLoaderImpl(create_config_search_path(str(folder)))
    config = loader.load_configuration(
        "config", [*words, "hydra.job.name=tinysearch"], run_mode=RunMode.RUN, from_shell=False
    )
    with open_dict(config):
        del config["hydra"]
    return config
