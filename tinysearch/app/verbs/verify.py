"""Check an emitted project: host build and run, sanitizers, target instruction set, ESP-IDF's rules.

  python -m tinysearch verify PATH [--json]

Rungs that need a tool which is not installed say `not run` and what to install. Exit status 1 if a rung failed.
"""

from __future__ import annotations

import json
from pathlib import Path

from tinysearch.app.cli import INTERNAL, OK, Invocation
from tinysearch.core.errors import UserError


def run(invocation: Invocation) -> int:
    """Climb the rungs and report each."""
    from tinysearch.firmware.verify import verify

    if len(invocation.words) != 1 or invocation.overrides:
        raise UserError(
            "verify takes the folder of one emitted project",
            value=" ".join((*invocation.words, *invocation.overrides)) or "nothing",
            remedy="write python -m tinysearch verify runs/.../firmware/<id>",
        )
    rungs = verify(Path(invocation.words[0]))
    if invocation.json:
        print(json.dumps({"rungs": [rung.to_dict() for rung in rungs]}, indent=2))
    else:
        for rung in rungs:
            print(f"{rung.status:8} {rung.name:16} {rung.detail}")
    return INTERNAL if any(rung.status == "failed" for rung in rungs) else OK
