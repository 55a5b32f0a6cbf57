"""TTD005."""

from __future__ import annotations

from tttdit.core.rules import Page


class UnknownPlugin(Page):
    """What: a `plugin = "..."` that nothing in this environment offers.

    Why: models, mixers, codecs and the rest are plugins, found by name among what is installed. Names are told apart by kind: a mixer is no
    model.

    Example: `plugin = "ttt_mlp"` for `ttt-mlp`.

    Instead: one of the names in the message (`tttdit plugins` lists all), or install the distribution that offers it. A plugin in a local
    file is used only with `--allow-plugin PATH`.

    Fix: shown only, the most similar name.
    """

    code = "TTD005"
    name = "unknown-plugin"
