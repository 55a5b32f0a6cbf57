"""TTD311."""

from __future__ import annotations

from tttdit.core.rules import Page


class InexactDivision(Page):
    """What: a module divides one size by another with `//`, and a remainder is left that nobody declared.

    Why: what is rounded away is lost without a word: tokens that no window holds, channels that no head reads.

    Example: `width // heads` with 3,000 and 48.

    Instead: sizes that divide, or, where rounding is meant, `-(-a // b)` or `divmod(a, b)` in the module; a plugin can declare the law
    (`Divisible`), so that a rule of its own names values that work.

    Fix: none.
    """

    code = "TTD311"
    name = "inexact-division"
