"""TTD710: guidance, and no text was ever dropped."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tttdit.core.findings import Finding

Check = Callable[..., tuple[Finding, ...]]

SAMPLING = '[sampling]\nplugin = "dpmpp-2m-sde"\n'


def test_guidance_of_a_model_that_never_did_without_a_text(check_spec: Check) -> None:
    (finding,) = check_spec(SAMPLING, "training.text_dropout=0")
    assert (finding.code, finding.severity, finding.key) == ("TTD710", "warning", "training.text_dropout")
    assert finding.message == (
        "training.text_dropout = 0 and sampling.guidance_scale = 6: "
        "guidance needs a model that was sometimes trained without a text"
    )
    assert finding.help == "write training.text_dropout = 0.1, or sampling.guidance_scale = 0"


@pytest.mark.parametrize(
    ("added", "sets"),
    [
        (SAMPLING, ()),
        (SAMPLING, ("training.text_dropout=0.01",)),
        (SAMPLING, ("training.text_dropout=0", "sampling.guidance_scale=0")),
        ("", ("training.text_dropout=0",)),  # nothing is sampled
    ],
)
def test_no_guidance_or_some_dropout(added: str, sets: tuple[str, ...], check_spec: Check) -> None:
    assert check_spec(added, *sets) == ()
