"""What the command line sets: `--set key=value`."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from tttdit.core.errors import UsageError
from tttdit.core.spec import keys
from tttdit.core.spec.document import Document
from tttdit.core.spec.keys import Path
from tttdit.core.spec.shortening import short


@frozen
class Set:
    """One `--set key=value` of the command line."""

    path: Path
    value: Any
    text: str

    @property
    def shown(self) -> str:
        """`--set key=value`, cut where it is long."""
        return f"--set {short(self.text)}"

    @classmethod
    def parse(cls, text: str) -> Set:
        """The value is read as TOML where it is that (`9`, `true`, `[0.9, 0.95]`, `"9"`), else it is the text as it stands."""
        key, equals, value = text.partition("=")
        key = key.strip()
        if not equals or not key:
            raise UsageError(f"--set takes key=value, not {text!r}")
        try:
            path = keys.split(key)
        except ValueError as error:
            raise UsageError(f"--set {text}: {error}") from None
        if any(isinstance(part, int) for part in path):
            raise UsageError(f"--set {text}: an item of an array cannot be set alone; set the whole array")
        if path[0] in ("name", "stage"):
            raise UsageError(f"--set {text}: a stage is chosen by --stage, and its name is not for setting")
        document = Document.parse(f"x = {value}")
        parsed = list(document.values) == ["x"]
        return cls(path, document.values["x"] if parsed else value.strip(), text)


def as_layer(sets: tuple[Set, ...]) -> tuple[dict[str, Any], dict[Path, Set]]:
    """All `--set`s as one layer; of two for the same key the later one holds."""
    nested: dict[str, Any] = {}
    by_path: dict[Path, Set] = {}
    for one in sets:
        table: Any = nested
        for length, part in enumerate(one.path[:-1], 1):
            by_path.setdefault(one.path[:length], one)
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                raise UsageError(f"--set {one.text}: {keys.join(one.path[:length])} has been set to a value already")
        table[one.path[-1]] = one.value
        _note(one.path, one, by_path)
    return nested, by_path


def _note(path: Path, one: Set, by_path: dict[Path, Set]) -> None:
    """The origin of a set value and, where it is a table, of all in it."""
    stack: list[tuple[Path, Any]] = [(path, one.value)]
    while stack:
        here, value = stack.pop()
        by_path[here] = one
        if isinstance(value, dict):
            stack.extend(((*here, key), inner) for key, inner in value.items())
