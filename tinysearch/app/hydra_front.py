"""What Hydra's users expect of a command line: ``--cfg job``, ``--config-dir``, ``-m``; and one line about the rest.

``-m`` runs a verb once for every combination of listed values, as Hydra's basic sweeper does: ``seed=0,1,2``,
``budget=choice(10usd,15usd)``, ``n_trials=range(10,40,10)``. It is not the search: what a search varies is the space.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tinysearch.app.console import say
from tinysearch.app.invocation import HydraFlags, Invocation
from tinysearch.core.errors import UserError
from tinysearch.files import home_path

_CONFIG_DIR, _CFG = ("--config-dir", "-cd"), ("--cfg", "-c")
_MULTIRUN, _RESOLVE, _RUN = ("--multirun", "-m"), ("--resolve",), ("--run", "-r")
_INSTEAD = {
    "--config-name": "write experiment=FILE.yaml, which sets any options",
    "-cn": "write experiment=FILE.yaml, which sets any options",
    "--config-path": "write --config-dir DIR, which adds options to those of the package",
    "-cp": "write --config-dir DIR, which adds options to those of the package",
    "--package": "leave it out: --cfg job prints the whole configuration",
    "-p": "leave it out: --cfg job prints the whole configuration",
    "--info": "write --cfg job, or run python -m tinysearch doctor",
    "-i": "write --cfg job, or run python -m tinysearch doctor",
    "--hydra-help": "see python -m tinysearch --help",
    "--shell-completion": "run python -m tinysearch completion bash",
    "-sc": "run python -m tinysearch completion bash",
    "--experimental-rerun": "run again with the same run_dir, which goes on",
}
_SWEEP_DIR = "hydra.sweep.dir="
_WRITES_TO = {"search": "run_dir", "emit": "out", "enumerate": "out"}
"""Verbs that write, and the option that says where."""

_MANY = ("search", "evaluate", "enumerate", "train", "emit")


def take_flags(argv: Sequence[str]) -> tuple[HydraFlags, list[str]]:
    """Flags of Hydra's, and the words without them; folders of options become words.

    Raises:
        UserError: a flag that means nothing here, or lacks its value.
    """
    flags, rest = HydraFlags(), []
    words = iter(argv)
    for word in words:
        name, equals, value = word.partition("=")
        if name in _INSTEAD:
            raise UserError("a flag of Hydra's must be -m, --cfg or --config-dir", value=word, remedy=_INSTEAD[name])
        if name in (*_CONFIG_DIR, *_CFG):
            value = value if equals else next(words, "")
            if name in _CONFIG_DIR:
                rest.append(f"hydra.searchpath={_given(name, value, 'DIR')}")
            elif _given(name, value, "job") == "job":
                flags = replace(flags, cfg=True)
            else:
                raise UserError("--cfg must be job", value=value, remedy="Hydra's own settings are not used here")
        elif word in (*_MULTIRUN, *_RESOLVE, *_RUN):
            flags = replace(
                flags, multirun=flags.multirun or word in _MULTIRUN, resolve=flags.resolve or word in _RESOLVE
            )
        else:
            rest.append(word)
    # A verb stands first, wherever the flags stood.
    return flags, sorted(rest, key=lambda word: word.startswith("hydra.searchpath="))


def _given(flag: str, value: str, example: str) -> str:
    if not value:
        raise UserError(f"{flag} must be followed by {example}", value="nothing", remedy=f"write {flag} {example}")
    return value


def show_config(invocation: Invocation) -> str:
    """The composed configuration as YAML, passwords hidden."""
    from omegaconf import OmegaConf

    from tinysearch.app.config.compose import compose_config
    from tinysearch.core.safe_text import redacted

    return redacted(OmegaConf.to_yaml(compose_config(invocation.overrides), resolve=invocation.hydra.resolve))


def run_many(invocation: Invocation, run: Callable[[Invocation], int]) -> int:
    """Run a verb for every combination of values; ends with the first job that fails, and with its status.

    Raises:
        UserError: a verb that does not go with it, or jobs that would write to one place.
    """
    if invocation.verb not in _MANY:
        raise UserError(f"-m must go with one of {', '.join(_MANY)}", value=invocation.verb, remedy="leave out -m")
    place = _WRITES_TO.get(invocation.verb)
    words = [word for word in invocation.overrides if not word.startswith(_SWEEP_DIR)]
    sweeps = [values_of(word) for word in words]
    placed = [values for values in sweeps if values[0].startswith((f"{place}=", "hydra.run.dir="))]
    if place is not None and any(len(values) == 1 for values in placed):
        raise UserError(
            f"each job of -m must have its own {place}", value=placed[0][0], remedy=f"write {_SWEEP_DIR}DIR instead"
        )
    jobs = list(itertools.product(*sweeps))
    for number, job in enumerate(jobs):
        changing = [word for word, values in zip(job, sweeps, strict=True) if len(values) > 1]
        say(f"[job {number} of {len(jobs)}] {' '.join(changing)}", file=sys.stderr)
        own = [] if place is None or placed else [f"{place}={_sweep_dir(invocation) / str(number)}"]
        status = run(replace(invocation, overrides=(*job, *own)))
        if status:
            return status
    return 0


def _sweep_dir(invocation: Invocation) -> Path:
    given = [word.removeprefix(_SWEEP_DIR) for word in invocation.overrides if word.startswith(_SWEEP_DIR)]
    return home_path(given[-1]) if given else Path("multirun") / _STARTED.strftime("%Y-%m-%d/%H-%M-%S")


_STARTED = datetime.now()


def values_of(word: str) -> list[str]:
    """The words that a word with several values stands for; itself alone where it has one.

    Raises:
        UserError: values without end, or by pattern.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        override = OverridesParser.create().parse_override(word)
    except HydraException:
        return [word]  # a path or an amount in this project's own spelling
    if not override.is_sweep_override():
        return [word]
    if not override.is_discrete_sweep():
        raise UserError("values of -m must be listed", value=word, remedy="write key=choice(a,b) or key=range(0,10,2)")
    key = word.partition("=")[0]
    return [f"{key}={value}" for value in override.sweep_string_iterator()]
