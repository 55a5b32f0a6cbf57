"""The TTT-Linear mixer: the fast weights are a linear map a head, K -> K."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tttdit.plugins.ttt.module import INITIAL_SPREAD, TTTLayer, TTTMixer
from tttdit.plugins.ttt_linear.operators import ttt_linear_scan


class TTTLinearLayer(TTTLayer):
    """W1 [A, K, K], b1 [A, 1, K]: where each sequence's training starts."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        A, K = self.heads, self.head_width
        self.W1 = nn.Parameter(torch.empty(A, K, K))
        self.b1 = nn.Parameter(torch.empty(A, 1, K))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Small random fast weights."""
        super().reset_parameters()
        nn.init.normal_(self.W1, std=INITIAL_SPREAD)
        nn.init.zeros_(self.b1)

    def scan(self, q: Tensor, k: Tensor, v: Tensor, eta: Tensor) -> Tensor:
        """See `operators.ttt_linear_scan`."""
        cos, sin = self.rope()
        return ttt_linear_scan(
            q,
            k,
            v,
            eta,
            cos,
            sin,
            self.ttt_norm_weight,
            self.ttt_norm_bias,
            self.W1,
            self.b1,
            mini_batch_size=self.mini_batch_size,
            norm_eps=self.ttt_norm_eps,
            group=self.regions.group_size("scan_checkpoint_group_size", self.mini_batches),
        )


class TTTLinearMixer(TTTMixer):
    """x [B, L, D] -> [B, L, D]; see `TTTMixer`."""

    layer = TTTLinearLayer
