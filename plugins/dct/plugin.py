"""Announces the codec `dct`."""

from __future__ import annotations

from tttdit import hookimpl
from tttdit.core.plugin.kinds import Codec
from tttdit.plugins.latent_grid import structure


@hookimpl
def tttdit_codecs() -> list[Codec]:
    """The lowest frequencies of blocks of pixels."""
    return [
        Codec(
            name="dct",
            summary="A fixed cosine transform of blocks of pixels that keeps the lowest frequencies: no weights, and little detail.",
            table="tttdit.plugins.dct.spec:DCTTable",
            rules=structure.RULES,
            dimensions=structure.dimensions,
            module="tttdit.plugins.dct.module:DCT",
        )
    ]
