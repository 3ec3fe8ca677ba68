"""Griffe extension for the documentation site: roles such as ``:class:`~a.b.C``` in docstrings become plain code."""

from __future__ import annotations

import re
from typing import Any

import griffe

_ROLE = re.compile(r":(?:class|func|meth|mod|data|attr|py:\w+):`(~?)([\w.]+)`")


def plain_roles(text: str) -> str:
    """The text with every role replaced by its name in code quotes; ``~`` keeps the last part only.

    >>> plain_roles("see :class:`~tinysearch.core.program.Step` and :func:`run`")
    'see `Step` and `run`'
    """
    return _ROLE.sub(lambda found: f"`{found[2].rpartition('.')[2] if found[1] else found[2]}`", text)


class PlainRoles(griffe.Extension):
    """Applied by mkdocstrings to every object that it loads."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:  # noqa: ARG002 - the hook's signature
        """Rewrite one docstring."""
        if obj.docstring is not None:
            obj.docstring.value = plain_roles(obj.docstring.value)
