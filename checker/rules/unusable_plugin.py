"""TTD009."""

from __future__ import annotations

from tttdit.core.rules import Page


class UnusablePlugin(Page):
    """What: a plugin that the spec uses is there, but cannot be used.

    Why: two distributions offer one name, or it was written for another version of tttdit's hooks, or its code fails when it is imported
    or asked.

    Example: `my-mixers 1.0 and your-mixers 2.1 both offer the mixer "linear-attention"`.

    Instead: uninstall one of the two, update the plugin, or tell its authors; the message names the distribution.

    Fix: none, for the spec is not what is wrong.
    """

    code = "TTD009"
    name = "unusable-plugin"
