"""Announces the codec `cogvideox-vae`."""

from __future__ import annotations

from tttdit import hookimpl
from tttdit.core.plugin.kinds import Codec
from tttdit.plugins.latent_grid import structure


@hookimpl
def tttdit_codecs() -> list[Codec]:
    """CogVideoX's video VAE, or one of another geometry."""
    return [
        Codec(
            name="cogvideox-vae",
            summary="CogVideoX's video VAE: 8 x 8 in space, 4 in time with the first frame alone, 16 channels.",
            table="tttdit.plugins.cogvideox_vae.spec:VideoVAETable",
            rules=(structure.RULES, "tttdit.plugins.cogvideox_vae.rules"),
            dimensions=structure.dimensions,
            module="tttdit.plugins.cogvideox_vae.module:CogVideoXVAE",
        )
    ]
