"""Check an emitted project: files, host build and run, sanitizers, target instruction set, error rate, ESP-IDF's rules.

  python -m tinysearch verify PATH [run_dir=DIR] [far=RATE] [accept=[FILE,..]] [--json]
  python -m tinysearch verify PATH network=FILE [calibration=FILE] [labels=FILE] [task=TASK] [accept=[FILE,..]] [--json]

A project in a run directory is also compared with what its run emits, every file (a project that was emitted with
another far= is compared with that one), and judged by the people whom its networks were tested on: its C must give the
error rate that the search measured. run_dir=DIR names the run of a project that lies elsewhere; without a run
candidate.json is believed in what it says of thresholds and weights. network=FILE does the same for the project of a
network of your own, with the samples, labels, task and platform.module that it was emitted with.
A source file that is not as it was emitted fails the rung `files`. Who changed it on purpose names it, or a pattern of
paths: accept=[main/app_lock.c,main/own_*].
Nothing of a project is compiled or run before the rung `code` has passed: what builds read is the package's own, or its
templates filled with data, or what the run emits, or accepted.
Rungs that need a tool which is not installed say `not run` and what to install. Exit status 1 if a rung failed.
"""

from __future__ import annotations

import json

from tinysearch.app.building.decision import far_of
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.config.resources import data_dir
from tinysearch.app.console import say
from tinysearch.app.invocation import INTERNAL, OK, Invocation
from tinysearch.core.errors import UserError
from tinysearch.core.trust import trust_words
from tinysearch.distribution import installed_version
from tinysearch.files import home_path

_CODE = ("plug_ins", "data.name", "trainer.name", "firmware.backend")
_OF_NETWORKS = ("network", "calibration", "labels", "rounding", "task", "platform.module")
_OPTIONS = ("run_dir", "far", "accept", *_OF_NETWORKS, *_CODE)


def run(invocation: Invocation) -> int:
    """Climb the rungs and report each."""
    from tinysearch.app.networks import asks_for_network
    from tinysearch.app.networks.again import again_source as network_source
    from tinysearch.app.run.again import again_source
    from tinysearch.app.run.held_out import held_out_source
    from tinysearch.app.run.run_dir import read_config
    from tinysearch.catalog.idf_options import load_idf_options
    from tinysearch.firmware.verify import Package, verify

    pairs = [word.partition("=")[::2] for word in invocation.overrides]
    named = [value for key, value in pairs if key == "run_dir"]
    accept = [name.strip("\"' ") for key, value in pairs if key == "accept" for name in value.strip("[]").split(",")]
    trust_words([f"{key}={value}" for key, value in pairs if key in _CODE])
    if len(invocation.words) != 1 or len(named) > 1 or any(key not in _OPTIONS for key, _ in pairs):
        raise UserError(
            "verify must be given the folder of one emitted project",
            value=" ".join((*invocation.words, *invocation.overrides)) or "nothing",
            remedy="write python -m tinysearch verify runs/.../firmware/<id>",
        )
    project, run_dir = home_path(invocation.words[0]), home_path(named[0]) if named else None
    if run_dir is not None:
        read_config(run_dir)
    rates = [word for word in invocation.overrides if word.startswith("far=")]
    levels = far_of(plain(compose_config(rates))) if rates else None
    of_network = [word for word in invocation.overrides if word.partition("=")[0] in _OF_NETWORKS]
    asks = asks_for_network(of_network)
    rungs = verify(
        project,
        held_out=held_out_source(project, run_dir),
        again=network_source(project, of_network) if asks else again_source(project, run_dir, levels=levels),
        package=Package(templates=data_dir("firmware_templates"), version=installed_version()),
        accept=accept,
        options=load_idf_options(data_dir("hardware_catalog") / "software/kconfig.yaml"),
    )
    if invocation.json:
        say(json.dumps({"rungs": [rung.to_dict() for rung in rungs]}, indent=2))
    else:
        for rung in rungs:
            say(f"{rung.status:8} {rung.name:16} {rung.detail}")
    return INTERNAL if any(rung.status == "failed" for rung in rungs) else OK
