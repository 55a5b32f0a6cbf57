"""The noise levels of a sampler's steps."""

import numpy as np
import pytest

from tttdit.core.runtime.objective import amplitudes
from tttdit.core.runtime.sampling.schedule import levels


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 37, 50, 54, 250, 999])
def test_levels_go_from_noise_to_data(steps: int) -> None:
    found = levels(steps)
    assert [level.number for level in found] == np.linspace(999, 0, steps + 1)[:-1].astype(int).tolist()
    assert [level.following for level in found] == [*(level.a for level in found[1:]), 1.0]
    assert found[0].a == 0.0
    assert all(level.a < level.following for level in found)
    assert [(level.step, level.steps) for level in found] == [(step, steps) for step in range(steps)]


def test_the_share_that_the_model_knows_is_the_nearest() -> None:
    trained = amplitudes()
    for level in levels(50):
        assert abs(level.trained - level.a) == float((trained - level.a).abs().min())


@pytest.mark.parametrize("steps", [0, -1, 1000])
def test_more_steps_than_levels(steps: int) -> None:
    with pytest.raises(ValueError, match="steps do not have each its own"):
        levels(steps)
