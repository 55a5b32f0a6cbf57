"""Angles of RoPE."""

import math

import pytest
import torch

from tttdit.plugins.ttt.rotary.module import RotaryTables, rotate


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
