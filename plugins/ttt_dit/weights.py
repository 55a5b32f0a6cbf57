"""The names that the weights of `ttt-dit` have in the files of diffusers (CogVideoX) and of the public TTT code."""

from __future__ import annotations

from tttdit.core.plugin.weight_names import WeightNames

# diffusers' modules, each with a weight and a bias, and ours.
_MODULES = {
    "patch_embed.proj": "patch_embedding.vid_proj",
    "patch_embed.text_proj": "patch_embedding.text_proj",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "transformer_blocks.*.norm1.norm": "layers.*.pre_seq_layernorm",
    "transformer_blocks.*.norm1.linear": "layers.*.pre_seq_adaLN_modulation.1",
    "transformer_blocks.*.attn1.norm_q": "layers.*.seq_modeling_block.q_norm",
    "transformer_blocks.*.attn1.norm_k": "layers.*.seq_modeling_block.k_norm",
    "transformer_blocks.*.attn1.to_q": "layers.*.seq_modeling_block.q",
    "transformer_blocks.*.attn1.to_k": "layers.*.seq_modeling_block.k",
    "transformer_blocks.*.attn1.to_v": "layers.*.seq_modeling_block.v",
    "transformer_blocks.*.attn1.to_out.0": "layers.*.seq_modeling_block.o",
    "transformer_blocks.*.norm2.norm": "layers.*.pre_mlp_layernorm",
    "transformer_blocks.*.norm2.linear": "layers.*.pre_mlp_adaLN_modulation.1",
    "transformer_blocks.*.ff.net.0.proj": "layers.*.mlp.layer1",
    "transformer_blocks.*.ff.net.2": "layers.*.mlp.layer2",
    "norm_final": "transformer_norm",
    "norm_out.norm": "final_layer.norm",
    "norm_out.linear": "final_layer.adaLN_modulation.1",
    "proj_out": "final_layer.linear",
}

_DIFFUSERS = {f"{theirs}.{kind}": f"{ours}.{kind}" for theirs, ours in _MODULES.items() for kind in ("weight", "bias")}

# What a mixer brings: its own parameters, and the gates through which its output comes in.
_MIXER = (
    "layers.*.seq_modeling_block.ssm.**",
    *(
        f"layers.*.seq_modeling_block.{way}_ssm_gating_{stream}.gating_alpha"
        for way in ("forward", "backward")
        for stream in ("video", "text")
    ),
)

NAMES = (
    WeightNames(
        project="diffusers",
        names=_DIFFUSERS,
        folder="transformer",
        added=_MIXER,
        unplaced={
            "patch_embed.pos_embedding": "a table of absolute positions, which image-to-video models add to their "
            "tokens; this model has rotary positions only",
            "ofs_embedding.**": "of CogVideoX 1.5's image-to-video models, which this model is not",
        },
        config={
            "use_rotary_positional_embeddings": True,  # CogVideoX-2B adds sines to its tokens, which no file holds
            "patch_size_t": None,  # CogVideoX 1.5 makes tokens of two frames
            "flip_sin_to_cos": True,
            "freq_shift": 0,
            "timestep_activation_fn": "silu",
            "activation_fn": "gelu-approximate",
        },
    ),
    WeightNames(
        project="ttt-video-dit",
        names={name: name for name in _DIFFUSERS.values()},
        prefixes=("dit.",),
        container="model.",
        added=_MIXER,
    ),
)
