"""What `[codec]` says to `cogvideox-vae`."""

from __future__ import annotations

from math import lcm

from pydantic import Field

from tttdit.core.spec.tables import Text
from tttdit.plugins.latent_grid.spec import LatentGridTable

# How AutoencoderKLCogVideoX cuts a video, so that its convolutions' caches and its group norms see what they saw in training:
# num_sample_frames_batch_size and num_latent_frames_batch_size in diffusers/models/autoencoders/autoencoder_kl_cogvideox.py.
FRAMES_AT_ONCE, LATENTS_AT_ONCE = 8, 2


class VideoVAETable(LatentGridTable):
    """`[codec]` with `plugin = "cogvideox-vae"`: the geometry of a video VAE that keeps the first frame for itself, and its weights."""

    folder: Text | None = Field(
        default=None,
        description="Folder with the VAE's config.json and weights, as diffusers saves them; for preparing data and for sampling.",
    )
    scale_factor: float = Field(
        default=1.0,
        gt=0,
        le=1000,
        description="What the VAE's latents are multiplied by for the model, and divided by before they are decoded.",
    )

    @property
    def frames_together(self) -> int:
        """The number of which the frames after the first have to be a multiple, for the VAE to encode and decode them in its own steps."""
        return lcm(FRAMES_AT_ONCE, LATENTS_AT_ONCE * self.time_compression)
