"""A report as SARIF 2.1.0, which code scanning services and editors read.

One run, whose rules are those that have a result, each with its page. Columns count characters, paths are URI references from where the
check ran (in a GitHub workflow, from the repository's root). What only a finding's text can say (the help, related places without lines)
stands in its message. https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any, Literal
from urllib.parse import quote

import tttdit
from tttdit.checker.pages import page as page_of
from tttdit.checker.render.paint import Paint
from tttdit.checker.render.stage import of_stage
from tttdit.checker.render.text import visible
from tttdit.checker.render.workspace import in_workspace
from tttdit.checker.report import FileReport, Report
from tttdit.checker.resolving import our_rules
from tttdit.core.findings import Finding, Related, Severity, Span
from tttdit.core.rules import Rule

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# The form of our fingerprints: raised when the same finding gets another one.
_FINGERPRINT = "tttdit/v1"

_LEVELS: dict[Severity, Literal["error", "warning", "note"]] = {"error": "error", "warning": "warning", "info": "note"}


def render(report: Report, paint: Paint) -> Iterator[str]:
    """The report's lines, in ASCII."""
    yield json.dumps(as_dict(report), indent=2, ensure_ascii=True)


def as_dict(report: Report) -> dict[str, Any]:
    """The log file as JSON has it."""
    codes = tuple(dict.fromkeys(finding.code for finding in report.findings))
    known = _loaded_rules() if codes else {}
    rules = [_descriptor(code, known.get(code), report) for code in codes]
    driver = {"name": "tttdit", "version": tttdit.__version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [result for file in report.files for result in _results(file, codes)],
        "invocations": [_invocation(report)],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _descriptor(code: str, rule: Rule | None, report: Report) -> dict[str, Any]:
    """What the log says of a rule: its page."""
    if rule is None:
        name = next(finding.name for finding in report.findings if finding.code == code)
        return {"id": visible(code), "name": visible(name)}
    page = page_of(rule)
    return {
        "id": visible(code),
        "name": visible(rule.name),
        "shortDescription": _text(page.summary),
        "fullDescription": _text(page.what or page.summary),
        "help": _text(str(page) or page.summary),
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _loaded_rules() -> dict[str, Rule]:
    """The rules by their codes. A report does not say who made its findings; but whoever did, a local plugin too, has been imported."""
    rules = {rule.code: rule for rule in our_rules()}
    waiting = [Rule]
    while waiting:
        for rule in waiting.pop().__subclasses__():
            waiting.append(rule)
            if hasattr(rule, "code"):
                rules.setdefault(rule.code, rule())
    return rules


def _results(file: FileReport, codes: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    lines, seen = file.text.split("\n"), Counter[str]()
    for finding in file.findings:
        shown = [related for related in finding.related if related.span is not None]
        fingerprint = _fingerprint(finding, file, lines)
        seen[fingerprint] += 1
        result = {
            "ruleId": visible(finding.code),
            "ruleIndex": codes.index(finding.code),
            "level": _LEVELS[finding.severity],
            "message": _text(_message(finding, file)),
            "locations": [_location(file.path, finding)],
            "partialFingerprints": {_FINGERPRINT: f"{fingerprint}:{seen[fingerprint]}"},
        }
        if shown:
            result["relatedLocations"] = [
                {"id": number, **_place(related.path or file.path, related.span), "message": _text(related.message)}
                for number, related in enumerate(shown)
            ]
        yield result


def _message(finding: Finding, file: FileReport) -> str:
    lines = [finding.message + of_stage(finding, file)]
    lines += [f"note: {_note(related)}" for related in finding.related if related.span is None]
    if finding.help:
        lines.append(f"help: {finding.help}")
    return "\n".join(lines)


def _note(related: Related) -> str:
    where = related.path or related.key
    return f"{where}: {related.message}" if where else related.message


def _location(path: str, finding: Finding) -> dict[str, Any]:
    location = _place(path, finding.span)
    if finding.key:
        location["logicalLocations"] = [{"fullyQualifiedName": visible(finding.key)}]
    return location


def _place(path: str, span: Span | None) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(path)}}
    if span is not None:
        physical["region"] = {
            "startLine": span.line,
            "startColumn": span.column,
            "endLine": span.end_line,
            "endColumn": span.end_column,
        }
    return {"physicalLocation": physical}


def _uri(path: str) -> str:
    """The path as a URI reference, whatever bytes are in it."""
    path = in_workspace(path)
    if os.path.isabs(path):
        return Path(path).as_uri()
    return quote(os.fsencode(PurePath(path).as_posix()))


def _fingerprint(finding: Finding, file: FileReport, lines: list[str]) -> str:
    """The same for the same finding after lines above it have come and gone."""
    line = lines[finding.span.line - 1].strip() if finding.span is not None else ""
    told = json.dumps([finding.code, in_workspace(file.path), finding.stage, finding.key, line])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _invocation(report: Report) -> dict[str, Any]:
    invocation: dict[str, Any] = {"executionSuccessful": not report.unreadable, "exitCode": report.exit_code}
    if report.unreadable:
        invocation["toolExecutionNotifications"] = [
            {"level": "error", "message": _text(message)} for message in report.unreadable
        ]
    return invocation


def _text(text: str) -> dict[str, str]:
    return {"text": visible(text, keep="\n")}
