"""A file that has nothing of a spec gets one finding, and a spec to begin with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tttdit.checker.api import check
from tttdit.core.findings import Finding


@pytest.fixture
def finding_of(tmp_path: Path) -> Callable[[str], list[Finding]]:
    def findings(text: str) -> list[Finding]:
        path = tmp_path / "spec.toml"
        path.write_text(text)
        return [*check(path).findings]

    return findings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the spec has no tables"),
        ("# nothing yet\n", "the spec has no tables"),
        ('name = "x"\n', "the spec has no tables"),
        ('[[stage]]\nname = "a"\n[[stage]]\nname = "b"\n', "the spec has no tables"),
        ("[project]\n[tool.ruff]\n", "no table of this file is one of a spec: it has [project], [tool]"),
        (
            "[a]\n[b]\n[c]\n[d]\n[e]\n[f]\n",
            "no table of this file is one of a spec: it has [a], [b], [c], [d], [e] ...",
        ),
    ],
)
def test_one_finding_says_what_is_missing(finding_of: Callable[[str], list[Finding]], text: str, message: str) -> None:
    (finding,) = [one for one in finding_of(text) if one.severity == "error"]
    assert (finding.code, finding.message) == ("TTD004", message)
    assert finding.help.startswith("A spec has at least these:\n[video]\nseconds = 9\n")


def test_what_it_shows_is_a_spec_that_is_right(finding_of: Callable[[str], list[Finding]]) -> None:
    (finding,) = finding_of("")
    assert finding_of(finding.help.partition("\n")[2]) == []


@pytest.mark.parametrize("text", ["[vidoe]\nseconds = 9\n", "fps = 16\n", "[video]\n"])
def test_what_was_meant_to_be_a_spec_is_read_as_one(finding_of: Callable[[str], list[Finding]], text: str) -> None:
    assert len(finding_of(text)) > 1
