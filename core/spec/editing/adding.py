"""Where a key is written that a document does not have yet, in the way in which its neighbours are written."""

from __future__ import annotations

from tttdit.core.errors import Uneditable
from tttdit.core.spec import keys, writing
from tttdit.core.spec.document import Document
from tttdit.core.spec.editing.layout import Layout, Section
from tttdit.core.spec.editing.splices import Splice
from tttdit.core.spec.keys import Path
from tttdit.core.spec.scanner import Extent


def added(document: Document, path: Path, value: str) -> Splice:
    """The key with this value (as TOML) behind the last one of its table.

    A table written in braces or dotted keys stays so; one that is not there gets a header, or dotted keys where its neighbours have these.
    Raises `Uneditable` where the key has no place: an item that an array does not have, or what is no table.
    """
    return _Addition(document, path, value).splice()


class _Addition:
    def __init__(self, document: Document, path: Path, value: str) -> None:
        self.document = document
        self.layout = Layout(document)
        self.path = path
        self.table = path[:-1]
        self.value = value

    def splice(self) -> Splice:
        braces = self._innermost_value()
        if braces is not None:
            return self._in_braces(*braces)
        if not isinstance(self.path[-1], str):
            raise Uneditable(f"{keys.join(self.table)} is no array")
        for length in range(len(self.table), -1, -1):
            around = self.table[:length]
            dotted = self._dotted(around)
            if dotted is not None:
                return self._behind(dotted[0], *dotted[1:])
            section = self.layout.section(around)
            if section is not None:
                return self._in_section(section) if around == self.table else self._new_table(section)
            if length and isinstance(around[-1], int):
                break
        raise Uneditable(f"there is no {keys.join(self.table)}")

    def _innermost_value(self) -> tuple[Path, Extent] | None:
        """The innermost of the tables around the key that is a value itself."""
        for length in range(len(self.table), 0, -1):
            place = self.document.places.get(self.table[:length])
            if place is not None and place.value is not None:
                return self.table[:length], place.value
        return None

    def _in_braces(self, around: Path, extent: Extent) -> Splice:
        text = self.document.text
        rest = self.path[len(around) :]
        if not text.startswith("{", extent.start) or any(isinstance(part, int) for part in rest):
            raise Uneditable(f"{keys.join(around)} is no table")
        entry = f"{self._written(rest)} = {self.value}"
        inside = [
            place.entry.end
            for path, place in self.document.places.items()
            if path[: len(around)] == around and place.entry is not None
            if extent.start < place.entry.start and place.entry.end < extent.end
        ]
        if not inside:
            return Splice(extent.start, extent.end, f"{{ {entry} }}")
        return Splice(max(inside), max(inside), f", {entry}")

    def _dotted(self, table: Path) -> tuple[Section, Path, Extent] | None:
        """The last key that the table has by dotted keys."""
        for section in self.layout.sections:
            if len(section.table) < len(table) and section.table == table[: len(section.table)]:
                found = [(path, key) for path, key in section.keys if path[: len(table)] == table]
                if found:
                    return (section, *found[-1])
        return None

    def _in_section(self, section: Section) -> Splice:
        if section.keys:
            return self._behind(section, *section.keys[-1])
        line = f"{self._written(self.path[len(section.table) :])} = {self.value}"
        if section.header is not None:
            at = self.layout.line_end(section.header.end)
            return Splice(at, at, f"\n{self.layout.indent(section.header.start)}{line}")
        headers = self.layout.sections[1:2]
        if not headers:
            return self._at_the_end([line])
        assert headers[0].header is not None
        at = self.layout.line_start(headers[0].header.start)
        return Splice(at, at, f"{line}\n\n")

    def _behind(self, section: Section, neighbour: Path, key: Extent) -> Splice:
        """A line of its own behind this key of the section."""
        written = self._written(self.path[len(section.table) :])
        at = self.layout.line_end(self.layout.end_of(neighbour, key))
        return Splice(
            at, at, f"\n{self.layout.indent(key.start)}{written}{self.layout.equals(key, written)}{self.value}"
        )

    def _new_table(self, around: Section) -> Splice:
        """A table that is not there yet, in the one of this section."""
        if self.document.mentions(self.path[: len(around.table) + 1]):
            return self._with_header(around)  # as the tables in it have
        is_item = bool(around.table) and isinstance(around.table[-1], int)
        has_dotted = any(len(path) > len(around.table) + 1 for path, _ in around.keys)
        has_headers = any(
            section.table != around.table and (around.table or not self._is_array(section))
            for section in self.layout.under(around.table)
        )
        is_dotted = has_dotted or not has_headers if is_item else has_dotted and not has_headers
        return self._in_section(around) if is_dotted else self._with_header(around)

    def _with_header(self, around: Section) -> Splice:
        neighbours = self.layout.under(self.path[: len(around.table) + 1]) or self.layout.under(around.table)
        if not around.table and neighbours[0] is self.layout.sections[0]:
            # of a spec's own tables none stands behind its stages
            arrays = [section for section in neighbours if self._is_array(section)]
            following = arrays[:1]
        else:
            last = next(index for index, one in enumerate(self.layout.sections) if one is neighbours[-1])
            following = self.layout.sections[last + 1 : last + 2]
        header = neighbours[-1].header
        indent = self.layout.indent(header.start) if header is not None and around.table else ""
        name = writing.key(part for part in self.table if isinstance(part, str))
        lines = [f"{indent}[{name}]", f"{indent}{self._written(self.path[-1:])} = {self.value}"]
        if not following:
            return self._at_the_end(lines)
        at = self.layout.comment_above(following[0])
        above = self.document.text[:at]
        gap = "\n" if above and not above.endswith("\n\n") else ""
        block = "\n".join(lines)
        return Splice(at, at, f"{gap}{block}\n\n")

    def _at_the_end(self, lines: list[str]) -> Splice:
        text = self.document.text
        at, block = len(text), "\n".join(lines)
        if not text or text.endswith("\n"):
            gap = "\n" if text.strip() and not text.endswith("\n\n") else ""
            return Splice(at, at, f"{gap}{block}\n")
        return Splice(at, at, f"\n\n{block}")

    @staticmethod
    def _is_array(section: Section) -> bool:
        return any(isinstance(part, int) for part in section.table)

    @staticmethod
    def _written(parts: Path) -> str:
        return writing.key(str(part) for part in parts)
