"""The mixer: plain PyTorch, all chunks at once.

Shapes: B batch, L tokens, D width, A heads, K = D/A, c tokens in a chunk, n = L/c chunks.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tttdit.core.naming import named
from tttdit.core.regions import Regions

SMALLEST = 1e-6  # what a sum of weights counts at least, for it is 0 where features underflow


class LinearAttentionMixer(nn.Module):
    """x [B, L, D] -> [B, L, D]: linear attention to all tokens so far; a gate weighs what comes out.

    Token i answers phi(q_i)' S_i / phi(q_i)' z_i with S_i the sum of phi(k_j) v_j' and z_i that of phi(k_j) over j <= i, phi = elu + 1
    (Katharopoulos et al., "Transformers are RNNs", ICML 2020). Inside a chunk the sums are taken token by token, as masked scores; what
    came before the chunk is one state. Raises ValueError for a sequence that is no whole number of chunks, or a width that heads do not
    divide.
    """

    def __init__(self, *, width: int, heads: int, length: int, chunk: int, regions: Regions | None = None) -> None:
        super().__init__()
        if length % chunk != 0:
            raise ValueError(f"{length} tokens are no whole number of chunks of {chunk}")
        if width % heads != 0:
            raise ValueError(f"width = {width} is not divisible by heads = {heads}")
        self.heads, self.head_width, self.chunk = heads, width // heads, chunk
        self.regions = regions if regions is not None else Regions()
        self.q = nn.Linear(width, width)
        self.k = nn.Linear(width, width)
        self.v = nn.Linear(width, width)
        self.o = nn.Linear(width, width)
        self.gate = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """All chunks' attention, gated token by token."""
        mixed = self.regions("linear_attention", self.attend, self.q(x), self.k(x), self.v(x))
        return torch.sigmoid(self.gate(x)) * self.o(mixed)

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Three times [B, L, D] -> [B, L, D]."""
        q = F.elu(self.chunks(q)) + 1  # [B, A, n, c, K]
        k = F.elu(self.chunks(k)) + 1
        v = F.pad(self.chunks(v), (0, 1), value=1.0)  # a further number 1: the sum of its weights is z
        states = named("states", k.transpose(-1, -2) @ v)  # [B, A, n, K, K + 1]: what each chunk adds
        before = states.cumsum(2) - states
        sums = (q @ k.transpose(-1, -2)).tril() @ v + q @ before
        mixed, weights = sums.split((q.shape[-1], 1), -1)
        return (mixed / weights.clamp(min=SMALLEST)).permute(0, 2, 3, 1, 4).flatten(3).flatten(1, 2)

    def chunks(self, x: Tensor) -> Tensor:
        """Chunks and heads apart: [B, L, D] -> [B, A, n, c, K]; a tensor-parallel rank has some of the heads."""
        B, L, _ = x.shape
        return x.view(B, L // self.chunk, self.chunk, -1, self.head_width).permute(0, 3, 1, 2, 4)
