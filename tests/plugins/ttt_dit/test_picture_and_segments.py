"""TTD103 and TTD202: patches, and latent frames against text segments."""

from collections.abc import Callable

from tttdit.core.findings import Edit, Finding, Fix

Find = Callable[..., list[Finding]]


def test_a_latent_row_too_many(findings_of: Find) -> None:
    (finding,) = findings_of(video={"height": 488}, model={"patch_size": 2})
    assert (finding.code, finding.name, finding.key) == ("TTD103", "latent-patch", "video.height")
    assert finding.message == "61 latent rows (of 488 pixels) cannot be cut into patches of 2: 1 left over"
    assert finding.help == "write video.height = 480"
    assert [(one.key, one.message) for one in finding.related] == [("model.patch_size", "p = 2")]
    assert finding.fix == Fix("unsafe", (Edit("video.height", 480),))


def test_columns(findings_of: Find) -> None:
    (finding,) = findings_of(video={"width": 712})
    assert finding.message == "89 latent columns (of 712 pixels) cannot be cut into patches of 2: 1 left over"


def test_too_many_segments(findings_of: Find) -> None:
    (finding,) = findings_of(text={"segments": 4})
    assert (finding.code, finding.name, finding.key) == ("TTD202", "frames-segments", "text.segments")
    assert finding.message == (
        "text.segments = 4 needs F = 12*S + 1 = 49 latent frames, the video has 37: the last windows would lack 12 frames"
    )
    assert finding.help == "write text.segments = 3", "12 seconds make 4 segments, but leave the texts no length"
    assert [(one.key, one.message) for one in finding.related] == [
        ("video.seconds", "F = 37 latent frames, of N = fps*seconds + 1 = 16*9 + 1 = 145 pixel frames")
    ]
    assert finding.fix == Fix("unsafe", (Edit("text.segments", 3),))


def test_too_few_segments_whose_texts_have_another_length(findings_of: Find) -> None:
    (finding,) = findings_of(text={"segments": 2, "tokens_per_segment": 503})
    assert finding.message.endswith("the video has 37: 12 frames would lie in no window")
    assert finding.help == (
        "write text.segments = 3 and text.tokens_per_segment = 502, "
        "or video.seconds = 6 and text.tokens_per_segment = 501"
    )
    assert finding.fix == Fix("unsafe", (Edit("text.segments", 3), Edit("text.tokens_per_segment", 502)))


def test_a_fix_leaves_nothing_to_be_found(findings_of: Find) -> None:
    assert findings_of(text={"segments": 3, "tokens_per_segment": 502}) == []


def test_a_video_between_two_numbers_of_segments(findings_of: Find) -> None:
    (finding,) = findings_of(video={"seconds": 10})
    assert finding.message.endswith("the video has 41: 4 frames would lie in no window")
    assert finding.help == (
        "write video.seconds = 9, or video.seconds = 6 and text.segments = 2 and text.tokens_per_segment = 501, "
        "or video.seconds = 15 and text.segments = 5 and text.tokens_per_segment = 490"
    )
    assert finding.fix == Fix("unsafe", (Edit("video.seconds", 9),))


def test_a_video_whose_length_is_given_in_frames(findings_of: Find) -> None:
    (finding,) = findings_of(video={"seconds": None, "pixel_frames": 49})
    assert finding.help.startswith(
        "write text.segments = 1 and text.tokens_per_segment = 498, or video.pixel_frames = 145"
    )
    assert finding.related[0].message == "F = 13 latent frames, of N = 49 pixel frames"


def test_other_windows(findings_of: Find) -> None:
    (finding,) = findings_of(model={"attention_frames": 6, "prefix_frames": 2})
    assert finding.message.startswith("text.segments = 3 needs F = 6*S + 2 = 20 latent frames, the video has 37")
    assert {"model.attention_frames", "model.prefix_frames"} <= {one.key for one in finding.related}
