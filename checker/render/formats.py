"""The output formats of a check, by their names. The file of a format is imported when it is used."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Protocol, cast

from tttdit.checker.render.paint import Paint
from tttdit.checker.report import Report

# Each is a module beside this one, with a function `render`.
FORMATS = ("full", "concise", "json", "github", "sarif")


class Renderer(Protocol):
    """What turns a report into lines; those for programs have no use for the paint."""

    def __call__(self, report: Report, paint: Paint) -> Iterator[str]:
        """The lines, without their ends."""


def renderer(name: str) -> Renderer:
    """The renderer of a format."""
    return cast(Renderer, import_module(f"tttdit.checker.render.{name}").render)
