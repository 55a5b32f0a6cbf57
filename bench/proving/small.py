"""Hundreds of random specs, small enough to be trained on real tensors in a moment."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from random_specs import STRANGER, MemoryCase, memory_cases

import tttdit
from proving.case import Case, case_of, cause_of
from tttdit.core.runtime.measuring import measure


def random_cases(count: int, seeded: int, done: Callable[[Case], None]) -> None:
    """Draws specs, and gives each to `done` when it has been predicted and measured."""

    @seed(seeded)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(drawn=memory_cases())
    def each(drawn: MemoryCase) -> None:
        done(compared(drawn))

    each()


def compared(drawn: MemoryCase) -> Case:
    """Predicts and measures one spec; where the two differ, says why."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.toml"
        path.write_text(drawn.toml, "utf-8")
        spec = tttdit.load_spec(path, allow_plugins=[STRANGER])
        prediction = tttdit.predict_memory(spec, dtype=drawn.dtype)
        (stage,) = spec.stages
        case = case_of(f"{drawn.toml}# {drawn.dtype}", prediction, measure(stage, drawn.dtype))
        if case.exact:
            return case
        return case_of(case.name, prediction, case.measured, cause_of(stage, drawn.dtype))
