"""Makes changes in a document's text: `changed(document, fix.edits)` is the document afterwards.

Only what is changed becomes different; every other byte of the file stays: comments, order, layout, line ends, a byte order mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tttdit.core.errors import Uneditable
from tttdit.core.findings import Change, Edit, Removal, Renaming, Replacement
from tttdit.core.spec import keys, writing
from tttdit.core.spec.document import Document
from tttdit.core.spec.editing.adding import added
from tttdit.core.spec.editing.removing import removed
from tttdit.core.spec.editing.splices import Splice, spliced
from tttdit.core.spec.keys import Path


def changed(document: Document, changes: Iterable[Change]) -> Document:
    """The document with these changes. Keys are those of the document: `stage[1].video.seconds` for one that a stage has.

    Places that no key describes come first, then one change after the other, each in what those before it have left. Raises `Uneditable`
    where one of them cannot be made.
    """
    every = list(changes)
    replacements = [change for change in every if isinstance(change, Replacement)]
    steps: list[Sequence[Change]] = [replacements] if replacements else []
    steps += [[change] for change in every if not isinstance(change, Replacement)]
    for step in steps:
        splices = [splice for change in step for splice in splices_of(document, change)]
        document = Document.decode(spliced(document, splices), document.path)
    return document


def splices_of(document: Document, change: Change) -> list[Splice]:
    """What a change does to the text. Raises `Uneditable` where it cannot be made."""
    match change:
        case Edit():
            return list(_edit(document, keys.split(change.key), change.value))
        case Removal():
            return removed(document, keys.split(change.key))
        case Renaming():
            return _renamed(document, keys.split(change.key), change.name)
        case Replacement():
            span = change.span
            start, end = document.offset(span.line, span.column), document.offset(span.end_line, span.end_column)
            return [Splice(start, end, change.text)]


def _edit(document: Document, path: Path, value: Any) -> Iterable[Splice]:
    place = document.places.get(path)
    if place is None:
        return [added(document, path, _as_toml(value))]
    if place.value is None:
        raise Uneditable(f"{keys.join(path)} is a table")
    now = _value_at(document, path)
    if isinstance(value, list | tuple) and isinstance(now, list) and len(value) == len(now):
        items = zip(value, now, strict=True)
        return [
            splice
            for index, (new, old) in enumerate(items)
            if type(new) is not type(old) or new != old
            for splice in _edit(document, (*path, index), new)
        ]
    text = document.text[place.value.start : place.value.end]
    return [Splice(place.value.start, place.value.end, _as_toml(value, text))]


def _value_at(document: Document, path: Path) -> Any:
    value: Any = document.values
    for part in path:
        value = value[part]
    return value


def _as_toml(value: object, like: str = "") -> str:
    try:
        return writing.value(value, like)
    except (TypeError, UnicodeEncodeError) as error:
        raise Uneditable(f"the new value cannot be written: {error}") from None


def _renamed(document: Document, path: Path, name: str) -> list[Splice]:
    mentions = document.mentions(path)
    if not mentions:
        raise Uneditable(f"there is no {keys.join(path)} that could be renamed")
    return [Splice(extent.start, extent.end, writing.key([name])) for extent in mentions]
