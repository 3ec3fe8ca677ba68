"""Default pins of a project, read from the Kconfig file that it carries, so that README.md and menuconfig agree."""

from __future__ import annotations

import re
from collections.abc import Mapping

_CONFIG = re.compile(r"^\s*config (TS_\w+_PIN_\w+)\s*\n(.*?)(?=^\s*(?:config|endmenu)\b)", re.M | re.S)
_PROMPT = re.compile(r"^\s*int \"([^\"]+)\"", re.M)
_DEFAULT = re.compile(r"^\s*default (-?\d+)(?: if ([A-Z0-9_]+))?\s*$", re.M)


def pins(kconfig: str, *, group: str, chosen: frozenset[str]) -> Mapping[str, tuple[str, int]]:
    """Pins of one group by option.

    Args:
        kconfig: text of ``Kconfig.projbuild``.
        group: ``CAMERA`` or ``MICROPHONE``.
        chosen: options that hold, without ``CONFIG_``: ``IDF_TARGET_ESP32S3``, ``TS_BOARD_ESP32S3_EYE``.

    Returns:
        (label, GPIO) by option; a GPIO of -1 is not wired.
    """
    found = {}
    for option, body in _CONFIG.findall(kconfig):
        prompt = _PROMPT.search(body)
        if not option.startswith(f"TS_{group}_PIN_") or prompt is None:
            continue
        values = (int(value) for value, condition in _DEFAULT.findall(body) if not condition or condition in chosen)
        found[option] = (prompt.group(1), next(values))
    return found
