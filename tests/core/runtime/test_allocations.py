"""Without a dispatch mode: what the allocator gave is what the symbolic world says of training, moment by moment."""

from pathlib import Path

import pytest
import torch
from worlds import Leaf, real_tensor, symbolic_tensor

import tttdit
from tttdit.checker.memory.predicting import with_memory
from tttdit.core.runtime.allocations import Allocations
from tttdit.core.runtime.building import build_stage
from tttdit.core.runtime.live_bytes import LiveBytes
from tttdit.core.runtime.objective import training_loss
from tttdit.core.stepping import step_inputs, train_once
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.stepping import Manner, record_step, symbolic_step
from tttdit.core.symbolic.tape import Recorder
from tttdit.core.symbolic.world import TORCH

EXAMPLES = Path(__file__).parents[3] / "examples"
SMALL = (
    "video.height=32",
    "video.width=48",
    "text.tokens_per_segment=6",
    "text.width=20",
    "model.width=64",
    "model.heads=2",
    "model.layers=3",
    "model.timestep_width=24",
    "training.global_batch_size=128",
)
TTT = ("model.mixer.mini_batch_size=8",)
LINEAR = (*TTT, "model.mixer.plugin=ttt-linear")
KIB = 1024


@pytest.fixture
def in_place():
    STATE.in_place = True
    yield
    STATE.in_place = False


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


# -- what is recorded


def test_what_outlives_its_operator_is_a_tensor():
    x, w = torch.randn(64, 64), torch.randn(64, 64)
    with Allocations() as made:
        kept = torch.mm(x, w)
        (kept * 2).sum()
    assert made.peak("tensor") == 2 * 16 * KIB + 4
    assert list(made.live("tensor"))[-1] == 16 * KIB
    assert made.after_operators() == [("mm", 16 * KIB), ("mul", 32 * KIB), ("sum", 32 * KIB + 4)]
    assert made.peak("tensor") < made.peak()


def test_a_number_that_became_a_tensor_is_outside_of_operators():
    x = torch.randn(4, requires_grad=True)
    with Allocations() as made:
        kept = x * 3.0  # the number is kept for backward
    assert made.peak("outside") == 8
    assert kept.grad_fn is not None


def test_what_a_kernel_gives_back_is_its_scratch():
    x, w = torch.randn(1, 3, 32, 32, dtype=torch.bfloat16), torch.randn(8, dtype=torch.float32)
    with Allocations() as made:
        x.view(3, 128, 8) * w
    assert made.scratch() == {"aten::mul": 3 * 32 * 32 * 4}  # x in the result's type
    assert made.peak("tensor") == 3 * 32 * 32 * 4


def test_what_was_there_before_counts_nowhere():
    old = [torch.randn(64, 64)]
    with Allocations() as made:
        old.clear()
    assert made.events == ()


def test_no_mode_is_in_force():
    """Gradients that meet are added in place, which they are not under the rod."""
    x, w = torch.randn(64, 64, requires_grad=True), torch.randn(64, 64)

    def step():
        y = x * w
        ((y * w + y.sin()) + y * 3).sum().backward()

    with Allocations() as made:
        step()
    with LiveBytes([x, w]) as live:
        step()
    forward = 2
    assert [name for name, _ in made.after_operators()].count("add") == forward
    assert [each.name for each in live.log].count("add") == forward + 2


# -- operators


def both(program, *shapes):
    """The bytes after each operator that left a tensor: of torch without a mode, and of the symbolic world."""
    leaves = [Leaf(shape, True) for shape in shapes]
    tensors = [real_tensor(leaf) for leaf in leaves]
    with Allocations() as made:
        program(torch, *tensors).sum().backward()
    tensors = [symbolic_tensor(leaf) for leaf in leaves]
    with Recorder() as meter:
        program(TORCH, *tensors).sum().backward()
    return made.after_operators(), after_operators(meter.tape())


def after_operators(tape):
    made = {allocation.made for allocation in tape.allocations if allocation.nbytes}
    return [(moment.name, moment.live) for at, moment in enumerate(tape.moments) if at in made]


def index(T):
    return T.arange(4)


OPERATORS = {
    "two uses": lambda T, x, y: (x * 2).sin() + (x * 2).cos() + (x * 3),
    "a tensor and itself": lambda T, x, y: (x * 2).mul(x * 2),
    "added to itself": lambda T, x, y: (lambda z: z + z)(x * 2),
    "three uses of one": lambda T, x, y: (lambda z: z * y + z.sin() + z.index_select(0, index(T)).sum())(x * 2),
    "a view among them": lambda T, x, y: (lambda z: z.t().sum() + z.view(-1).sum() + z.sin().sum())(x * 2),
    "parts of a cat": lambda T, x, y: (lambda z: T.cat([z, y], 0).sin().sum() + z.sin().sum())(x * 2),
    "split": lambda T, x, y: (lambda z: z.split(2, 0)[0].sin().sum() + z.sin().sum())(x * 2),
    "index_select": lambda T, x, y: x.index_select(0, index(T)) * 2,
    "gather": lambda T, x, y: x.gather(0, T.zeros((4, 8), dtype=T.int64)),
    "index": lambda T, x, y: x[index(T)] * 2,
    "max along a dimension": lambda T, x, y: x.max(1).values * 2,
    "max of all": lambda T, x, y: (x * 2).max() * 2,
    "prod": lambda T, x, y: x.prod(1) * 2,
    "prod of all": lambda T, x, y: x.prod() * 2,
    "clamp by tensors": lambda T, x, y: x.clamp(y, y + 1),
    "linear of what is not contiguous": lambda T, x, y: T.nn.functional.linear(x.view(4, 4, 4).transpose(0, 1), y[:4, :4], y[0, :4]),
    "one matrix for each of a batch": lambda T, x, y: T.matmul(x.view(4, 4, 4), y.detach()[:4, :4].reshape(1, 4, 4)),
    "binary cross entropy": lambda T, x, y: T.nn.functional.binary_cross_entropy_with_logits(x, y.detach()),
    "attention with a mask": lambda T, x, y: T.nn.functional.scaled_dot_product_attention(
        x.view(4, 4, 4), x.view(4, 4, 4), y.view(4, 4, 4), attn_mask=T.zeros(4, 4)
    ),
    "a parameter used twice": lambda T, x, y: x * y + x.sin(),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_without_a_mode(name, in_place):
    on_torch, symbolic = both(OPERATORS[name], (8, 8), (8, 8))
    assert [live for _, live in symbolic] == [live for _, live in on_torch], (on_torch, symbolic)


# -- whole steps


def stage_of(example, sets, memory):
    (stage,) = tttdit.load_spec(EXAMPLES / f"{example}.toml", sets=[*SMALL, *sets]).stages
    keys = set(dict(stage.memory))
    return with_memory(stage, {key: value for key, value in memory.items() if key in keys})


def measured(stage, dtype):
    torch.manual_seed(0)
    model = build_stage(stage, dtype=getattr(torch, dtype))
    inputs = []
    for each in step_inputs(stage, dtype):
        kind = getattr(torch, each.dtype)
        inputs.append(
            torch.randn(each.shape, dtype=kind) if kind.is_floating_point else torch.zeros(each.shape, dtype=kind)
        )
    with Allocations() as made:
        train_once(training_loss, model, inputs)
    return made


ALL = {
    "attention": True,
    "forward_ssm": True,
    "reverse_ssm": True,
    "mlp": True,
    "seq_modeling_block": True,
    "sliding_window": True,
}
NONE = {"transformer_checkpoint_layer_group_size": 0}
STEPS = {
    "ttt-mlp": ("nine-seconds", TTT, {}, "float32"),
    "ttt-linear, all flags, adapter": ("nine-seconds", (*LINEAR, "model.adapter=qkvo"), ALL, "bfloat16"),
    "sliding window": ("sliding-window", ("model.adapter=sft",), {}, "bfloat16"),
    "sliding window, all flags, adapter": ("sliding-window", ("model.adapter=qkvo",), ALL, "float32"),
    "local attention, no remat": ("local-attention", ("model.adapter=sft",), NONE, "float32"),
}


@pytest.mark.parametrize("name", STEPS)
def test_whole_steps_moment_by_moment(name, in_place):
    example, sets, memory, dtype = STEPS[name]
    stage = stage_of(example, sets, memory)
    made = measured(stage, dtype)
    meter = Recorder()
    symbolic_step(stage, dtype, meter)
    assert [live for _, live in after_operators(meter.tape())] == [live for _, live in made.after_operators()]
    assert record_step(stage, Manner(dtype=dtype, in_place=True)).peak_bytes == made.peak("tensor")
