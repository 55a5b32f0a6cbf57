"""Frames at the times and in the size that a spec wants."""

import struct
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import pytest
import torch
from clips import STEP, make_clip

from tttdit.core.errors import UsageError
from tttdit.core.runtime.video.reading import DamagedClip, Length, clip_of, frames, length_of


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


# Where a phone's file says how the camera was held: the matrix in an mp4's track header, by which (x, y) of a stored picture becomes
# (x', y') of the one that is shown (ISO/IEC 14496-12, 6.2.2); and where the stored picture's upper left corner is then seen.
TURNS = {
    "not": ((1, 0, 0, 1), (0, 0)),
    "clockwise": ((0, 1, -1, 0), (0, -1)),
    "upside down": ((-1, 0, 0, -1), (-1, -1)),
    "against the clock": ((0, -1, 1, 0), (-1, 0)),
}


@pytest.mark.parametrize("turned", TURNS)
def test_pictures_are_turned_as_the_camera_was(turned: str, tmp_path: Path) -> None:
    (a, b, c, d), (row, column) = TURNS[turned]
    path = make_clip(tmp_path / "a.mp4", [0, 0.1], size=(48, 64))
    data = bytearray(path.read_bytes())
    begins = data.index(b"tkhd") + 44
    one = 1 << 16
    data[begins : begins + 36] = struct.pack(">9i", a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    height, width = (64, 48) if a == 0 else (48, 64)
    found = clip_of(path)
    assert (found.height, found.width) == (height, width)
    (picture, *_) = torch.cat([*frames(path, fps=10, height=height, width=width)]).float()
    redder = picture[0] - picture[1] > 7  # the left half of what is stored was
    lines = redder if a else redder.T  # along what was a row
    along = column if a else row
    assert bool(lines[:, 2 + along * 5].all())
    assert not bool(lines[:, -3 - along * 5].any())


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
    there = length_of(torn)
    assert there.frames(25) < 200
    assert there.problem == f"{torn} is 8.0 s long, and its pictures end after {float(there.seconds):.1f} s"
    assert length_of(whole) == Length(Fraction(8))


@pytest.mark.parametrize(("fps", "rate"), [(4, 25), (16, 25), (25, 25), (16, 10)])
def test_frames_are_counted_without_decoding(fps: int, rate: int, tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", [number / rate for number in range(61)])
    assert abs(length_of(path).frames(fps) - len(shown(path, fps=fps))) <= 1


@pytest.mark.parametrize("gap", [59, 3600])
def test_a_picture_that_would_stay_for_an_hour_has_a_damaged_time_stamp(gap: int, tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mkv", [0, 0.5, 1, 1 + gap, 1.5 + gap])
    if gap < 60:
        assert shown(path, fps=2)[: 2 * gap + 4] == [0, 1, *[2] * 2 * gap, 3, 4]
        assert length_of(path).problem == ""
        return
    with pytest.raises(
        DamagedClip, match=r"a\.mkv is damaged after 1\.\d s: its next picture comes 3,[56]\d\d s later"
    ):
        shown(path, fps=2)
    assert "its next picture comes 3," in length_of(path).problem
    assert length_of(path).frames(2) <= 4


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("notes.txt", "a line of notes\n" * 500),
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nclip.ts\n#EXT-X-ENDLIST\n"),
        ("list.ffconcat", "ffconcat version 1.0\nfile clip.ts\n"),
    ],
)
def test_text_and_lists_of_files_are_no_videos(name: str, text: str, tmp_path: Path) -> None:
    """FFmpeg would draw the one and read what the others name."""
    make_clip(tmp_path / "clip.ts", [0, 0.1, 0.2])
    (tmp_path / name).write_text(text)
    for read in (length_of, clip_of, lambda path: next(frames(path, fps=4, height=16, width=16))):
        with pytest.raises(UsageError, match=f"{name} is no video, but "):
            read(tmp_path / name)


def test_a_name_is_no_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_clip(tmp_path / "a.mp4", [0, 0.25]).rename(tmp_path / "12:30.mp4")
    monkeypatch.chdir(tmp_path)
    assert shown(Path("12:30.mp4"), fps=4)[:2] == [0, 1]


def test_what_an_edit_cuts_off_is_not_counted(tmp_path: Path) -> None:
    """A file may begin with pictures that are not shown, from which the first one that is gets decoded."""
    whole, cut = make_clip(tmp_path / "a.mp4", [number / 4 for number in range(20)]), tmp_path / "cut.mp4"
    with av.open(str(whole)) as source, av.open(str(cut), "w", options={"avoid_negative_ts": "disabled"}) as target:
        stream = source.streams.video[0]
        copied = target.add_stream_from_template(stream)
        begins = round(2 / stream.time_base)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.pts, packet.dts, packet.stream = packet.pts - begins, packet.dts - begins, copied
                target.mux(packet)
    assert shown(cut, fps=4)[:12] == [*range(8, 20)]
    assert length_of(cut).frames(4) in (12, 13)
