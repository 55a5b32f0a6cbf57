"""What makes embeddings of texts."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen
from torch import Tensor


@frozen
class EncodedText:
    """The embeddings of one text, and how much of the text they hold.

    `embeddings` are [tokens asked for, X], float32 on the CPU; behind the text's own stands what the encoder pads with.
    """

    embeddings: Tensor
    tokens: int  # of the text itself, an end token included
    cut: int  # tokens that did not fit, and were cut off


class TextEncoder(Protocol):
    """What a text encoder's `module` makes: `Encoder(text_table, folder, device)`; relative paths in the table are seen from `folder`.

    The marks of a change of scenes, `<start_scene>` and `<end_scene>`, are each one token.
    """

    def encode(self, text: str, length: int) -> EncodedText:
        """The embeddings of a text, cut or padded to `length` tokens. The same text gives the same bits."""
