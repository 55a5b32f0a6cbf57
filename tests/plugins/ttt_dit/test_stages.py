"""TTD716: a stage whose windows or positions are not those of the stage before."""

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
        ("model.rope_theta = 20000.0", "model.rope_theta = 20000.0 was 10000.0"),
        ("model.norm_eps = 1e-5", "model.norm_eps = 1e-05 was 1e-06"),
        ("model.attention_frames = 18", "model.attention_frames = 18 was 12"),
    ],
)
def test_another_geometry(change: str, told: str, check_spec: Check) -> None:
    (finding,) = check_spec(STAGES.format(change))
    assert (finding.code, finding.severity, finding.stage) == ("TTD716", "warning", "second")
    assert finding.message == f"{told} in the stage before, whose weights this one starts with"


@pytest.mark.parametrize("change", ['model.adapter = "qkvo"', 'model.rope_theta = 2e4\ncheckpoint.init_from = "x"'])
def test_the_same_or_a_new_start(change: str, check_spec: Check) -> None:
    assert check_spec(STAGES.format(change)) == ()
