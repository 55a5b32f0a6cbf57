"""TTD409."""

from __future__ import annotations

from tttdit.core.rules import DataPage


class OtherTensors(DataPage):
    """What: a sample's latents or text have another shape or type than the stage takes. Found by `tttdit-check --data`.

    Why: latents and text embeddings have the size that they were computed with, and a model takes one size only. A run that comes to such a
    sample ends there; with `bad_samples = "skip"` it goes on without, and the finding is a warning.

    Example: latents of 12 frames in a stage of 3 seconds, which takes 13; text embeddings of 226 tokens where `tokens_per_segment = 498`.

    Instead: latents [C, F, H, W], or a VAE's posterior [2C, F, H, W]; text [S, T, X], or a file [T, X] for each segment; of any
    floating-point type. Either the samples are computed again, or the spec says what they are: `video.seconds`,
    `text.tokens_per_segment`, `text.width`.

    Fix: none; which of the two is meant, a person knows.
    """

    code = "TTD409"
    name = "other-tensors"
