"""Text-then-video order, segment order, and what does not fit together."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tttdit.core.runtime.live_bytes import LiveBytes
from tttdit.plugins.ttt.segments.geometry import Geometry
from tttdit.plugins.ttt.segments.operators import deinterleave, interleave

GEOMETRIES = st.builds(
    lambda S, T, h, w, attention, prefix: Geometry(
        latent_frames=max(attention, prefix) * S + prefix,
        grid_height=h,
        grid_width=w,
        segments=S,
        tokens_per_segment=T,
        attention_frames=max(attention, prefix),
        prefix_frames=prefix,
    ),
    S=st.integers(1, 4),
    T=st.integers(1, 5),
    h=st.integers(1, 3),
    w=st.integers(1, 3),
    attention=st.integers(1, 5),
    prefix=st.integers(1, 3),
)


def segment_order(geometry: Geometry) -> list[int]:
    """Positions in text-then-video order, written down segment by segment."""
    T, hw = geometry.tokens_per_segment, geometry.grid_height * geometry.grid_width
    order, frame = [], 0
    for i in range(geometry.segments):
        frames = geometry.attention_frames + (geometry.prefix_frames if i == 0 else 0)
        order += range(i * T, (i + 1) * T)
        order += (geometry.text + token for token in range(frame * hw, (frame + frames) * hw))
        frame += frames
    assert frame == geometry.latent_frames
    return order


@given(geometry=GEOMETRIES, batch=st.integers(1, 3), width=st.integers(1, 3))
def test_interleave_is_the_segment_order(geometry, batch, width):
    x = torch.randn(batch, geometry.length, width)
    assert torch.equal(interleave(x, geometry), x[:, segment_order(geometry)])


@given(geometry=GEOMETRIES, batch=st.integers(1, 3))
def test_deinterleave_undoes_it(geometry, batch):
    x = torch.randn(batch, geometry.length, 2)
    assert torch.equal(deinterleave(interleave(x, geometry), geometry), x)


@given(geometry=GEOMETRIES, batch=st.integers(1, 3))
def test_interleave_undoes_deinterleave(geometry, batch):
    x = torch.randn(batch, geometry.length, 2)
    assert torch.equal(interleave(deinterleave(x, geometry), geometry), x)


@settings(max_examples=20)
@given(geometry=GEOMETRIES, batch=st.integers(1, 3), direction=st.sampled_from([interleave, deinterleave]))
def test_one_copy_there_and_one_back(geometry, batch, direction):
    """One new tensor, written once but for the first text; and in backward the other operator alone, on the gradient as it comes."""
    x = torch.randn(batch, geometry.length, 4, requires_grad=True)
    token = batch * 4  # numbers
    with LiveBytes([x]) as live:
        y = direction(x, geometry)
        made = live.now
    copied = sum(math.prod(entry.shapes[0]) for entry in live.log if entry.name == "copy_")
    assert made == live.peak == x.nbytes
    assert copied == token * (geometry.length + geometry.tokens_per_segment)
    with LiveBytes([x, y], look_inside=False) as live:
        (dx,) = torch.autograd.grad(y, x, torch.ones_like(y))
    back = {interleave: "deinterleave", deinterleave: "interleave"}[direction]
    assert [entry.name for entry in live.log if entry.name not in ("ones_like", "detach")] == [back]
    assert torch.equal(dx, torch.ones_like(x))


@pytest.mark.parametrize("direction", [interleave, deinterleave])
def test_the_backward_of_one_is_the_other(direction):
    geometry = Geometry(
        latent_frames=7,
        grid_height=2,
        grid_width=1,
        segments=3,
        tokens_per_segment=3,
        attention_frames=2,
        prefix_frames=1,
    )
    x = torch.randn(2, geometry.length, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: direction(x, geometry), (x,))
    assert torch.autograd.gradgradcheck(lambda x: direction(x, geometry), (x,))


@pytest.mark.parametrize("name", ["interleave", "deinterleave"])
def test_opcheck(name):
    operator = getattr(torch.ops.tttdit, name)
    x = torch.randn(2, 3 * 4 + 2 + 3 * 6, 5)
    torch.library.opcheck(operator, (x.requires_grad_(), 3, 4, 2, 6))
    strided = torch.randn(5, 3 * 4 + 2 + 3 * 6, 2).transpose(0, 2)
    torch.library.opcheck(operator, (strided, 3, 4, 2, 6))


def test_counts_at_nine_seconds():
    nine = Geometry(
        latent_frames=37,
        grid_height=30,
        grid_width=45,
        segments=3,
        tokens_per_segment=502,
        attention_frames=12,
        prefix_frames=1,
    )
    assert (nine.frame, nine.text, nine.video, nine.length) == (1350, 1506, 49950, 51456)
    assert (nine.prefix, nine.body) == (1350, 16200)


def test_frames_that_segments_do_not_cover():
    with pytest.raises(ValueError, match="3 segments of 12 frames and 1 in front cover 37 latent frames, not 36"):
        Geometry(
            latent_frames=36,
            grid_height=1,
            grid_width=1,
            segments=3,
            tokens_per_segment=1,
            attention_frames=12,
            prefix_frames=1,
        )


@pytest.mark.parametrize("prefix", [0, 3])
def test_prefixes_that_no_window_can_share(prefix):
    with pytest.raises(ValueError, match=f"prefix_frames = {prefix} must lie between 1 and attention_frames = 2"):
        Geometry(
            latent_frames=4,
            grid_height=1,
            grid_width=1,
            segments=1,
            tokens_per_segment=1,
            attention_frames=2,
            prefix_frames=prefix,
        )
