"""Learning rates over the steps of a stage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttdit.core.runtime.training.schedules import rates
from tttdit.core.spec.tables import OptimizerTable, TrainingTable

OPTIMIZER = OptimizerTable(lr=1.0, lr_mixer=2.0, lr_end=0.5)


def test_rates_rise_in_equal_steps_and_fall_to_the_end() -> None:
    training = TrainingTable(steps=14, warmup_steps=4)
    rest = [rates(OPTIMIZER, training, step)[1] for step in range(14)]
    assert rest[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert rest[4:] == pytest.approx([1.0 - 0.05 * k for k in range(10)])


def test_the_cosine_is_half_way_down_in_the_middle() -> None:
    training = TrainingTable(steps=20, warmup_steps=0)
    assert rates(OPTIMIZER, training, 0)[0] == pytest.approx(2.0)
    assert rates(OPTIMIZER, training, 10)[0] == pytest.approx(1.25)
    assert rates(OPTIMIZER, training, 19)[0] == pytest.approx(0.5, abs=0.02)


@given(steps=st.integers(1, 500), warmup=st.integers(0, 600), schedule=st.sampled_from(["linear", "cosine"]))
def test_no_step_is_without_effect(steps: int, warmup: int, schedule: str) -> None:
    optimizer = OptimizerTable(lr=1e-3, lr_end=0.0, schedule=schedule)
    training = TrainingTable(steps=steps, warmup_steps=warmup)
    made = [rates(optimizer, training, step)[1] for step in range(steps)]
    assert all(0 < rate <= 1e-3 for rate in made)
    top = made.index(max(made))
    assert made[:top] == sorted(made[:top])
    assert made[top:] == sorted(made[top:], reverse=True)
