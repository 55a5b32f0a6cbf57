"""The video diffusion transformer: local attention in windows, then a global mixer there and back, then an MLP, in every layer.

Shapes: B batch, F latent frames, C latent channels, p patch, h x w token grid of a frame, S text segments of T tokens, X text width,
V = F h w video tokens, L = V + S T, D width, A heads, K = D/A, E timestep width.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tttdit.core.regions import Regions
from tttdit.plugins.ttt.rotary.module import Tables, share_tables
from tttdit.plugins.ttt.segments.geometry import Geometry
from tttdit.plugins.ttt_dit.sequence.module import SequenceBlock

KEEP_ALL = Regions()
INITIAL_SPREAD = 0.02  # standard deviation of the weights of modulation and of the last layer


class TTTVideoDiT(nn.Module):
    """Predicts v from noised latents: forward(video, text, timestep).

    `mixer` makes one layer's mixer from that layer's regions. Raises ValueError for sizes that do not fit.
    """

    def __init__(
        self,
        *,
        width: int,
        heads: int,
        layers: int,
        timestep_width: int,
        text_width: int,
        latent_channels: int,
        patch_size: int,
        latent_frames: int,
        grid_height: int,
        grid_width: int,
        segments: int,
        tokens_per_segment: int,
        attention_frames: int,
        prefix_frames: int,
        rope_theta: float,
        norm_eps: float,
        mixer: Callable[[Regions], nn.Module],
        regions: Regions = KEEP_ALL,
    ) -> None:
        super().__init__()
        self.regions = regions
        geometry = Geometry(
            latent_frames=latent_frames,
            grid_height=grid_height,
            grid_width=grid_width,
            segments=segments,
            tokens_per_segment=tokens_per_segment,
            attention_frames=attention_frames,
            prefix_frames=prefix_frames,
        )
        self.frequencies = TimestepFrequencies(width)
        self.time_embed = nn.Sequential(
            nn.Linear(width, timestep_width), nn.SiLU(), nn.Linear(timestep_width, timestep_width)
        )
        self.patch_embedding = PatchEmbedding(latent_channels, text_width, width, patch_size)
        self.layers = nn.ModuleList()
        tables: dict[object, Tables] = {}
        for index in range(layers):
            here = regions.within(f"layers.{index}")
            layer = Layer(geometry, width, heads, timestep_width, rope_theta, norm_eps, mixer(here), here)
            share_tables(layer, tables)
            self.layers.append(layer)
        self.transformer_norm = nn.LayerNorm(width, eps=norm_eps)
        self.final_layer = FinalLayer(geometry, width, timestep_width, latent_channels, patch_size, norm_eps)

    def forward(self, video: Tensor, text: Tensor, timestep: Tensor) -> Tensor:
        """video [B, F, C, p h, p w], text [B, S, T, X], timestep [B] int64 in 0 ... 999 -> [B, F, C, p h, p w]."""
        time = self.time_embed(self.frequencies(timestep).to(video.dtype))
        video, text = self.patch_embedding(video, text)
        count = len(self.layers)
        size = self.regions.group_size("transformer_checkpoint_layer_group_size", count)
        for first in range(0, count, size):
            last = min(first + size, count)
            video, text = self.regions("layer_group", self.run_layers, first, last, video, text, time)
        return self.final_layer(self.transformer_norm(video), time)

    def run_layers(self, first: int, last: int, video: Tensor, text: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """The layers first ... last - 1."""
        for index in range(first, last):
            video, text = self.layers[index](video, text, time)
        return video, text


class TimestepFrequencies(Tables):
    """Angles of a timestep: t * 10000^(-i / (D/2)), cosines then sines, [B] -> [B, D] float32."""

    frequencies: Tensor

    def __init__(self, width: int) -> None:
        super().__init__(width)
        half = width // 2
        exponents = torch.arange(half, dtype=torch.float32) * (-math.log(10000) / half)
        self.register_buffer("frequencies", exponents.exp(), persistent=False)

    def forward(self, timestep: Tensor) -> Tensor:
        """Timestep [B] -> [B, D]."""
        angles = timestep.unsqueeze(-1) * self.frequencies
        return torch.cat((angles.cos(), angles.sin()), -1)


class PatchEmbedding(nn.Module):
    """Latents and text embeddings to tokens of the model's width."""

    def __init__(self, latent_channels: int, text_width: int, width: int, patch_size: int) -> None:
        super().__init__()
        self.vid_proj = nn.Conv2d(latent_channels, width, kernel_size=patch_size, stride=patch_size)
        self.text_proj = nn.Linear(text_width, width)

    def forward(self, video: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        """video [B, F, C, p h, p w] -> [B, V, D]; text [B, S, T, X] -> [B, S T, D]."""
        patches = self.vid_proj(video.flatten(0, 1)).flatten(2).transpose(1, 2)
        return patches.unflatten(0, video.shape[:2]).flatten(1, 2), self.text_proj(text).flatten(1, 2)


class FinalLayer(nn.Module):
    """Video tokens back to latents."""

    def __init__(
        self,
        geometry: Geometry,
        width: int,
        timestep_width: int,
        latent_channels: int,
        patch_size: int,
        norm_eps: float,
    ) -> None:
        super().__init__()
        self.grid = (geometry.latent_frames, geometry.grid_height, geometry.grid_width)
        self.patch = (latent_channels, patch_size, patch_size)
        self.norm = nn.LayerNorm(width, eps=norm_eps)
        self.adaLN_modulation = modulation(timestep_width, 2 * width)
        self.linear = nn.Linear(width, latent_channels * patch_size * patch_size)
        nn.init.normal_(self.linear.weight, std=INITIAL_SPREAD)
        nn.init.zeros_(self.linear.bias)

    def forward(self, video: Tensor, time: Tensor) -> Tensor:
        """video [B, V, D], time [B, E] -> [B, F, C, p h, p w]."""
        shift, scale = self.adaLN_modulation(time).unsqueeze(1).chunk(2, -1)
        patches = self.linear(modulate(self.norm(video), shift, scale))
        patches = patches.unflatten(-1, self.patch).unflatten(1, self.grid)  # B F h w C p p
        return patches.permute(0, 1, 4, 2, 5, 3, 6).flatten(5, 6).flatten(3, 4)


class Layer(nn.Module):
    """Sequence block and MLP, each between a modulated norm and a gate; video and text share weights, not modulation."""

    def __init__(
        self,
        geometry: Geometry,
        width: int,
        heads: int,
        timestep_width: int,
        rope_theta: float,
        norm_eps: float,
        mixer: nn.Module,
        regions: Regions,
    ) -> None:
        super().__init__()
        self.regions = regions
        self.pre_seq_layernorm = nn.LayerNorm(width, eps=norm_eps)
        self.pre_seq_adaLN_modulation = modulation(timestep_width, 6 * width)
        self.seq_modeling_block = SequenceBlock(geometry, width, heads, rope_theta, norm_eps, mixer, regions)
        self.pre_mlp_layernorm = nn.LayerNorm(width, eps=norm_eps)
        self.pre_mlp_adaLN_modulation = modulation(timestep_width, 6 * width)
        self.mlp = MLP(width)
        self.streams = (geometry.text, geometry.video)

    def forward(self, video: Tensor, text: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """video [B, V, D], text [B, S T, D], time [B, E] -> video, text."""
        shift, scale, gate, text_shift, text_scale, text_gate = (
            self.pre_seq_adaLN_modulation(time).unsqueeze(1).chunk(6, -1)
        )
        change, text_change = self.regions(
            "seq_modeling_block",
            self.seq_modeling_block,
            modulate(self.pre_seq_layernorm(video), shift, scale),
            modulate(self.pre_seq_layernorm(text), text_shift, text_scale),
        )
        video = video + gate * change
        text = text + text_gate * text_change
        del change, text_change
        shift, scale, gate, text_shift, text_scale, text_gate = (
            self.pre_mlp_adaLN_modulation(time).unsqueeze(1).chunk(6, -1)
        )
        streams = (
            modulate(self.pre_mlp_layernorm(text), text_shift, text_scale),
            modulate(self.pre_mlp_layernorm(video), shift, scale),
        )
        text_change, change = self.regions("mlp", self.mlp, torch.cat(streams, 1)).split(self.streams, 1)
        return video + gate * change, text + text_gate * text_change


class MLP(nn.Module):
    """Two linear layers with a GELU between, four times as wide inside."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer1 = nn.Linear(width, 4 * width)
        self.layer2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """[B, L, D] -> [B, L, D]."""
        return self.layer2(F.gelu(self.layer1(x), approximate="tanh"))


def modulation(timestep_width: int, width: int) -> nn.Sequential:
    """adaLN: shifts, scales and gates, side by side, from the timestep; near zero at first, so that layers start near the identity."""
    linear = nn.Linear(timestep_width, width)
    nn.init.normal_(linear.weight, std=INITIAL_SPREAD)
    nn.init.zeros_(linear.bias)
    return nn.Sequential(nn.SiLU(), linear)


def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """x [B, tokens, D] scaled and shifted by [B, 1, D]."""
    return x * (1 + scale) + shift
