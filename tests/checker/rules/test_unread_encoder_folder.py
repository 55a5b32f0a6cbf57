"""TTD207, and TTD203 where a folder says how wide the embeddings are."""

from __future__ import annotations

from collections.abc import Callable

from tttdit.checker.report import FileReport


def test_a_folder_and_no_encoder(check_spec: Callable[..., FileReport]) -> None:
    (finding,) = check_spec('tokens_per_segment = 502\nencoder_folder = "t5"').findings
    assert (finding.code, finding.severity, finding.key) == ("TTD207", "warning", "text.encoder_folder")
    assert finding.message == "text.encoder_folder is never opened: no text encoder is named"


def test_any_width_goes_with_a_folder_and_with_hashes(check_spec: Callable[..., FileReport]) -> None:
    text = 'tokens_per_segment = 502\nencoder = "t5"\nencoder_folder = "small-t5"'
    assert check_spec(text, sets=("text.width=64",)).findings == ()
    assert check_spec('tokens_per_segment = 502\nencoder = "hash"', sets=("text.width=64",)).findings == ()
