"""The codec `dct`: laws of its transform, what it keeps, and what it refuses."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tttdit.core.errors import UsageError
from tttdit.core.runtime.frames import as_numbers, psnr
from tttdit.plugins.dct.basis.module import Basis, bases, cosines
from tttdit.plugins.dct.module import DCT
from tttdit.plugins.dct.spec import DCTTable

CPU = torch.device("cpu")


def codec(**keys: Any) -> DCT:
    return DCT(DCTTable(plugin="dct", **keys), Path(), CPU)


def whole(parts: Any) -> Tensor:
    return torch.cat([*parts])


@pytest.fixture(scope="module")
def usual() -> DCT:
    return codec()


def geometries() -> st.SearchStrategy[tuple[int, int, int]]:
    """Frames, rows and columns of a block, and how many of its coefficients are kept."""
    sizes = st.tuples(st.integers(1, 5), st.integers(1, 5))
    return sizes.flatmap(lambda size: st.tuples(*map(st.just, size), st.integers(1, 3 * size[1] ** 2)))


@given(geometries())
@settings(max_examples=25)
def test_rows_are_orthonormal(geometry: tuple[int, int, int]) -> None:
    frames, space, channels = geometry
    for basis, length in zip(bases(frames, 3, space, channels), (1, frames), strict=True):
        assert basis.rows.shape == (channels, length * 3 * space**2)
        torch.testing.assert_close(basis.rows @ basis.rows.T, torch.eye(channels, dtype=torch.float64))
        assert bool((basis.deviations > 0).all())


@given(st.integers(0, 2**32), st.floats(-2, 2), st.floats(-2, 2))
@settings(max_examples=20)
def test_both_directions_are_linear(seed: int, a: float, b: float) -> None:
    made, chance = codec(space_compression=4), torch.Generator().manual_seed(seed)
    basis = made._others
    x, y = torch.randn((2, 4, 3, 8, 12), generator=chance)
    torch.testing.assert_close(
        made.transformed(a * x + b * y, basis),
        a * made.transformed(x, basis) + b * made.transformed(y, basis),
        rtol=1e-4,
        atol=1e-4,
    )
    z, w = torch.randn((2, 1, 16, 2, 3), generator=chance)
    torch.testing.assert_close(
        made.composed(a * z + b * w, basis),
        a * made.composed(z, basis) + b * made.composed(w, basis),
        rtol=1e-4,
        atol=1e-4,
    )


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_decoding_what_was_encoded_is_the_nearest_video_that_latents_can_say(seed: int) -> None:
    """A projection: what is lost is at right angles to all that can be said, and is not lost a second time."""
    made, chance = codec(space_compression=4), torch.Generator().manual_seed(seed)
    basis = made._others
    video = torch.randn((4, 3, 8, 8), generator=chance)
    near = made.composed(made.transformed(video, basis), basis)
    torch.testing.assert_close(made.composed(made.transformed(near, basis), basis), near, rtol=1e-4, atol=1e-5)
    other = made.composed(torch.randn((1, 16, 2, 2), generator=chance), basis)
    assert abs(float(((video - near) * other).sum())) < 1e-3 * float(other.norm() * video.norm())


def test_a_block_as_the_definition_has_it(usual: DCT) -> None:
    """The sum over colours, frames, rows and columns, written out, against the latent of the first frame's second channel."""
    frames = torch.randint(0, 256, (1, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    axes = [cosines(length) for length in (1, 3, 8, 8)]
    said = torch.einsum("tcyx,t,c,y,x", as_numbers(frames).double(), axes[0][0], axes[1][0], axes[2][0], axes[3][1])
    latents = whole(usual.encode([frames]))
    assert any(
        abs(float(latents[0, channel, 0, 0] * usual._first.deviations[channel]) - float(said)) < 1e-5
        for channel in range(16)
    )


def test_the_variance_that_the_model_gives(usual: DCT) -> None:
    """Numbers drawn as the model has them, correlated by their distance, have latents of unit variance."""
    places = torch.cartesian_prod(*[torch.arange(float(length)) for length in (4, 8, 8)]).double()
    colours = torch.arange(3.0).double()
    pixels = torch.linalg.cholesky(0.95 ** torch.cdist(places, places))
    shades = torch.linalg.cholesky(0.95 ** (colours.unsqueeze(1) - colours).abs())
    drawn = torch.randn((4000, 3, 256), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    videos = (shades @ drawn @ pixels.T).view(4000, 3, 4, 8, 8).transpose(1, 2) / math.sqrt(3)
    rows, deviations = bases(4, 3, 8, 16)[1].rows, bases(4, 3, 8, 16)[1].deviations
    torch.testing.assert_close(
        (videos.flatten(1) @ rows.T / deviations).std(0), torch.ones(16, dtype=torch.float64), rtol=0.05, atol=0
    )


def test_what_is_kept() -> None:
    """Of 8 x 8 blocks: brightness and both colours, slopes and curves, and the change from frame to frame."""
    first, later = bases(4, 3, 8, 16)
    assert named(later, 4) == [
        *("0000", "0001", "0010", "0100", "1000", "0011", "0200", "0002", "0020", "1001", "1010", "0012", "0021"),
        *("1011", "0003", "0030"),
    ]
    assert [place for place in named(first, 1) if place in named(later, 4)] == [
        place for place in named(later, 4) if place[0] == "0"
    ]
    for one, other in zip(named(first, 1), named(later, 4), strict=True):
        assert one == other or other[0] != "0"


def named(basis: Basis, frames: int) -> list[str]:
    """The coefficients by their numbers along frames, colours, rows and columns."""
    axes = [cosines(length) for length in (frames, 3, 8, 8)]
    places = []
    for row in basis.rows:
        found = torch.einsum("tcyx,kt,lc,my,nx->klmn", row.view(frames, 3, 8, 8), *axes)
        places.append("".join(str(int(index)) for index in torch.unravel_index(found.abs().argmax(), found.shape)))
    return places


@given(cut=st.lists(st.integers(0, 9), min_size=1, max_size=9), back=st.lists(st.integers(0, 3), max_size=9))
@settings(max_examples=20)
def test_how_a_video_is_cut_changes_no_bit(cut: Sequence[int], back: Sequence[int]) -> None:
    made = codec(space_compression=4, channels=5)
    frames = torch.randint(0, 256, (13, 3, 8, 12), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    latents = whole(made.encode([frames]))
    assert (latents.shape, latents.dtype) == ((4, 5, 2, 3), torch.float32)
    assert torch.equal(whole(made.encode(frames.tensor_split(sorted(cut)))), latents)
    decoded = whole(made.decode([latents]))
    assert (decoded.shape, decoded.dtype) == (frames.shape, torch.uint8)
    assert torch.equal(whole(made.decode(latents.tensor_split(sorted(back)))), decoded)


@given(st.lists(st.integers(0, 255), min_size=3, max_size=3))
@settings(max_examples=10)
def test_a_video_of_one_colour_comes_back_as_it_was(colour: list[int]) -> None:
    made = codec(space_compression=4)
    frames = torch.tensor(colour, dtype=torch.uint8).view(1, 3, 1, 1).expand(5, 3, 8, 8)
    assert torch.equal(whole(made.decode(made.encode([frames]))), frames)


def test_a_smooth_video_comes_back_nearly_as_it_was(usual: DCT) -> None:
    """Grey waves over 64 pixels that move half a pixel a frame: over 38 dB, where noise of bytes has less than 12."""
    at, rows, columns = torch.arange(17.0).view(-1, 1, 1), torch.arange(64.0).view(-1, 1), torch.arange(64.0)
    wave = (2 * math.pi * (rows + columns + at / 2) / 64).sin()
    smooth = (127.5 + 100 * wave.unsqueeze(1).expand(-1, 3, -1, -1)).to(torch.uint8)
    assert psnr([smooth], usual.decode(usual.encode([smooth]))) > 38
    noise = torch.randint(0, 256, smooth.shape, generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    assert psnr([noise], usual.decode(usual.encode([noise]))) < 12


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (
            (4, 3, 8, 8),
            "a video of 4 pixel frames cannot be taken: after the first, they have to be a multiple of 4",
        ),
        ((5, 3, 8, 12), "a picture of 8 x 12 pixels does not make whole latent pixels of 8 x 8"),
        ((0, 3, 8, 8), "a video without frames cannot be taken"),
    ],
)
def test_a_video_that_does_not_fit(usual: DCT, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        whole(usual.encode([torch.zeros(shape, dtype=torch.uint8)]))
    assert str(caught.value) == message


def test_latents_of_another_codec(usual: DCT) -> None:
    with pytest.raises(UsageError, match=r"^the latents have 8 channels, and the codec 16$"):
        whole(usual.decode([torch.zeros(2, 8, 1, 1)]))
