"""Print a script that lets a shell complete verbs, options and their values with the tab key.

  python -m tinysearch completion bash > ~/.local/share/bash-completion/completions/tinysearch
  python -m tinysearch completion zsh >> ~/.zshrc
  python -m tinysearch completion fish > ~/.config/fish/completions/tinysearch.fish

It completes the command `tinysearch` in shells that are started afterwards. The script holds the names of this version:
write it again after an update.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tinysearch.app.cli import FLAGS, VERBS
from tinysearch.app.config.compose import all_keys
from tinysearch.app.config.plugins import own_words
from tinysearch.app.config.resources import data_dir
from tinysearch.app.config.words import GROUPS, options_of
from tinysearch.app.console import say
from tinysearch.app.invocation import OK, Invocation
from tinysearch.core.errors import UserError
from tinysearch.core.platform import BUILDS, PRICE_LEVELS
from tinysearch.core.quantization import PRECISIONS

WORDS: Mapping[str, tuple[str, ...]] = {
    "calibrate": ("emulator",),
    "catalog": ("list", "check", "price"),
    "completion": ("bash", "zsh", "fish"),
    "data": ("list", "prepare", "inspect"),
}
"""First words after a verb."""

VALUES: Mapping[str, tuple[str, ...]] = {
    "budget": ("10usd", "15usd", "20usd"),
    "emit.top": ("all", "auto", "none"),
    "engine": ("local", "ray"),
    "firmware.backend": own_words("backends"),
    "flash": ("layout", "paper"),
    "latency": ("calibrated", "opcount"),
    "memory": ("arena", "bands", "paper"),
    "modality": ("face", "voice", "fusion"),
    "rounding": ("once", "fixed"),
    "build": BUILDS,
    "price_level": PRICE_LEVELS,
    "face.precision": PRECISIONS,
    "voice.precision": PRECISIONS,
}
"""Values of options that are no group of conf/."""


def run(invocation: Invocation) -> int:
    """Print one script."""
    match invocation.words:
        case ["bash"]:
            say(_bash())
        case ["zsh"]:
            say("autoload -U +X bashcompinit && bashcompinit\n" + _bash())
        case ["fish"]:
            say(_fish())
        case _:
            raise UserError(
                "completion must be given one of bash, zsh or fish",
                value=" ".join(invocation.words) or "nothing",
                remedy="write python -m tinysearch completion bash",
            )
    return OK


def _values() -> dict[str, tuple[str, ...]]:
    """Known values by option."""
    chips = (path.stem for path in (data_dir("hardware_catalog") / "espressif" / "chips").glob("*.yaml"))
    groups = {group: tuple(options_of(group)) for group in GROUPS}
    return {**groups, **VALUES, "platform.processor": tuple(sorted(chips))}


def _options() -> list[str]:
    """Options as they are typed, each ending in ``=``."""
    keys = {key for key in all_keys() if not key.startswith("hydra")}
    leaves = {key for key in keys if not any(other.startswith(f"{key}.") for other in keys)}
    return [f"{key}=" for key in sorted(leaves | set(_values()))]


def _bash() -> str:
    """For bash, and for zsh by its compatibility: ``=`` separates words there, so a value is completed alone."""
    return "\n".join(
        [
            "_tinysearch() {",
            "  local current=${COMP_WORDS[COMP_CWORD]} key= words=",
            "  if [[ $current == = ]]; then key=${COMP_WORDS[COMP_CWORD-1]}; current=",
            "  elif [[ ${COMP_WORDS[COMP_CWORD-1]} == = ]]; then key=${COMP_WORDS[COMP_CWORD-2]}",
            "  elif [[ $current == *=* ]]; then key=${current%%=*}; fi",
            "  if [[ -n $key ]]; then",
            "    case $key in",
            *(f"      {key}) words='{' '.join(values)}' ;;" for key, values in sorted(_values().items())),
            '      *) COMPREPLY=( $(compgen -f -- "${current#*=}") ); return ;;',
            "    esac",
            '    if [[ $current == "$key="* ]]; then',
            '      COMPREPLY=( $(compgen -P "$key=" -W "$words" -- "${current#*=}") )',
            '    else COMPREPLY=( $(compgen -W "$words" -- "$current") ); fi',
            "    return",
            "  fi",
            "  if [[ $current == -* ]]; then words=" + _quoted(sorted(FLAGS)),
            "  else",
            "    words=" + _quoted(_options()),
            '    if (( COMP_CWORD == 1 )); then words="$words "' + _quoted(VERBS) + "; fi",
            "    case ${COMP_WORDS[1]} in",
            *(f'      {verb}) words="$words {" ".join(words)}" ;;' for verb, words in WORDS.items()),
            "    esac",
            "  fi",
            '  COMPREPLY=( $(compgen -W "$words" -- "$current") )',
            "  if [[ ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi",
            "}",
            "complete -F _tinysearch tinysearch",
        ]
    )


def _quoted(words: Mapping[str, str] | list[str]) -> str:
    return "'" + " ".join(words) + "'"


def _fish() -> str:
    return "\n".join(_fish_lines())


def _fish_lines() -> Iterator[str]:
    first = "test (count (commandline -opc)) -eq 1"
    for verb, purpose in VERBS.items():
        yield f"complete -c tinysearch -f -n '{first}' -a {verb} -d '{purpose}'"
    for verb, words in WORDS.items():
        yield f"complete -c tinysearch -f -n '__fish_seen_subcommand_from {verb}' -a '{' '.join(words)}'"
    known = _values()
    for option in _options():
        spelled = " ".join(f"{option}{value}" for value in known.get(option.removesuffix("="), ("",)))
        yield f"complete -c tinysearch -f -a '{spelled}'"
    for flag in sorted(FLAGS):
        yield f"complete -c tinysearch {'-l' if flag.startswith('--') else '-s'} {flag.lstrip('-')}"
