"""Why a text is no TOML, in plain words: tomli's message, the place, and what to write instead where that can be told."""

from __future__ import annotations

import re

from tttdit.core.findings import Applicability, Finding, Fix, Related, Replacement
from tttdit.core.spec.keys import join
from tttdit.core.spec.positions import Lines
from tttdit.core.spec.scanner import scan
from tttdit.core.spec.shortening import LONGEST_SHOWN, short

_PLACE = re.compile(r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL)
_WORD = re.compile(r"[^\s,=\[\]{}#\"']+")
_PLAIN_TEXT = re.compile(r"[\w.:/~+-]+")
_CURLY = re.compile(
    r"[\u201c-\u201e](?P<double>[^\u201c-\u201e\"\\]*)[\u201c\u201d]|[\u2018\u2019](?P<single>[^\u2018\u2019\"\\]*)\u2019"
)

_WORDS_FOR = {"True": "true", "TRUE": "true", "False": "false", "FALSE": "false"} | {
    word: value
    for value, words in {"true": ("yes", "Yes", "on", "On"), "false": ("no", "No", "off", "Off")}.items()
    for word in words
}
_NOTHINGS = ("None", "none", "null", "nil", "NULL")


def explain(message: str, text: str) -> Finding:
    """The finding for a text that tomli refused with this message."""
    match = _PLACE.fullmatch(message)
    what = match["what"] if match else message
    at = _offset(text, match["line"], match["column"]) if match else len(text)
    return _Refusal(what, text, at).finding()


def _offset(text: str, line: str | None, column: str | None) -> int:
    if line is None or column is None:
        return len(text.rstrip())
    start = 0
    for _ in range(int(line) - 1):
        start = text.index("\n", start) + 1
    return start + int(column) - 1


class _Refusal:
    """One message of tomli, and the text around the place that it names."""

    def __init__(self, what: str, text: str, at: int) -> None:
        self.what = what
        self.text = text
        self.at = at
        self.character = text[at : at + 1]
        line_start = text.rfind("\n", 0, at) + 1
        line_end = text.find("\n", at)
        self.before = text[line_start:at]
        self.line_end = len(text) if line_end < 0 else line_end
        self.after = text[at : self.line_end]

    def finding(self) -> Finding:
        if self.character == "\r":
            return self._at(
                "a carriage return stands here without a line feed",
                "Save the file with line ends of Unix (LF) or Windows (CRLF).",
            )
        if self.what == "Invalid value":
            return self._value()
        if self.what.startswith("Expected newline or end of document"):
            return self._more_behind()
        if self.what.startswith("Expected '='"):
            return self._no_equals()
        if self.what.startswith(("Invalid statement", "Invalid initial character")):
            return self._no_key()
        if self.what.startswith(("Cannot ", "Duplicate inline table key")):
            return self._twice()
        return self._bracket_or_string()

    def _at(
        self,
        message: str,
        help: str = "",
        length: int = 1,
        related: tuple[Related, ...] = (),
        fix: Fix | None = None,
    ) -> Finding:
        length = min(length, len(self.text) - self.at) if self.character != "\n" else 0
        where = Lines(self.text).span(self.at, self.at + length)
        return Finding("TTD001", "toml-syntax", "error", message, help, related=related, fix=fix, span=where)

    def _instead(self, length: int, text: str, applicability: Applicability = "safe") -> Fix:
        """Other text for so many characters from here on."""
        return Fix(applicability, (Replacement(Lines(self.text).span(self.at, self.at + length), text),))

    def _value(self) -> Finding:
        key = short(self.before.rpartition("=")[0].strip() or "the key")
        if self.after.strip() == "" or self.character in "#,]}":
            return self._at(f"a value is missing here, after {key} =", "Write one, or leave the key out.")
        word_match = _WORD.match(self.after)
        word = word_match[0] if word_match else self.character
        whole, length, word = word, len(word), short(word)
        if word in _WORDS_FOR:
            meant = _WORDS_FOR[word]
            kind: Applicability = "safe" if word.lower() == meant else "shown"
            instead = self._instead(length, meant, kind)
            return self._at(f"{word} is not a TOML value", f"Write {meant}.", length, fix=instead)
        if word in _NOTHINGS:
            return self._at(f"{word} is not a TOML value", "TOML has no empty value: leave the key out.", length)
        if re.match(r"[+-]?\.?[0-9]", word):
            return self._number(whole)
        if word[0] in "\u201c\u201d\u201e\u2018\u2019":
            quoted = _CURLY.match(self.after)
            fix = self._instead(len(quoted[0]), f'"{quoted["double"] or quoted["single"] or ""}"') if quoted else None
            help = f'Write {key} = "..." with " on both sides.'
            return self._at("TOML knows straight quotes only", help, length, fix=fix)
        text = word if _PLAIN_TEXT.fullmatch(word) else "..."
        fix = self._instead(length, f'"{whole}"') if self._is_whole_text(whole) else None
        return self._at(f"{word} is not a TOML value", f'Text stands in quotes: {key} = "{text}"', length, fix=fix)

    def _is_whole_text(self, word: str) -> bool:
        """Whether the word is all that stands behind the =."""
        rest = self.after[len(word) :].partition("#")[0]
        return bool(_PLAIN_TEXT.fullmatch(word)) and not rest.strip() and self.before.rstrip().endswith("=")

    def _number(self, word: str) -> Finding:
        if len(word) > LONGEST_SHOWN:
            return self._at(f"{short(word)} is not a TOML value", "Text stands in quotes.", len(word))
        help, fix = "Write a number such as 16, 0.1, 1e-4 or 1_000, and text in quotes.", None
        if zeros := re.fullmatch(r"([+-]?)0[0_]*([0-9_]+(?:\.[0-9]+)?)", word):
            help = f"Numbers do not begin with 0: write {zeros[1]}{zeros[2]}."
            fix = self._instead(len(word), f"{zeros[1]}{zeros[2]}", "shown")
        elif re.fullmatch(r"[+-]?\.[0-9]+", word):
            help = f"A digit stands before the point: write {word.replace('.', '0.')}."
            fix = self._instead(len(word), word.replace(".", "0."))
        elif re.fullmatch(r"[+-]?[0-9_]+\.", word):
            help = f"A digit stands behind the point: write {word}0."
            fix = self._instead(len(word), f"{word}0")
        elif unit := re.fullmatch(r"([+-]?[0-9]+(?:\.[0-9]+)?)([A-Za-z%]+)", word):
            help = f"If it is a number, write it without a unit: {unit[1]}. If it is text, write it in quotes."
        return self._at(f"{word} is not a TOML value", help, len(word), fix=fix)

    def _more_behind(self) -> Finding:
        """tomli took the front of a word for a number, or found something behind a whole value."""
        front = re.search(r"[^\s,=\[\]{}#\"']+\Z", self.before)
        rest = _WORD.match(self.after)
        if front and rest:
            self.at -= len(front[0])
            return self._number(front[0] + rest[0])
        return self._at(
            "nothing can stand here: the line should have ended",
            "One key or table a line; comments begin with #, text stands in quotes.",
            len(self.after.rstrip()),
        )

    def _no_equals(self) -> Finding:
        key = short(self.before.strip())
        if self.character == ":":
            fix = self._instead(1, "=" if self.before.endswith((" ", "\t")) else " =")
            return self._at(f"keys and values are separated by =, not by : ({key} = ...)", fix=fix)
        if self.character in ("", "\n", "#"):
            return self._at(f"{key} has no value", f"Write {key} = ..., or a # in front if it is a comment.")
        return self._at(
            "an = was expected here",
            f"Write {key} = ...; a key with other signs than letters, digits, - and _ stands in quotes.",
        )

    def _no_key(self) -> Finding:
        if self.character == "=":
            return self._at("there is no key before the =", "Write key = value.")
        if self.character in ("", "\n"):
            return self._at("a key is missing here", "Write key = value, or [table].")
        word = _WORD.match(self.after)
        shown = short(word[0]) if word else self.character
        if not shown.isprintable():
            shown = f"the character U+{ord(shown[0]):04X}"
        return self._at(
            f"a key cannot begin with {shown}",
            "Keys are letters, digits, - and _, or stand in quotes; comments begin with #.",
            1,
        )

    def _twice(self) -> Finding:
        """A key or a table that is there already: the statement around the place, and an earlier one with the same path."""
        statements = scan(self.text[: self.line_end]).statements
        lines = Lines(self.text)
        if not statements:
            return self._at(self.what)
        path, extent = statements[-1]
        earlier = [place for other, place in statements[:-1] if other == path]
        key = short(join(path))
        kind = f"the table [{key}]" if self.text.startswith("[", extent.start) else key
        self.at = extent.start
        length = extent.end - extent.start
        if self.what.startswith("Duplicate inline table key"):
            return self._at(f"a key stands twice in the inline table of {key}", "Keep one of the two.", length)
        if earlier:
            first = (Related("first written here", span=lines.span(earlier[0].start, earlier[0].end)),)
            return self._at(f"{kind} is written twice", "Keep one of the two.", length, first)
        closed = [
            (other, place)
            for other, place in statements[:-1]
            if path[: len(other)] == other or other[: len(path)] == path
        ]
        related = tuple(
            Related(f"{short(join(other))} is written here", span=lines.span(place.start, place.end))
            for other, place in closed[:1]
        )
        return self._at(
            f"{kind} cannot be added to what has been written before",
            "A table is written in one place: under its [header], with dotted keys, or in braces.",
            length,
            related,
        )

    def _bracket_or_string(self) -> Finding:
        if self.what.startswith("Unclosed array"):
            return self._unclosed("array", "]", "Items are separated by commas.")
        if self.what.startswith("Unclosed inline table"):
            return self._unclosed("inline table", "}", "Its keys are separated by commas.")
        if self.what.startswith("Expected ']"):
            closing = "]]" if "]]" in self.what else "]"
            written = self.before.strip()
            fix = self._instead(0, closing) if self.character in ("", "\n") and "#" not in written else None
            message = f"{closing} is missing at the end of the table's header"
            return self._at(message, f"Write {short(written)}{closing}.", fix=fix)
        if self.what.startswith(("Unterminated string", "Expected")) or self.character == "\n":
            return self._at(
                "the text is not closed",
                'A closing quote is missing; text of several lines stands between """ and """.',
            )
        if "invalid character" in self.what or "Illegal character" in self.what:
            return self._at(
                f"the character U+{ord(self.character):04X} cannot stand here",
                "Control characters are written as \\u0000.",
            )
        if "Unescaped '\\'" in self.what or "hex value" in self.what or "Unicode scalar" in self.what:
            return self._at(
                "this backslash begins no known sign",
                "A path with backslashes stands in single quotes: 'C:\\data'; or write each backslash twice.",
            )
        if self.what.startswith("Invalid date"):
            return self._at("there is no such date or time", length=len(self.after.rstrip()))
        return self._at(self.what[:1].lower() + self.what[1:])

    def _unclosed(self, kind: str, closing: str, help: str) -> Finding:
        if not self.after.strip():
            return self._at(f"the {kind} is not closed: {closing} is missing", help)
        return self._at(f"a comma or {closing} is missing in this {kind}", help)
