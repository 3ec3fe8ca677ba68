"""Check an emitted project: host build and run, sanitizers, target instruction set, error rate, ESP-IDF's rules.

  python -m tinysearch verify PATH [run_dir=DIR] [--json]

A project in a run directory is also judged by the people whom its networks were tested on: its C must give the error
rate that the search measured. run_dir=DIR names the run of a project that lies elsewhere.
Rungs that need a tool which is not installed say `not run` and what to install. Exit status 1 if a rung failed.
"""

from __future__ import annotations

import json

from tinysearch.app.console import say
from tinysearch.app.invocation import INTERNAL, OK, Invocation
from tinysearch.core.errors import UserError
from tinysearch.core.trust import trust_words
from tinysearch.files import home_path


def run(invocation: Invocation) -> int:
    """Climb the rungs and report each."""
    from tinysearch.app.run.held_out import held_out_source
    from tinysearch.firmware.verify import verify

    named = [word.removeprefix("run_dir=") for word in invocation.overrides if word.startswith("run_dir=")]
    code = [word for word in invocation.overrides if word.partition("=")[0] in ("plug_ins", "data.name")]
    trust_words(code)
    if len(invocation.words) != 1 or len(named) + len(code) != len(invocation.overrides) or len(named) > 1:
        raise UserError(
            "verify takes the folder of one emitted project",
            value=" ".join((*invocation.words, *invocation.overrides)) or "nothing",
            remedy="write python -m tinysearch verify runs/.../firmware/<id>",
        )
    project = home_path(invocation.words[0])
    rungs = verify(project, held_out=held_out_source(project, home_path(named[0]) if named else None))
    if invocation.json:
        say(json.dumps({"rungs": [rung.to_dict() for rung in rungs]}, indent=2))
    else:
        for rung in rungs:
            say(f"{rung.status:8} {rung.name:16} {rung.detail}")
    return INTERNAL if any(rung.status == "failed" for rung in rungs) else OK
