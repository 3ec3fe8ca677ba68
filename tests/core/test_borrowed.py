"""Settings of a host's process that a guest changes for a while."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tinysearch.core.borrowed import Borrowed


def test_a_setting_comes_back_whoever_ends_last() -> None:
    values = [7]
    setting = Borrowed(lambda: values[-1], values.append)
    first, second = ExitStack(), ExitStack()
    first.enter_context(setting.as_(1))
    second.enter_context(setting.as_(2))
    assert values[-1] == 2
    first.close()
    assert values[-1] == 2
    second.close()
    assert values[-1] == 7
    values.append(8)  # the host has changed its mind
    with pytest.raises(RuntimeError), setting.as_(3):
        assert values[-1] == 3
        raise RuntimeError
    assert values[-1] == 8
