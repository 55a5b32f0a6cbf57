"""Frames at the times and in the size that a spec wants."""

from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from clips import STEP, make_clip

from tttdit.core.errors import UsageError
from tttdit.core.runtime.video.reading import DamagedClip, clip_of, frames, number_of_frames


def shown(path: Path, *, fps: int, height: int = 48, width: int = 64) -> list[int]:
    """The number of each frame that is read, by its brightness on the right."""
    pictures = torch.cat([*frames(path, fps=fps, height=height, width=width)])
    assert pictures.shape[1:] == (3, height, width)
    assert pictures.dtype == torch.uint8
    return [round(float(picture[1, :, -8:].float().mean()) / STEP) for picture in pictures]


@pytest.mark.parametrize("rate", [16, 24, 25, 30, Fraction(30000, 1001), 60])
def test_what_is_on_the_screen_at_each_time(rate: int | Fraction, tmp_path: Path) -> None:
    times = [number / Fraction(rate) for number in range(24)]
    path = make_clip(tmp_path / "a.mp4", times)
    wanted, length = [], len(times) / Fraction(rate)
    for number in range(int(length * 16) + 1):
        if Fraction(number, 16) < length - Fraction(1, 200):
            wanted.append(max(k for k, time in enumerate(times) if time <= Fraction(number, 16) + Fraction(1, 1000)))
    assert shown(path, fps=16)[: len(wanted)] == wanted
    assert len(shown(path, fps=16)) <= len(wanted) + 1


def test_a_rate_that_changes(tmp_path: Path) -> None:
    """Two pictures a second, then eight: time stamps alone say when."""
    times = [0, 0.5, 1.0, 1.5, *(2 + number / 8 for number in range(8))]
    path = make_clip(tmp_path / "variable.mkv", times)
    assert shown(path, fps=4)[:12] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 6, 8, 10]


def test_the_first_picture_may_come_late(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "late.mkv", [5 + number / 4 for number in range(8)])
    assert shown(path, fps=4)[:8] == [0, 1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("size", [(16, 16), (32, 96), (96, 32), (48, 64), (144, 192)])
def test_pictures_cover_the_size_and_keep_their_middle(size: tuple[int, int], tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", [0, 0.1], size=(48, 64))
    height, width = size
    (picture, *_) = torch.cat([*frames(path, fps=10, height=height, width=width)]).float()
    redder = picture[0] - picture[1] > 7  # the left half was
    assert bool(redder[:, : width // 2 - 2].all())
    assert not bool(redder[:, width // 2 + 2 :].any())


def test_parts_are_small_whatever_the_length(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", [number / 25 for number in range(100)], size=(16, 16))
    assert max(len(part) for part in frames(path, fps=25, height=16, width=16)) <= 16


def test_what_a_file_says_of_itself(tmp_path: Path) -> None:
    clip = clip_of(make_clip(tmp_path / "a.mp4", [number / 25 for number in range(50)]))
    assert (clip.height, clip.width) == (48, 64)
    assert clip.seconds == pytest.approx(2, abs=0.05)
    assert clip.rate == pytest.approx(25, abs=0.5)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    with pytest.raises(UsageError, match=r"text\.mp4 cannot be read: Invalid data"):
        next(frames(text, fps=4, height=16, width=16))
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        clip_of(tmp_path / "missing.mp4")


def test_a_file_that_breaks_off(tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "a.mkv", [number / 25 for number in range(200)], size=(96, 96))
    data = bytearray(whole.read_bytes())
    torn = tmp_path / "torn.mkv"
    torn.write_bytes(data[: len(data) // 2])
    found = []
    with suppress(DamagedClip):  # where it breaks off decides whether FFmpeg takes that for an end
        found += frames(torn, fps=25, height=16, width=16)
    assert sum(map(len, found)) < 200
    assert number_of_frames(torn, 25) < 200


@pytest.mark.parametrize(("fps", "rate"), [(4, 25), (16, 25), (25, 25), (16, 10)])
def test_frames_are_counted_without_decoding(fps: int, rate: int, tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", [number / rate for number in range(61)])
    assert abs(number_of_frames(path, fps) - len(shown(path, fps=fps))) <= 1
