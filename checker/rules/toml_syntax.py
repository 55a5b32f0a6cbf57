"""TTD001."""

from __future__ import annotations

from tttdit.core.rules import Page


class TomlSyntax(Page):
    """What: the text is no TOML.

    Why: nothing can be said about a spec that cannot be read; everything else waits for this.

    Example: `manifest = TODO`, a placeholder that was left over: a text needs quotes.

    Instead: what the message asks for, at the place it points at.

    Fix: safe where there is one way to write what was meant: `True`, `.5`, text without quotes or between typographic ones, a colon for =.
    Shown only where it would be a guess (`yes`, `016`); most mistakes have none.
    """

    code = "TTD001"
    name = "toml-syntax"
