"""TTD012."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from attrs import evolve

from tttdit.checker.document_rule import DocumentRule
from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.spec.document import Document
from tttdit.core.spec.keys import Path, join
from tttdit.core.spec.stages import Curriculum
from tttdit.core.spec.texts import texts

_MOST_TEXTS = 100
_LONGEST_SHOWN = 200  # longer ones are no path
_BLANKS = " \t\u00a0"

# Control characters but line ends, and the blanks that nobody sees: zero width, word joiner, byte order mark.
_STRAY = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2060\ufeff]")
# A Windows path whose backslashes were taken for escapes: C:\temp has a tab.
_ESCAPED_PATH = re.compile("[A-Za-z]:[\x08\x09\x0a\x0c\x0d\x1b]")
_NAMES = {"\x08": "a backspace", "\t": "a tab", "\n": "a line end", "\x0c": "a form feed", "\r": "a carriage return"}


class StrayCharacters(DocumentRule):
    """What: a text holds characters that are not seen: blanks at its ends, a tab, a zero-width space.

    Why: nothing is trimmed in silence. A path with a blank behind it is another path, and in double quotes TOML makes of `C:\\temp` a
    tab and `emp`.

    Example: `manifest = "data.jsonl "`, or `folder = "C:\\temp"`.

    Instead: the text without them. A path with backslashes stands in single quotes, where these are no escapes.

    Fix: unsafe. It is another text, though most likely the one that was meant.
    """

    code = "TTD012"
    name = "stray-characters"
    severity = "warning"

    def read(self, document: Document, curriculum: Curriculum) -> Iterator[Finding]:
        """One finding for each text."""
        found = ((path, text) for path, text in texts(document.values) if _is_stray(text))
        for path, text in islice(found, _MOST_TEXTS):
            key, (what, better) = join(path), _explained(document, path, text)
            can_be_fixed = bool(better) and isinstance(path[-1], str)
            finding = self.finding(
                f"{key} {what}",
                key=key,
                help=f"write {_quoted(better)}" if 0 < len(better) <= _LONGEST_SHOWN else "",
                fix=Fix("unsafe", (Edit(key, better),)) if can_be_fixed else None,
            )
            yield evolve(finding, span=document.value_span(path))


def _is_stray(text: str) -> bool:
    return bool(_STRAY.search(text) or _ESCAPED_PATH.match(text)) or text != text.strip(_BLANKS)


def _explained(document: Document, path: Path, text: str) -> tuple[str, str]:
    """What is wrong with the text, and what it was probably meant to be."""
    if _ESCAPED_PATH.match(text):
        return "has backslashes that TOML takes for escapes", _as_written(document, path)
    stray = _STRAY.search(text.strip(_BLANKS))
    better = _STRAY.sub("", text).strip(_BLANKS)
    if stray is None:
        ends = [end for end, blank in (("begins", text[0]), ("ends", text[-1])) if blank in _BLANKS]
        return f"{' and '.join(ends)} with a blank", better
    code = f"U+{ord(stray[0]):04X}"
    return f"holds a character that is not seen: {_NAMES.get(stray[0], code)}", better


def _as_written(document: Document, path: Path) -> str:
    """The text between the quotes, with its backslashes."""
    span = document.value_span(path)
    if span is None or span.line != span.end_line:
        return ""
    return document.lines[span.line - 1][span.column : span.end_column - 2]


def _quoted(text: str) -> str:
    """As a spec would write it."""
    return f"'{text}'" if "\\" in text and "'" not in text else f'"{text}"'
