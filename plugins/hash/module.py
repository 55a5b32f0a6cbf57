"""Embeddings that tell words apart, and know nothing else of them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import torch
from torch import Tensor

from tttdit.core.runtime.text import EncodedText
from tttdit.core.spec.tables import TextTable

# A mark of scenes, a word, or one sign that is neither letter nor digit nor space.
_TOKEN = re.compile(r"<start_scene>|<end_scene>|\w+|[^\w\s]")
_KEY = b"tttdit hash text encoder, version 1: "  # with another key every embedding is another one


class HashEncoder:
    """One token a word, whatever its letters' case. A word's embedding is +1 and -1 in the order of its hash's bits, which is unit
    variance, and padding is zeros. There is no end token.
    """

    def __init__(self, table: TextTable, folder: Path, device: torch.device) -> None:
        self._width = table.width

    def encode(self, text: str, length: int) -> EncodedText:
        """The first `length` words."""
        words = _TOKEN.findall(text.casefold())
        embeddings = torch.zeros(length, self._width)
        for row, word in zip(embeddings, words, strict=False):
            row.copy_(_signs(word, self._width))
        return EncodedText(embeddings, tokens=min(len(words), length), cut=max(len(words) - length, 0))


def _signs(word: str, width: int) -> Tensor:
    """The word's bits as +1 and -1."""
    digest = hashlib.shake_256(_KEY + word.encode("utf-8", "surrogatepass")).digest((width + 7) // 8)
    octets = torch.frombuffer(bytearray(digest), dtype=torch.uint8)
    bits = octets.unsqueeze(1).bitwise_right_shift(torch.arange(8, dtype=torch.uint8)).bitwise_and(1)
    return bits.flatten()[:width].float() * 2 - 1
