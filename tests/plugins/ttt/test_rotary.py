"""Angles of RoPE, and tables that keep their precision and are shared."""

import math

import pytest
import torch
from torch import nn

from tttdit.plugins.ttt.rotary.module import RotaryTables, rotate, share_tables


def test_every_video_token_turns_by_its_frame_row_and_column():
    frames, rows, columns, K, theta = 3, 4, 5, 32, 10000.0
    tables = RotaryTables(2, frames, rows, columns, K, theta)
    assert tables.cos.shape == tables.sin.shape == (2 + frames * rows * columns, K // 2)
    for t, r, c in ((0, 0, 0), (2, 3, 4), (1, 0, 3)):
        angles = [
            position * theta ** (-2 * j / width)
            for position, width in ((t, K // 4), (r, 3 * K // 8), (c, 3 * K // 8))
            for j in range(width // 2)
        ]
        token = 2 + (t * rows + r) * columns + c
        torch.testing.assert_close(tables.cos[token], torch.tensor([math.cos(angle) for angle in angles]))
        torch.testing.assert_close(tables.sin[token], torch.tensor([math.sin(angle) for angle in angles]))


def test_text_does_not_turn():
    tables = RotaryTables(3, 1, 1, 2, 16, 10000.0)
    x = torch.randn(2, 5, 16)
    turned = rotate(x, tables.cos, tables.sin)
    assert torch.equal(turned[:, :4], x[:, :4])  # position 0 does not turn either
    assert not torch.equal(turned[:, 4], x[:, 4])


def test_pairs_are_neighbours():
    x = torch.tensor([[1.0, 0.0, 0.0, 2.0]])
    cos, sin = torch.tensor([0.6, 0.0]), torch.tensor([0.8, 1.0])
    torch.testing.assert_close(rotate(x, cos, sin), torch.tensor([[0.6, 0.8, -2.0, 0.0]]))


def test_head_width_that_does_not_split():
    with pytest.raises(ValueError, match="24 is not divisible by 16"):
        RotaryTables(1, 1, 1, 1, 24, 10000.0)


@pytest.mark.parametrize("cast", [torch.bfloat16, torch.float16])
def test_a_narrow_model_keeps_wide_tables(cast):
    model = nn.Sequential(RotaryTables(1, 20, 3, 4, 16, 10000.0), nn.Linear(2, 2))
    before = model[0].cos.clone()
    model.to(cast)
    assert model[1].weight.dtype == cast
    assert model[0].cos.dtype == torch.float32
    assert torch.equal(model[0].cos, before)
    assert model.double()[0].cos.dtype == torch.float64


def test_tables_are_no_part_of_the_state():
    assert not RotaryTables(1, 2, 2, 2, 16, 10000.0).state_dict()


def test_equal_tables_become_one_and_stay_one_on_another_device():
    parts = nn.ModuleList(nn.ModuleDict({"tables": RotaryTables(text, 2, 2, 2, 16, 10000.0)}) for text in (1, 1, 2))
    known = {}
    for part in parts:
        share_tables(part, known)
    assert parts[0]["tables"] is parts[1]["tables"]
    assert parts[0]["tables"] is not parts[2]["tables"]
    parts.to("meta")
    assert parts[0]["tables"].cos is parts[1]["tables"].cos
    assert {buffer.device.type for buffer in parts.buffers()} == {"meta"}
