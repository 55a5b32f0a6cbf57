"""Findings that nobody wants to hear of: codes left out on the command line, or silenced by a comment.

silencer = Silencer(document, Selection(ignored=("TTD5",)))
told = silencer.told(findings)
silencer.without_effect(codes, is_judged)        # comments that silenced none of them
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice

from tttdit.checker.ignore_comments import IgnoreComment, ignore_comments
from tttdit.checker.selecting import Selection, nearest_code
from tttdit.core.findings import Finding, Fix, Replacement
from tttdit.core.spec.document import Document

# Comments without effect that are told one by one, and codes of one comment; what has more of them is another kind of file.
MOST_COMMENTS = 200
MOST_CODES = 10


class Silencer:
    """Silences findings of one document that can be read, and remembers which comments it took."""

    def __init__(self, document: Document, selection: Selection) -> None:
        self.selection = selection
        self.comments = ignore_comments(document)
        self.silenced: list[Finding] = []
        self._lines: dict[str, list[int]] = {}  # of each code's comments, in their order
        self._used: set[tuple[str, int | None]] = set()  # codes with lines; None: with the whole file
        for comment in self.comments:
            if not comment.is_for_file:
                for code in comment.codes:
                    self._lines.setdefault(code, []).append(comment.span.line)
        self._in_file = {code for comment in self.comments if comment.is_for_file for code in comment.codes}

    def told(self, findings: Iterable[Finding]) -> list[Finding]:
        """Those that are left. The others are kept in `silenced`."""
        left: list[Finding] = []
        for finding in findings:
            by = self._silencing(finding)
            self._used.update((finding.code, line) for line in by)
            is_silenced = bool(by) or finding.code not in self.selection
            (self.silenced if is_silenced else left).append(finding)
        return left

    def without_effect(self, codes: Callable[[], Sequence[str]], is_judged: Callable[[str], bool]) -> list[Finding]:
        """TTD011: comments that silenced nothing of what has been told so far.

        `codes()` are all that there are; `is_judged(code)` says whether everything has been looked for that has this code.
        """
        if not self.comments:
            return []
        from tttdit.checker.rules.unused_ignore import UnusedIgnore

        found = []
        for comment in self.comments:
            unused = (code for code in comment.codes if not self._is_used(comment, code) and code != UnusedIgnore.code)
            reasons = ((code, why) for code in unused if (why := _why(code, comment, codes(), is_judged)))
            useless = dict(islice(reasons, MOST_CODES))
            if useless or not comment.codes:
                found.append(_finding(comment, useless))
            if len(found) == MOST_COMMENTS:
                break
        return self.told(found)

    def _silencing(self, finding: Finding) -> list[int | None]:
        """The lines of the comments that silence a finding; None for one that speaks for the whole file."""
        by: list[int | None] = [None] if finding.code in self._in_file else []
        lines = self._lines.get(finding.code, [])
        if finding.span is not None:
            by += lines[bisect_left(lines, finding.span.line) : bisect_right(lines, finding.span.end_line)]
        return by

    def _is_used(self, comment: IgnoreComment, code: str) -> bool:
        return (code, None if comment.is_for_file else comment.span.line) in self._used


def _why(code: str, comment: IgnoreComment, codes: Sequence[str], is_judged: Callable[[str], bool]) -> str:
    """Why a code that silenced nothing should not stand there, "" where nobody can tell."""
    if code not in codes:
        near = nearest_code(code, codes)
        return f"there is no code {code[:20]}" + (f" (did you mean {near}?)" if near else "")
    if not is_judged(code):
        return ""
    return f"there is no {code} to silence {'in this file' if comment.is_for_file else 'on this line'}"


def _finding(comment: IgnoreComment, reasons: Mapping[str, str]) -> Finding:
    from tttdit.checker.rules.unused_ignore import UnusedIgnore

    fix = None
    if not reasons:
        message = "the comment names no code in brackets, and silences nothing"
        help = "name the codes that are meant: # tttdit: ignore[TTD204]; or remove the comment"
    else:
        message = "; ".join(reasons.values())
        left = f"[{', '.join(code for code in comment.codes if code not in reasons)}]"
        help = "remove the comment" if left == "[]" else f"write # tttdit: ignore{left}"
        if comment.is_alone and not comment.is_for_file:
            help += "; it speaks for its own line, or, above the first table, for the whole file"
        if left == "[]":
            fix = Fix("safe", (Replacement(comment.removal, ""),))
        elif comment.brackets is not None:
            fix = Fix("safe", (Replacement(comment.brackets, left),))
    return Finding(
        UnusedIgnore.code, UnusedIgnore.name, UnusedIgnore.severity, message, help, fix=fix, span=comment.span
    )
