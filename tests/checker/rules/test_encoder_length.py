"""TTD205: texts longer than the encoder was made for run all the same, and "auto" makes none."""

from __future__ import annotations

from collections.abc import Callable

from tttdit.checker.report import FileReport

T5 = "text.encoder=t5"


def test_a_text_longer_than_the_encoder_takes_is_a_warning(check_spec: Callable[..., FileReport]) -> None:
    file = check_spec("tokens_per_segment = 566", sets=(T5,))
    (finding,) = file.findings
    assert (finding.code, finding.severity, file.ok) == ("TTD205", "warning", True)
    assert finding.message == 'a segment has 566 tokens, and the text encoder "t5" was made for at most 512'
    assert finding.help == "write text.tokens_per_segment = 502"
    assert file.stages[0].proved


def test_the_help_keeps_to_the_other_laws_or_names_the_limit_alone(check_spec: Callable[..., FileReport]) -> None:
    """With a mini-batch of 1,024 no text up to 512 tokens is right."""
    file = check_spec("tokens_per_segment = 950", sets=(T5, "model.mixer.mini_batch_size=1024"))
    finding = next(finding for finding in file.findings if finding.code == "TTD205")
    assert finding.help == "write a length of at most 512"
    assert finding.fix is None


def test_auto_keeps_to_the_encoder_whatever_max_tokens_says(check_spec: Callable[..., FileReport]) -> None:
    file = check_spec('tokens_per_segment = "auto"', sets=(T5, "text.max_tokens=1000"))
    assert file.findings == ()
    assert file.stages[0].dims["T"] == 502
    assert check_spec('tokens_per_segment = "auto"', sets=("text.max_tokens=1000",)).stages[0].dims["T"] == 950
