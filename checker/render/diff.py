"""What fixes would change, as a unified diff that `patch` and `git apply` take."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from difflib import unified_diff
from itertools import islice

from tttdit.checker.render.paint import Paint, Role
from tttdit.checker.render.text import visible

_ROLES: dict[str, Role] = {"+": "good", "-": "error", "@": "gutter"}


def render(path: str, before: str, after: str, paint: Paint, *, is_seen: bool) -> Iterator[str]:
    """The lines of the diff; none where both are the same. Texts come with their own line ends.

    Where it `is_seen`, on a terminal, whatever is not simply drawn is spelled out. Elsewhere a byte order mark or a joiner stays what it
    is, or the diff would fit no file; control characters never do.
    """
    name = visible(path)
    end = "\t" if " " in name else ""  # where a name has blanks, a tab says where it ends
    lines = unified_diff(_lines(before), _lines(after), name, name)
    for header in islice(lines, 2):
        yield paint(header.rstrip("\n"), "strong") + end
    for line in lines:
        text = line.removesuffix("\n")
        # a carriage return belongs to the line's end, and moves no cursor there
        carriage_return = "\r" * text.endswith("\r")
        shown = visible(text.removesuffix("\r"), keep="\t" if is_seen else _kept(text))
        yield (paint(shown, _ROLES[text[0]]) if text[0] in _ROLES else shown) + carriage_return
        if text == line:
            yield "\\ No newline at end of file"


def _kept(text: str) -> str:
    """A tab, and all that is no control character."""
    return "\t" + "".join(character for character in text if unicodedata.category(character) != "Cc")


def _lines(text: str) -> list[str]:
    """The lines with their ends; only line feeds end one, as `patch` sees it."""
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
