"""TTD101 and TTD102: frames and pixels against a grid of latents."""

from collections.abc import Callable

import pytest

from tttdit.core.findings import Edit, Finding, Fix

Find = Callable[..., list[Finding]]


def test_seconds_and_frame_rate(findings_of: Find) -> None:
    (finding,) = findings_of(video={"fps": 15})
    assert (finding.code, finding.name, finding.key) == ("TTD101", "frames-codec", "video.seconds")
    assert finding.message == (
        "N = fps*seconds + 1 = 15*9 + 1 = 136 pixel frames do not make whole latent frames: after the first, 135 is no multiple of 4"
    )
    # 8 or 12 seconds would suit the VAE too, but not three segments of text
    assert finding.help == "write video.fps = 16"
    assert [(one.key, one.message) for one in finding.related] == [("video.fps", "15 frames a second")]
    assert finding.fix == Fix("unsafe", (Edit("video.fps", 16),))


def test_lengths_that_suit_the_vae_where_none_suits_everything(findings_of: Find) -> None:
    (finding,) = findings_of(video={"fps": 15}, text={"segments": 500})
    assert finding.help == "write video.seconds = 8 or 12, or video.fps = 12 or 16"


def test_pixel_frames(findings_of: Find) -> None:
    (finding,) = findings_of(video={"seconds": None, "pixel_frames": 147}, codec={"time_compression": 4})
    assert (finding.code, finding.key) == ("TTD101", "video.pixel_frames")
    assert finding.message == (
        "N = 147 pixel frames do not make whole latent frames: after the first, 146 is no multiple of 4"
    )
    # of all lengths that the VAE takes, this one goes with three segments of text
    assert finding.help == "write video.pixel_frames = 145"
    assert [(one.key, one.message) for one in finding.related] == [
        ("codec.time_compression", "4 frames in a latent frame")
    ]


def test_a_length_that_is_no_whole_number_of_frames(findings_of: Find) -> None:
    (finding,) = findings_of(video={"seconds": 2.3})
    assert finding.message == (
        "N = fps*seconds + 1 = 16*2.3 + 1 = 37.8 pixel frames do not make whole latent frames: "
        "after the first, 36.8 is no multiple of 4"
    )


@pytest.mark.parametrize("video", [{"fps": 15}, {"seconds": 2.3}, {"seconds": None, "pixel_frames": 146}])
def test_windows_and_mini_batches_that_follow_are_not_reported_again(
    video: dict[str, object], findings_of: Find
) -> None:
    assert [finding.code for finding in findings_of(video=video)] == ["TTD101"]


def test_both_sides_of_the_picture(findings_of: Find) -> None:
    height, width = findings_of(video={"height": 484, "width": 724})
    assert (height.code, height.name, height.key) == ("TTD102", "pixels-codec", "video.height")
    assert height.message == (
        "video.height = 484 pixels do not make whole latent pixels: 484 is no multiple of 8 (4 left over)"
    )
    # 488 is a multiple of 8 as well, but its 61 latent rows do not make patches of 2
    assert height.help == "write video.height = 480 or 496"
    assert (width.key, width.help) == ("video.width", "write video.width = 720 or 736")
    assert width.fix == Fix("unsafe", (Edit("video.width", 720),))


def test_a_picture_smaller_than_a_latent_pixel(findings_of: Find) -> None:
    (finding,) = findings_of(video={"height": 5})
    assert finding.code == "TTD102"
    assert finding.fix is not None
    assert finding.help.startswith("write video.height = ")
