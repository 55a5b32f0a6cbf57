"""A bar on standard error, where somebody looks at that."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from tttdit.checker.render.text import visible


@contextmanager
def progress_bar(length: int, stage: str) -> Iterator[Callable[[int], object]]:
    """A bar of `length` settings of a stage; what it gives is told how many more are done. Nothing is drawn where nobody looks."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda done: None
        return
    with click.progressbar(length=length, label=f"settings of {visible(stage)}", file=sys.stderr) as bar:
        yield bar.update
