"""The video diffusion transformer: local attention in windows, then a global mixer there and back, then an MLP, in every layer.

Shapes: B batch, F latent frames, C latent channels, p patch, h x w token grid of a frame, S text segments of T tokens, X text width,
V = F h w video tokens, L = V + S T, D width, A heads, K = D/A, E timestep width.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tttdit.core.regions import Regions
from tttdit.core.runtime.initial import reset
from tttdit.core.runtime.tables import Tables, sharing
from tttdit.plugins.ttt.segments.geometry import Geometry
from tttdit.plugins.ttt_dit.sequence.module import SequenceBlock

KEEP_ALL = Regions()
INITIAL_SPREAD = 0.02  # standard deviation of the weights of modulation and of the last layer
PUBLIC_PREFIX = "dit."  # of every name in public checkpoints


class TTTVideoDiT(nn.Module):
    """Predicts v from noised latents: forward(video, text, timestep).

    `mixer` makes one layer's mixer from that layer's regions, or answers None: then the layers have none. `qk_norm_eps` is that of the
    attention's norms of q and k, None: `norm_eps`. Raises ValueError for sizes that do not fit.
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
        qk_norm_eps: float | None = None,
        mixer: Callable[[Regions], nn.Module | None],
        regions: Regions = KEEP_ALL,
    ) -> None:
        super().__init__()
        self.regions = regions
        self.video_shape = (latent_frames, latent_channels, patch_size * grid_height, patch_size * grid_width)
        self.text_shape = (segments, tokens_per_segment, text_width)
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
        self.kept, self.gathered = nn.Identity(), nn.Identity()  # what layer groups take: for tensor-parallel plans
        self.layers = nn.ModuleList()
        of_q_and_k = norm_eps if qk_norm_eps is None else qk_norm_eps
        with sharing():
            for index in range(layers):
                here = regions.within(f"layers.{index}")
                layer = Layer(
                    geometry, width, heads, timestep_width, rope_theta, norm_eps, of_q_and_k, mixer(here), here
                )
                self.layers.append(layer)
        self.transformer_norm = nn.LayerNorm(width, eps=norm_eps)
        self.final_layer = FinalLayer(geometry, width, timestep_width, latent_channels, patch_size, norm_eps)

    def forward(self, video: Tensor, text: Tensor, timestep: Tensor) -> Tensor:
        """video [B, F, C, p h, p w], text [B, S, T, X], timestep [B] int64 in 0 ... 999 -> [B, F, C, p h, p w].

        Raises ValueError for other shapes: rows and columns exchanged have as many tokens, in the wrong places.
        """
        self.check_shapes(video, text, timestep)
        time = self.time_embed(self.frequencies(timestep).to(video.dtype))
        streams = self.patch_embedding(video, text)
        del video, text
        count = len(self.layers)
        size = self.regions.group_size("transformer_checkpoint_layer_group_size", count)
        for first in range(0, count, size):
            last = min(first + size, count)
            here = self.regions.within(f"layers.{first}")
            kept = [self.kept(stream) for stream in streams]
            del streams
            streams = here("layer_group", self.run_layers, first, last, *kept, time)
            del kept
        return self.final_layer(self.transformer_norm(streams[0]), time)

    def run_layers(self, first: int, last: int, video: Tensor, text: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """The layers first ... last - 1."""
        video, text = self.gathered(video), self.gathered(text)
        for index in range(first, last):
            video, text = self.layers[index](video, text, time)
        return video, text

    def check_shapes(self, video: Tensor, text: Tensor, timestep: Tensor) -> None:
        """Raises ValueError for inputs that this model is not built for."""
        batch = video.shape[0] if video.dim() else 1
        for name, given, letters, wanted in (
            ("video", video, "B, F, C, H, W", (batch, *self.video_shape)),
            ("text", text, "B, S, T, X", (batch, *self.text_shape)),
            ("timestep", timestep, "B", (batch,)),
        ):
            if given.shape != wanted:
                raise ValueError(f"{name} is {[*given.shape]}, and this model takes [{letters}] = {[*wanted]}")

    def reset_parameters(self) -> None:
        """New values for everything, to train from: what `to_empty` asks for.

        Drawn in the order of the constructor, which makes a mixer before the layer that it stands in: with the same seed, device and
        dtype the values are those that a new model would have.
        """
        for part in (self.time_embed, self.patch_embedding):
            reset(part)
        for index, layer in enumerate(self.layers):
            mixer = layer.seq_modeling_block.ssm
            if mixer is not None:
                reset(mixer, path=f"layers.{index}.seq_modeling_block.ssm")
            reset(layer, leave=mixer, path=f"layers.{index}")
        for part in (self.transformer_norm, self.final_layer):
            reset(part)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any], *rest: Any
    ) -> None:
        """What `load_state_dict` does first: public checkpoints' names lose their prefix; tables follow weights that are assigned."""
        public = prefix + PUBLIC_PREFIX
        for name in [name for name in state_dict if name.startswith(public)]:
            plain = prefix + name.removeprefix(public)
            if plain not in state_dict:
                state_dict[plain] = state_dict.pop(name)
        if local_metadata.get("assign_to_params_buffers"):
            assigned = [each for each in state_dict.values() if isinstance(each, Tensor) and each.is_floating_point()]
            for module in self.modules():
                if isinstance(module, Tables) and assigned:
                    module.to_empty(device=assigned[0].device).to(assigned[0].dtype)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


class TimestepFrequencies(Tables):
    """Angles of a timestep: t * 10000^(-i / (D/2)), cosines then sines, [B] -> [B, D] float32. Raises ValueError for an odd width."""

    frequencies: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        if width % 2 != 0:
            raise ValueError(f"width = {width} is odd: a timestep's features are as many cosines as sines")
        self.half = width // 2
        self.reset_parameters()

    def make(self, dtype: torch.dtype, device: torch.device) -> Mapping[str, Tensor]:
        """What a timestep is multiplied with."""
        exponents = torch.arange(self.half, dtype=dtype, device=device) * (-math.log(10000) / self.half)
        return {"frequencies": exponents.exp()}

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
        self.linear = SmallLinear(width, latent_channels * patch_size * patch_size)

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
        qk_norm_eps: float,
        mixer: nn.Module | None,
        regions: Regions,
    ) -> None:
        super().__init__()
        self.regions = regions
        self.pre_seq_layernorm = nn.LayerNorm(width, eps=norm_eps)
        self.pre_seq_adaLN_modulation = modulation(timestep_width, 6 * width)
        self.seq_modeling_block = SequenceBlock(geometry, width, heads, rope_theta, qk_norm_eps, mixer, regions)
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
    return nn.Sequential(nn.SiLU(), SmallLinear(timestep_width, width))


class SmallLinear(nn.Linear):
    """A linear layer whose outputs start near zero."""

    def reset_parameters(self) -> None:
        """Small random weights, no bias."""
        nn.init.normal_(self.weight, std=INITIAL_SPREAD)
        nn.init.zeros_(self.bias)


def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """x [B, tokens, D] scaled and shifted by [B, 1, D]."""
    return x * (1 + scale) + shift
