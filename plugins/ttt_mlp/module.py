"""The TTT-MLP mixer: the fast weights are a two-layer perceptron a head, K -> 4 K -> K."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tttdit.plugins.ttt.module import INITIAL_SPREAD, TTTLayer, TTTMixer
from tttdit.plugins.ttt_mlp.operators import ttt_mlp_scan


class TTTMLPLayer(TTTLayer):
    """W1 [A, K, 4K], b1 [A, 1, 4K], W2 [A, 4K, K], b2 [A, 1, K]: where each sequence's training starts."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        A, K = self.heads, self.head_width
        self.W1 = nn.Parameter(torch.empty(A, K, 4 * K))
        self.b1 = nn.Parameter(torch.empty(A, 1, 4 * K))
        self.W2 = nn.Parameter(torch.empty(A, 4 * K, K))
        self.b2 = nn.Parameter(torch.empty(A, 1, K))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Small random fast weights, so that the two layers differ from the first token on."""
        super().reset_parameters()
        for weight in (self.W1, self.W2):
            nn.init.normal_(weight, std=INITIAL_SPREAD)
        for bias in (self.b1, self.b2):
            nn.init.zeros_(bias)

    def scan(self, q: Tensor, k: Tensor, v: Tensor, eta: Tensor) -> Tensor:
        """See `operators.ttt_mlp_scan`."""
        cos, sin = self.rope()
        return ttt_mlp_scan(
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
            self.W2,
            self.b2,
            mini_batch_size=self.mini_batch_size,
            norm_eps=self.ttt_norm_eps,
            group=self.regions.group_size("scan_checkpoint_group_size", self.mini_batches),
        )


class TTTMLPMixer(TTTMixer):
    """x [B, L, D] -> [B, L, D]; see `TTTMixer`."""

    layer = TTTMLPLayer
