"""The sliding-window mixer: its oracle, what it keeps for backward, dtypes, what does not fit."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tttdit.core.regions import Regions
from tttdit.core.runtime.remat import RecomputedRegions
from tttdit.plugins.sliding_window.module import SlidingWindowMixer
from tttdit.plugins.sliding_window.naive import naive, segments_of

torch.set_num_threads(1)

# 3 segments of 4 text tokens and 2 frames of 4 tokens, the first with a frame more: 12, 12 and 16 of 40 tokens
SIZES = {
    "width": 64,
    "heads": 2,
    "latent_frames": 7,
    "grid_height": 2,
    "grid_width": 2,
    "segments": 3,
    "tokens_per_segment": 4,
    "attention_frames": 2,
    "prefix_frames": 1,
    "rope_theta": 10000.0,
    "norm_eps": 1e-6,
    "neighbours": 1,
    "regions": Regions(),
}
LENGTH = 40


class Everything:
    """A strategy that recomputes every region."""

    def recomputes(self, region: str) -> bool:
        return True

    def group_size(self, key: str, count: int) -> int:
        return count


def build(**changes: Any) -> SlidingWindowMixer:
    torch.manual_seed(0)
    return SlidingWindowMixer(**SIZES | changes)


def gradients(mixer: SlidingWindowMixer, x: Tensor, y: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(y.sin().sum(), [x, *mixer.parameters()]))


def test_the_oracles_segments() -> None:
    """Text, then frames; the frame in front belongs to the first segment."""
    assert segments_of(build().geometry) == [
        [0, 1, 2, 3, *range(12, 24)],
        [4, 5, 6, 7, *range(24, 32)],
        [8, 9, 10, 11, *range(32, 40)],
    ]


@given(
    segments=st.integers(1, 5),
    tokens_per_segment=st.integers(1, 4),
    grid=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    frames=st.tuples(st.integers(1, 3), st.integers(1, 3)).map(sorted),
    neighbours=st.integers(0, 5),
    batch=st.integers(1, 3),
    heads=st.integers(1, 3),
)
def test_it_is_attention_segment_by_segment(
    segments: int,
    tokens_per_segment: int,
    grid: tuple[int, int],
    frames: list[int],
    neighbours: int,
    batch: int,
    heads: int,
) -> None:
    """Output and every gradient, in float64."""
    prefix, attention = frames
    mixer = build(
        segments=segments,
        tokens_per_segment=tokens_per_segment,
        grid_height=grid[0],
        grid_width=grid[1],
        attention_frames=attention,
        prefix_frames=prefix,
        latent_frames=attention * segments + prefix,
        neighbours=neighbours,
        heads=heads,
        width=16 * heads,
    ).double()
    x = torch.randn(batch, mixer.geometry.length, 16 * heads, dtype=torch.float64, requires_grad=True)
    got, want = mixer(x), naive(mixer, x, neighbours)
    torch.testing.assert_close(got, want, rtol=1e-9, atol=1e-9)
    for one, other in zip(gradients(mixer, x, got), gradients(mixer, x, want), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


def test_more_neighbours_than_there_are_change_nothing() -> None:
    x = torch.randn(1, LENGTH, 64)
    assert build(neighbours=100).windows.mask.shape == build(neighbours=2).windows.mask.shape
    assert torch.equal(build(neighbours=100)(x), build(neighbours=2)(x))


def test_only_the_parameters_are_its_state() -> None:
    names = [f"{part}.{of}" for part in ("q", "k", "v", "o", "q_norm", "k_norm") for of in ("weight", "bias")]
    assert sorted(build().state_dict()) == sorted(names)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("batch", [1, 2])
def test_what_is_kept_for_backward(dtype: torch.dtype, batch: int) -> None:
    """Windows are views: keys and values are kept once, with an empty row at either end. Recomputed, q, k and v alone are kept."""
    width, segments, row, heads = 64, 3, 16, 2
    tokens, rows = batch * LENGTH * width, batch * row * width
    norms = 2 * 2 * batch * LENGTH * heads  # mean and deviation of q's heads, and of k's
    mask, logsumexp = segments * 3 * row, segments * batch * heads * row
    turns = 0 if dtype == torch.float32 else 2 * LENGTH * width // heads // 2  # the tables of RoPE, narrowed
    inputs = 4 * tokens  # x, q, k, and what `o` reads
    attention = 2 * segments * rows + 2 * (segments + 2) * rows  # q and the output, k and v
    assert kept(build(), dtype, batch) == (inputs + attention + norms + mask + turns) * dtype.itemsize + 4 * logsumexp
    assert kept(build(regions=RecomputedRegions(Everything())), dtype, batch) == 5 * tokens * dtype.itemsize


def kept(mixer: SlidingWindowMixer, dtype: torch.dtype, batch: int) -> int:
    """Bytes of the storages that backward needs, parameters and tables left out."""
    mixer.to(dtype)
    storages = {}

    def keep(x: Tensor) -> Tensor:
        storages[x.untyped_storage().data_ptr()] = x.untyped_storage()
        return x

    x = torch.randn(batch, LENGTH, 64, dtype=dtype, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
        y = mixer(x)
    for known in (*mixer.parameters(), *mixer.buffers(), mixer.rotary.cos, mixer.rotary.sin):
        storages.pop(known.untyped_storage().data_ptr(), None)
    del y
    return sum(storage.nbytes() for storage in storages.values())


def test_bfloat16_is_float32_to_bfloat16s_precision() -> None:
    x = torch.randn(1, LENGTH, 64)
    want, got = build()(x), build().to(torch.bfloat16)(x.to(torch.bfloat16))
    assert got.dtype == torch.bfloat16
    assert (got.float() - want).norm() / want.norm() < 0.02


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": 3}, "width = 64 is not divisible by heads = 3"),
        ({"latent_frames": 8}, "3 segments of 2 frames and 1 in front cover 7 latent frames, not 8"),
        ({"width": 48}, "24 is not divisible by 16"),
    ],
)
def test_what_does_not_fit(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(**changes)
