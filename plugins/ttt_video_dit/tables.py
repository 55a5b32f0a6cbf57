"""What a job file may say, section by section, with the defaults of the code that it is for.

Every key is optional there. None stands for a default that is not known, and for a path that is not given.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from tttdit.core.spec.table import Table

Size: TypeAlias = Literal["5B", "debug"]
VideoLength: TypeAlias = Literal["3sec", "9sec", "18sec", "30sec", "63sec"]
SequenceLayer: TypeAlias = Literal["ttt_mlp", "ttt_linear"]
Dtype: TypeAlias = Literal["float32", "bfloat16", "float16"]
Schedule: TypeAlias = Literal["linear", "cosine"]

_Positive: TypeAlias = Annotated[int, Field(ge=1)]


class JobSection(Table):
    """`[job]`: what the run is called, and where it writes."""

    config_file: str | None = Field(default=None, description="A file with a job.")
    exp_name: str = Field(default="default job", description="Name of the run.")
    dump_folder: str | None = Field(default=None, description="Folder for all that the run writes; an absolute path.")
    seed: int = Field(default=42, description="Start of the random numbers.")


class ModelSection(Table):
    """`[model]`: the transformer, and how long its videos are."""

    name: Literal["cogvideo"] = Field(default="cogvideo", description="Which model; there is one.")
    size: Size | None = Field(
        default=None,
        description="5B: width 3,072, 48 heads, 42 layers, text width 4,096; debug: width 512, 8 heads, 6 layers, text width 512.",
    )
    video_length: VideoLength | None = Field(
        default=None, description="Length of a video: 13, 37, 73, 121 or 253 latent frames."
    )
    norm_eps: float = Field(default=1e-6, description="Added to the variance in the norms.")
    scale_factor: float = Field(default=1.0, description="A scale factor.")
    ssm_layer: SequenceLayer | None = Field(default=None, description="The global sequence layer after the attention.")
    ttt_base_lr: float = Field(default=0.1, description="Learning rate of the inner loop.")
    mini_batch_size: _Positive = Field(
        default=64, description="Tokens after which the fast weights are updated; they divide the sequence's length."
    )


class TrainingSection(Table):
    """`[training]`: the data, the batch, and what is trained."""

    adapter_method: Literal["sft", "qkvo", "none"] = Field(
        default="none",
        description="What is trained: sft everything; qkvo the attention's q, k, v, o and the sequence layer.",
    )
    dataset_path: str | None = Field(default=None, description="Folder of the precomputed latents and texts.")
    jsonl_paths: str | None = Field(default=None, description="Lists of the samples, separated by commas.")
    global_batch_size: _Positive = Field(default=8, description="Samples in one optimizer step, over all ranks.")
    grad_accum_steps: _Positive = Field(
        default=1, description="Passes in one optimizer step; they divide a rank's share of the batch."
    )
    warmup_steps: int = Field(default=50, description="Optimizer steps over which the learning rates rise.")
    steps: int = Field(default=5000, description="Optimizer steps.")
    gc_freq: _Positive = Field(default=50, description="Steps from one garbage collection to the next; more than 0.")


class OptimizerSection(Table):
    """`[optimizer]`: AdamW, with a learning rate of its own for the sequence layers."""

    name: Literal["AdamW"] = Field(default="AdamW", description="Which optimizer; there is one.")
    lr: float = Field(default=1e-4, description="Learning rate of everything but the sequence layers.")
    lr_end: float = Field(default=0.0, description="Learning rate at the end of the schedules.")
    lr_ssm: float = Field(default=1e-4, description="Learning rate of the sequence layers.")
    lr_schedule: Schedule | None = Field(default=None, description="How lr goes to lr_end.")
    lr_ssm_schedule: Schedule | None = Field(default=None, description="How lr_ssm goes to lr_end.")
    gradient_clipping_norm: float = Field(default=0.1, description="Largest norm of all gradients together.")


class CheckpointSection(Table):
    """`[checkpoint]`: weights to start from, and how often the run is saved."""

    init_state_dir: str | None = Field(default=None, description="Weights that the run starts from.")
    interval: int = Field(default=0, description="Steps from one checkpoint to the next.")
    resume: bool = Field(default=False, description="Whether the run goes on where an earlier one stopped.")
    resume_step: int = Field(default=-1, description="The step that it goes on from.")
    timeout_minutes: int = Field(default=0, description="A timeout in minutes.")


class ParallelismSection(Table):
    """`[parallelism]`: the mesh of ranks."""

    fsdp_unsharded_dtype: Dtype = Field(default="bfloat16", description="Type of the gathered parameters.")
    tp_sharding: _Positive = Field(default=1, description="Ranks that compute one sample together.")
    dp_sharding: _Positive = Field(default=8, description="Ranks over which one copy of the parameters is sharded.")
    dp_replicate: _Positive = Field(default=1, description="Copies of the parameters.")


class RematSection(Table):
    """`[remat]`: what is computed again in backward."""

    transformer_checkpoint_layer_group_size: _Positive = Field(
        default=1, description="Layers in one recomputed region; they divide the model's layers. Always on."
    )
    scan_checkpoint_group_size: _Positive = Field(
        default=16, description="Mini-batches in one group of the scan; more than there are: one group."
    )
    forward_ssm: bool = Field(default=False, description="Recompute the sequence layer's pass.")
    reverse_ssm: bool = Field(default=False, description="Recompute its pass over the reversed sequence.")
    attention: bool = Field(default=False, description="Recompute the attention with its projections.")
    mlp: bool = Field(default=False, description="Recompute both linear layers of the MLP and the GELU.")
    seq_modeling_block: bool = Field(default=False, description="Recompute attention, both passes and their gates.")
    shard_transformer_inputs: bool = Field(
        default=False,
        description="Keep layer inputs sharded over the ranks of tensor parallelism; needs tp_sharding > 1.",
    )


class CommSection(Table):
    """`[comm]`: the ranks' communication."""

    init_timeout_seconds: int = Field(default=1200, description="Timeout for setting up the communication, in seconds.")


class WandbSection(Table):
    """`[wandb]`: where metrics go."""

    disable: bool | None = Field(default=None, description="Whether nothing is logged.")
    project: str | None = Field(default=None, description="Project that the run is logged in.")
    entity: str | None = Field(default=None, description="Who the project belongs to.")
    log_interval: int = Field(default=50, description="Steps from one entry to the next.")
    alert: bool | None = Field(default=None, description="Whether alerts are sent.")


class EvalSection(Table):
    """`[eval]`: what is sampled, and with which encoders."""

    input_file: str | None = Field(default=None, description="Texts of the videos, .json or .jsonl.")
    output_dir: str | None = Field(default=None, description="Folder for the videos.")
    image_width: _Positive = Field(default=720, description="Width of a frame in pixels.")
    image_height: _Positive = Field(default=480, description="Height of a frame in pixels.")
    sampling_fps: _Positive = Field(default=16, description="Frames a second of the written video.")
    sampling_num_frames: _Positive = Field(default=13, description="Latent frames; they belong to model.video_length.")
    latent_channels: _Positive = Field(default=16, description="Channels of the latents.")
    num_denoising_steps: _Positive = Field(default=50, description="Denoising steps, fewer than 1,000.")
    scale_factor: float = Field(default=0.7, description="Nothing reads it.")
    dtype: Dtype = Field(default="bfloat16", description="Type that the model computes in.")
    vae_checkpoint_path: str | None = Field(default=None, description="Weights of the video VAE.")
    vae_scale_factor: float = Field(default=1.0, description="Scale factor of the VAE.")
    txt_maxlen: _Positive = Field(default=498, description="Tokens in each text segment.")
    t5_model_dir: str | None = Field(default=None, description="Weights of the text encoder.")


class GuiderSection(Table):
    """`[guider]`: classifier-free guidance that grows over the steps."""

    scale: int = Field(default=6, description="Strength of the guidance at its highest.")
    exp: int = Field(default=5, description="How late the guidance grows.")
    num_steps: int = Field(default=50, description="Ignored; eval.num_denoising_steps counts.")


class DenoiserSection(Table):
    """`[denoiser]`: the noise levels."""

    num_idx: int = Field(default=1000, description="How many noise levels there are.")
    quantize_c_noise: bool = Field(
        default=False, description="Whether the noise that the model is told of is quantized."
    )


class DiscretizationSection(Table):
    """`[discretization]`: how the noise levels lie."""

    shift_scale: float = Field(default=1.0, description="Scale of the shift of the noise levels.")


SECTIONS: dict[str, type[Table]] = {
    "job": JobSection,
    "model": ModelSection,
    "training": TrainingSection,
    "optimizer": OptimizerSection,
    "checkpoint": CheckpointSection,
    "parallelism": ParallelismSection,
    "remat": RematSection,
    "comm": CommSection,
    "wandb": WandbSection,
    "eval": EvalSection,
    "guider": GuiderSection,
    "denoiser": DenoiserSection,
    "discretization": DiscretizationSection,
}

# Only jobs that sample videos have one of these.
OF_SAMPLING = ("eval", "guider", "denoiser", "discretization")
