"""The sequence block: local attention in windows, then the global mixer, if there is one, there and back.

Shapes: B batch, S text segments of T tokens, h x w token grid of a frame, V video tokens, L = V + S T, D width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tttdit.core.regions import Regions
from tttdit.core.runtime.tables import shared
from tttdit.plugins.ttt.rotary.module import RotaryTables, apply_rope
from tttdit.plugins.ttt.segments.geometry import Geometry

INITIAL_GATE = 0.1  # of a mixer's output, inside a tanh


class SequenceBlock(nn.Module):
    """Attention inside each window, then the mixer over everything, forwards and reversed, with the same weights.

    Without a mixer it is the attention alone, and has no gates.
    """

    def __init__(
        self,
        geometry: Geometry,
        width: int,
        heads: int,
        rope_theta: float,
        qk_norm_eps: float,
        mixer: nn.Module | None,
        regions: Regions,
    ) -> None:
        super().__init__()
        if width % heads != 0:
            raise ValueError(f"width = {width} is not divisible by heads = {heads}")
        self.regions = regions
        self.geometry = geometry
        self.heads = (-1, width // heads)  # a tensor-parallel rank has some of them
        self.q = nn.Linear(width, width)
        self.k = nn.Linear(width, width)
        self.v = nn.Linear(width, width)
        self.o = nn.Linear(width, width)
        self.q_norm = nn.LayerNorm(width // heads, eps=qk_norm_eps)
        self.k_norm = nn.LayerNorm(width // heads, eps=qk_norm_eps)
        self.rotary = shared(
            RotaryTables,
            geometry.tokens_per_segment,
            geometry.attention_frames + geometry.prefix_frames,
            geometry.grid_height,
            geometry.grid_width,
            width // heads,
            rope_theta,
        )
        self.ssm = mixer
        if mixer is not None:
            self.forward_ssm_gating_text = Gate(width)
            self.forward_ssm_gating_video = Gate(width)
            self.backward_ssm_gating_text = Gate(width)
            self.backward_ssm_gating_video = Gate(width)

    def forward(self, video: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        """video [B, V, D], text [B, S T, D] -> video, text."""
        streams = (self.geometry.text, self.geometry.video)
        both = self.regions("attention", self.attend, video, text)
        text, video = both.split(streams, 1)
        if self.ssm is None:
            return video, text
        mixed_text, mixed_video = self.regions("forward_ssm", self.ssm, both).split(streams, 1)
        del both
        text = self.forward_ssm_gating_text(text, mixed_text)
        video = self.forward_ssm_gating_video(video, mixed_video)
        del mixed_text, mixed_video
        both = torch.cat((self.reverse_text(text), video.flip(1)), 1)
        mixed_text, mixed_video = self.regions("reverse_ssm", self.ssm, both).split(streams, 1)
        del both
        text = self.backward_ssm_gating_text(text, self.reverse_text(mixed_text))
        video = self.backward_ssm_gating_video(video, mixed_video.flip(1))
        return video, text

    def reverse_text(self, text: Tensor) -> Tensor:
        """text [B, S T, D] with its segments in reverse order; tokens inside a segment keep theirs."""
        return text.unflatten(1, (self.geometry.segments, self.geometry.tokens_per_segment)).flip(1).flatten(1, 2)

    def attend(self, video: Tensor, text: Tensor) -> Tensor:
        """Attention inside the windows: video [B, V, D], text [B, S T, D] -> text then video [B, L, D]."""
        x = self.windows(video, text).flatten(0, 1)  # [B S, tokens of a window, D]
        cos, sin = self.rotary.cos.to(x.dtype).unsqueeze(1), self.rotary.sin.to(x.dtype).unsqueeze(1)
        x = F.scaled_dot_product_attention(
            apply_rope(self.q_norm(self.q(x).unflatten(-1, self.heads)), cos, sin).transpose(1, 2),
            apply_rope(self.k_norm(self.k(x).unflatten(-1, self.heads)), cos, sin).transpose(1, 2),
            self.v(x).unflatten(-1, self.heads).transpose(1, 2),
        )
        return self.whole(self.o(x.transpose(1, 2).flatten(2)).unflatten(0, (video.shape[0], self.geometry.segments)))

    def windows(self, video: Tensor, text: Tensor) -> Tensor:
        """[B, S, T + (attention + prefix) h w, D]: each segment's text, the frames that it shares with the one before, its own."""
        S, prefix, body = self.geometry.segments, self.geometry.prefix, self.geometry.body
        shared = video.narrow(1, 0, S * body).unflatten(1, (S, body)).narrow(2, 0, prefix)
        own = video.narrow(1, prefix, S * body).unflatten(1, (S, body))
        return torch.cat((text.unflatten(1, (S, self.geometry.tokens_per_segment)), shared, own), 2)

    def whole(self, windows: Tensor) -> Tensor:
        """Windows back to text then video [B, L, D]; frames of two windows get the mean of the two."""
        S, prefix, body = self.geometry.segments, self.geometry.prefix, self.geometry.body
        text, before, inner, after = windows.split((self.geometry.tokens_per_segment, prefix, body - prefix, prefix), 2)
        # Of the S + 1 borders between windows, the first and the last belong to one window: the mean of itself with itself.
        left = torch.cat((before.narrow(1, 0, 1), after), 1)
        right = torch.cat((before, after.narrow(1, S - 1, 1)), 1)
        first, borders = ((left + right) * 0.5).split((1, S), 1)
        video = torch.cat((inner, borders), 2).flatten(1, 2)
        whole = torch.cat((text.flatten(1, 2), first.flatten(1, 2), video), 1)
        return whole.view(windows.shape[0], self.geometry.length, windows.shape[3])


class Gate(nn.Module):
    """Adds a mixer's output, each channel through tanh of a learned number: x + tanh(alpha) y."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gating_alpha = nn.Parameter(torch.empty(width))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """A gate that is open a little: pretrained layers feel a new mixer, and it learns from the first step."""
        nn.init.constant_(self.gating_alpha, INITIAL_GATE)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """x and y [B, tokens, D]."""
        return x + torch.tanh(self.gating_alpha) * y
