"""The oracle of the sliding-window mixer: segment by segment, each with exactly the tokens that it sees. Slow, and easy to read."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from tttdit.plugins.sliding_window.module import SlidingWindowMixer
from tttdit.plugins.ttt.rotary.module import rotate
from tttdit.plugins.ttt.segments.geometry import Geometry


def segments_of(geometry: Geometry) -> list[list[int]]:
    """The tokens of each segment, as places in the text-then-video sequence: its text, then its frames."""
    T, S, frame = geometry.tokens_per_segment, geometry.segments, geometry.frame
    found = []
    for i in range(S):
        before = geometry.prefix_frames if i > 0 else 0
        start = S * T + frame * (before + geometry.attention_frames * i)
        end = S * T + frame * (geometry.prefix_frames + geometry.attention_frames * (i + 1))
        found.append([*range(i * T, (i + 1) * T), *range(start, end)])
    return found


def naive(mixer: SlidingWindowMixer, x: Tensor, neighbours: int) -> Tensor:
    """What `mixer` makes of x [B, L, D], text then video, if segments see so many neighbours to either side."""
    cos, sin = mixer.rotary.cos.to(x.dtype).unsqueeze(1), mixer.rotary.sin.to(x.dtype).unsqueeze(1)
    q = rotate(mixer.q_norm(mixer.q(x).unflatten(-1, mixer.heads)), cos, sin)
    k = rotate(mixer.k_norm(mixer.k(x).unflatten(-1, mixer.heads)), cos, sin)
    v = mixer.v(x).unflatten(-1, mixer.heads)
    segments = segments_of(mixer.geometry)
    attended = torch.zeros_like(x)
    for i, own in enumerate(segments):
        seen = [token for segment in segments[max(0, i - neighbours) : i + neighbours + 1] for token in segment]
        scores = torch.einsum("bqak,btak->baqt", q[:, own], k[:, seen]) / mixer.heads[1] ** 0.5
        attended[:, own] = torch.einsum("baqt,btak->bqak", F.softmax(scores, -1), v[:, seen]).flatten(2)
    return mixer.o(attended)
