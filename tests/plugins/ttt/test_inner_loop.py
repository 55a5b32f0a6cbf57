"""TTD715: a stage whose inner loop is not that of the stage before."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tttdit.core.findings import Finding

Check = Callable[..., tuple[Finding, ...]]

STAGES = """
[[stage]]
name = "first"

[[stage]]
name = "second"
{}
"""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("mini_batch_size = 32", "mini_batch_size = 32 was 64"),
        ("base_learning_rate = 1.0", "base_learning_rate = 1.0 was 0.1"),
        ('learning_rates = "upstream"', 'learning_rates = "upstream" was "token"'),
        ("ttt_norm_eps = 1e-8", "ttt_norm_eps = 1e-08 was 1e-06"),
    ],
)
def test_another_inner_loop(change: str, told: str, check_spec: Check) -> None:
    (finding,) = check_spec(STAGES.format(f"model.mixer.{change}"))
    assert (finding.code, finding.severity, finding.stage) == ("TTD715", "warning", "second")
    assert finding.message == f"model.mixer.{told} in the stage before, with which its weights were trained"


@pytest.mark.parametrize(
    "change",
    [
        "training.steps = 1000",
        'model.mixer.base_learning_rate = 1.0\ncheckpoint.init_from = "x"',  # weights of their own
    ],
)
def test_the_same_or_a_new_start(change: str, check_spec: Check) -> None:
    assert check_spec(STAGES.format(change)) == ()


def test_of_another_mixer_something_else_is_said(check_spec: Check) -> None:
    found = check_spec(STAGES.format('model.mixer = { plugin = "ttt-linear" }'))
    assert [finding.code for finding in found] == ["TTD712"]
