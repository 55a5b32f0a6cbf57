"""TTD520."""

from __future__ import annotations

from tttdit.core.rules import Page


class NoPlan(Page):
    """What: a memory strategy that finds its own values has found none.

    Why: it takes, of all settings that fit the GPU, the one that recomputes least. There is none if the spec does not say what the GPU can
    hold, if even the setting with the fewest bytes needs more than that, or if a plugin's module does what cannot be predicted.

    Example: `[memory] plugin = "auto"` without `[hardware] gpu`; or for a video of a minute on one GPU.

    Instead: name the GPU; keys that `[memory]` states beside the plugin narrow the search, so leave them out; or follow `tttdit plan`,
    which says by how much it fails and what else would help.

    Fix: none. What to give up, GPUs or batch, is nobody's guess.
    """

    code = "TTD520"
    name = "no-plan"
