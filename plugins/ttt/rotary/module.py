"""Rotary position embeddings (RoPE) over time, rows and columns, and the constant tables that they are read from.

K is the head width. A quarter of it turns with the frame, three eighths with the row, three eighths with the column; pairs are neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import Tensor, nn


class Tables(nn.Module):
    """Non-persistent buffers that follow the model to its device, but not to a narrower dtype.

    An angle in bfloat16 is wrong by whole turns, so tables stay float32 in a model that is cast to bfloat16. `key` says
    what the tables are made from: two `Tables` of the same class and key are interchangeable, and `share_tables` makes them one.
    """

    def __init__(self, *key: Hashable) -> None:
        super().__init__()
        self.key = (type(self).__name__, *key)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Tables:
        before = dict(self._buffers)
        super()._apply(fn, recurse)
        for name, table in before.items():
            cast = self._buffers[name]
            if table is not None and cast is not None and cast.dtype.itemsize < table.dtype.itemsize:
                self._buffers[name] = table.to(cast.device)
        return self


def share_tables(module: nn.Module, known: dict[Any, Tables]) -> None:
    """Replaces each `Tables` inside a module by the equal one in `known`, where there is one, and adds it there otherwise.

    At 63 seconds a mixer's RoPE tables take 90 MB; without this, each of the 42 layers would have its own.
    """
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, Tables):
                setattr(parent, name, known.setdefault(child.key, child))


class RotaryTables(Tables):
    """cos and sin [text + frames * rows * columns, K/2], float32: text rows, which do not turn, then video rows.

    Video tokens are in (frame, row, column) order, and positions start at 0 on every axis. Raises ValueError where K does not split.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, text: int, frames: int, rows: int, columns: int, head_width: int, theta: float) -> None:
        super().__init__(text, frames, rows, columns, head_width, theta)
        if head_width % 16 != 0:
            raise ValueError(
                f"RoPE splits a head's width into 1/4 for time and 3/8 each for rows and columns, in pairs: "
                f"{head_width} is not divisible by 16"
            )
        eighth = head_width // 8
        turns = [
            _turns(frames, eighth, theta).view(frames, 1, 1, eighth),
            _turns(rows, 3 * eighth // 2, theta).view(1, rows, 1, 3 * eighth // 2),
            _turns(columns, 3 * eighth // 2, theta).view(1, 1, columns, 3 * eighth // 2),
        ]
        self.register_buffer("cos", self._table([turn.cos() for turn in turns], text, 1.0), persistent=False)
        self.register_buffer("sin", self._table([turn.sin() for turn in turns], text, 0.0), persistent=False)

    @staticmethod
    def _table(axes: list[Tensor], text: int, still: float) -> Tensor:
        """The three axes' tables side by side for every video token, under `text` rows that are `still`."""
        time, row, column = axes
        grid = (time.shape[0], row.shape[1], column.shape[2])
        video = torch.cat([axis.float().expand(*grid, axis.shape[3]) for axis in axes], 3).flatten(0, 2)
        return torch.cat((torch.full((text, video.shape[1]), still, dtype=torch.float32), video), 0)


def _turns(positions: int, pairs: int, theta: float) -> Tensor:
    """Angles [positions, pairs] of an axis: pair j turns by position * theta^(-j / pairs). float64."""
    speeds = (torch.arange(pairs, dtype=torch.float64) * (-math.log(theta) / pairs)).exp()
    return torch.outer(torch.arange(positions, dtype=torch.float64), speeds)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turns the pairs of neighbours in x [..., K] by angles whose cos and sin [..., K/2] broadcast against x's pairs."""
    first, second = x.unflatten(-1, (x.shape[-1] // 2, 2)).unbind(-1)
    return torch.stack((first * cos - second * sin, second * cos + first * sin), -1).flatten(-2)
