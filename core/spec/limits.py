"""What a spec's bytes may not be: no text, too large, nested too deeply, numbers without end. All of it is TTD008.

The limits are ours, below every limit of tomli's or Python's, so that they do not depend on how these were built.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from tttdit.core.findings import Finding, Span
from tttdit.core.spec.keys import Path
from tttdit.core.spec.positions import Lines
from tttdit.core.spec.scanner import STRING

DEEPEST_NESTING = 100  # brackets in brackets
LONGEST_KEY = 100  # parts of a dotted key
LONGEST_NUMBER = 1000  # digits that are handed to Python at all
LARGEST_INTEGER = 2**63 - 1  # TOML promises 64 bits and no more

_TOKEN = re.compile(
    rf"{STRING}|\#[^\n]*+|(?P<open>[\[{{])|(?P<close>[\]}}])|(?P<number>[0-9][0-9_]{{{LONGEST_NUMBER},}})", re.DOTALL
)
_LONG_NUMBER = re.compile(rf"[0-9_]{{{LONGEST_NUMBER}}}")
_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]++|\\.)*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(
    rf"(?:^[ \t]*+\[{{0,2}}|[{{,])[ \t]*+(?P<key>{_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{LONGEST_KEY},}})", re.MULTILINE
)


def before_parsing(text: str) -> Finding | None:
    """What must not reach tomli."""
    if "\0" in text:
        at = text.index("\0")
        return _unreadable(
            "this is no text file: it holds a NUL byte",
            Lines(text).span(at, at + 1),
            "Is this the file that you meant?",
        )
    if text.count(".") > LONGEST_KEY and (match := _LONG_KEY.search(text)):
        return _unreadable(
            f"a key has more than {LONGEST_KEY} parts",
            Lines(text).span(match.start("key"), match.end("key")),
            "No key of a spec has more than four.",
        )
    deep = text.count("[") + text.count("{") > DEEPEST_NESTING
    if not deep and not _LONG_NUMBER.search(text):
        return None
    depth = 0
    for match in _TOKEN.finditer(text):
        if match["open"]:
            depth += 1
            if depth > DEEPEST_NESTING:
                return too_deep(Lines(text).span(match.start(), match.end()))
        elif match["close"]:
            depth = max(0, depth - 1)
        elif match["number"]:
            return number_too_long(Lines(text).span(match.start(), match.end()))
    return None


def after_failing(text: str) -> Finding:
    """For what `before_parsing` let through and Python refused nevertheless, as with a stack that is almost full already."""
    return too_deep(Lines(text).span(0, 0))


def beyond(values: dict[str, Any]) -> tuple[Path, Literal["depth", "number"]] | None:
    """A value that is nested too deeply, with dotted keys in inline tables, say, or an integer that TOML does not promise to hold."""
    waiting: list[tuple[Path, Any]] = [((), values)]
    while waiting:
        path, value = waiting.pop()
        if len(path) > DEEPEST_NESTING:
            return path, "depth"
        if isinstance(value, int) and not -LARGEST_INTEGER - 1 <= value <= LARGEST_INTEGER:
            return path, "number"
        if isinstance(value, dict):
            waiting.extend(((*path, key), inner) for key, inner in value.items())
        elif isinstance(value, list):
            waiting.extend(((*path, index), inner) for index, inner in enumerate(value))
    return None


def too_deep(span: Span | None) -> Finding:
    """Brackets in brackets in brackets."""
    return _unreadable(
        f"arrays and tables are nested more than {DEEPEST_NESTING} levels deep",
        span,
        "No value of a spec needs more than three levels; is a closing bracket missing?",
    )


def number_too_long(span: Span | None) -> Finding:
    """An integer beyond 64 bits, or digits over digits."""
    return _unreadable(
        "this number is too long: TOML's integers have 64 bits", span, "No number of a spec needs more than 18 digits."
    )


def too_large(most: int) -> Finding:
    """A file that nobody wrote by hand."""
    return _unreadable(
        f"the file is larger than {most // 2**20} MiB",
        Span(1, 1, 1, 1),
        "Is this the file that you meant? A spec has some kilobytes.",
    )


def not_utf8(data: bytes, error: UnicodeDecodeError) -> Finding:
    """Bytes that are no text. The finding points at the first of them."""
    before = data[: error.start].decode().removeprefix("\ufeff").replace("\r\n", "\n")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    help = "Save the file as UTF-8."
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        help = "It begins like UTF-16, as some Windows programs write: save the file as UTF-8."
    return _unreadable(
        f"this is not UTF-8: byte 0x{data[error.start]:02x} cannot stand here",
        Span(line, column, line, column + 1),
        help,
    )


def _unreadable(message: str, span: Span | None, help: str) -> Finding:
    return Finding("TTD008", "unreadable-text", "error", message, help, span=span)
