"""The examples agree with torch: `tttdit-check --verify` of every stage."""

from __future__ import annotations

from pathlib import Path

import pytest

from tttdit import load_spec
from tttdit.testing import verify_plugin

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))
STAGES = [(path, stage.name) for path in EXAMPLES for stage in load_spec(path).stages]


@pytest.mark.parametrize(("path", "stage"), STAGES, ids=[f"{path.stem}-{stage}" for path, stage in STAGES])
def test_every_stage_of_every_example_agrees(path: Path, stage: str) -> None:
    (verified,) = verify_plugin(path, stage=stage)
    assert verified.name == stage
    assert verified.operators > 1000
    assert verified.parameters > 80
    if path.stem != "tiny":  # whose sizes are small as they are
        assert {key for key, _, _ in verified.sizes} >= {"video.height", "video.width", "model.width", "text.width"}
