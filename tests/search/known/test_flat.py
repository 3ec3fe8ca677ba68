from __future__ import annotations

import numpy as np
import pytest
from toy_space import ToySpace


def test_a_design_and_its_setting_are_two_spellings_of_one(space):
    rng = np.random.default_rng(0)
    for row in rng.choice(len(space.table), 30):
        candidate = space.table.candidate(int(row))
        platform = candidate.platform
        params = space.flat.encode(
            candidate.branches,
            processor=platform.processor,
            flash_bytes=platform.flash_bytes,
            psram_bytes=platform.psram_bytes,
            rng=rng,
        )
        assert params.keys() == space.flat.distributions().keys()
        for name, distribution in space.flat.distributions().items():
            assert distribution._contains(distribution.to_internal_repr(params[name]))
        point = space.flat.decode(params)
        assert point.branches == candidate.branches
        assert (point.processor, point.flash_bytes) == (platform.processor, platform.flash_bytes)


def test_what_does_not_vary_is_no_variable_and_what_varies_is():
    narrow, wide = ToySpace(), ToySpace(widths=(8, 16))
    assert "face_width" not in narrow.flat.distributions()
    assert "face_width" in wide.flat.distributions()
    assert "face_input_size" not in wide.flat.distributions()


def test_a_value_of_elsewhere_is_an_error(space):
    branch = space.branches[0]
    with pytest.raises(KeyError, match="processor"):
        space.flat.encode([branch], processor="z80", flash_bytes=1 << 20, psram_bytes=0, rng=np.random.default_rng(0))
