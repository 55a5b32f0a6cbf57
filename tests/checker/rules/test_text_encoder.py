"""TTD203: what the encoder gives, and what `[text]` says."""

from __future__ import annotations

from collections.abc import Callable

from tttdit.checker.report import FileReport


def test_a_width_of_another_encoder(check_spec: Callable[..., FileReport]) -> None:
    (finding,) = check_spec(sets=("text.encoder=t5", "text.width=768")).findings
    assert (finding.code, finding.severity) == ("TTD203", "error")
    assert finding.message == 'the text encoder "t5" gives 4,096 numbers a token, not 768'
    assert finding.help == "write text.width = 4096"


def test_without_an_encoder_any_width_will_do(check_spec: Callable[..., FileReport]) -> None:
    assert check_spec(sets=("text.width=768",)).findings == ()
