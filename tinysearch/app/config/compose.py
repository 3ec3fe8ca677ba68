"""From the words on a command line to one composed configuration, refusing what nobody meant to type."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from tinysearch.app.config.loading import load_config
from tinysearch.app.config.own_options import OWN, own_options, take_places
from tinysearch.app.config.paths import from_home
from tinysearch.app.config.plugins import MISSING, built_in, plugin, registered
from tinysearch.app.config.resources import data_dir
from tinysearch.app.config.tasks import own_task
from tinysearch.architectures.family import parameter_names
from tinysearch.core.errors import UserError, did_you_mean
from tinysearch.core.limits import LIMITS
from tinysearch.core.objectives import OBJECTIVES
from tinysearch.core.safe_text import redacted, remember_secrets
from tinysearch.core.trust import trust_words
from tinysearch.reading.documents import MOST_DEPTH

GROUPS = ("task", "space", "catalog", "trainer", "data", "sampler", "objectives", "report", "experiment")
_LISTED = {"objectives": "objectives.names"}
"""Groups that also take a list: ``objectives=[eer,bom_cost_usd]`` is short for ``objectives.names=[..]``."""

_PATHS = {"catalog": "catalog.name", "space": "space.path"}
"""Groups that also take a path: ``catalog=DIR`` is short for ``catalog=path catalog.name=DIR``."""

_TABLE_SPACE = "space=table"
"""What ``trainer=table`` searches unless something is said of the space as a whole."""

_NESTED = {
    **{"latency": "latency.model", "fusion": "fusion.rule", "battery": "battery.part", "max_bom_cost_usd": "budget"},
    "schedule": "task.schedule",
    **{option: f"limits.{option}" for option in LIMITS},
}
"""Short forms of keys; a board's cost has had a name of its own as a limit from the beginning."""

_OPEN = (
    *("rates", "sampler", "trainer.settings", "data.settings", "latency.settings", "firmware.settings"),
    *("branches", "task.inputs", "space.families"),
)
"""Mappings to which a user may add keys: exchange rates, what a plug-in or library checks itself, and branches."""

_ONE_OR_MORE = ("far", "warm_start")
"""Lists whose only element may stand for them."""

_OPTIONAL = ("n_trials",)
"""Numbers that may be null: no limit."""

_TASKS = ("task=", "experiment=")
"""Choices that a task's inputs follow from."""

OF_EVERY_BRANCH = ("architecture", "precision", "input_size", "channels")
"""What may be said of every branch beside the parameters of its family."""

DEFAULT_FAMILY = "resnet"

_PLUG_INS = {"trainer": "trainers", "data": "datasets", "sampler": "samplers"}
"""Groups with an option ``plugin``, and the kinds of plug-ins that these take: ``sampler=module:Class`` is short for
``sampler=plugin sampler.name=module:Class``."""

_TARGETS = {
    **{f"{group}._target_": f"{group}.name" for group in _PLUG_INS},
    "latency._target_": "latency.model",
    "firmware._target_": "firmware.backend",
}
"""Hydra's word for a class to make, and the key that names a plug-in."""

_PATH_KEYS = (
    *("run_dir", "out", "cache.dir", "catalog.name", "space.path", "trainer.path", "data.root", "latency.table"),
    *("data.train_voice", "data.train_face", "data.test_voice", "data.test_face", "data.pairs", "data.meta"),
)
"""What names a file or a folder: a text that is taken as it stands, whatever letters it has, up to ``${..}``. Only
around it may be quotes, which Hydra's users write."""

_PATH_LISTS = ("warm_start",)
"""What names several files: ``[a.csv,b.csv]``, each element a text as above, or one of them alone."""

_PLAIN = re.compile(r"[\w./:+@%*-]+", re.ASCII)
"""What Hydra's grammar takes for one word; its letters are those of ASCII."""

_MAYBE_LISTS = (
    "modalities",
    "combinations",
    "architectures",
    "layouts",
    "precisions",
    "processors",
    "widths",
    "input_sizes",
    "embeddings",
)
"""Last parts of keys whose default is null and that take a list."""

_FRACTIONAL = ("fusion.weights.", "ray.")
"""Where a default that is whole may have a fraction."""

_EVERY = "every element of "

_ASSIGNMENT = re.compile(r"^([+~]{0,2})([A-Za-z_][\w./@-]*)=(.*)$", re.DOTALL)


def compose_config(overrides: Sequence[str]) -> DictConfig:
    """The configuration with overrides applied; relative paths stay relative to the working folder.

    Args:
        overrides: Hydra override syntax, with the short forms of this module.

    Raises:
        UserError: an unknown key or option, or a word that is no override.
    """
    _remember_secrets(overrides)
    trust_words(overrides)
    for word in overrides:
        _check_depth(word)
    places, overrides = take_places(overrides)
    own = own_options(overrides, groups=_group_defaults(), places=places, ours=_Ours())
    task_places, overrides = own_task(own.words, known=options_of("task"))
    folders = (*own.places, *task_places)
    chosen = tuple(word for word in overrides if word.startswith(_TASKS))
    for word in chosen:
        _check_choice(word)
    inputs = _defaults(chosen, folders)["task"]["inputs"]
    named = frozenset(f"{group}={OWN}" for group in GROUPS) if folders else frozenset()
    words = [word for override in overrides for word in _expand(_of_input(override, inputs), own=named)]
    if "trainer=table" in words and not any(
        word.startswith(("space=", "space.path=", "experiment=")) for word in words
    ):
        words.append(_TABLE_SPACE)
    words += _own_data(words)
    try:
        config = _compose(words, folders)
    except (HydraException, OmegaConfBaseException) as error:
        raise _explain(error, overrides) from _without_secrets(error)
    selected = [word.split("=", 1) for word in words if word.split("=", 1)[0] in GROUPS]
    choices = tuple(f"{group}={own.bases.get(group, option)}" for group, option in selected)
    defaults = _defaults(choices, folders)
    for key, word in _words_for_lists("", OmegaConf.to_container(config), defaults):
        OmegaConf.update(config, key, [word])
    _check_kinds("", OmegaConf.to_container(config), defaults)
    for name, branch in config["branches"].items():
        _check_branch(str(name), branch, config["task"]["inputs"].get(name) or {})
    return config


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
    if value not in (*options_of(group), OWN, "null", MISSING):
        raise _unknown_option(group, value)


def _own_data(words: Sequence[str]) -> list[str]:
    """``data=NAME`` for ``task=NAME`` where there are data of that name and none were chosen."""
    chosen = [word.removeprefix("task=") for word in words if word.startswith("task=")]
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
        raise _unknown_option(*choices[0].split("=", 1)) from error


def _words_for_lists(key: str, value: Any, default: Any) -> Iterator[tuple[str, Any]]:
    """Keys that take a list of words or numbers and were given one of them, which stands for a list of itself.

    Raises:
        UserError: several with commas between them, which Hydra's users write to run one after the other.
    """
    if isinstance(default, dict) and isinstance(value, dict):
        for name in default:
            if name in value:
                yield from _words_for_lists(f"{key}.{name}" if key else str(name), value[name], default[name])
    elif isinstance(value, str | int | float) and _takes_words(key, default):
        if isinstance(value, str) and "," in value:
            raise UserError(f"{key} must be a list", value=value, remedy=f"write {key}=[{value}]")
        if not (isinstance(value, str) and "${" in value):
            yield key, value


def _takes_words(key: str, default: Any) -> bool:
    """Whether an option takes a list whose elements are no lists themselves."""
    if isinstance(default, list):
        return key not in _PATH_LISTS and not any(isinstance(item, list | dict) for item in default)
    return default is None and key.endswith(_MAYBE_LISTS) and not key.endswith(("layouts", "combinations"))


def check_kinds(document: Mapping[str, Any]) -> None:
    """Refuse a configuration of which a value is of another kind than the option's default.

    Raises:
        UserError: there is one.
    """
    _check_kinds("", dict(document), _defaults((), ()))


def _check_kinds(key: str, value: Any, default: Any, *, example: str | None = None) -> None:
    """Refuse a value of another kind than its default's: a text for a number, a number for a list or for a mapping.

    In the place of a text or of null any single value may stand (``n_workers: auto``). Keys without a default are
    checked by whoever takes them.

    Args:
        example: what to write instead; None for the default.
    """
    if isinstance(value, str) and ("${" in value or value == MISSING):
        return  # an interpolation, or what a plug-in's user has yet to say
    match default:
        case dict():
            fits, kind = isinstance(value, dict), "a group of options"
            example = f"{key}.{next(iter(default), 'KEY')}=.."
        case list():
            fits, kind = value is None or isinstance(value, list) or key in _ONE_OR_MORE, "a list"
            example = example or (None if fits else f"{key}=[{_spell(value)}]")
        case bool():
            fits, kind = isinstance(value, bool), "true or false"
        case int() if not key.startswith(_FRACTIONAL):
            fits, kind = _is_number(value, int) or (value is None and key in _OPTIONAL), "a whole number"
        case int() | float():
            fits, kind = _is_number(value, int | float), "a number"
        case _:
            listed = isinstance(value, list)
            fits = not isinstance(value, dict) and (key.endswith(_MAYBE_LISTS) or not listed)
            kind = "a list" if key.endswith(_MAYBE_LISTS) else "one value, no list"
            listed, name = key.startswith(_EVERY), key.removeprefix(_EVERY)
            example = f"{name}=[{_spell(default)}]" if listed else f"{key}={_spell(default or 'VALUE')}"
    example = example or f"{key}={_spell(default)}"
    if not fits:
        raise UserError(f"{key} must be {kind}", value=_spell(value), remedy=f"write {example}")
    if isinstance(value, dict) and isinstance(default, dict):
        for name in [name for name in default if name in value]:
            _check_kinds(f"{key}.{name}" if key else str(name), value[name], default[name])
    elif isinstance(value, list) and default:
        for item in value:
            inner = key if key.startswith(_EVERY) else _EVERY + key
            _check_kinds(inner, item, default[0], example=example)


def _is_number(value: Any, kind: Any) -> bool:
    """Whether a value is a finite number of a kind; true and false are none."""
    return isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value)


def plain(config: DictConfig) -> dict[str, Any]:
    """The configuration as plain dictionaries and lists, interpolations resolved.

    Raises:
        UserError: an interpolation that leads nowhere.
    """
    try:
        container = OmegaConf.to_container(config, resolve=True)
    except OmegaConfBaseException as error:
        spelled = [f"{error.full_key}=..." if error.full_key else "interpolation"]
        raise _explain(error, spelled) from _without_secrets(error)
    assert isinstance(container, dict)  # noqa: S101 - a DictConfig always is
    return from_home({str(key): value for key, value in container.items()})


def options_of(group: str) -> list[str]:
    """Names that a configuration group takes."""
    return sorted(path.stem for path in (data_dir("conf") / group).glob("*.yaml"))


def overrides_of(arguments: Mapping[str, Any]) -> list[str]:
    """Override words for keyword arguments of the Python API: ``face={"blocks": [2, 2]}`` -> ``face.blocks=[2,2]``."""
    return list(_flatten("", arguments))


def _flatten(prefix: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flatten(f"{prefix}.{key}" if prefix else str(key), inner)
    elif prefix in _PATH_KEYS and isinstance(value, list | tuple):
        raise UserError(f"{prefix} must be one path, no list", value=_spell(value), remedy=f"pass one for {prefix}")
    else:
        yield f"{prefix}={_spell(value)}"


def _spell(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case list() | tuple():
            return "[" + ",".join(_spell(item) for item in value) + "]"
        case Path():
            return _quote(str(value))
        case str():
            return value if re.fullmatch(r"[\w./+-]+", value, re.ASCII) else _quote(value)
        case _:
            return str(value)


def _quote(text: str) -> str:
    """A text as Hydra's grammar writes it: a backslash counts twice before a quote, and as itself elsewhere."""
    escaped = re.sub(r'(\\*)("|$)', lambda found: found[1] * 2 + ('\\"' if found[2] else ""), text)
    return f'"{escaped}"'


def _unquoted(text: str) -> str:
    """The text within quotes of either kind, or the text itself where there are none around it."""
    if not _is_quoted(text):
        return text
    mark = text[0]
    return re.sub(rf"(\\*)({mark}|$)", lambda found: found[1][: len(found[1]) // 2] + found[2], text[1:-1])


def _is_quoted(text: str) -> bool:
    """Whether a text is one in quotes: both at its ends, and none within but behind a backslash."""
    mark = text[:1]
    return mark in ("'", '"') and re.fullmatch(rf"{mark}([^{mark}\\]|\\.)*{mark}", text, re.DOTALL) is not None


def _expand(word: str, *, own: frozenset[str] = frozenset()) -> list[str]:
    """A word in Hydra's grammar; ``own`` are choices of options that stand in files of the user's."""
    match = _ASSIGNMENT.match(word)
    if match is None:
        raise UserError("an option must be written key=value", value=word, remedy="see python -m tinysearch --help")
    sign, key, value = match.groups()
    if key in _TARGETS:
        sign, key, word = "", _TARGETS[key], f"{_TARGETS[key]}={value}"
    open_key = any(key.startswith(f"{name}.") for name in _OPEN)
    if sign and not open_key:
        raise UserError("options must be set, not added or deleted", value=word, remedy=f"write {key}={value}")
    if open_key:
        return [f"++{key}={_spelled_for_hydra(key, value)}"]
    if key in _LISTED and (value.lstrip().startswith("[") or value in OBJECTIVES):
        return [f"{_LISTED[key]}={value}"]
    if key in _NESTED and not value.lstrip().startswith("{"):
        return [f"{_NESTED[key]}={_spelled_for_hydra(key, value)}"]
    if (
        key in GROUPS
        and word not in own
        and value not in options_of(key)
        and value != MISSING
        and (value, key) != ("null", "experiment")
    ):
        if key in _PLUG_INS and (":" in value or value in registered(_PLUG_INS[key])):
            return [f"{key}=plugin", f"++{key}.name={_quote(_unquoted(value))}"]
        if key in _PATHS and _looks_like_path(_unquoted(value)):
            group = [] if key == "space" else [f"{key}=path"]
            return [*group, f"{_PATHS[key]}={_quote(_unquoted(value))}"]
        raise _unknown_option(key, value)
    return [f"{key}={_spelled_for_hydra(key, value)}"]


def _spelled_for_hydra(key: str, value: str) -> str:
    """A value in Hydra's grammar, which would trip over a plain text (an amount, a letter) or take a path for more."""
    if key in _PATH_KEYS:
        return value if value in ("", "null") or _is_quoted(value) else _quote(value)
    if key in _PATH_LISTS:
        listed = value.startswith("[") and value.endswith("]") and not _exists(value)
        elements = [element.strip() for element in value[1:-1].split(",")] if listed else [value]
        spelled = [one if one in ("", "null") or _is_quoted(one) else _quote(one) for one in elements]
        return f"[{','.join(spelled)}]" if listed else spelled[0]
    plain = not value or value[0] in "[{\"'$" or _PLAIN.fullmatch(value) is not None
    return value if plain else _quote(value)


def _looks_like_path(value: str) -> bool:
    return any(mark in value for mark in "/\\.") or _exists(value)


def _exists(path: str) -> bool:
    """Whether a text names something on disk; False for what no file system takes as a name."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def _unknown_option(group: str, value: str) -> UserError:
    known = options_of(group)
    return UserError(
        f"{group} must be one of {', '.join(known)} or a path",
        value=value,
        remedy=did_you_mean(value, known, otherwise="choose one of them", before=f"{group}="),
    )


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
        return UserError(
            "an option must be one that the configuration knows",
            value=redacted(spelled),
            remedy=did_you_mean(spelled.split("=")[0], all_keys(), otherwise="see python -m tinysearch --help"),
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
