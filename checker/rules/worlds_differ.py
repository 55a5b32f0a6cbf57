"""TTD320."""

from __future__ import annotations

from tttdit.core.rules import Page


class WorldsDiffer(Page):
    """What: with `--verify`, a training step on torch does something else than the check believes.

    Why: the check runs a module on a stand-in for torch. What it says of shapes and bytes is true as far as both do the same, operator
    by operator. The finding names the first operator that differs, the line of the module that it comes from, and the line of the
    stand-in that is at fault (or the module does different things in the two worlds).

    Example: a rule of the stand-in that keeps an activation longer than torch does: 245,760 bytes more are live.

    Instead: nothing is wrong with the spec. Please report it; until the rule is mended, do not trust the check's shapes and bytes for this
    module.

    Fix: none.
    """

    code = "TTD320"
    name = "worlds-differ"
