"""One rank of many meshes, of up to 256 ranks: small widths on real tensors, in a process group that does not communicate.

The curriculum's own meshes and settings come first, then random ones.
"""

from __future__ import annotations

import random
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from attrs import frozen

import tttdit
from tttdit.checker.memory.predicting import tape_of
from tttdit.core.runtime.proof.rank import RankStep, measured_step, pretended_ranks
from tttdit.core.stage import Stage
from tttdit.core.symbolic.tape import Tape

ROOT = Path(__file__).resolve().parents[2]
CURRICULUM = 5  # stages, each with its own mesh
MOST_RANKS = 256
PEAK_APART = 0.02
SMALL = """
name = "mesh"
video = { seconds = 3, fps = 16, height = 32, width = 48 }
text = { segments = "auto", tokens_per_segment = %(tokens)d, width = 24 }
[model]
plugin = "ttt-dit"
width = 64
heads = 4
layers = %(layers)d
timestep_width = 16
adapter = "%(adapter)s"
mixer = %(mixer)s
[training]
grad_accum_steps = %(passes)d
[parallelism]
dp_replicate = %(replicas)d
dp_sharding = %(shards)d
tp_sharding = %(tensor)d
unsharded_dtype = "%(dtype)s"
reduce_dtype = "%(reduce)s"
[memory]
transformer_checkpoint_layer_group_size = %(group)d
"""
# The curriculum's stages keep their lengths, meshes and settings of `[memory]`.
SMALL_SIZES = (
    "video.height=64",
    "video.width=80",
    "text.width=24",
    "model.width=64",
    "model.heads=4",
    "model.layers=5",
    "model.timestep_width=16",
)
MIXERS = (
    '{ plugin = "ttt-mlp", mini_batch_size = 8 }',
    '{ plugin = "ttt-linear", mini_batch_size = 8 }',
    '{ plugin = "none" }',
)
SWITCHES = ("attention", "forward_ssm", "reverse_ssm", "mlp", "seq_modeling_block")


@frozen
class MeshCase:
    """A rank's step, predicted and measured: bytes of what it holds all the time, and the most beside that."""

    mesh: str
    setting: str
    held: tuple[int, int, int]  # predicted: parameters, gradients, the optimizer's state
    held_measured: tuple[int, int, int]
    peak: int
    peak_measured: int

    @property
    def error(self) -> float:
        """By how much the predicted peak is too high, as a share of the measured one."""
        return (self.peak - self.peak_measured) / self.peak_measured

    @property
    def exact(self) -> bool:
        """Whether all agree to the byte."""
        return self.held == self.held_measured and self.peak == self.peak_measured

    @property
    def within_bars(self) -> bool:
        """What is held equal, the peak near enough."""
        return self.held == self.held_measured and abs(self.error) <= PEAK_APART


def mesh_cases(count: int, seeded: int, done: Callable[[MeshCase], None]) -> None:
    """The curriculum's meshes, and so many random ones; each to `done` when it has been predicted and measured."""
    # the output is a view, which nobody changes in place
    warnings.filterwarnings("ignore", message="FSDP2-wrapped module")
    for stage in tttdit.load_spec(ROOT / "examples" / "curriculum.toml", sets=SMALL_SIZES).stages:
        done(compared(stage, f"{stage.name}, as the curriculum has it"))
    for text, setting in _random_specs(count, random.Random(seeded)):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "mesh.toml"
            path.write_text(text, "utf-8")
            (stage,) = tttdit.load_spec(path).stages
            done(compared(stage, setting))


def compared(stage: Stage, setting: str) -> MeshCase:
    """Predicts and measures one rank's step."""
    mesh = stage.parallelism
    with pretended_ranks(mesh.dp_replicate * mesh.dp_sharding * mesh.tp_sharding):
        measured = measured_step(stage)
    tape = tape_of(stage, device="cpu", dtype=mesh.unsharded_dtype, runtime="fsdp2")
    return MeshCase(
        f"{mesh.dp_replicate} x {mesh.dp_sharding} x {mesh.tp_sharding}",
        setting,
        _held(tape),
        (measured.parameters, measured.gradients, measured.optimizer),
        max(tape.high),
        _highest(measured),
    )


def _held(tape: Tape) -> tuple[int, int, int]:
    """Bytes of parameters, of their gradients after the step, and of the optimizer's state."""
    parameters = [one for one in tape.standing if one.kind == "parameter"]
    optimizer = sum(one.nbytes for one in tape.standing if one.kind == "optimizer")
    gradients = sum(one.nbytes for one in parameters if one.has_gradient)
    return sum(one.nbytes for one in parameters), gradients, optimizer


def _highest(measured: RankStep) -> int:
    return max(each.high for each in measured.log) - measured.standing


def _random_specs(count: int, chance: random.Random) -> Iterator[tuple[str, str]]:
    """Specs, and what people know each by."""
    while count:
        replicas, shards, tensor = (1 << chance.randrange(most) for most in (5, 8, 3))
        shards += chance.randrange(3)  # what the widths cannot be divided by
        if replicas * shards * tensor > MOST_RANKS:
            continue
        count -= 1
        mixer, flags = chance.choice(MIXERS), [flag for flag in SWITCHES if chance.random() < 0.4]
        values = {
            "tokens": chance.choice((10, 18, 26)) if "ttt" in mixer else chance.randrange(5, 12),
            "layers": chance.randrange(1, 6),
            "adapter": chance.choice(("sft", "qkvo")),
            "mixer": mixer,
            "passes": chance.choice((1, 1, 2)),
            "replicas": replicas,
            "shards": shards,
            "tensor": tensor,
            "dtype": chance.choice(("bfloat16", "float32")),
            "reduce": chance.choice(("float32", "float32", "bfloat16")),
            "group": chance.randrange(4),
        }
        if tensor > 1 and values["group"] and chance.random() < 0.5:
            flags.append("shard_transformer_inputs")
        if mixer == MIXERS[-1]:
            flags = [flag for flag in flags if not flag.endswith("_ssm")]
        told = [mixer.split('"')[1], values["adapter"], values["dtype"], f"layer groups of {values['group']}", *flags]
        yield SMALL % values + "".join(f"{flag} = true\n" for flag in flags), ", ".join(map(str, told))
