"""TTD201: the sequence against the mini-batch."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tttdit.core.findings import Edit, Finding, Fix

KEY = "text.tokens_per_segment"
Find = Callable[..., list[Finding]]


def only(findings: list[Finding]) -> Finding:
    (finding,) = findings
    assert (finding.code, finding.name, finding.severity, finding.key) == (
        "TTD201",
        "sequence-mini-batch",
        "error",
        KEY,
    )
    return finding


@pytest.mark.parametrize("tokens", [438, 502])
def test_lengths_that_work(tokens: int, findings_of: Find) -> None:
    assert findings_of(text={"tokens_per_segment": tokens}) == []


def test_what_is_what_was_expected_and_what_works(findings_of: Find) -> None:
    finding = only(findings_of(text={"tokens_per_segment": 500}, mixer={"mini_batch_size": 64}))
    assert finding.message == (
        "the sequence of L = V + S*T = 49,950 + 3*500 = 51,450 tokens is no whole number of mini-batches of b = 64: "
        "803 mini-batches and 58 tokens"
    )
    assert finding.help == (
        "write text.tokens_per_segment = 374, 438 or 502; up to text.max_tokens = 512 every T = 54 (mod 64) works"
    )
    assert [(one.key, one.message) for one in finding.related] == [
        ("model.mixer.mini_batch_size", "b = 64 tokens in a mini-batch"),
        ("text.segments", "S = 3, each of T = 500 tokens"),
        ("video.seconds", "V = 49,950 video tokens"),
    ]
    assert finding.fix == Fix("safe", (Edit(KEY, 502),))


def test_the_preparation_scripts_493_tokens(findings_of: Find) -> None:
    three = {"video": {"seconds": 3}, "text": {"segments": 1, "tokens_per_segment": 493}}
    assert only(findings_of(**three)).fix == Fix("safe", (Edit(KEY, 498),))
    assert only(findings_of(**three, mixer={"plugin": "ttt-linear"})).fix == Fix("safe", (Edit(KEY, 498),))


def test_a_shorter_text_is_no_safe_fix(findings_of: Find) -> None:
    assert only(findings_of(text={"tokens_per_segment": 503})).fix == Fix("unsafe", (Edit(KEY, 502),))


def test_a_length_beyond_the_most_tokens(findings_of: Find) -> None:
    finding = only(findings_of(mixer={"mini_batch_size": 4096}))
    assert finding.help == (
        "no length up to text.max_tokens = 512 works, the first is 3830; "
        "write model.mixer.mini_batch_size = 2144, 3216 or 4288 for this one"
    )
    assert finding.fix is None


def test_an_odd_video_and_an_even_number_of_segments(findings_of: Find) -> None:
    # 73 frames of 15 x 15 tokens are odd, six texts even
    finding = only(findings_of(video={"seconds": 18, "height": 240, "width": 240}, text={"segments": 6}))
    assert finding.help == (
        "no length works, for S*T = 6*T is even and V = 16,425 is odd, so L is odd, and b = 64 is even; "
        "write model.mixer.mini_batch_size = 33, 57 or 93 for this one"
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_what_help_and_fix_say_is_true(data: st.DataObject, stage_of: Any, findings_of: Find) -> None:
    segments, batch = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 200))
    tokens, most = data.draw(st.integers(1, 700)), data.draw(st.integers(1, 600))
    spec: dict[str, Any] = {
        "video": {"seconds": 3 * segments, "height": 16 * data.draw(st.integers(1, 9)), "width": 16},
        "text": {"segments": segments, "tokens_per_segment": tokens, "max_tokens": most},
        "mixer": {"mini_batch_size": batch},
    }
    video_tokens = int(stage_of(**spec).dims["V"])
    works = [T for T in range(1, most + 1) if (video_tokens + segments * T) % batch == 0]
    findings = findings_of(**spec)
    if (video_tokens + segments * tokens) % batch == 0:
        assert findings == []
        return
    fix = only(findings).fix
    if not works:
        assert fix is None
        return
    assert fix is not None
    longer = [T for T in works if tokens < T]
    assert fix == (Fix("safe", (Edit(KEY, longer[0]),)) if longer else Fix("unsafe", (Edit(KEY, works[-1]),)))
    assert min(works, key=lambda T: (abs(T - tokens), -T)) in {
        int(word.strip(",;")) for word in only(findings).help.replace(";", " ").split() if word.strip(",;").isdigit()
    }
