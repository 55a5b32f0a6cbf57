"""TTD003."""

from __future__ import annotations

from tttdit.core.rules import Page


class InvalidValue(Page):
    """What: a value of the wrong type, out of its bounds, or not one of the choices.

    Why: nothing is coerced in silence: `1e6` is a float where an integer is meant, and `"64"` is a text.

    Example: `scan_checkpoint_group_size = 1e6`.

    Instead: a value of the type, and within the bounds, that the message names.

    Fix: safe where it is the same value in the right type, such as 1000000 for `1e6` and 64 for `"64"`; shown only where it is the most
    similar one of several choices.
    """

    code = "TTD003"
    name = "invalid-value"
