"""The files that `tttdit memory` writes on request: a page to look at, and a snapshot for PyTorch's memory viewer."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from tttdit.checker.creating import replace
from tttdit.checker.memory.known import unpredicted
from tttdit.checker.memory.prediction import Runtime
from tttdit.checker.memory.surveying import Survey
from tttdit.checker.resolving import Resolved
from tttdit.core.errors import UsageError
from tttdit.core.spec.document import Document

if TYPE_CHECKING:
    from tttdit.checker.memory.stage_view import StageView


@frozen(kw_only=True)
class MemoryFiles:
    """Where to write what; None for what nobody asked for."""

    page: str | None
    snapshot: str | None

    def refuse(self, document: Document, stages: Sequence[Resolved]) -> None:
        """Raises UsageError for a file that is the spec itself, and for a snapshot of several stages."""
        for path in filter(None, (self.page, self.snapshot)):
            if os.path.realpath(path) == os.path.realpath(document.path):
                raise UsageError(f"{path} is the spec itself: name another file to write")
        if self.page and self.snapshot and os.path.realpath(self.page) == os.path.realpath(self.snapshot):
            raise UsageError(f"--html and --snapshot both name {self.page}: name two files")
        if self.snapshot and len(stages) > 1:
            names = ", ".join(one.spec.name for one in stages)
            raise UsageError(f"a snapshot is of one stage: say which with --stage (the stages: {names})")

    def write(
        self,
        name: Callable[[], str],
        document: Document,
        surveyed: Sequence[tuple[Resolved, Survey]],
        *,
        device: str,
        runtime: Runtime,
    ) -> None:
        """Writes the files about these stages of the spec that `name` gives the name of; none where there are no stages.

        Raises Unpredicted, with the reason, where a step cannot be recorded, and UsageError where a file cannot be written.
        """
        if not surveyed or not (self.page or self.snapshot):
            return
        from tttdit.checker.memory.stage_view import view_of

        with unpredicted():
            views = [view_of(one, survey, device=device, runtime=runtime) for one, survey in surveyed]
        if self.page:
            write_page(self.page, name(), document.path, views)
        if self.snapshot:
            from tttdit.checker.render.snapshot import write_snapshot

            write_snapshot(self.snapshot, document.path, views[0])


def write_page(path: str, name: str, spec: str, views: Sequence[StageView]) -> None:
    """Writes the page about these stages of the spec `name` at `spec`. Raises UsageError where it cannot be written."""
    from tttdit.checker.render.page.document import page

    replace(path, page(name, spec, views).encode())
