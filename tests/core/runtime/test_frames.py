"""Frames cut anew, as numbers and bytes, and compared."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tttdit.core.runtime.frames import as_bytes, as_numbers, cut_anew, psnr


@given(st.lists(st.integers(0, 7), max_size=8), st.integers(1, 9), st.integers(1, 9))
def test_the_same_frames_in_other_parts(cut: list[int], first: int, others: int) -> None:
    frames = torch.arange(sum(cut))
    parts = [*cut_anew(frames.split(cut) if cut else [], first, others)]
    assert torch.equal(torch.cat([torch.empty(0, dtype=torch.int64), *parts]), frames)
    sizes = [len(part) for part in parts]
    wanted = [first, *[others] * len(sizes)][: len(sizes)]
    assert sizes[:-1] == wanted[:-1]
    assert not sizes or 0 < sizes[-1] <= wanted[-1]


def test_what_is_left_of_a_part_does_not_hold_the_part() -> None:
    """A view of one frame would keep all frames of its part in memory."""
    (left,) = [*cut_anew([torch.zeros(1000)], 999, 5)][1:]
    assert left.untyped_storage().nbytes() == 4


def test_every_byte_comes_back() -> None:
    every = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(as_bytes(as_numbers(every)), every)
    assert (as_numbers(every).min(), as_numbers(every).max()) == (-1, 1)
    assert as_bytes(torch.tensor([-3.0, 3.0])).tolist() == [0, 255]


def test_psnr_is_of_all_frames_however_both_are_cut() -> None:
    frames = torch.randint(0, 256, (5, 3, 4, 4), dtype=torch.uint8)
    other = frames.clone()
    other[3] = 255 - other[3]
    error = (frames.double() - other.double()).square().mean().item()
    assert psnr(frames.split(2), other.split(3)) == pytest.approx(10 * math.log10(255**2 / error))
    assert psnr([frames], [frames]) == math.inf


def test_what_cannot_be_compared() -> None:
    frames = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
    with pytest.raises(ValueError, match=r"^frames of \[1, 3, 4, 4\] and of \[1, 3, 4, 2\] cannot be compared$"):
        psnr([frames], [frames[..., :2]])
    with pytest.raises(ValueError, match=r"^there are no frames to compare$"):
        psnr([], [])
    with pytest.raises(ValueError, match="shorter"):
        psnr([frames], [frames[:1]])
