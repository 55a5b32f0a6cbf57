"""Colours, where somebody looks: on a terminal, unless NO_COLOR says otherwise (https://no-color.org)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TextIO, TypeAlias

from attrs import frozen

Role: TypeAlias = Literal["error", "warning", "info", "gutter", "related", "help", "strong", "good"]

_CODES: dict[Role, str] = {
    "error": "1;31",
    "warning": "1;33",
    "info": "1;36",
    "gutter": "1;34",
    "related": "1;34",
    "help": "1;36",
    "strong": "1",
    "good": "1;32",
}


@frozen
class Paint:
    """Paints text by its role, or leaves it as it is."""

    on: bool = False

    def __call__(self, text: str, role: Role) -> str:
        """The text in the colour of its role."""
        return f"\x1b[{_CODES[role]}m{text}\x1b[0m" if self.on and text else text


def paint_for(stream: TextIO | None, environment: Mapping[str, str]) -> Paint:
    """Colours if the stream is a terminal that knows them and nobody asked for none."""
    asked_for_none = bool(environment.get("NO_COLOR")) or environment.get("TERM") == "dumb"
    return Paint(on=not asked_for_none and stream is not None and stream.isatty())
