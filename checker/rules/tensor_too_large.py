"""TTD304."""

from __future__ import annotations

from tttdit.core.rules import Page


class TensorTooLarge(Page):
    """What: a tensor of the model would have more bytes than a number of 64 bits can count.

    Why: torch refuses to make it ("Storage size calculation overflowed"), whatever the machine. Sizes like that are slips: a digit too
    many, or bytes where pixels are meant.

    Example: a picture of 9,999,984 x 9,999,984 pixels, 10 million frames long.

    Instead: the size that was meant; the finding points at the largest.

    Fix: none.
    """

    code = "TTD304"
    name = "tensor-too-large"
