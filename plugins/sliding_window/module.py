"""The sliding-window mixer: softmax attention of every segment to itself and to its neighbours, all windows at once.

Shapes: B batch, S segments, T text tokens of a segment, L = V + S T tokens, D width, A heads, K = D/A, r neighbours to either side,
P tokens of the longest segment, which is the first one: its text, the frames in front, its own frames.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tttdit.core.regions import Regions
from tttdit.core.runtime.tables import Tables, shared
from tttdit.plugins.ttt.rotary.module import RotaryTables, apply_rope
from tttdit.plugins.ttt.segments.geometry import Geometry


class SlidingWindowMixer(nn.Module):
    """x [B, L, D], text then video, to the same shape: tokens of segment i see those of the segments i - r ... i + r that exist.

    Frames, rows, columns, segments and text tokens are those of `Geometry`; `neighbours` is r. RoPE turns the video tokens by their place
    in the whole video. Raises ValueError for sizes that do not fit.
    """

    def __init__(
        self,
        *,
        width: int,
        heads: int,
        latent_frames: int,
        grid_height: int,
        grid_width: int,
        segments: int,
        tokens_per_segment: int,
        attention_frames: int,
        prefix_frames: int,
        rope_theta: float,
        norm_eps: float,
        neighbours: int,
        regions: Regions,
    ) -> None:
        super().__init__()
        if width % heads != 0:
            raise ValueError(f"width = {width} is not divisible by heads = {heads}")
        self.geometry = Geometry(
            latent_frames=latent_frames,
            grid_height=grid_height,
            grid_width=grid_width,
            segments=segments,
            tokens_per_segment=tokens_per_segment,
            attention_frames=attention_frames,
            prefix_frames=prefix_frames,
        )
        self.heads = (-1, width // heads)  # a tensor-parallel rank has some of them
        self.neighbours = min(neighbours, segments - 1)  # further ones exist for no segment
        self.regions = regions
        self.q = nn.Linear(width, width)
        self.k = nn.Linear(width, width)
        self.v = nn.Linear(width, width)
        self.o = nn.Linear(width, width)
        self.q_norm = nn.LayerNorm(width // heads, eps=norm_eps)
        self.k_norm = nn.LayerNorm(width // heads, eps=norm_eps)
        self.rotary = shared(
            RotaryTables, self.geometry.text, latent_frames, grid_height, grid_width, width // heads, rope_theta
        )
        self.windows = shared(WindowTables, self.geometry, self.neighbours)

    def forward(self, x: Tensor) -> Tensor:
        """x [B, L, D], text then video."""
        return self.o(self.regions("sliding_window", self.attend, self.q(x), self.k(x), self.v(x)))

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attention inside the windows: projections [B, L, D] -> [B, L, D].

        Segments stand where a batch usually does, and samples beside heads: then the windows are views of the keys, which overlap there,
        and one mask serves all samples.
        """
        cos, sin = self.rotary.cos.to(q.dtype).unsqueeze(1), self.rotary.sin.to(q.dtype).unsqueeze(1)
        q = apply_rope(self.q_norm(q.unflatten(-1, self.heads)), cos, sin).flatten(2)
        k = apply_rope(self.k_norm(k.unflatten(-1, self.heads)), cos, sin).flatten(2)
        x = F.scaled_dot_product_attention(
            self.per_head(rows(q, self.geometry)),
            self.per_head(windows(rows(k, self.geometry), self.neighbours)),
            self.per_head(windows(rows(v, self.geometry), self.neighbours)),
            attn_mask=self.windows.mask,
        )
        return whole(x.transpose(1, 2).unflatten(2, (v.shape[0], -1)).flatten(3), self.geometry)

    def per_head(self, x: Tensor) -> Tensor:
        """[S, tokens, B, D] -> [S, B A, tokens, K], a view."""
        return x.unflatten(3, self.heads).flatten(2, 3).transpose(1, 2)


class WindowTables(Tables):
    """mask [S, 1, 1, (2 r + 1) P]: which places of each segment's window hold a token; the others are padding."""

    mask: Tensor

    def __init__(self, geometry: Geometry, neighbours: int) -> None:
        super().__init__()
        self.geometry, self.neighbours = geometry, neighbours
        self.reset_parameters()

    def make(self, dtype: torch.dtype, device: torch.device) -> Mapping[str, Tensor]:
        """The mask, bool: a sequence of ones, laid out like keys."""
        ones = torch.ones(1, self.geometry.length, 1, dtype=dtype, device=device)
        held = windows(rows(ones, self.geometry), self.neighbours)
        return {"mask": held.view(self.geometry.segments, 1, 1, held.shape[1]) > 0}


def rows(x: Tensor, geometry: Geometry) -> Tensor:
    """x [B, L, D], text then video, as one row a segment [S, P, B, D]; zeros where the first segment alone has frames."""
    S, T, prefix, body = geometry.segments, geometry.tokens_per_segment, geometry.prefix, geometry.body
    texts, first, bodies = x.transpose(0, 1).split((S * T, prefix, S * body), 0)
    gaps = x.new_zeros((S - 1, prefix, x.shape[0], x.shape[2]))
    return torch.cat(
        (texts.unflatten(0, (S, T)), torch.cat((first.unsqueeze(0), gaps)), bodies.unflatten(0, (S, body))), 1
    )


def windows(rows: Tensor, neighbours: int) -> Tensor:
    """Each row [S, P, B, D] with r rows to either side [S, (2 r + 1) P, B, D], zeros where there are none; a view of padded rows."""
    margin = rows.new_zeros((neighbours, *rows.shape[1:]))
    return torch.cat((margin, rows, margin)).unfold(0, 2 * neighbours + 1, 1).permute(0, 4, 1, 2, 3).flatten(1, 2)


def whole(rows: Tensor, geometry: Geometry) -> Tensor:
    """Back from rows [S, P, B, D] to [B, L, D], text then video."""
    texts, first, bodies = rows.split((geometry.tokens_per_segment, geometry.prefix, geometry.body), 1)
    return torch.cat((texts.flatten(0, 1), first.narrow(0, 0, 1).squeeze(0), bodies.flatten(0, 1))).transpose(0, 1)
