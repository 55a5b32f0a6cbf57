"""A bar on standard error, where somebody looks at that."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from tttdit.checker.render.text import visible
from tttdit.checker.render.weights import gigabytes
from tttdit.core.wording import plural


@contextmanager
def progress_bar(length: int, name: str, *, noun: str = "settings") -> Iterator[Callable[[int], object]]:
    """A bar of `length` settings of a stage of this name, or samples of a file; what it gives is told how many more are done.

    Nothing is drawn where nobody looks.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda done: None
        return
    with click.progressbar(length=length, label=f"{noun} of {visible(name)}", file=sys.stderr) as bar:
        yield bar.update


@contextmanager
def clips_bar(length: int, name: str) -> Iterator[Callable[[int, int], object]]:
    """A bar of the clips that become a stage's samples; what it gives is told how many more clips, and samples, are done.

    A clip may last for hours: that samples are counted beside the bar shows that something happens.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda clips, samples: None
        return
    label, total = f"clips of {visible(name)}", 0
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:

        def update(clips: int, samples: int) -> None:
            nonlocal total
            total += samples
            bar.label = f"{label} ({total:,} {plural(total, 'sample')})"
            bar.update(clips)
            bar.render_progress()

        yield update


def clear_bar() -> None:
    """Makes room for a line where a bar is; the bar is drawn again below it when more is done."""
    if sys.stderr is not None and sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def tensors_written(count: int, size: int) -> Callable[[int, int], None]:
    """What shows on a terminal how many of so many tensors and bytes have been written; nothing elsewhere."""
    if sys.stderr is None or not sys.stderr.isatty():
        return lambda tensors, read: None

    def show(tensors: int, read: int) -> None:
        end = "\n" if tensors == count else ""
        said = f"{tensors:,} of {count:,} tensors, {gigabytes(read)} of {gigabytes(size)}"
        sys.stderr.write(f"\r\x1b[K{said}{end}")
        sys.stderr.flush()

    return show
