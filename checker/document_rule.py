"""Rules about a document as such: what is to be said before its stages are put together from plugins."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding
from tttdit.core.rules import Page
from tttdit.core.spec.document import Document
from tttdit.core.spec.stages import Curriculum


class DocumentRule(Page):
    """A rule that reads the text and what its stages inherit, and needs no plugin for it."""

    def read(self, document: Document, curriculum: Curriculum) -> Iterator[Finding]:
        """What it has to say about a document that can be read; `curriculum` has all its stages."""
        raise NotImplementedError
