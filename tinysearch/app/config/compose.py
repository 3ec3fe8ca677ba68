"""From the words on a command line to one composed configuration, refusing what nobody meant to type."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from tinysearch.app.config.loading import load_config
from tinysearch.app.config.own_options import OWN, own_options, take_places
from tinysearch.app.config.paths import from_home
from tinysearch.app.config.plugins import MISSING, built_in, plugin
from tinysearch.app.config.resources import data_dir
from tinysearch.app.config.tasks import OF_EVERY_BRANCH, own_task
from tinysearch.app.config.values import check_ranges, check_value, words_for_lists
from tinysearch.app.config.words import GROUPS, SHORT_FORMS, expand, options_of, unknown_option
from tinysearch.architectures.family import parameter_names
from tinysearch.core.errors import UserError, did_you_mean
from tinysearch.core.safe_text import redacted, remember_secrets
from tinysearch.core.trust import trust_words
from tinysearch.core.zeros import check_zeros
from tinysearch.reading.documents import MOST_DEPTH

_TABLE_SPACE = "space=table"
"""What ``trainer=table`` searches unless something is said of the space as a whole."""

_TASKS = ("task=", "experiment=")
"""Choices that a task's inputs follow from."""

DEFAULT_FAMILY = "resnet"


def compose_config(overrides: Sequence[str]) -> DictConfig:
    """The configuration with overrides applied; relative paths stay relative to the working folder.

    Args:
        overrides: Hydra override syntax, with the short forms of this module.

    Raises:
        UserError: an unknown key or option, or a word that is no override.
    """
    _remember_secrets(overrides)
    trust_words(overrides)
    check_zeros(list(overrides), where="an option")
    for word in overrides:
        _check_depth(word)
    places, overrides = take_places(overrides)
    own = own_options(overrides, groups=_group_defaults(), places=places, ours=_Ours())
    task = own_task(own.words, known=options_of("task"))
    overrides, folders = task.words, (*own.places, *task.places)
    chosen = tuple(word for word in overrides if word.startswith(_TASKS))
    for word in chosen:
        _check_choice(word)
    inputs = _defaults(chosen, folders)["task"]["inputs"]
    named = frozenset(f"{group}={OWN}" for group in GROUPS) if folders else frozenset()
    words = [word for override in overrides for word in expand(_of_input(override, inputs), own=named)]
    if "trainer=table" in words and not any(
        word.startswith(("space=", "space.path=", "experiment=")) for word in words
    ):
        words.append(_TABLE_SPACE)
    words += _own_data(words, own_task=task.base)
    try:
        config = _compose(words, folders)
    except (HydraException, OmegaConfBaseException) as error:
        raise _explain(error, overrides) from _without_secrets(error)
    selected = [word.split("=", 1) for word in words if word.split("=", 1)[0] in GROUPS]
    choices = tuple(f"{group}={own.bases.get(group, option)}" for group, option in selected)
    defaults = _defaults(choices, folders)
    for key, word in words_for_lists("", OmegaConf.to_container(config), defaults):
        OmegaConf.update(config, key, [word])
    check_value("", OmegaConf.to_container(config), defaults)
    try:
        branches, inputs = (_group(config, key) for key in ("branches", "task.inputs"))
        for name, branch in branches.items():
            _check_branch(str(name), branch, inputs.get(name) or {})
    except OmegaConfBaseException as error:
        raise _explain(error, overrides) from _without_secrets(error)
    return config


def _group(config: DictConfig, key: str) -> DictConfig:
    """Options by name that a reference may have put something else in the place of.

    Raises:
        UserError: it has.
    """
    found = OmegaConf.select(config, key)
    if not isinstance(found, DictConfig):
        raise UserError(f"{key} must be a group of options", value=found, remedy=f"write {key}.NAME.OPTION=VALUE")
    return found


def _check_depth(word: str) -> None:
    """Refuse lists in lists in lists, on which parsers stumble.

    Raises:
        UserError: more than a few levels.
    """
    depth, key = 0, word.partition("=")[0]
    for letter in word:
        depth += (letter in "[{(") - (letter in ")}]")
        if depth > MOST_DEPTH:
            raise UserError(
                f"values must nest at most {MOST_DEPTH} deep", value=key, remedy="write a list of values or of lists"
            )


def _check_choice(word: str) -> None:
    """Refuse a task or experiment that is no name, before anything is looked up in it."""
    group, _, value = word.partition("=")
    none = ("null",) if group == "experiment" else ()
    if value not in (*options_of(group), OWN, *none, MISSING):
        raise unknown_option(group, value)


def _own_data(words: Sequence[str], *, own_task: str) -> list[str]:
    """``data=NAME`` for ``task=NAME`` where there are data of that name and none were chosen.

    Args:
        own_task: the task of ours that a file of the user's is named after.
    """
    chosen = [word.removeprefix("task=") for word in words if word.startswith("task=")]
    chosen = [own_task if name == OWN else name for name in chosen]
    if not chosen or any(word.startswith(("data=", "experiment=")) for word in words):
        return []
    return [f"data={chosen[-1]}"] if chosen[-1] in options_of("data") else []


def _check_branch(name: str, branch: Any, asked: Any) -> None:
    """Refuse what no branch has: a word that nobody meant to type."""
    if branch is None:
        return
    if not isinstance(branch, DictConfig):
        raise UserError(
            "a branch must be spelled by its parameters",
            value=f"{name}={branch}",
            remedy=f"write for example {name}.blocks=[2,2] {name}.precision=int8",
        )
    family = branch.get("architecture") or asked.get("architecture") or DEFAULT_FAMILY
    if not built_in("architectures", family):
        return  # whoever builds it knows its parameters
    known = (*OF_EVERY_BRANCH, *parameter_names(plugin("architectures", family)))
    for key in branch:
        if key not in known:
            raise UserError(
                f"a branch of family {family} must be spelled by {', '.join(known)}",
                value=f"{name}.{key!s}",
                remedy=did_you_mean(str(key), known, otherwise="leave it out", before=f"{name}."),
            )


def _of_input(word: str, inputs: Mapping[str, Any]) -> str:
    """A word with its input written out.

    ``face.width=8`` says ``branches.face.width=8``, and ``task.face.width=8`` says ``task.inputs.face.width=8``.
    """
    first, *rest = word.split("=", 1)[0].split(".")
    if first in inputs:
        return f"branches.{word}"
    return f"task.inputs.{word.removeprefix('task.')}" if first == "task" and rest and rest[0] in inputs else word


class _Ours:
    """Options of the package, for :func:`~tinysearch.app.config.own_options.own_options`."""

    def names(self, group: str) -> list[str]:
        return options_of(group)

    def keys(self, group: str, option: str) -> list[str]:
        return list(_defaults((f"{group}={option}",), ())[group])


@functools.cache
def _group_defaults() -> dict[str, str]:
    """What each group takes where nothing is chosen."""
    whole: Any = OmegaConf.load(data_dir("conf") / "config.yaml")
    listed = whole["defaults"]
    return {
        **dict.fromkeys(GROUPS, ""),
        **{g: str(o) for entry in listed if entry != "_self_" for g, o in entry.items()},
    }


def _compose(words: Sequence[str], places: Sequence[str]) -> DictConfig:
    """The configuration with words of Hydra's; ``places`` have options of the user's own, by group."""
    return load_config(words, search_path=places)


@functools.lru_cache(maxsize=16)
def _defaults(choices: tuple[str, ...], places: tuple[str, ...]) -> Any:
    """Every option with its default, for some choices of groups.

    Raises:
        UserError: there is no such option.
    """
    try:
        return OmegaConf.to_container(_compose(choices, places))
    except (HydraException, OmegaConfBaseException) as error:
        raise unknown_option(*choices[0].split("=", 1)) from error


def check_kinds(document: Mapping[str, Any]) -> None:
    """Refuse a configuration of which a value is of another kind than the option's default, or out of every range.

    Raises:
        UserError: there is one.
    """
    check_zeros(document, where="a configuration")
    check_value("", dict(document), _defaults((), ()))
    check_ranges(document)


def plain(config: DictConfig) -> dict[str, Any]:
    """The configuration as plain dictionaries and lists, interpolations resolved.

    Raises:
        UserError: an interpolation that leads nowhere, or to a value of another kind.
    """
    try:
        container = OmegaConf.to_container(config, resolve=True)
    except OmegaConfBaseException as error:
        spelled = [f"{error.full_key}=..." if error.full_key else "interpolation"]
        raise _explain(error, spelled) from _without_secrets(error)
    assert isinstance(container, dict)  # noqa: S101 - a DictConfig always is
    check_kinds({str(key): value for key, value in container.items()})
    return from_home({str(key): value for key, value in container.items()})


def _remember_secrets(overrides: Sequence[str]) -> None:
    """Hide from now on whatever passwords were typed, wherever a library repeats them."""
    for word in overrides:
        if "://" in word or "pass" in word.lower():
            remember_secrets(word.partition("=")[2] or word)


def _explain(error: Exception, overrides: Sequence[str]) -> UserError:
    """One line for what Hydra says in several."""
    text = str(error.__cause__ or error).strip()
    missing = re.search(r"Key '([^']+)' is not in struct|Could not override '([^']+)'", str(error) + text)
    if missing:
        key = next(name for name in reversed(missing.groups()) if name)
        spelled = next((word for word in overrides if word.split("=")[0].lstrip("+~").endswith(key)), key)
        typed, known = spelled.split("=")[0], [*all_keys(), *SHORT_FORMS]
        nearest = did_you_mean(typed, known, otherwise="see python -m tinysearch --help")
        return UserError(
            "an option must be one that the configuration knows",
            value=redacted(spelled),
            remedy="no input of this task has that name; --cfg job shows them" if typed in known else nearest,
        )
    return UserError(
        "options must follow the configuration's syntax and types",
        value=redacted(" ".join(overrides)),
        remedy=redacted(text.splitlines()[0]) if text else type(error).__name__,
    )


def _without_secrets(error: Exception) -> Exception | None:
    """The error as a cause for tracebacks; None where it repeats a password."""
    said, cause = [], error.__cause__
    for told in (error, cause):
        said.append(str(told))
    return error if all(redacted(text) == text for text in said) else None


def all_keys() -> list[str]:
    """Every key of the default configuration, dotted."""

    def walk(prefix: str, node: Any) -> Iterator[str]:
        for key, value in node.items():
            name = f"{prefix}.{key}" if prefix else str(key)
            yield name
            if isinstance(value, dict):
                yield from walk(name, value)

    default = plain(_compose([], ()))
    branches = [
        f"{name}.{key}"
        for name in default["task"]["inputs"]
        for key in (*OF_EVERY_BRANCH, "blocks", "width", "embedding")
    ]
    return [*walk("", default), *branches]
