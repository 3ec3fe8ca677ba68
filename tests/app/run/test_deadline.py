"""A run's timeout counts from its start: a space that takes longer to build is refused."""

from __future__ import annotations

import pytest

from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.run.setup import set_up
from tinysearch.core.errors import UserError


def test_a_space_that_cannot_be_built_in_time_is_refused_at_once() -> None:
    config = plain(compose_config(["trainer=none", "timeout=0.001s"]))
    with pytest.raises(UserError, match=r"time to build its space, and then to search it; got timeout=0.001s"):
        set_up(config)
