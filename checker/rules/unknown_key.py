"""TTD002."""

from __future__ import annotations

from tttdit.core.rules import Page


class UnknownKey(Page):
    """What: a key or a table that nothing reads.

    Why: a misspelled key would leave its setting at the default without a word, and the run would be another one than was meant.

    Example: `minibatch_size = 64` for `mini_batch_size`; `[optimiser]` for `[optimizer]`.

    Instead: the nearest known key, which the help names. The keys of a plugin's table are the plugin's: another `plugin` has others.

    Fix: shown only, the key or header with the nearest name; whether that is the one that was meant, a person knows.
    """

    code = "TTD002"
    name = "unknown-key"
