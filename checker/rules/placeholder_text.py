"""TTD010."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from attrs import evolve

from tttdit.checker.document_rule import DocumentRule
from tttdit.core.findings import Finding
from tttdit.core.spec.document import Document
from tttdit.core.spec.keys import join
from tttdit.core.spec.placeholders import MOST_PLACEHOLDERS
from tttdit.core.spec.stages import Curriculum
from tttdit.core.spec.texts import texts
from tttdit.core.spec.wording import show

_WORD = r"\W*(?:TODO|FIXME|TBD|XXX+|(?:CHANGE|REPLACE|FILL)[-_ ]?ME)\W*(?:[:\s].*)?"
_WHOLE = re.compile(_WORD, re.IGNORECASE | re.DOTALL)
# Of a path: a folder may well be called todo, but not TODO.
_PART = re.compile(rf"{_WORD}|\.\.\.|\u2026", re.DOTALL)
_WITHIN = re.compile(
    r"<[^<>/\n]+>"
    r"|\{\{[^{}]+\}\}"
    r"|(?:^|[/\\])path[/\\]to(?:[/\\]|$)"
    r"|(?:^|[/\\_\-. ])your[-_ ](?:path|folder|directory|dir|name|user|username|project|entity|data|dataset|bucket)\b",
    re.IGNORECASE | re.DOTALL,
)


class PlaceholderText(DocumentRule):
    """What: a text is still a placeholder: TODO, CHANGEME, `<path>`, `path/to/...`.

    Why: in quotes a placeholder is text like any other, so the spec can be read and every size checked; the run stops where it first
    looks for a file of that name, or writes to a folder of that name. (Without quotes it is no TOML: TTD001.)

    Example: `manifest = "path/to/manifest.jsonl"`.

    Instead: what is meant. A key that has a default can be left out.

    Fix: none; only a person knows what belongs there.
    """

    code = "TTD010"
    name = "placeholder-text"
    severity = "warning"

    def read(self, document: Document, curriculum: Curriculum) -> Iterator[Finding]:
        """One finding for each text."""
        found = ((path, text) for path, text in texts(document.values) if is_placeholder(text))
        for path, text in islice(found, MOST_PLACEHOLDERS):
            key = join(path)
            finding = self.finding(
                f"{key} is still a placeholder: {show(text)}",
                key=key,
                help="write what is meant, or leave the key out where it has a default",
            )
            yield evolve(finding, span=document.value_span(path))


def is_placeholder(text: str) -> bool:
    """Whether the text, or a part of it that is a path, was meant to be replaced."""
    if _WHOLE.fullmatch(text) or _WITHIN.search(text):
        return True
    return any(_PART.fullmatch(part) for part in re.split(r"[/\\]", text))
