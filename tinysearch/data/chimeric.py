"""People put together from identities that never met: a known practice where no data of all modalities exist.

Such people are called chimeric or virtual (N. Poh and S. Bengio, MLMI 2005). Their modalities are
independent, which those of real people are not, so fusion looks better on them than it is.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt


def chimeric_people(counts: Mapping[str, int]) -> dict[str, npt.NDArray[np.int32]]:
    """Identity of each person in each modality: person i has identity i of the first one.

    Where a modality has fewer identities than the one before, they are gone through again, so that those who share one
    share those of all later modalities: people fall into as many groups as the scarcest modality has identities.

    Args:
        counts: identities by modality; the first one says how many people there are.

    Returns:
        int32 [people] by modality.
    """
    numbers = np.arange(next(iter(counts.values())), dtype=np.int32)
    people = {}
    for modality, count in counts.items():
        numbers = numbers % np.int32(max(count, 1))
        people[modality] = numbers
    return people
