"""What `--fix`, `--unsafe-fixes` and `--diff` do with each file that is checked."""

from __future__ import annotations

from attrs import define, evolve, field

from tttdit.checker.checking import Checker
from tttdit.checker.fixing import SAFE, SAFE_AND_UNSAFE, Fixed, fix
from tttdit.checker.inputs import STDIN_NAME
from tttdit.checker.output import write_bytes
from tttdit.checker.report import FileReport
from tttdit.checker.rewriting import rewrite
from tttdit.core.errors import UsageError
from tttdit.core.spec.document import LARGEST_FILE, Document


@define
class FileFixer:
    """Fixes files and writes them, or with `dry` only remembers what it would write. Standard input's text goes to standard output.

    `changes` are each file's path and its text before and after, with its own line ends. `refused` tells which files could not be written,
    and why; these stay as they were, and so do their findings.
    """

    unsafe: bool = False
    dry: bool = False
    changes: list[tuple[str, str, str]] = field(factory=list)
    refused: list[str] = field(factory=list)

    def __call__(self, checker: Checker, document: Document) -> FileReport:
        """The report on the document afterwards."""
        fixed = fix(checker, document, SAFE_AND_UNSAFE if self.unsafe else SAFE)
        try:
            if not self.dry:
                _write(document, fixed)
        except UsageError as error:
            self.refused.append(str(error))
            return fixed.before
        if fixed.applied:
            self.changes.append((document.path, document.source.decode(), fixed.document.source.decode()))
        return evolve(fixed.after, fixed=fixed.applied)


def _write(document: Document, fixed: Fixed) -> None:
    if document.path == STDIN_NAME:
        if len(document.source) > LARGEST_FILE:
            raise UsageError("standard input is too large to be written again")
        write_bytes(fixed.document.source)
    elif fixed.applied:
        rewrite(document.path, fixed.document.source, was=document.source)
