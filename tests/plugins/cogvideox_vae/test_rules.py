"""TTD104: lengths that are no whole steps of the VAE."""

from collections.abc import Callable

import pytest

from tttdit.core.findings import Finding

Find = Callable[..., list[Finding]]
# Windows of 5 frames and segments as many: F = 5 S + 1, and N = 20 S + 1, is even for an odd S.
OTHER = {"mixer": {"plugin": "none"}, "text": {"segments": "auto"}}


def test_an_even_number_of_latent_frames(findings_of: Find) -> None:
    (finding,) = findings_of(
        video={"seconds": None, "pixel_frames": 61},
        codec={"folder": "vae"},
        model={"attention_frames": 5},
        **OTHER,
    )
    assert (finding.code, finding.severity, finding.key) == ("TTD104", "warning", "video.pixel_frames")
    assert finding.message == (
        "N = 61 pixel frames are no whole steps of the VAE: after the first, 60 is no multiple of 8, "
        "and prepare and sample refuse them"
    )
    assert finding.help == "write video.pixel_frames = 41 or 81"
    assert [(one.key, one.message) for one in finding.related] == [
        ("codec.folder", "a VAE that takes 8 frames at a time")
    ]


def test_nothing_without_the_vaes_weights(findings_of: Find) -> None:
    video = {"seconds": None, "pixel_frames": 61}
    assert findings_of(video=video, model={"attention_frames": 5}, **OTHER) == []


@pytest.mark.parametrize(("seconds", "codes"), [(9, []), (9.125, ["TTD101"])])
def test_lengths_with_nothing_more_to_say(seconds: float, codes: list[str], findings_of: Find) -> None:
    found = findings_of(video={"seconds": seconds}, codec={"folder": "vae"}, **OTHER)
    assert [finding.code for finding in found] == codes
