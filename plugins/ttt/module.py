"""The mixer of the TTT plugins, but for the scan: projections, learning rates, norm and output, in segment order.

Shapes: B batch, L tokens, D width, A heads, K = D/A, b mini-batch, n = L/b mini-batches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tttdit.core.naming import named
from tttdit.core.regions import Regions
from tttdit.core.runtime.tables import Tables, shared
from tttdit.plugins.ttt.rotary.module import angles
from tttdit.plugins.ttt.segments.geometry import Geometry
from tttdit.plugins.ttt.segments.operators import deinterleave, interleave

INITIAL_SPREAD = 0.02  # standard deviation of fast weights and of the learning rates' weights


class SegmentTables(Tables):
    """cos and sin [L, K/2] of RoPE over the whole sequence, in segment order."""

    cos: Tensor
    sin: Tensor

    def __init__(self, geometry: Geometry, head_width: int, theta: float) -> None:
        super().__init__()
        self.geometry, self.head_width, self.theta = geometry, head_width, theta
        self.reset_parameters()

    def make(self, dtype: torch.dtype, device: torch.device) -> Mapping[str, Tensor]:
        """cos and sin."""
        grid = (self.geometry.latent_frames, self.geometry.grid_height, self.geometry.grid_width)
        cos, sin = angles(self.geometry.text, grid, self.head_width, self.theta, dtype, device)
        return {"cos": self._ordered(cos), "sin": self._ordered(sin)}

    def _ordered(self, table: Tensor) -> Tensor:
        return interleave(table.unsqueeze(0), self.geometry).squeeze(0)


class TTTLayer(nn.Module):
    """Test-time training over a sequence in segment order: x [B, L, D] -> [B, L, D].

    A subclass adds the fast weights and their scan. Raises ValueError for a width, a head or a length that does not divide.
    """

    def __init__(
        self,
        *,
        geometry: Geometry,
        width: int,
        heads: int,
        rope_theta: float,
        mini_batch_size: int,
        base_learning_rate: float,
        learning_rates: str,
        ttt_norm_eps: float,
        norm_eps: float,
        regions: Regions,
    ) -> None:
        super().__init__()
        if width % heads != 0:
            raise ValueError(f"width = {width} is not divisible by heads = {heads}")
        if geometry.length % mini_batch_size != 0:
            raise ValueError(
                f"{geometry.length} tokens (text and video) are not divisible by mini_batch_size = {mini_batch_size}"
            )
        if learning_rates not in ("token", "upstream"):
            raise ValueError(f'learning_rates = "{learning_rates}" is neither "token" nor "upstream"')
        self.geometry = geometry
        self.heads = heads
        self.head_width = width // heads
        self.mini_batch_size = mini_batch_size
        self.mini_batches = geometry.length // mini_batch_size
        self.rate = base_learning_rate / (self.head_width * mini_batch_size)
        self.ttt_norm_eps = ttt_norm_eps
        self.regions = regions

        self.wq = nn.Linear(width, width)
        self.wk = nn.Linear(width, width)
        self.wv = nn.Linear(width, width)
        self.wo = nn.Linear(width, width)
        self.learnable_ttt_lr_weight = nn.Parameter(torch.empty(heads, 1, width))
        self.learnable_ttt_lr_bias = nn.Parameter(torch.empty(heads, 1))
        self.ttt_norm_weight = nn.Parameter(torch.empty(heads, self.head_width))
        self.ttt_norm_bias = nn.Parameter(torch.empty(heads, self.head_width))
        self.post_norm = nn.LayerNorm(width, eps=norm_eps)
        self.rotary = shared(SegmentTables, geometry, self.head_width, rope_theta)
        self.rates = shared(UpstreamRates, geometry, mini_batch_size) if learning_rates == "upstream" else None

    def reset_parameters(self) -> None:
        """Values to train from: small rates' weights, so that every token starts at half the base learning rate."""
        nn.init.normal_(self.learnable_ttt_lr_weight, std=INITIAL_SPREAD)
        nn.init.zeros_(self.learnable_ttt_lr_bias)
        nn.init.ones_(self.ttt_norm_weight)
        nn.init.zeros_(self.ttt_norm_bias)

    def forward(self, x: Tensor) -> Tensor:
        """x [B, L, D] in segment order."""
        return self.wo(self.post_norm(self.scan(self.wq(x), self.wk(x), self.wv(x), self.learning_rates(x))))

    def rope(self) -> tuple[Tensor, Tensor]:
        """cos and sin of every token's turn, [L, K/2]."""
        return named("RoPE", self.rotary.cos), self.rotary.sin

    def learning_rates(self, x: Tensor) -> Tensor:
        """Each token's and head's learning rate, divided by the mini-batch size: [B, L, A], float32 at least."""
        logits = F.linear(x, self.learnable_ttt_lr_weight.squeeze(1), self.learnable_ttt_lr_bias.squeeze(1))
        eta = torch.sigmoid(logits if logits.dtype == torch.float64 else logits.float()) * self.rate
        return eta if self.rates is None else self.rates(eta)

    def scan(self, q: Tensor, k: Tensor, v: Tensor, eta: Tensor) -> Tensor:
        """Test-time training along the sequence: projections [B, L, D] and rates [B, L, A] to [B, L, D]."""
        raise NotImplementedError


class UpstreamRates(Tables):
    """The public code's learning rates: those of another mini-batch, where segments and mini-batches cross.

    There, rates are grouped into mini-batches before the sequence is put into segment order. A mini-batch then uses the
    group of rates that its last token had belonged to. See the README of the TTT mixers; with one segment, nothing changes.
    """

    def __init__(self, geometry: Geometry, mini_batch_size: int) -> None:
        super().__init__()
        self.geometry = geometry
        self.mini_batch_size = mini_batch_size
        self.mini_batches = geometry.length // mini_batch_size
        self.reset_parameters()

    def make(self, dtype: torch.dtype, device: torch.device) -> Mapping[str, Tensor]:
        """The group of rates that each mini-batch takes, [n] int64."""
        before = interleave(torch.arange(self.geometry.length, device=device).unsqueeze(0), self.geometry)
        last = before.view(self.mini_batches, self.mini_batch_size).select(1, self.mini_batch_size - 1)
        return {"groups": last // self.mini_batch_size}

    def forward(self, eta: Tensor) -> Tensor:
        """Eta [B, L, A] in segment order: each mini-batch's rates replaced by its group's."""
        grouped = deinterleave(eta, self.geometry).unflatten(1, (self.mini_batches, self.mini_batch_size))
        return grouped.index_select(1, self.groups).flatten(1, 2)


class TTTMixer(nn.Module):
    """A global sequence layer: x [B, L, D], text then video, to the same shape. A subclass names its layer.

    Frames, rows, columns, segments and text tokens are those of `Geometry`; `base_learning_rate` is the rate before it is divided by K and
    by the mini-batch size; `learning_rates` is "token" (each token has its own) or "upstream" (as public checkpoints were trained);
    `ttt_norm_eps` is the inner norm's, `norm_eps` the output norm's. Raises ValueError for sizes that do not fit.
    """

    layer: ClassVar[type[TTTLayer]]

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
        mini_batch_size: int,
        base_learning_rate: float,
        learning_rates: str,
        ttt_norm_eps: float,
        norm_eps: float,
        regions: Regions,
    ) -> None:
        super().__init__()
        self.geometry = Geometry(
            latent_frames=latent_frames,
            grid_height=grid_height,
            grid_width=grid_width,
            segments=segments,
            tokens_per_segment=tokens_per_segment,
            attention_frames=attention_frames,
            prefix_frames=prefix_frames,
        )
        self.ttt = self.layer(
            geometry=self.geometry,
            width=width,
            heads=heads,
            rope_theta=rope_theta,
            mini_batch_size=mini_batch_size,
            base_learning_rate=base_learning_rate,
            learning_rates=learning_rates,
            ttt_norm_eps=ttt_norm_eps,
            norm_eps=norm_eps,
            regions=regions,
        )

    def forward(self, x: Tensor) -> Tensor:
        """x [B, L, D], text then video."""
        return deinterleave(self.ttt(interleave(x, self.geometry)), self.geometry)
