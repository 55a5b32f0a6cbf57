"""A plan out of any outlooks: the least recomputation that fits, by brute force; and what other budgets would give."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttdit.checker.memory.front import front
from tttdit.checker.memory.settings import Outlook, Setting
from tttdit.checker.memory.surveying import Survey
from tttdit.checker.planning import plan
from tttdit.core.errors import UsageError

OUTSIDE = 7


def outlook(number: int, count: int, recomputed: int) -> Outlook:
    return Outlook(
        setting=Setting({"number": number}),
        saved_bytes=count // 2,
        peak_bytes=count,
        total_bytes=count,
        recompute_flops=recomputed,
        flops=1000 + recomputed,
        reserved_bytes=None,
        fits=None,
    )


def surveyed(outlooks: list[Outlook], budget: int | None) -> Survey:
    prediction: Any = SimpleNamespace(outside_bytes=OUTSIDE)
    stage: Any = None
    return Survey(
        stage=stage,
        prediction=prediction,
        own=outlooks[0],
        outlooks=tuple(outlooks),
        searched=len(outlooks),
        budget_bytes=budget,
    )


OUTLOOKS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=40).map(
    lambda pairs: [outlook(number, *pair) for number, pair in enumerate(pairs)]
)


@given(OUTLOOKS)
def test_no_outlook_is_better_than_one_of_the_front_and_each_is_no_better_than_one(every: list[Outlook]) -> None:
    best = front(every)
    for one in best:
        assert not any(
            other.total_bytes <= one.total_bytes
            and other.recompute_flops <= one.recompute_flops
            and (other.total_bytes, other.recompute_flops) != (one.total_bytes, one.recompute_flops)
            for other in every
        )
    for one in every:
        assert any(good.total_bytes <= one.total_bytes and good.recompute_flops <= one.recompute_flops for good in best)
    figures = [(one.total_bytes, one.recompute_flops) for one in best]
    assert figures == sorted(set(figures)), "from the fewest bytes up, each once"


@given(OUTLOOKS, st.integers(1, 45))
def test_a_plan_is_the_least_recomputation_that_fits(every: list[Outlook], budget: int) -> None:
    made = plan(surveyed(every, budget))
    fitting = [one for one in every if one.total_bytes + OUTSIDE <= budget]
    assert (made.searched, made.fitting) == (len(every), len(fitting))
    fewest = min(one.total_bytes for one in every)
    assert made.lacking_bytes == max(0, fewest + OUTSIDE - budget)
    assert made.closest.total_bytes == fewest
    if not fitting:
        assert made.chosen is None
        assert made.runners_up == ()
        assert made.lacking_bytes > 0
        return
    least = min((one.recompute_flops, one.total_bytes) for one in fitting)
    assert made.chosen is not None
    assert (made.chosen.recompute_flops, made.chosen.total_bytes) == least
    behind = [(one.recompute_flops, one.total_bytes) for one in made.runners_up]
    assert behind == sorted(behind)
    assert all(one >= least for one in behind)
    assert len(behind) <= 3


@given(OUTLOOKS, st.integers(1, 45))
def test_the_budgets_at_which_the_answer_changes(every: list[Outlook], budget: int) -> None:
    made = plan(surveyed(every, budget))
    if made.larger is not None:
        border = made.larger.total_bytes + OUTSIDE
        assert border > budget
        assert plan(surveyed(every, border)).chosen == made.larger
        assert plan(surveyed(every, border - 1)).chosen == made.chosen
    else:
        assert plan(surveyed(every, 1000)).chosen == made.chosen
    if made.chosen is not None:
        border = made.chosen.total_bytes + OUTSIDE
        assert plan(surveyed(every, border)).chosen == made.chosen
        assert plan(surveyed(every, border - 1)).chosen == made.smaller


@given(OUTLOOKS, st.integers(1, 45), st.integers(1, 45))
def test_a_larger_budget_never_costs_more_recomputation(every: list[Outlook], one: int, other: int) -> None:
    smaller, larger = (plan(surveyed(every, budget)).chosen for budget in sorted((one, other)))
    assert smaller is None or (larger is not None and larger.recompute_flops <= smaller.recompute_flops)


def test_a_setting_that_differs_in_nothing_is_no_runner_up() -> None:
    every = [outlook(0, 10, 5), outlook(1, 10, 5), outlook(2, 9, 6), outlook(3, 9, 6)]
    made = plan(surveyed(every, 100))
    assert made.chosen == every[0]
    assert made.runners_up == (every[2],)


def test_without_a_budget_there_is_no_plan() -> None:
    with pytest.raises(UsageError, match=r"there is no budget to plan for: name the GPU in hardware\.gpu"):
        plan(surveyed([outlook(0, 1, 1)], None))
