"""Names of specs and stages: each its own, and fit for a folder."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any

from tttdit.core.findings import Finding, Related
from tttdit.core.spec import keys
from tttdit.core.spec.document import Document
from tttdit.core.spec.keys import Path
from tttdit.core.spec.placed import finding_at
from tttdit.core.spec.wording import show

LONGEST_NAME = 100

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+ -]*")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)  # no file's name on Windows
_ABSENT = object()


def spec_name(document: Document) -> tuple[str, list[Finding]]:
    """The name that the spec gives itself, or that of its file; what is wrong with it."""
    name = document.values.get("name", _ABSENT)
    if name is _ABSENT:
        return usable_name(PurePath(document.path).stem), []
    why = _why_unusable(name)
    if why is None:
        return str(name), []
    return "spec", [
        finding_at(document, "TTD003", "invalid-value", f"the name {show(name)} {why}", _NAME_HELP, ("name",))
    ]


def usable_name(*names: object) -> str:
    """The first of the names that a spec can have; "spec" where none can be one."""
    return next((str(name) for name in names if _why_unusable(name) is None), "spec")


def stage_name(document: Document, written: list[dict[str, Any]], index: int) -> Finding | None:
    """What is wrong with the name of a stage. It has no default: one made from its place would change with the stages before it."""
    here: Path = ("stage", index, "name")
    name = written[index].get("name", _ABSENT)
    if name is _ABSENT:
        help = f'Give each stage a name of its own: name = "stage-{index + 1}".'
        return finding_at(document, "TTD004", "missing", "this stage has no name", help, ("stage", index), key=here)
    why = _why_unusable(name)
    if why is not None:
        return finding_at(document, "TTD003", "invalid-value", f"the name {show(name)} {why}", _NAME_HELP, here)
    first = next(i for i, other in enumerate(written) if _same_file(other.get("name"), name))
    if first == index:
        return None
    taken = f'two stages have the name "{name}"'
    if written[first]["name"] != name:
        taken = f'the stages "{written[first]["name"]}" and "{name}" differ in capitals only'
    related = Related(
        "the first one stands here", keys.join(("stage", first, "name")), document.entry_span(("stage", first, "name"))
    )
    help = "Names tell stages apart in reports, on the command line and on disk: give each its own."
    return finding_at(document, "TTD007", "duplicate-stage", taken, help, here, related=(related,))


_NAME_HELP = (
    f"Folders and files are named by it: letters, digits, spaces and . _ + - , at most {LONGEST_NAME} characters, "
    "beginning with a letter, a digit or _."
)


def _why_unusable(name: object) -> str | None:
    """Why it cannot be the name of a stage, and so of a folder."""
    if not isinstance(name, str):
        return "is not text"
    if not name:
        return "is empty"
    if len(name) > LONGEST_NAME:
        return f"is longer than {LONGEST_NAME} characters"
    if not _NAME.fullmatch(name) or name[-1] in " ." or _RESERVED.fullmatch(name):
        return "cannot be the name of a folder"
    return None


def _same_file(one: object, other: str) -> bool:
    return isinstance(one, str) and one.casefold() == other.casefold()
