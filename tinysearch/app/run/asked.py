"""Which questions have had an answer, so that a new question is answered at once and asking again makes it better.

``training_time=auto`` counts the training that remembered branches took towards the first answer to a question, and
lets every later run of the same question train for as long again. A question is what a run may not change when it
resumes: space, budget, data, trainer and the like.
"""

from __future__ import annotations

import logging
from pathlib import Path

logger = logging.getLogger(__name__)


def asked_before(cache: Path, question: str) -> bool:
    """Whether a run came to its end on this cache with this question.

    Args:
        cache: folder of remembered branches.
        question: digest of the run's rules.
    """
    return (cache / "asked" / question).is_file()


def remember_asked(cache: Path, question: str) -> None:
    """Note that a question has had its answer."""
    mark = cache / "asked" / question
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    except OSError as error:
        logger.warning("the next run of the same question will not know of this one: %s", error)
