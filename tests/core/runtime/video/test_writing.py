"""Frames into a file, and out of it again."""

import os
from pathlib import Path

import pytest
import torch
from PIL import Image

from tttdit.core.errors import UsageError
from tttdit.core.runtime.frames import psnr
from tttdit.core.runtime.video.reading import clip_of, frames
from tttdit.core.runtime.video.sheets import contact_sheet
from tttdit.core.runtime.video.writing import read_metadata, write_video


def moving(count: int = 21, height: int = 32, width: int = 48) -> torch.Tensor:
    """A smooth pattern that moves."""
    time, rows, columns = torch.meshgrid(torch.arange(count), torch.arange(height), torch.arange(width), indexing="ij")
    waves = [torch.sin((rows + time) / 5), torch.cos((columns - time) / 7), torch.sin((rows + columns) / 9)]
    return ((torch.stack(waves, 1) + 1) * 127).to(torch.uint8)


def test_frames_come_back(tmp_path: Path) -> None:
    video, path = moving(), tmp_path / "a.mp4"
    assert write_video(path, video.split(8), fps=16, metadata={"prompt": "Füchse \U0001f98a", "seed": 3}) == len(video)
    back = torch.cat([*frames(path, fps=16, height=32, width=48)])
    assert back.shape == video.shape
    assert psnr([video], [back]) > 30  # 4:2:0 has a quarter of the colours
    assert read_metadata(path) == {"prompt": "Füchse \U0001f98a", "seed": 3}
    assert clip_of(path).rate == 16
    assert os.listdir(tmp_path) == ["a.mp4"]


def test_the_same_frames_make_the_same_file(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        write_video(tmp_path / name, [moving()], fps=8, metadata={})
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_a_video_that_ends_in_an_error_leaves_no_file(tmp_path: Path) -> None:
    def parts():
        yield moving(4)
        raise RuntimeError("out of memory")

    (tmp_path / "a.mp4").write_text("before")
    with pytest.raises(RuntimeError):
        write_video(tmp_path / "a.mp4", parts(), fps=8, metadata={})
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("a.mp4", "before")]


def test_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="frames of 33 x 48 pixels cannot be written"):
        write_video(tmp_path / "a.mp4", [moving(height=33)], fps=8, metadata={})
    with pytest.raises(UsageError, match="would have no frames"):
        write_video(tmp_path / "a.mp4", [], fps=8, metadata={})
    with pytest.raises(UsageError, match="cannot be written: No such file"):
        write_video(tmp_path / "no" / "a.mp4", [moving()], fps=8, metadata={})
    assert [*tmp_path.iterdir()] == []


def test_another_program_s_file_has_no_metadata_of_ours(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("text")
    assert read_metadata(tmp_path / "a.mp4") is None


@pytest.mark.parametrize(
    "captions", [(), ("first", "a caption that is much longer than its picture is wide", "\U0001f98a")]
)
def test_a_contact_sheet(captions: tuple[str, ...], tmp_path: Path) -> None:
    pictures = [torch.full((3, 20, 30), shade, dtype=torch.uint8) for shade in (10, 100, 200)]
    contact_sheet(tmp_path / "sheet.png", pictures, 2, captions)
    sheet = Image.open(tmp_path / "sheet.png")
    line = 14 if captions else 0
    assert sheet.size == (2 * 34 + 4, 2 * (24 + line) + 4)
    assert [sheet.getpixel(at)[0] for at in ((10, 10), (44, 10), (10, 34 + line))] == [10, 100, 200]
