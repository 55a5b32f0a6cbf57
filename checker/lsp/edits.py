"""From a text to what became of it, in as few and as small changes as an editor needs to keep cursors and folds where they are."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import accumulate

from lsprotocol import types

from tttdit.checker.lsp.positions import Positions


def text_edits(before: str, after: str, positions: Positions) -> list[types.TextEdit]:
    """The changes that make `after` of `before`, whose positions these are."""
    return [types.TextEdit(positions.between(start, end), text) for start, end, text in _changes(before, after)]


def _changes(before: str, after: str) -> Iterator[tuple[int, int, str]]:
    """Stretches of the one text, and the other's in their place: lines that differ, without what they have in common at both ends."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    offsets = list(accumulate(map(len, old), initial=0))
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        was, now = "".join(old[i:j]), "".join(new[k:m])
        head = _in_common(was, now)
        tail = _in_common(was[head:][::-1], now[head:][::-1])
        yield offsets[i] + head, offsets[j] - tail, now[head : len(now) - tail]


def _in_common(one: str, other: str) -> int:
    """With how many characters both begin."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (mine, theirs) in pairs if mine != theirs), min(len(one), len(other)))
