"""TTD303: a window that covers everything, held against the mixer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import tttdit

SPEC = """
[video]
pixel_frames = {frames}
fps = 16
height = 32
width = 32

[text]
segments = {segments}
tokens_per_segment = 3
width = 8

[model]
plugin = "ttt-dit"
width = 32
heads = 2
layers = 1

[model.mixer]
plugin = "sliding-window"
{neighbours}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Callable[[int, int | None], Path]:
    def written(segments: int, neighbours: int | None) -> Path:
        path = tmp_path / "spec.toml"
        line = "" if neighbours is None else f"neighbours = {neighbours}"
        path.write_text(SPEC.format(frames=48 * segments + 1, segments=segments, neighbours=line))
        return path

    return written


@pytest.mark.parametrize(
    ("segments", "neighbours", "told"),
    [(3, 1, False), (3, 2, True), (3, 5, True), (2, 1, True), (2, None, False), (1, 1, False), (4, 2, False)],
)
def test_when_it_is_told(
    spec: Callable[[int, int | None], Path], segments: int, neighbours: int | None, told: bool
) -> None:
    report = tttdit.check(spec(segments, neighbours))
    assert [(finding.code, finding.severity) for finding in report.findings] == [("TTD303", "info")] * told


def test_more_neighbours_than_there_are_change_nothing(spec: Callable[[int, int | None], Path]) -> None:
    """As the page says."""
    outputs = []
    for neighbours in (2, 5, 1):
        torch.manual_seed(0)
        loaded = tttdit.load_spec(spec(3, neighbours))
        model = tttdit.build_model(loaded)
        (stage,) = loaded.stages
        sizes = [[*map(int, each.shape)] for each in stage.assembly.model.inputs(stage.model, stage.dims).values()]
        torch.manual_seed(1)
        outputs.append(model(torch.randn(sizes[0]), torch.randn(sizes[1]), torch.tensor([500])))
    assert torch.allclose(outputs[0], outputs[1], atol=1e-5)
    assert not torch.allclose(outputs[0], outputs[2], atol=1e-5)
