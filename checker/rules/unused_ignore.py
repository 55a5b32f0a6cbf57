"""TTD011."""

from __future__ import annotations

from tttdit.core.rules import Page


class UnusedIgnore(Page):
    """What: a comment `# tttdit: ignore[...]` that silences nothing, names a code that does not exist, or names none at all.

    Why: what it once silenced has gone, or it never did anything. Left where it is, it would one day hide a mistake that nobody has looked
    at.

    Example: `seconds = 9  # tttdit: ignore[TTD204]`, a length at which every `"auto"` has an answer.

    Instead: remove the code, or the comment. A comment speaks for its own line; on a line of its own above the first table, for the whole
    file. Whether a code is needed is judged where all of a spec is looked at as it stands: not with `--stage` or `--set`, not for codes
    that `--select` and `--ignore` leave out, and not while errors remain.

    Fix: safe. The comment had no effect.
    """

    code = "TTD011"
    name = "unused-ignore"
    severity = "warning"
