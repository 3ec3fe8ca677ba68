"""Check or repair the journal of a run, in which every line has a digest of itself.

  python -m tinysearch journal check runs/20261122-101500
  python -m tinysearch journal repair runs/20261122-101500

Repair keeps whole lines as they are, and sets damaged ones aside in journal.damaged.log beside; it deletes nothing. A
trial whose line was damaged keeps its number, marked as lost; go on with the search, and it proposes anew. What was
trained is in the cache and is not trained again. While a search is running there it refuses. Check changes nothing.
"""

from __future__ import annotations

from contextlib import nullcontext

from tinysearch.app.console import say
from tinysearch.app.invocation import OK, WRONG_INPUT, Invocation
from tinysearch.core.errors import UserError
from tinysearch.files import home_path
from tinysearch.report.wording import count
from tinysearch.search.study import storage
from tinysearch.search.study.repair import plan_repair, repair

_DONE = {"check": "damaged", "repair": "set aside in journal.damaged.log"}


def run(invocation: Invocation) -> int:
    """Say what is damaged and what becomes of it; a check of a damaged journal has the status of wrong input."""
    if len(invocation.words) != 2 or invocation.words[0] not in _DONE or invocation.overrides:
        raise UserError(
            "journal must be followed by check or repair and the folder of a run",
            value=" ".join((*invocation.words, *invocation.overrides)) or "nothing",
            remedy="write python -m tinysearch journal check RUN",
        )
    action, folder = invocation.words[0], home_path(invocation.words[1])
    path = folder / storage.JOURNAL
    if not path.is_file():
        raise UserError("a run directory must hold journal.log", value=folder, remedy="name the run_dir of a search")
    with storage.run_lock(folder) if action == "repair" else nullcontext():
        plan = plan_repair(path, study=storage.STUDY_NAME, rules=storage.RULES)
        if action == "repair":
            repair(path, plan)
    for line in plan.damaged:
        say(f"line {line.number} {line.problem}: {_DONE[action]}")
    if plan.without_digest:
        say(f"{count(plan.without_digest, 'line')} of an older version or another program without a digest")
    if plan.rules_lost:
        say("the rules that the run was begun under are lost; the next search in it takes its own for them")
    say(f"{count(plan.kept, 'trial')} kept, {plan.lost} lost")
    return WRONG_INPUT if action == "check" and plan.damaged else OK
