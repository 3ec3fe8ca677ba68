"""Try to break it: kills, damaged files, full disks, a database that goes away, words and files that nobody meant.

    python benchmarks/faults.py [--folder DIR] [--kinds "command lines,kills"] [--share 0.01] [--again]

Every answer must be success, or exit status 2 with one line, within ten seconds; nothing that was there may be lost.
Results are kept in DIR, so that the same command goes on where it was stopped; --again repeats what was wrong there.
--share takes a part of the cases. Run it with ``nice``: the full form takes about an hour of a processor.

The last line is one JSON object: tried, lost, tracebacks, slowest_s, other (statuses, lines, slow answers).
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "search"))

from fault_kinds import Trial, answers, commands, documents, runs

LIMIT_S = 10.0
CASES = {
    "kills": 60,
    "damaged runs": 500,
    "damaged networks": 300,
    "full disk": 30,
    "database gone": 8,
    "command lines": 6_000,
    "command lines, typed": 60,
    "files": 4_800,
    "recordings and pictures": 1_200,
}
MODULES = (runs, commands, documents)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is kept of one trial."""

    kind: str
    case: int
    what: str
    commands: tuple[tuple[str, ...], ...]
    said: str
    lost: int
    tracebacks: int
    other: str | None
    wall_s: float
    processor_s: float

    @property
    def fine(self) -> bool:
        """Whether nothing was wrong."""
        return not (self.lost or self.tracebacks or self.other)


def judged(kind: str, case: int, trial: Trial) -> Found:
    """A trial by the rules above."""
    complaints = [answer.complaint for answer in trial.answers]
    slow = [answer.processor_s for answer in trial.answers if answer.processor_s > LIMIT_S]
    other = [text for text in (*complaints, trial.wrong) if text not in (None, "traceback")]
    other += [f"took {seconds:.1f} s of the processor" for seconds in slow]
    bad = next((answer for answer in trial.answers if answer.complaint), trial.answers[-1])
    return Found(
        kind=kind,
        case=case,
        what=trial.what[:400],
        commands=tuple(answer.words for answer in trial.answers),
        said=bad.said[-2500:],
        lost=trial.lost,
        tracebacks=complaints.count("traceback"),
        other="; ".join(other) or None,
        wall_s=max(answer.wall_s for answer in trial.answers),
        processor_s=max(answer.processor_s for answer in trial.answers),
    )


def tried(kind: str, cases: Iterable[int], *, seed: int = 0) -> Iterator[Found]:
    """Cases of a kind, each in a folder of its own and out of a seed of its own."""
    every: Mapping[str, Callable[..., Iterator[Trial]]] = {k: v for module in MODULES for k, v in module.KINDS.items()}
    place = list(every).index(kind)
    for case in cases:
        folder = Path(tempfile.mkdtemp(prefix="tinysearch-fault-"))
        try:
            for trial in every[kind](folder, np.random.default_rng([seed, place, case]), case):
                yield judged(kind, case, trial)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def warm() -> None:
    """Make this process ready to fork commands."""
    answers.warm(*(words for module in MODULES for words in module.WARM))


def known(path: Path) -> dict[tuple[str, int], Found]:
    """What an earlier run has left."""
    lines = path.read_text().splitlines() if path.exists() else []
    rows = [Found(**json.loads(line)) for line in lines if line.endswith("}")]
    return {(row.kind, row.case): row for row in rows}


def main() -> int:
    """Try what was not tried, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "tinysearch-faults")
    parser.add_argument("--kinds", default=",,".join(CASES), help="separated by two commas")
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--again", action="store_true")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    path = asked.folder / "results.jsonl"
    results = known(path)
    if asked.again:
        results = {key: row for key, row in results.items() if row.fine}
    warm()
    with path.open("a") as kept:
        for kind in asked.kinds.split(",,"):
            cases = [case for case in range(round(CASES[kind] * asked.share)) if (kind, case) not in results]
            started = time.perf_counter()
            for count, found in enumerate(tried(kind, cases), 1):
                results[found.kind, found.case] = found
                kept.write(json.dumps(asdict(found)) + "\n")
                kept.flush()
                if not found.fine:
                    print(
                        f"{kind} {found.case}: {found.other or 'traceback'}, lost {found.lost}: {found.what[:150]!r}",
                        flush=True,
                    )
                if count % 100 == 0:
                    pace = (time.perf_counter() - started) / count
                    print(f"{kind}: {count} of {len(cases)}, {pace * (len(cases) - count):.0f} s left", file=sys.stderr)
    return report(list(results.values()))


def report(rows: list[Found]) -> int:
    """The table and the last line."""
    table = Table(
        "kind of fault", "tried", "lost", "tracebacks", "other", "slowest, s", "of the processor, s", box=None
    )
    for kind in CASES:
        own = [row for row in rows if row.kind == kind]
        if own:
            table.add_row(kind, *map(str, figures(own).values()), f"{max(row.processor_s for row in own):.1f}")
    Console().print(table)
    print(json.dumps(figures(rows)))
    return int(not all(row.fine for row in rows))


def figures(rows: list[Found]) -> dict[str, float]:
    """Sums over some trials."""
    return {
        "tried": len(rows),
        "lost": sum(row.lost for row in rows),
        "tracebacks": sum(row.tracebacks for row in rows),
        "other": sum(row.other is not None for row in rows),
        "slowest_s": round(max((row.wall_s for row in rows), default=0.0), 1),
    }


if __name__ == "__main__":
    sys.exit(main())
