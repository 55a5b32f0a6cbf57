"""CogVideoX's video VAE, as diffusers has it, a few frames at a time.

Shapes: n frames, f latent frames, C channels, H x W latent pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from tttdit.core.errors import UsageError
from tttdit.core.plugin.references import one_line
from tttdit.core.runtime.frames import as_bytes, as_numbers
from tttdit.plugins.cogvideox_vae.spec import FRAMES_AT_ONCE, LATENTS_AT_ONCE, VideoVAETable
from tttdit.plugins.latent_grid.module import frames_in_steps, latents_in_steps


class CogVideoXVAE:
    """The codec, in float32 and without tiling.

    Steps and caches are those of `AutoencoderKLCogVideoX._encode` and `_decode`, in diffusers' autoencoder_kl_cogvideox.py, which take a
    whole video; here one step's frames are in memory at a time, and the numbers are the same. There, what is left over in a length that
    is no whole steps goes into the first one. Here it is refused: such latents decode to another number of frames (TTD104).
    """

    holds: Literal["posterior"] = "posterior"
    decodes_fast = False

    def __init__(self, table: VideoVAETable, folder: Path, device: torch.device) -> None:
        """Raises UsageError without diffusers, and where the folder does not hold such a VAE of the table's geometry."""
        self._begin(table, device, _load(table, folder).to(device))

    @classmethod
    def without_weights(cls, table: VideoVAETable, folder: Path, device: torch.device) -> CogVideoXVAE:
        """The same with weights that nobody has read, on fake tensors or meta: for whoever asks what it takes.

        Where the folder is not there yet it is the published VAE, whose sizes are diffusers' defaults.
        """
        codec = cls.__new__(cls)
        codec._begin(table, device, _unread(table, folder))
        return codec

    def _begin(self, table: VideoVAETable, device: torch.device, vae: Any) -> None:
        self._table, self._device = table, device
        self._vae = vae.eval().requires_grad_(False)

    @property
    def weights(self) -> list[Tensor]:
        """Parameters and buffers."""
        return [*self._vae.parameters(), *self._vae.buffers()]

    def encode(self, frames: Iterable[Tensor]) -> Iterator[Tensor]:
        """Frames to the posterior of their latents: means, then log variances, of latents times `scale_factor`."""
        cache = None
        for step in frames_in_steps(frames, self._table, 1 + FRAMES_AT_ONCE, FRAMES_AT_ONCE):
            posterior, cache = self._encoded(step, cache)
            yield posterior

    def decode(self, latents: Iterable[Tensor]) -> Iterator[Tensor]:
        """Latents, divided by `scale_factor`, to frames."""
        cache = None
        for step in latents_in_steps(latents, self._table, 1 + LATENTS_AT_ONCE, LATENTS_AT_ONCE):
            frames, cache = self._decoded(step, cache)
            yield frames

    @torch.no_grad()
    def _encoded(self, frames: Tensor, cache: Any) -> tuple[Tensor, Any]:
        """One step [n, 3, Y, X] as [f, 2C, H, W], and what the next one needs of it."""
        moments, cache = self._vae.encoder(_as_batch(as_numbers(frames.to(self._device))), conv_cache=cache)
        if self._vae.quant_conv is not None:
            moments = self._vae.quant_conv(moments)
        means, log_variances = moments.squeeze(0).transpose(0, 1).chunk(2, 1)
        scale = self._table.scale_factor
        return torch.cat([means * scale, log_variances + 2 * math.log(scale)], 1).cpu(), cache

    @torch.no_grad()
    def _decoded(self, latents: Tensor, cache: Any) -> tuple[Tensor, Any]:
        """One step [f, C, H, W] as [n, 3, Y, X], and what the next one needs of it."""
        scaled = _as_batch(latents.to(self._device) / self._table.scale_factor)
        if self._vae.post_quant_conv is not None:
            scaled = self._vae.post_quant_conv(scaled)
        frames, cache = self._vae.decoder(scaled, conv_cache=cache)
        return as_bytes(frames.squeeze(0).transpose(0, 1)).cpu(), cache


def _as_batch(step: Tensor) -> Tensor:
    """[n, channels, rows, columns] as [1, channels, n, rows, columns]."""
    return step.transpose(0, 1).unsqueeze(0).contiguous()


def _class() -> Any:
    try:
        from diffusers import AutoencoderKLCogVideoX
    except ModuleNotFoundError:
        raise UsageError('[codec] plugin = "cogvideox-vae" needs diffusers: pip install "tttdit[real]"') from None
    return AutoencoderKLCogVideoX


def _path(table: VideoVAETable, folder: Path) -> Path:
    """The VAE's own folder: of a published pipeline that in it."""
    if table.folder is None:
        raise UsageError("codec.folder is not stated: the folder with the VAE's config.json and weights")
    path = folder / table.folder
    return path / "vae" if (path / "vae" / "config.json").is_file() else path


def _unread(table: VideoVAETable, folder: Path) -> Any:
    kind = _class()
    path = _path(table, folder) if table.folder is not None else None
    if path is None or not (path / "config.json").is_file():
        return kind(latent_channels=table.channels)
    vae = kind.from_config(kind.load_config(path, local_files_only=True))
    _check(table, path, vae.config)
    return vae


def _load(table: VideoVAETable, folder: Path) -> Any:
    kind, path = _class(), _path(table, folder)
    if not (path / "config.json").is_file():
        raise UsageError(f"codec.folder: {path} has no config.json: it is no folder of a VAE that diffusers has saved")
    try:
        vae = kind.from_pretrained(
            path,
            torch_dtype=torch.float32,
            local_files_only=True,
            low_cpu_mem_usage=False,  # True wants another package, accelerate
        )
    except Exception as error:
        raise UsageError(f"codec.folder: {path} cannot be read as a VAE of CogVideoX: {one_line(error)}") from error
    _check(table, path, vae.config)
    return vae


def _check(table: VideoVAETable, path: Path, config: Any) -> None:
    """Raises UsageError where the VAE has another geometry than the table."""
    there = {
        "space_compression": 2 ** (len(config.block_out_channels) - 1),
        "time_compression": int(config.temporal_compression_ratio),
        "channels": config.latent_channels,
    }
    for key, value in there.items():
        if getattr(table, key) != value:
            raise UsageError(f"codec.{key} is {getattr(table, key):,}, and the VAE in {path} has {value:,}")
