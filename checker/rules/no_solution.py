"""TTD204."""

from __future__ import annotations

from tttdit.core.rules import Page


class NoSolution(Page):
    """What: a key is `"auto"`, and no value for it keeps every law of the plugins in use.

    Why: `"auto"` is solved from those laws: the number of segments from the frames, the tokens of a segment from the mini-batch that the
    whole sequence has to be divisible by. Sometimes there is no answer: with 6 segments the text adds an even number of tokens, which no
    mini-batch of 64 forgives if the video's tokens are odd.

    Example: `segments = "auto"` for a video of 10 seconds, whose 41 latent frames are no 12 S + 1.

    Instead: move another key; the help names the nearest values for which there is an answer.

    Fix: unsafe, the first value that the help names. It is another run.
    """

    code = "TTD204"
    name = "no-solution"
