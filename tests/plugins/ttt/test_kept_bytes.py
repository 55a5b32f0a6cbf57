"""The table of docs/performance.md about what a mixer keeps for backward: its formulas are what torch keeps, its bytes are theirs."""

import math
from pathlib import Path

import pytest
import torch

from tttdit.core.regions import Regions
from tttdit.plugins.ttt_linear.module import TTTLinearMixer
from tttdit.plugins.ttt_mlp.module import TTTMLPMixer

torch.set_num_threads(1)

PAGE = Path(__file__).resolve().parents[3] / "docs" / "performance.md"
COLUMNS = {"ttt-mlp": 3, "ttt-linear": 4}
MIXERS = {"ttt-mlp": TTTMLPMixer, "ttt-linear": TTTLinearMixer}
LARGE = {"B": 1, "L": 51456, "D": 3072, "A": 48, "K": 64, "g": 16, "s": 2}


class ScanGroups(Regions):
    """Scan groups of a given size."""

    def __init__(self, size):
        super().__init__()
        self.size = size

    def group_size(self, name, count):
        return self.size


def table() -> list[list[str]]:
    """The rows' cells."""
    text = PAGE.read_text("utf-8").partition("## What a mixer keeps for backward")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def worth(formula: str, **sizes: int) -> int:
    return eval(formula.strip("`"), {"ceil": math.ceil, **sizes})


@pytest.mark.parametrize("mixer", MIXERS)
def test_the_bytes_are_the_formulas_at_nine_seconds(mixer):
    *rows, together = table()
    counted = 0
    for row in rows:
        if row[COLUMNS[mixer]]:
            value = worth(row[2], **LARGE, b=64 if mixer == "ttt-mlp" else 16)
            assert row[COLUMNS[mixer]] == f"{value:,}", row[0]
            counted += value
    assert together[COLUMNS[mixer]] == f"{counted:,}"


@pytest.mark.parametrize("mixer", MIXERS)
@pytest.mark.parametrize(
    ("dtype", "batch", "group"), [(torch.float32, 1, 2), (torch.bfloat16, 3, 4), (torch.bfloat16, 1, 99)]
)
def test_the_formulas_are_what_torch_keeps(mixer, dtype, batch, group):
    module = MIXERS[mixer](
        width=64,
        heads=2,
        latent_frames=7,
        grid_height=2,
        grid_width=2,
        segments=3,
        tokens_per_segment=4,
        attention_frames=2,
        prefix_frames=1,
        rope_theta=10000.0,
        mini_batch_size=4,
        base_learning_rate=0.1,
        learning_rates="token",
        ttt_norm_eps=1e-6,
        norm_eps=1e-6,
        regions=ScanGroups(group),
    ).to(dtype)
    kept = {}

    def keep(x):
        kept[x.untyped_storage().data_ptr()] = x.untyped_storage()
        return x

    L = 7 * 4 + 3 * 4
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
        module(torch.randn(batch, L, 64, dtype=dtype, requires_grad=True))
    for given in (*module.parameters(), *module.buffers()):
        kept.pop(given.untyped_storage().data_ptr(), None)
    sizes = {"B": batch, "L": L, "D": 64, "A": 2, "K": 32, "b": 4, "g": group, "s": dtype.itemsize}
    want = sum(worth(row[2], **sizes) for row in table()[:-1] if row[COLUMNS[mixer]])
    assert sum(storage.nbytes() for storage in kept.values()) == want
