"""The mixer: plain PyTorch, all windows at once.

Shapes: B batch, L tokens, D width, A heads, K = D/A, w tokens in a window, n = L/w windows, r windows to either side, s = (2 r + 1) w.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tttdit.core.regions import Regions


class SlidingWindowMixer(nn.Module):
    """x [B, L, D] -> [B, L, D]: each window attends to itself and to its neighbours; a gate weighs what comes out.

    Raises ValueError for a sequence that is no whole number of windows, or a width that heads do not divide.
    """

    def __init__(
        self, *, width: int, heads: int, length: int, window: int, neighbours: int, regions: Regions | None = None
    ) -> None:
        super().__init__()
        if length % window != 0:
            raise ValueError(f"{length} tokens are no whole number of windows of {window}")
        if width % heads != 0:
            raise ValueError(f"width = {width} is not divisible by heads = {heads}")
        self.heads, self.window, self.neighbours = heads, window, neighbours
        self.regions = regions if regions is not None else Regions()
        self.q = nn.Linear(width, width)
        self.k = nn.Linear(width, width)
        self.v = nn.Linear(width, width)
        self.o = nn.Linear(width, width)
        self.gate = nn.Linear(width, width)
        # 0 for a token of the sequence, -inf for what lies before its first and behind its last
        margin = torch.full((neighbours * window,), float("-inf"))
        padded = torch.cat([margin, torch.zeros(length), margin])  # [L + 2 r w]
        seen = self.around(padded.view(1, -1, 1), length)  # [1, n, s, 1]
        self.register_buffer("outside", seen.view(length // window, 1, 1, -1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """The windows' attention, gated token by token."""
        mixed = self.regions("sliding_window", self.attend, self.q(x), self.k(x), self.v(x))
        return torch.sigmoid(self.gate(x)) * self.o(mixed)

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Softmax attention of every window over its neighbourhood: three times [B, L, D] -> [B, L, D]."""
        B, L, D = q.shape
        margin = torch.zeros(B, self.neighbours * self.window, D, dtype=q.dtype, device=q.device)
        queries = self.split(q.view(B, L // self.window, self.window, D))  # [B, n, A, w, K]
        keys = self.split(self.around(torch.cat([margin, k, margin], dim=1), L))  # [B, n, A, s, K]
        values = self.split(self.around(torch.cat([margin, v, margin], dim=1), L))
        scores = queries @ keys.transpose(-1, -2) * (D // self.heads) ** -0.5 + self.outside  # [B, n, A, w, s]
        return (torch.softmax(scores, dim=-1) @ values).transpose(2, 3).reshape(B, L, D)

    def around(self, padded: Tensor, length: int) -> Tensor:
        """Each window with its neighbours: [B, L + 2 r w, D] -> [B, n, s, D]."""
        B, _, D = padded.shape
        shifted = [
            padded[:, shift * self.window : shift * self.window + length].reshape(B, -1, self.window, D)
            for shift in range(2 * self.neighbours + 1)
        ]
        return torch.cat(shifted, dim=2)

    def split(self, x: Tensor) -> Tensor:
        """Heads apart: [B, n, tokens, D] -> [B, n, A, tokens, K]."""
        B, n, tokens, D = x.shape
        return x.view(B, n, tokens, self.heads, D // self.heads).transpose(2, 3)
