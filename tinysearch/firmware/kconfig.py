"""The options that menuconfig shows: of all that there are, those of a project's application and inputs."""

from __future__ import annotations

import re
from collections.abc import Collection

_PART = re.compile(r"^ *# only: (?P<topics>[a-z_ ]+)\n(?P<options>.*?)^ *# end\n", re.M | re.S)
_ABOUT = re.compile(r"^# A project gets .*\n", re.M)


def kconfig_for(whole: str, topics: Collection[str]) -> str:
    """``Kconfig.projbuild`` of one project.

    Args:
        whole: text with parts between ``# only: TOPIC ..`` and ``# end``.
        topics: ``lock`` or ``stream``, and the C files, without suffix, that read sensors on chips.

    Returns:
        The text without marks, and without parts that have none of the topics.
    """

    def kept(part: re.Match[str]) -> str:
        return part["options"] if set(part["topics"].split()) & set(topics) else ""

    shown = _PART.sub(kept, _ABOUT.sub("", whole))
    return re.sub(r"\n{3,}", "\n\n", shown)
