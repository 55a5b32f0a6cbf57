"""`"auto"`: what is chosen, why, and what is said where there is no answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tttdit.checker.report import Chosen, FileReport
from tttdit.core.findings import Finding

AUTO = ('segments = "auto"', 'tokens_per_segment = "auto"')


def only(file: FileReport) -> Finding:
    (finding,) = [finding for finding in file.findings if finding.severity == "error"]
    return finding


def test_what_was_chosen_and_why(check_spec: Callable[..., FileReport]) -> None:
    (stage,) = check_spec(*AUTO).stages
    assert stage.chosen == (
        Chosen("text.segments", 3, "the only value with 12*S + 1 = F = 37"),
        Chosen(
            "text.tokens_per_segment",
            502,
            "the largest up to text.max_tokens = 512 with L divisible by b = 64; every T = 54 (mod 64) works",
        ),
    )


@pytest.mark.parametrize(("most", "tokens"), [(502, 502), (501, 438), (54, 54), (10_000_000, 9_999_990)])
def test_max_tokens_is_the_limit(check_spec: Callable[..., FileReport], most: int, tokens: int) -> None:
    (stage,) = check_spec(*AUTO, sets=(f"text.max_tokens={most}",)).stages
    assert stage.dims["T"] == tokens


def test_an_encoder_is_a_limit_too(check_spec: Callable[..., FileReport]) -> None:
    (stage,) = check_spec(*AUTO, sets=("text.max_tokens=10000", "text.encoder=t5")).stages
    assert stage.dims["T"] == 502
    assert stage.chosen[1].reason.startswith("the largest up to 512 with ")


def test_one_of_the_two_may_be_stated(check_spec: Callable[..., FileReport]) -> None:
    assert check_spec('segments = "auto"').stages[0].dims["S"] == 3
    assert check_spec('tokens_per_segment = "auto"').stages[0].dims["T"] == 502


def test_no_segments_for_these_frames(check_spec: Callable[..., FileReport]) -> None:
    finding = only(check_spec("seconds = 10", *AUTO))
    assert (finding.code, finding.key) == ("TTD204", "text.segments")
    assert finding.message == '"auto" finds no text.segments with 12*S + 1 = F = 41: S would be 3.33'
    assert (
        finding.help == "write video.seconds = 9 (then text.segments is 3), or video.fps = 24 (then text.segments is 5)"
    )


def test_no_length_up_to_the_limit(check_spec: Callable[..., FileReport]) -> None:
    finding = only(check_spec('tokens_per_segment = "auto"\nmax_tokens = 40'))
    assert (finding.code, finding.key) == ("TTD204", "text.tokens_per_segment")
    assert finding.message == (
        '"auto" finds no text.tokens_per_segment up to 40 with L divisible by b = 64: the smallest would be 54'
    )
    assert finding.help.startswith("write text.max_tokens = 54 (then text.tokens_per_segment is 54), or ")


def test_a_limit_is_not_raised_over_what_the_encoder_takes(check_spec: Callable[..., FileReport]) -> None:
    file = check_spec('tokens_per_segment = "auto"', sets=("text.encoder=t5", "model.mixer.mini_batch_size=4096"))
    assert "the smallest would be 3,830" in only(file).message
    assert "text.max_tokens" not in only(file).help


def test_no_length_at_all_is_proved(check_spec: Callable[..., FileReport]) -> None:
    """Six segments add an even number of tokens, and the video's are odd."""
    finding = only(
        check_spec("seconds = 18", "segments = 6", "height = 16", "width = 16", 'tokens_per_segment = "auto"', sets=())
    )
    assert finding.message == (
        '"auto" finds no text.tokens_per_segment up to 512 with L divisible by b = 64: '
        "S*T = 6*T is even and V = 73 is odd, so L is odd, and b = 64 is even"
    )
    assert "model.mixer.mini_batch_size = 65 (then text.tokens_per_segment is " in finding.help


def test_what_follows_from_another_mistake_is_not_said(check_spec: Callable[..., FileReport]) -> None:
    """Frames that are no whole latent frames leave nothing to solve; segments that are wrong, no length."""
    assert only(check_spec("fps = 15", *AUTO)).code == "TTD101"
    assert only(check_spec("segments = 2", 'tokens_per_segment = "auto"')).code == "TTD202"


def test_a_length_that_is_stated_wrong_is_not_the_segments_fault(check_spec: Callable[..., FileReport]) -> None:
    finding = only(check_spec('segments = "auto"', "tokens_per_segment = 493"))
    assert (finding.code, finding.key) == ("TTD201", "text.tokens_per_segment")


def test_a_choice_is_made_for_every_stage(check_spec: Callable[..., FileReport]) -> None:
    file = check_spec(
        *AUTO, added='\n[[stage]]\nname = "a"\nvideo.seconds = 3\n[[stage]]\nname = "b"\nvideo.seconds = 63\n'
    )
    assert [stage.dims["T"] for stage in file.stages] == [498, 458]
