"""Markdown of what an editor shows in a bubble."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tttdit.checker.render.text import visible

# What begins or ends something in a line; an underscore inside a word does not.
_MARKS = re.compile(r"[\\`*\[\]<>&~]|(?<!\w)_|_(?!\w)")


def code(text: str) -> str:
    """The text as code in a sentence, whatever it holds."""
    shown = visible(text)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {shown} {fence}" if longest else f"`{shown}`"


def plain(text: str) -> str:
    """The text as nothing but text in a sentence, whatever it holds."""
    return _MARKS.sub(r"\\\g<0>", visible(text))


def block(lines: Iterable[str]) -> str:
    """Lines as a block of code."""
    return "\n".join(["```text", *(visible(line) for line in lines), "```"])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; its cells may hold other Markdown."""

    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"

    return "\n".join([line(head), line(["---"] * len(head)), *(line(row) for row in rows)])
