"""TTD304: what torch makes on no machine, held against torch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import tttdit
from tttdit.core.construction import construct
from tttdit.core.plugin.references import load
from tttdit.core.runtime.remat import RecomputedRegions

SPEC = """
[video]
seconds = 3
fps = 16
height = {rows}
width = {columns}

[text]
segments = 1
tokens_per_segment = 498
width = 4096

[model]
plugin = "ttt-dit"
width = {width}
heads = 48
layers = 1

[model.mixer]
plugin = "none"
"""


def refusal(path: Path) -> str:
    """What torch says, on a device that has no data, to a step of this model."""
    (stage,) = tttdit.load_spec(path).stages
    with torch.device("meta"):
        model = construct(load, stage, RecomputedRegions(stage.assembly.memory.strategy(stage.memory)))
        inputs = stage.assembly.model.inputs(stage.model, stage.dims).values()
        try:
            model(*(torch.empty([*map(int, each.shape)], dtype=getattr(torch, each.dtype)) for each in inputs))
        except RuntimeError as error:
            return str(error)
    return ""


@pytest.mark.parametrize(
    ("rows", "columns", "width", "is_too_large"), [(480, 720, 3072, False), (4800000, 7200000, 3072000, True)]
)
def test_torch_refuses_what_is_too_large(
    tmp_path: Path, rows: int, columns: int, width: int, is_too_large: bool
) -> None:
    path = tmp_path / "spec.toml"
    path.write_text(SPEC.format(rows=rows, columns=columns, width=width))
    report = tttdit.check(path)
    assert [finding.code for finding in report.findings] == ["TTD304"] * is_too_large
    assert ("Storage size calculation overflowed" in refusal(path)) == is_too_large
