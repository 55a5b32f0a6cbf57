"""What an editor offers to do about findings: their fixes, all safe fixes at once, and comments that silence them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen
from lsprotocol import types

from tttdit.checker.ignore_comments import ignore_comments
from tttdit.checker.lsp.analysis import Analysis
from tttdit.checker.lsp.diagnostics import diagnostic
from tttdit.checker.lsp.edits import text_edits
from tttdit.checker.lsp.positions import Positions
from tttdit.checker.render.text import visible
from tttdit.core.errors import Uneditable
from tttdit.core.findings import Change, Edit, Finding, Fix, Removal, Renaming, Replacement
from tttdit.core.spec.document import Document
from tttdit.core.spec.editing.changing import changed
from tttdit.core.spec.placing import placements
from tttdit.core.spec.wording import show

FIX_ALL = "source.fixAll.tttdit"
KINDS: list[types.CodeActionKind | str] = [types.CodeActionKind.QuickFix, FIX_ALL]

_PROMISES = {"safe": " (safe)", "unsafe": " (changes the run)", "shown": ""}


def actions(known: Analysis, uri: str, params: types.CodeActionParams, positions: Positions) -> list[types.CodeAction]:
    """Those for the findings in a range, of the kinds that are asked for."""
    asked = params.context.only
    found: list[types.CodeAction] = []
    if _is_asked_for(types.CodeActionKind.QuickFix, asked):
        found += _quick_fixes(known, uri, params.range, positions)
    if _is_asked_for(FIX_ALL, asked):
        found += _fix_all(known, uri, positions)
    return found


def _is_asked_for(kind: str, asked: Sequence[types.CodeActionKind | str] | None) -> bool:
    """Whether it is one of the kinds, or lies in one: `source.fixAll` has `source.fixAll.tttdit`."""
    names = [getattr(one, "value", one) for one in asked or ()]
    return not names or any(f"{kind}.".startswith(f"{name}.") for name in names)


@frozen
class _Offer:
    """What becomes of the document when somebody accepts."""

    title: str
    after: str
    is_preferred: bool = False


def _quick_fixes(known: Analysis, uri: str, where: types.Range, positions: Positions) -> Iterator[types.CodeAction]:
    offered = set[_Offer]()  # findings of several stages may have one fix
    for finding in known.report.findings:
        shown = diagnostic(finding, uri, positions, names_stage=known.report.is_curriculum)
        if not _overlap(shown.range, where):
            continue
        for offer in (*_fixes(finding, known), *_comments(finding, known.document)):
            if offer not in offered:
                offered.add(offer)
                yield types.CodeAction(
                    title=offer.title,
                    kind=types.CodeActionKind.QuickFix,
                    diagnostics=[shown],
                    is_preferred=offer.is_preferred or None,
                    edit=_edit(known, uri, offer.after, positions),
                )


def _fix_all(known: Analysis, uri: str, positions: Positions) -> Iterator[types.CodeAction]:
    fixed = known.safely_fixed
    if fixed is None or not fixed.applied:
        return
    count = len(fixed.applied)
    yield types.CodeAction(
        title=f"Apply {count} safe {'fix' if count == 1 else 'fixes'} of tttdit",
        kind=FIX_ALL,
        edit=_edit(known, uri, fixed.document.text, positions),
    )


def _edit(known: Analysis, uri: str, after: str, positions: Positions) -> types.WorkspaceEdit:
    return types.WorkspaceEdit(changes={uri: text_edits(known.document.text, after, positions)})


def _fixes(finding: Finding, known: Analysis) -> Iterator[_Offer]:
    """The document with the finding's fix, where it has one that can be made."""
    if finding.fix is None:
        return
    every = known.checker.curriculum(known.document).stages if known.document.is_readable else ()
    for changes in placements(finding, every):
        try:
            after = changed(known.document, changes)
        except Uneditable:
            continue
        if after.text != known.document.text:
            yield _Offer(_title(finding.fix), after.text, finding.fix.applicability == "safe")
            return


def _title(fix: Fix) -> str:
    text = visible(", ".join(_said(change) for change in fix.edits))
    return f"{text[:1].upper()}{text[1:]}{_PROMISES[fix.applicability]}"


def _said(change: Change) -> str:
    match change:
        case Edit():
            return f"write {change.key} = {show(change.value)}"
        case Removal():
            return f"remove {change.key}"
        case Renaming():
            return f"rename {change.key} to {change.name}"
        case Replacement():
            return f"write {change.text.strip()}" if change.text.strip() else "remove the comment"


def _comments(finding: Finding, document: Document) -> Iterator[_Offer]:
    """The document with a comment that silences the finding, at the end of the last of its lines."""
    if finding.span is None or not document.is_readable:
        return
    line = finding.span.end_line
    there = next((one for one in ignore_comments(document) if one.span.line == line and one.brackets is not None), None)
    if there is not None and there.brackets is not None:
        start, end = (document.offset(line, column) for column in (there.brackets.column, there.brackets.end_column))
        text = f"[{', '.join([*there.codes, finding.code])}]"
    else:
        start = end = document.offset(line, len(document.lines[line - 1].rstrip()) + 1)
        text = f"  # tttdit: ignore[{finding.code}]"
    yield _Offer(f"Ignore {finding.code} on this line", document.text[:start] + text + document.text[end:])


def _overlap(one: types.Range, other: types.Range) -> bool:
    return one.start <= other.end and other.start <= one.end
