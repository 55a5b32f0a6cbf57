"""SARIF: against the schema of SARIF 2.1.0, and read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tttdit.checker.api import check_paths
from tttdit.checker.render import sarif
from tttdit.checker.render.paint import Paint
from tttdit.checker.render.text import visible
from tttdit.checker.report import FileReport, Report
from tttdit.core.findings import Finding, Related, Span

jsonschema = pytest.importorskip("jsonschema")

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "tests" / "data" / "sarif" / "sarif-schema-2.1.0.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)


def logged(report: Report) -> dict[str, Any]:
    """The run of the log, which must be right by the schema."""
    text = "\n".join(sarif.render(report, Paint()))
    assert text.isascii()
    log = json.loads(text)
    assert [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(log)] == []
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def test_the_schema_is_one() -> None:
    jsonschema.Draft4Validator.check_schema(SCHEMA)
    assert not VALIDATOR.is_valid({"version": "2.1.0", "runs": [{}]})


def test_a_result_has_its_place_its_reason_and_its_remedy(report: Report) -> None:
    first = logged(report)["results"][0]
    fingerprint = first.pop("partialFingerprints")
    assert first == {
        "ruleId": "TTD201",
        "ruleIndex": 0,
        "level": "error",
        "message": {
            "text": "18,043 tokens are 100% wrong:\n59 are left over (stage 3s)\n"
            "note: model.mixer.mini_batch_size: b = 64, the default\n"
            "help: write text.tokens_per_segment = 498, or 434\nor another length"
        },
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "specs/100%25%2C%20a%3Ab.toml"},
                    "region": {"startLine": 4, "startColumn": 1, "endLine": 4, "endColumn": 25},
                },
                "logicalLocations": [{"fullyQualifiedName": "text.tokens_per_segment"}],
            }
        ],
        "relatedLocations": [
            {
                "id": 0,
                "physicalLocation": {
                    "artifactLocation": {"uri": "specs/100%25%2C%20a%3Ab.toml"},
                    "region": {"startLine": 5, "startColumn": 1, "endLine": 7, "endColumn": 2},
                },
                "message": {"text": "S = 1"},
            },
            {
                "id": 1,
                "physicalLocation": {
                    "artifactLocation": {"uri": "plugins/my%20mixer/module.py"},
                    "region": {"startLine": 7, "startColumn": 5, "endLine": 7, "endColumn": 9},
                },
                "message": {"text": "the model reads it here"},
            },
        ],
    }
    assert list(fingerprint) == ["tttdit/v1"]


def test_levels_and_a_finding_about_a_whole_file(report: Report) -> None:
    results = logged(report)["results"]
    assert [result["level"] for result in results] == ["error", "warning", "note"]
    assert results[2]["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": "specs/other.toml"}}}]


def test_the_invocation_says_how_it_ended(report: Report) -> None:
    assert logged(report)["invocations"] == [
        {
            "executionSuccessful": False,
            "exitCode": 2,
            "toolExecutionNotifications": [
                {"level": "error", "message": {"text": "cannot read gone.toml: No such file or directory"}}
            ],
        }
    ]
    read = evolve(report, unreadable=())
    assert logged(read)["invocations"] == [{"executionSuccessful": True, "exitCode": 1}]
    assert logged(evolve(read, exit_zero=True))["invocations"] == [{"executionSuccessful": True, "exitCode": 0}]


def test_rules_bring_their_pages(make_spec: Callable[..., str]) -> None:
    run = logged(check_paths([make_spec("tokens_per_segment = 493")]))
    assert run["columnKind"] == "unicodeCodePoints"
    (rule,) = run["tool"]["driver"]["rules"]
    assert (rule["id"], rule["name"]) == ("TTD201", "sequence-mini-batch")
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert rule["fullDescription"]["text"].startswith(rule["shortDescription"]["text"])
    assert rule["help"]["text"].startswith("What: ")
    assert "\n\nInstead: " in rule["help"]["text"]


def test_every_broken_example_is_a_log_whose_results_have_rules() -> None:
    paths = sorted(str(path) for path in (ROOT / "examples" / "broken").glob("*.toml"))
    run = logged(check_paths(paths))
    rules = run["tool"]["driver"]["rules"]
    assert len(
        {result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in run["results"]}
    ) == len(paths)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert "help" in rules[result["ruleIndex"]]


def test_nothing_wrong_is_a_log_without_results(make_spec: Callable[..., str]) -> None:
    run = logged(check_paths([make_spec()]))
    assert (run["results"], run["tool"]["driver"]["rules"]) == ([], [])


def test_a_fingerprint_stays_when_lines_move_and_two_findings_never_share_one(report: Report) -> None:
    (first, second), finding = report.files, report.findings[0]
    moved = evolve(first, text="# more\n" + first.text, findings=(evolve(finding, span=Span(5, 1, 5, 25)),))

    def prints(*files: FileReport) -> list[str]:
        return [result["partialFingerprints"]["tttdit/v1"] for result in logged(Report(files))["results"]]

    here = prints(evolve(first, findings=(finding,)))
    assert prints(moved) == here
    assert prints(evolve(moved, path="specs/else.toml")) != here
    assert len(set(prints(evolve(first, findings=(finding, finding)), second))) == 3


@given(st.text(), st.text(), st.text(min_size=1).filter(lambda path: "\0" not in path), st.text())
def test_whatever_is_in_a_spec_the_log_is_right(message: str, help: str, path: str, key: str) -> None:
    related = Related(message, key, Span(1, 1, 2, 1)), Related(help, key)
    finding = Finding("TTD999", "example", "error", message, help, key, related, span=Span(1, 1, 1, 2), stage=key)
    (result,) = logged(Report((FileReport(path, (finding,), (), message),)))["results"]
    assert result["message"]["text"].startswith(visible(message, keep="\n"))
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert "\\" in path or "/" in path or path == "." or unquote(uri) == path
