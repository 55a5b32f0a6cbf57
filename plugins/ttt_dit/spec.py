"""What `[model]` says to `ttt-dit`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from tttdit.core.spec.tables import Count, Dimension, PluginTable


class TTTDiTTable(PluginTable):
    """`[model]` with `plugin = "ttt-dit"`. The mixer has its own table, `[model.mixer]`."""

    presets: ClassVar[dict[str, dict[str, object]]] = {
        "5B": {"width": 3072, "heads": 48, "layers": 42, "timestep_width": 512, "patch_size": 2},
        "debug": {"width": 512, "heads": 8, "layers": 6, "timestep_width": 512, "patch_size": 2},
    }

    width: Dimension = Field(description="Numbers a token; a whole multiple of heads.")
    heads: Count = Field(description="Heads of the attention and of the mixer.")
    layers: Count = Field(description="Transformer layers.")
    timestep_width: Dimension = Field(default=512, description="Width of the embedding of the timestep.")
    patch_size: Count = Field(default=2, description="Rows, and columns, of latents that make one token.")
    attention_frames: Count = Field(
        default=12, description="Latent frames that each attention window adds; one text segment goes with them."
    )
    prefix_frames: Count = Field(
        default=1, description="Latent frames that an attention window shares with the one before it."
    )
    rope_theta: float = Field(default=10000.0, ge=1, le=1e9, description="Base of the rotary positions' wave lengths.")
    norm_eps: float = Field(default=1e-6, gt=0, le=1, description="Added to the variance in the layer norms.")
    qk_norm_eps: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Added to the variance in the attention's norms of q and k. Left out: norm_eps.",
    )
    adapter: Literal["sft", "qkvo", "none"] = Field(
        default="sft",
        description='What is trained. "sft": everything; "qkvo": the attention\'s q, k, v, o with their norms, the mixer and '
        'its gates; "none": nothing, for sampling.',
    )

    @field_validator("prefix_frames")
    @classmethod
    def _windows_overlap_their_neighbours_only(cls, prefix: int, info: ValidationInfo) -> int:
        attention = info.data.get("attention_frames", prefix)
        if prefix > attention:
            raise PydanticCustomError(
                "prefix_frames",
                "a window cannot share {prefix} frames and add {attention}",
                {"prefix": prefix, "attention": attention},
            )
        return prefix
