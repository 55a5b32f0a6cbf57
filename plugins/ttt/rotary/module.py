"""Rotary position embeddings (RoPE) over time, rows and columns.

K is the head width. A quarter of it turns with the frame, three eighths with the row, three eighths with the column; pairs are neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from tttdit.core.naming import named
from tttdit.core.runtime.tables import Tables


class RotaryTables(Tables):
    """cos and sin [text + frames * rows * columns, K/2]: see `angles`."""

    cos: Tensor
    sin: Tensor

    def __init__(self, text: int, frames: int, rows: int, columns: int, head_width: int, theta: float) -> None:
        super().__init__()
        self.text, self.grid = text, (frames, rows, columns)
        self.head_width, self.theta = head_width, theta
        self.reset_parameters()

    def make(self, dtype: torch.dtype, device: torch.device) -> Mapping[str, Tensor]:
        """cos and sin."""
        cos, sin = angles(self.text, self.grid, self.head_width, self.theta, dtype, device)
        return {"cos": cos, "sin": sin}


def angles(
    text: int, grid: tuple[int, int, int], head_width: int, theta: float, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor]:
    """cos and sin [text + frames * rows * columns, K/2] of every token's turns: text rows, which do not turn, then video rows.

    Video tokens are in (frame, row, column) order, and positions start at 0 on every axis. Raises ValueError where K does not split.
    """
    if head_width % 16 != 0:
        raise ValueError(
            f"RoPE splits a head's width into 1/4 for time and 3/8 each for rows and columns, in pairs: "
            f"{head_width} is not divisible by 16"
        )
    eighth = head_width // 8
    axes = zip(grid, (eighth, 3 * eighth // 2, 3 * eighth // 2), strict=True)
    turns = [_turns(positions, pairs, theta, device) for positions, pairs in axes]
    return (
        _table([turn.cos().to(dtype) for turn in turns], text, 1.0),
        _table([turn.sin().to(dtype) for turn in turns], text, 0.0),
    )


def _table(axes: list[Tensor], text: int, still: float) -> Tensor:
    """The three axes' tables [positions, pairs] side by side for every video token, under `text` rows that are `still`."""
    time, row, column = axes
    grid = (time.shape[0], row.shape[0], column.shape[0])
    placed = (time.unsqueeze(1).unsqueeze(1), row.unsqueeze(1), column)
    video = torch.cat([axis.expand(*grid, axis.shape[-1]) for axis in placed], 3).flatten(0, 2)
    return torch.cat((video.new_full((text, video.shape[1]), still), video), 0)


def _turns(positions: int, pairs: int, theta: float, device: torch.device) -> Tensor:
    """Angles [positions, pairs] of an axis: pair j turns by position * theta^(-j / pairs). float64."""
    speeds = (torch.arange(pairs, dtype=torch.float64, device=device) * (-math.log(theta) / pairs)).exp()
    return torch.outer(torch.arange(positions, dtype=torch.float64, device=device), speeds)


def apply_rope(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """`rotate` for queries and keys in a module's forward: a check lists both sides, and calls them by name where they do not fit."""
    first, second = _pairs(x)
    return _turned(named("what_RoPE_turns", first), second, named("RoPE", cos), sin)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turns the pairs of neighbours in x [..., K] by angles whose cos and sin [..., K/2] broadcast against x's pairs."""
    return _turned(*_pairs(x), cos, sin)


def _pairs(x: Tensor) -> tuple[Tensor, Tensor]:
    """x [..., K] as the first and the second of each pair, [..., K/2]."""
    first, second = x.unflatten(-1, (x.shape[-1] // 2, 2)).unbind(-1)
    return first, second


def _turned(first: Tensor, second: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    return torch.stack((first * cos - second * sin, second * cos + first * sin), -1).flatten(-2)
