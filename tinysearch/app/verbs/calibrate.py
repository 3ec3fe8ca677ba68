"""Fit the latency table from a device's serial log, or from instruction counts on the emulated RV32IMC.

  python -m tinysearch calibrate serial.log runs/.../firmware/<id> out=my_table.yaml
  python -m tinysearch budget=15usd latency.table=my_table.yaml
  python -m tinysearch calibrate emulator out=counts.yaml

The log holds what the command `benchmark` of an emitted project prints, from `benchmark CHIP HZ` to `OK benchmark`,
one line a layer: `layer BRANCH STEP CYCLES`; other lines are ignored. Logs that are cut short, whose repeats contradict
each other, or that would change a table beyond belief are refused. Layers of the kinds that the log covers become
calibrated on that chip's instruction set.
`emulator` counts networks of many shapes and prints how well the fit predicts networks that it has not seen; precisions
behind it (`emulator int8 xnor2/1`) leave the kernels of others as they are.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from rich.table import Table

from tinysearch.analytic.calibration import Observation, Residual, fit_factors, observe
from tinysearch.app.building.branches import branch_of_document
from tinysearch.app.building.wiring import Config, build_models, latency_table
from tinysearch.app.calibration.device_log import read_log
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.console import SafeConsole, say
from tinysearch.app.invocation import OK, Invocation
from tinysearch.catalog.tables import calibration_document
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.platform import Chip
from tinysearch.core.program import lower
from tinysearch.core.task import Input
from tinysearch.files import home_path, write_atomically, writing
from tinysearch.inputs.kind import make_kind
from tinysearch.reading import read_text


def run(invocation: Invocation) -> int:
    """Calibrate from what the words name."""
    config = plain(compose_config(invocation.overrides))
    if config["out"] is None:
        raise UserError(
            "calibrate must be told where to write the table", value="out is not set", remedy="add out=my_table.yaml"
        )
    out = Path(config["out"])
    if not os.access(out.absolute().parent, os.W_OK):
        raise UserError(
            "calibrate must be told to write into a folder of yours",
            value=out,
            remedy="name another with out=FILE.yaml",
        )
    match invocation.words:
        case ["emulator", *precisions]:
            from tinysearch.app.calibration.counting import write_counted_table

            write_counted_table(config, out, precisions=precisions)
        case [log, project]:
            if out.absolute() == home_path(log).absolute():
                raise UserError(
                    "calibrate must write another file than it reads",
                    value=out,
                    remedy="name another file with out=FILE.yaml",
                )
            _from_log(config, home_path(log), home_path(project), out)
        case _:
            raise UserError(
                "calibrate must be given a log and the project that printed it, or emulator",
                value=" ".join(invocation.words) or "nothing",
                remedy="see python -m tinysearch calibrate --help",
            )
    return OK


def _from_log(config: Config, log: Path, project: Path, out: Path) -> None:
    models = build_models(config)
    candidate = _candidate(project)
    processor = candidate["platform"].get("chip", candidate["platform"]["processor"])
    base = latency_table(config, models.catalog)
    default = latency_table({**config, "latency": {**config["latency"], "table": None}}, models.catalog)
    observations = _observations(log, candidate, models.catalog.chip(processor))
    source = f"benchmark of {candidate['id']} on {processor}, {log.name}"
    table, residuals = fit_factors(
        base,
        observations,
        processor=processor,
        source=source,
        date=date.today().isoformat(),
    )
    # against the default, so that what latency.table=FILE had measured before stays in the new file
    document = calibration_document(table, default) | {"name": out.stem}
    with writing(out):
        write_atomically(out.absolute(), yaml.safe_dump(document, sort_keys=False).encode())
    _print(residuals)
    say(f"{out}: use it with latency.table={out}")


def _candidate(project: Path) -> dict[str, Any]:
    path = project / "candidate.json"
    try:
        candidate = dict(json.loads(read_text(path)))
        str(candidate["id"]), str(candidate["platform"]["processor"])
        for modality, branch in candidate["branches"].items():
            _branch(modality, branch, _facts(candidate, modality))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(
            "the project must be one that emit wrote, with its candidate.json",
            value=path,
            remedy="name the project's folder",
        ) from error
    return candidate


def _observations(log: Path, candidate: Mapping, chip: Chip) -> list[Observation]:  # type: ignore[type-arg]
    device = read_log(log, target=chip.idf_target)
    observations = []
    for modality, steps in device.cycles.items():
        if modality not in candidate["branches"]:
            raise UserError("a log must be of the project that it is read with", value=modality, remedy="check both")
        facts = _facts(candidate, modality)
        branch = _branch(modality, candidate["branches"][modality], facts)
        program = lower(branch.network(), branch.precision)
        backends = {} if modality in device.fallen_back else _backends(facts)
        observations += observe(program, steps, fpu=chip.fpu, backends=backends)
    return observations


def _facts(candidate: Mapping, modality: str) -> Mapping:  # type: ignore[type-arg]
    """What the firmware of a branch was given: which steps a backend computes, and earlier its architecture."""
    facts: Mapping = candidate.get("firmware_facts", {}).get("branches", {}).get(modality, {})  # type: ignore[type-arg]
    return facts


def _backends(facts: Mapping) -> dict[str, str]:  # type: ignore[type-arg]
    """Backends by step, of a branch that has any."""
    return dict.fromkeys(facts.get("backend_steps", ()), facts.get("backend", ""))


def _branch(modality: str, document: Mapping, facts: Mapping) -> BranchSpec:  # type: ignore[type-arg]
    asked = Input(name=modality, kind=make_kind(document.get("input_kind") or "camera", {}))
    return branch_of_document(asked, {"architecture": facts.get("architecture"), **document})


def _print(residuals: Sequence[Residual]) -> None:
    table = Table("arithmetic", "kernel", "layers", "factor", "worst left", box=None)
    for row in residuals:
        table.add_row(row.arithmetic, row.kernel, str(row.layers), f"{row.factor:.3f}", f"{row.worst:.1%}")
    SafeConsole().print(table)
