"""Hydra's composition without its globals: a program that uses Hydra itself finds them as they were.

``hydra.compose`` needs an initialized ``GlobalHydra``, of which a process has one, and which a ``@hydra.main`` program
has taken. Its loader needs none; what it reads of the process, its version base, is borrowed.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
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

    Args:
        search_path: further places of options, by group, as ``hydra.searchpath`` has them.

    Raises:
        HydraException, OmegaConfBaseException: the words do not fit.
    """
    places = [] if not search_path else [f"hydra.searchpath=[{','.join(search_path)}]"]
    with _composing, _version_base.as_("1.3"):
        setup_globals()
        loader = ConfigLoaderImpl(create_config_search_path(str(data_dir("conf"))))
        config = loader.load_configuration(
            "config", [*words, *places, "hydra.job.name=tinysearch"], run_mode=RunMode.RUN, from_shell=False
        )
    with open_dict(config):
        del config["hydra"]
    return config
