"""TTD203: what the encoder gives, and what `[text]` says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tttdit.checker.api import check
from tttdit.checker.report import FileReport


def test_a_width_of_another_encoder(check_spec: Callable[..., FileReport]) -> None:
    (finding,) = check_spec(sets=("text.encoder=t5", "text.width=768")).findings
    assert (finding.code, finding.severity) == ("TTD203", "error")
    assert finding.message == 'the text encoder "t5" gives 4,096 numbers a token, not 768'
    assert finding.help == "write text.width = 4096"


def test_without_an_encoder_any_width_will_do(check_spec: Callable[..., FileReport]) -> None:
    assert check_spec(sets=("text.width=768",)).findings == ()


def test_the_width_that_weights_in_a_folder_say(make_spec: Callable[..., str]) -> None:
    """Asked for with --data; without it, and where the folder is not there, the spec is believed."""
    spec = make_spec('tokens_per_segment = 502\nencoder = "t5"\nencoder_folder = "t5"')
    sets = ("text.width=768",)
    assert check(spec, sets=sets, data=True).findings == ()
    folder = Path(spec).parent / "t5"
    folder.mkdir()
    (folder / "config.json").write_text('{"d_model": 64}')
    assert check(spec, sets=sets).findings == ()
    (finding,) = check(spec, sets=sets, data=True).findings
    assert (finding.code, finding.help) == ("TTD203", "write text.width = 64")
    assert finding.message == 'the text encoder "t5" gives 64 numbers a token, not 768'
    (folder / "config.json").write_text('{"d_model": []}')
    assert check(spec, sets=sets, data=True).findings == ()
