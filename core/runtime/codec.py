"""What makes latents of a video's frames, and frames of latents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, Protocol

from torch import Tensor


class VideoCodec(Protocol):
    """What a codec's `module` makes: `Codec(table, folder, device)`; relative paths in the table are seen from `folder`.

    Both directions take one video, cut into parts in any way, and give parts, which put together are the whole; they hold few frames at
    a time, so that memory does not grow with the video's length. N = time_compression * (F - 1) + 1 frames make F latent ones. The same
    video gives the same bits, however it was cut.
    """

    @property
    def holds(self) -> Literal["latents", "posterior"]:
        """What `encode` gives: C channels of latents, or 2C of a posterior, means and then log variances."""

    @property
    def decodes_fast(self) -> bool:
        """Whether decoding costs so little that whoever encodes should look at once at what was lost."""

    def encode(self, frames: Iterable[Tensor]) -> Iterator[Tensor]:
        """Parts [n, 3, Y, X], uint8, to parts [f, C or 2C, H, W], float32 on the CPU.

        Raises UsageError for a number of frames, or a picture's size, of which it makes no whole latents.
        """

    def decode(self, latents: Iterable[Tensor]) -> Iterator[Tensor]:
        """Parts [f, C, H, W], float32, to parts [n, 3, Y, X], uint8 on the CPU. Raises UsageError where they cannot be a video's."""
