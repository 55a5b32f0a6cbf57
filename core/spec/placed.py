"""Findings about a place of a document that the program has by path."""

from __future__ import annotations

from tttdit.core.findings import Finding, Related
from tttdit.core.spec import keys
from tttdit.core.spec.document import Document
from tttdit.core.spec.keys import Path


def finding_at(
    document: Document,
    code: str,
    name: str,
    message: str,
    help: str,
    place: Path,
    *,
    key: Path | None = None,
    related: tuple[Related, ...] = (),
) -> Finding:
    """An error where the path stands, or the table around it; `key` where it is about another key than the one that it points at."""
    where = document.entry_span(place) or document.table_span(place)
    return Finding(code, name, "error", message, help, keys.join(key or place), related, span=where)
