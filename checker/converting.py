"""The text of a spec that an importer made of another project's file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from attrs import frozen

from tttdit.checker.render.text import one_line
from tttdit.core.plugin.importing import Imported
from tttdit.core.spec import keys, writing
from tttdit.core.spec.document import Document
from tttdit.core.spec.keys import Path
from tttdit.core.wording import plural


def spec_text(document: Document, imported: Imported, importer: str, errors: int) -> str:
    """The spec as TOML. `errors` is how many the file has; comments say so, and what the spec has no place for.

    A value in whose place the file has a TODO, or what cannot be right, is a comment with that: whoever knows it can write it there.
    """
    lines = [*_heading(document, imported, importer, errors), "", f"name = {writing.value(imported.name)}"]
    for path, table in _tables(imported.values, ()):
        lines += ["", f"[{writing.key(path)}]"]
        lines += [_Line(document, imported, (*path, key), value).text for key, value in table.items()]
    return "\n".join([*lines, ""])


def _heading(document: Document, imported: Imported, importer: str, errors: int) -> Iterator[str]:
    yield f'# Converted from {one_line(PurePath(document.path).name)}, which the importer "{importer}" reads.'
    if errors:
        yield f"# That file has {errors:,} {plural(errors, 'error')}: tttdit-check says which."
    if imported.notes:
        yield "#"
        yield "# What it says and a spec has no place for:"
        yield from (f"#   {one_line(note)}" for note in imported.notes)


def _tables(values: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Each table with its own keys, and the tables in it after it."""
    own = {key: value for key, value in values.items() if not isinstance(value, dict)}
    if path and (own or not values):
        yield path, own
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _tables(value, (*path, key))


@frozen
class _Line:
    """One key of a spec with its value, or with what stands in the value's place."""

    document: Document
    imported: Imported
    path: Path
    value: object

    @property
    def text(self) -> str:
        key = writing.key((str(self.path[-1]),))
        origin = self.imported.origins.get(self.path)
        if keys.join(self.path) not in self.imported.assumed and origin not in self.document.placeholders:
            return f"{key} = {writing.value(self.value)}"
        span = self.document.value_span(origin) if origin is not None else None
        return f"# {key} = {one_line(self.document.excerpt(span)) if span is not None else ''}".rstrip()
