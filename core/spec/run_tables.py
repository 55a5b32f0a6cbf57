"""How a run goes: `[training]`, `[optimizer]`, `[parallelism]`, `[hardware]`, `[checkpoint]`; every key has a default."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from tttdit.core.spec.fields import LARGEST_COUNT, Count, Dtype, Fraction, LearningRate, Text
from tttdit.core.spec.table import Table

Schedule: TypeAlias = Literal["linear", "cosine"]

# Names say what the maker sells; how much of the memory a process can have is the planner's business.
Gpu: TypeAlias = Literal[
    "A100-40GB",
    "A100-80GB",
    "L40S-48GB",
    "H100-80GB",
    "H100-94GB",
    "H200-141GB",
    "B200-180GB",
    "RTX-4090-24GB",
    "RTX-5090-32GB",
]

_Moment: TypeAlias = Annotated[float, Field(ge=0, lt=1)]
_Gibibytes: TypeAlias = Annotated[float, Field(gt=0, le=LARGEST_COUNT)]


class TrainingTable(Table):
    """`[training]`: how many samples and steps, and what is done to gradients and texts."""

    global_batch_size: Count | None = Field(
        default=None,
        description="Samples in one optimizer step, over all ranks. "
        "Left out: one sample for each data-parallel rank and each accumulation step.",
    )
    grad_accum_steps: Count = Field(
        default=1, description="Forward and backward passes whose gradients are added up before one optimizer step."
    )
    steps: Count = Field(default=5000, description="Optimizer steps of the stage.")
    warmup_steps: int = Field(
        default=50,
        ge=0,
        le=LARGEST_COUNT,
        description="Optimizer steps over which the learning rates rise from 0 to their full value.",
    )
    gradient_clipping_norm: float = Field(
        default=0.1,
        gt=0,
        le=1e9,
        description="Largest norm of all gradients together; larger ones are scaled down to it.",
    )
    text_dropout: Fraction = Field(
        default=0.1,
        description="Probability that a sample's text is replaced by zeros: sampling with guidance needs a model "
        "that can do without.",
    )
    average_decay: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="How much of the moving average of the trained parameters stays from step to step, such as 0.999; "
        "it is kept and saved beside them. Left out: there is none.",
    )
    validation_interval: int = Field(
        default=0,
        ge=0,
        le=LARGEST_COUNT,
        description="Optimizer steps from one validation to the next; 0: there is none.",
    )
    validation_samples: Count = Field(
        default=8,
        description="Last samples of the data source, which are held out where there is validation: its loss is theirs, "
        "with the same noise each time.",
    )
    skipped_steps: Count = Field(
        default=10,
        description="Steps in a row that may be skipped because a loss or gradient is not finite; then the run stops.",
    )
    seed: int = Field(
        default=42,
        ge=0,
        le=2**32 - 1,
        description="Start of every random draw: order of samples, noise, levels, dropped texts.",
    )


class OptimizerTable(Table):
    """`[optimizer]`: AdamW with one learning rate for the mixers and their gates, and one for the rest."""

    lr: LearningRate = Field(default=1e-4, description="Learning rate of everything but the mixers and their gates.")
    lr_mixer: LearningRate = Field(default=1e-4, description="Learning rate of the mixers and their gates.")
    lr_end: LearningRate = Field(default=0.0, description="Learning rate that both schedules end at.")
    schedule: Schedule = Field(default="linear", description="How lr goes to lr_end after the warm-up.")
    mixer_schedule: Schedule = Field(default="cosine", description="How lr_mixer goes to lr_end after the warm-up.")
    betas: tuple[_Moment, _Moment] = Field(
        default=(0.9, 0.95), description="How much of AdamW's first and second moment stays from step to step."
    )
    eps: float = Field(default=1e-8, gt=0, le=1, description="Added to the root of AdamW's second moment.")
    weight_decay: float = Field(
        default=1e-4, ge=0, le=1000, description="Decoupled weight decay; biases and norms have none."
    )


class ParallelismTable(Table):
    """`[parallelism]`: the mesh of ranks. Their number is the product of the three sizes."""

    dp_replicate: Count = Field(
        default=1, description="Data-parallel groups, each of which holds a whole copy of the parameters."
    )
    dp_sharding: Count = Field(
        default=1, description="Data-parallel ranks over which one copy of the parameters is sharded (FSDP)."
    )
    tp_sharding: Count = Field(
        default=1,
        description="Ranks that compute one sample together, each with its share of the heads (tensor parallel).",
    )
    unsharded_dtype: Dtype = Field(
        default="bfloat16", description="Type of the gathered parameters, and so of the computation."
    )
    reduce_dtype: Dtype = Field(
        default="float32", description="Type in which gradients are summed over the ranks that see other samples."
    )
    timeout_seconds: Count = Field(
        default=1200,
        description="How long a rank waits for the others before the run ends with the name of what is lost.",
    )


class HardwareTable(Table):
    """`[hardware]`: what the run has. A GPU is named by `gpu` or sized by `gpu_memory_gib`.

    Without either, the report has bytes, but no verdict on them.
    """

    gpu: Gpu | None = Field(default=None, description="Model of every GPU. Or give gpu_memory_gib.")
    gpu_memory_gib: _Gibibytes | None = Field(
        default=None, description="Memory of every GPU in GiB. Or name the model in gpu."
    )
    gpus_per_node: Count | None = Field(default=None, description="GPUs in one node.")
    nodes: Count | None = Field(default=None, description="Nodes that the run has.")
    host_memory_gib: _Gibibytes | None = Field(default=None, description="Main memory of one node in GiB.")


class CheckpointTable(Table):
    """`[checkpoint]`: files with weights: where they go, how often, and where a run starts from."""

    folder: Text = Field(default="checkpoints", description="Folder for checkpoints, seen from the run's own folder.")
    interval: int = Field(
        default=0,
        ge=0,
        le=LARGEST_COUNT,
        description="Optimizer steps from one checkpoint to the next; 0: at the end only.",
    )
    keep: Count | None = Field(
        default=None, description="How many of the latest checkpoints stay. Left out: all of them."
    )
    asynchronous: bool = Field(
        default=False,
        description="Whether training goes on while a checkpoint is written. Every rank then copies all that it saves "
        "to main memory first.",
    )
    init_from: Text | None = Field(
        default=None,
        description="File or folder with the weights to start from. Left out: those of the stage before; in a first stage new ones.",
    )
