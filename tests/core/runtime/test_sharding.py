"""Models spread over ranks, on meshes of 2 and 4 processes: values, loss, gradients and a step are those of one process alone."""

from itertools import product
from pathlib import Path

import pytest
import torch
import torch.distributed as distributed
from ranks import run_ranks
from torch import nn
from torch.distributed.tensor import DTensor

import tttdit
from tttdit.core.errors import PluginError
from tttdit.core.running.chance import seed_of
from tttdit.core.runtime.building import build_stage
from tttdit.core.runtime.objective import training_loss
from tttdit.core.runtime.proof.rank import measured_step, pretended_ranks
from tttdit.core.runtime.sharding import mesh_of, shard
from tttdit.core.runtime.training.optimizing import adamw, clip, gradient_norm
from tttdit.core.runtime.training.starting import spread_model
from tttdit.core.runtime.whole import fill

SPEC = """
name = "spread"
video = { seconds = 9, fps = 16, height = 16, width = 32 }
text = { segments = "auto", tokens_per_segment = 7, width = 12 }
parallelism = { unsharded_dtype = "float32" }
[model]
plugin = "ttt-dit"
width = 64
heads = 4
layers = 2
timestep_width = 16
[model.mixer]
"""  # 95 tokens in the sequence and 33 in a window: neither 2 nor 4 ranks have equal shares
MIXERS = {
    "ttt-linear": "mini_batch_size = 5",
    "ttt-mlp": "mini_batch_size = 5",
    "sliding-window": "",
    "linear-attention": "chunk = 5",
}
GROUP = "memory.transformer_checkpoint_layer_group_size"
KEPT = f"{GROUP}=0"
INSIDE = (KEPT, "memory.attention=true", "memory.forward_ssm=true", "memory.reverse_ssm=true", "memory.mlp=true")
IN_GROUPS = f"{GROUP}=2"
SHARDED_INPUTS = "memory.shard_transformer_inputs=true"
QKVO = "model.adapter=qkvo"
EXAMPLE = Path(__file__).parents[3] / "examples" / "plugin-linear-attention"


@pytest.fixture(scope="module")
def spec_of(tmp_path_factory):
    """The path of the small spec with a mixer."""
    folder = tmp_path_factory.mktemp("spread")

    def write(mixer: str) -> str:
        path = folder / f"{mixer}.toml"
        path.write_text(f'{SPEC}plugin = "{mixer}"\n{MIXERS[mixer]}\n')
        return str(path)

    return write


def mesh(replicas: int, shards: int, tensor: int) -> tuple[str, ...]:
    sizes = {"dp_replicate": replicas, "dp_sharding": shards, "tp_sharding": tensor}
    return tuple(f"parallelism.{name}={size}" for name, size in sizes.items())


def stage_of(path, sets, allowed=()):
    (stage,) = tttdit.load_spec(path, sets=sets, allow_plugins=allowed).stages
    return stage


def differences(cases, allowed=()):
    """On one rank of several: how far its parts are from those of one process alone, in each case; called by `run_ranks`."""
    return [difference(stage_of(path, sets, allowed), samples) for path, sets, samples in cases]


def placed(path, sets):
    """On one rank of several: whether the first values, put together, are those of one process alone."""
    stage = stage_of(path, sets)
    spread = spread_model(stage, mesh_of(stage.parallelism, "cpu"), torch.device("cpu"))
    pairs = zip(spread.parameters(), alone(stage).parameters(), strict=True)
    return all(torch.equal(mine.full_tensor(), theirs) for mine, theirs in pairs)


def difference(stage, samples):
    """With so many samples a rank: (loss, gradients, gradients relative to a tensor's largest)."""
    spread, single = both(stage)
    mine, expected = losses(stage, spread, single, samples)
    pairs = [*zip(spread.parameters(), single.parameters(), strict=True)]
    assert all((one.grad is None) == (other.grad is None) for one, other in pairs)
    gaps = [(gap(one.grad, other.grad), other.grad) for one, other in pairs if one.grad is not None]
    relative = [largest / float(gradient.abs().max()) for largest, gradient in gaps if gradient.any()]
    return abs(mine - expected), max(largest for largest, _ in gaps), max(relative)


def after_a_step(path, sets):
    """On one rank of several: how far its parameters are from those of one process alone after a clipped step."""
    stage = stage_of(path, sets)
    models = both(stage)
    losses(stage, *models, 1)
    for model in models:
        parameters = [each for each in model.parameters() if each.requires_grad]
        clip(parameters, 0.01, gradient_norm(parameters))
        adamw(model, stage).step()
    spread, single = models
    return max(gap(*pair) for pair in zip(spread.parameters(), single.parameters(), strict=True))


def both(stage):
    """The model spread over the ranks, and whole."""
    return spread_model(stage, mesh_of(stage.parallelism, "cpu"), torch.device("cpu")), alone(stage)


def losses(stage, spread, single, samples):
    """Losses, those of all ranks together and that of one process for all samples; gradients are in the models."""
    ranks, tensor = distributed.get_world_size(), stage.parallelism.tp_sharding
    inputs = random_inputs(stage, samples * ranks // tensor)
    first = distributed.get_rank() // tensor * samples
    loss = training_loss(spread, *(each[first : first + samples] for each in inputs))
    loss.backward()
    mean = loss.detach().clone()
    distributed.all_reduce(mean)
    expected = training_loss(single, *inputs)
    expected.backward()
    return float(mean) / ranks, float(expected.detach())


def alone(stage) -> nn.Module:
    """The model in one piece, with the values that `spread_model` gives it."""
    model = build_stage(stage, device="meta").to_empty(device="cpu")
    torch.manual_seed(seed_of(stage.training.seed, "parameters"))
    model.reset_parameters()
    return model


def gap(mine, theirs):
    """The largest difference of a rank's part to the same part of a whole tensor; 0 where it has none."""
    expected = torch.empty_like(mine)
    fill(expected, theirs.detach())
    return max((mine.detach().to_local() - expected.to_local()).abs().flatten().tolist(), default=0.0)


def random_inputs(stage, samples):
    chance = torch.Generator().manual_seed(0)
    video, text = (
        torch.randn(samples, *(int(stage.dims[symbol]) for symbol in symbols), generator=chance)
        for symbols in ("FCHW", "STX")
    )
    timestep = torch.randint(0, 1000, (samples,), generator=chance)
    return video, text, timestep, torch.randn(video.shape, generator=chance)


def agree(ranks, cases, allowed=()):
    """Whether every rank finds nothing but rounding, in every case."""
    for found in run_ranks(ranks, differences, cases, allowed, timeout=300):
        for case, (loss, gradients, relative) in zip(cases, found, strict=True):
            assert loss < 1e-5, case
            assert gradients < 1e-5, case
            assert relative < 1e-4, case


@pytest.mark.parametrize("sizes", [(1, 1, 4), (1, 2, 2), (2, 1, 2)])
def test_the_first_values_follow_from_the_seed_alone(spec_of, sizes):
    assert all(run_ranks(4, placed, spec_of("ttt-mlp"), mesh(*sizes)))


def test_a_step_of_the_optimizer(spec_of):
    """The norm that gradients are clipped to is that of all of them, whichever rank has them."""
    assert max(run_ranks(4, after_a_step, spec_of("ttt-linear"), mesh(1, 2, 2), timeout=200)) < 1e-6


def test_two_ranks_compute_a_sample_together(spec_of):
    everything = [(KEPT,), INSIDE, (IN_GROUPS, SHARDED_INPUTS), (SHARDED_INPUTS, QKVO)]
    cases = [
        (spec_of(mixer), (*mesh(1, 1, 2), *sets), 1) for mixer, sets in product(("ttt-linear", "ttt-mlp"), everything)
    ]
    cases += [
        (spec_of("ttt-mlp"), (*mesh(1, 1, 2), SHARDED_INPUTS), 2),
        (spec_of("ttt-linear"), (*mesh(1, 1, 2), "model.mixer.learning_rates=upstream", QKVO), 1),
        (spec_of("sliding-window"), (*mesh(1, 1, 2), "memory.sliding_window=true"), 2),
    ]
    agree(2, cases)


def test_two_ranks_with_their_own_samples(spec_of):
    agree(
        2,
        [
            (spec_of("ttt-linear"), mesh(1, 2, 1), 1),
            (spec_of("ttt-mlp"), (*mesh(1, 2, 1), *INSIDE, QKVO), 2),
            (spec_of("ttt-mlp"), (*mesh(2, 1, 1), KEPT), 1),
        ],
    )


def test_four_ranks(spec_of):
    agree(
        4,
        [
            (spec_of("ttt-linear"), (*mesh(1, 1, 4), SHARDED_INPUTS), 1),
            (spec_of("ttt-mlp"), (*mesh(1, 1, 4), KEPT), 1),
            (spec_of("ttt-linear"), (*mesh(1, 2, 2), KEPT, QKVO), 1),
            (spec_of("ttt-mlp"), (*mesh(1, 2, 2), SHARDED_INPUTS), 1),
            (spec_of("ttt-mlp"), (*mesh(2, 1, 2), IN_GROUPS), 1),
            (spec_of("ttt-linear"), (*mesh(2, 2, 1), *INSIDE), 1),
            (spec_of("ttt-mlp"), mesh(2, 2, 1), 1),
            (spec_of("ttt-linear"), (*mesh(1, 4, 1), QKVO), 1),
            (spec_of("ttt-mlp"), (*mesh(1, 4, 1), KEPT), 1),
        ],
    )


def test_a_mixer_of_somebody_else(spec_of):
    agree(2, [(spec_of("linear-attention"), mesh(1, 1, 2), 1)], allowed=(str(EXAMPLE / "tttdit_linear_attention"),))


@pytest.mark.parametrize(
    ("sizes", "sets"),
    [
        pytest.param((2, 32, 4), (SHARDED_INPUTS,), id="2 x 32 x 4"),
        pytest.param((1, 64, 4), (QKVO,), id="64 x 4"),
        pytest.param((8, 16, 2), ("training.grad_accum_steps=2", "training.average_decay=0.9"), id="8 x 16 x 2"),
    ],
)
@pytest.mark.filterwarnings("ignore:FSDP2-wrapped module")
def test_one_rank_of_many_makes_a_step(spec_of, sizes, sets):
    """In bfloat16 with float32 masters, the first rank of up to 256."""
    stage = stage_of(spec_of("ttt-mlp"), (*mesh(*sizes), "parallelism.unsharded_dtype=bfloat16", *sets))
    replicas, shards, tensor = sizes
    with pretended_ranks(replicas * shards * tensor):
        step = measured_step(stage)
    assert step.parameters < sum(4 * each.numel() for each in alone(stage).parameters())
    assert step.gradients == step.parameters if QKVO not in sets else 0 < step.gradients < step.parameters


def test_a_rank_has_its_heads(spec_of):
    stage = stage_of(spec_of("ttt-mlp"), mesh(1, 1, 4))
    with pretended_ranks(4):
        model = build_stage(stage)
        shard(model, stage, mesh_of(stage.parallelism, "cpu"))
        shapes = {name: tuple(each.to_local().shape) for name, each in model.named_parameters()}
    block = "layers.0.seq_modeling_block"
    assert shapes[f"{block}.q.weight"] == shapes[f"{block}.ssm.ttt.wq.weight"] == (16, 64)
    assert shapes[f"{block}.ssm.ttt.W1"] == (1, 16, 64)
    assert shapes[f"{block}.ssm.ttt.learnable_ttt_lr_bias"] == (1, 1)
    assert shapes[f"{block}.q_norm.weight"] == (16,)
    assert shapes[f"{block}.o.weight"] == shapes[f"{block}.ssm.ttt.wo.weight"] == (64, 64)
    assert shapes["layers.0.mlp.layer1.weight"] == (256, 64)


def test_a_module_is_as_before_after_it_has_raised(spec_of):
    """Its parameters are DTensors again, whatever went wrong inside."""
    stage = stage_of(spec_of("ttt-linear"), mesh(1, 1, 2))
    with pretended_ranks(2):
        model = build_stage(stage)
        shard(model, stage, mesh_of(stage.parallelism, "cpu"))
        layer = model.layers[0].seq_modeling_block.ssm.ttt
        with pytest.raises(RuntimeError):
            layer(torch.zeros(1, 95, 63))
        assert all(isinstance(each, DTensor) for each in layer.parameters())


def test_plugins_without_a_plan(spec_of, monkeypatch):
    stage = stage_of(spec_of("ttt-linear"), mesh(1, 1, 2))
    with pretended_ranks(2):
        model, ranks = build_stage(stage), mesh_of(stage.parallelism, "cpu")
        monkeypatch.setattr("tttdit.plugins.ttt.parallel.module.plan", lambda table, memory: {})
        with pytest.raises(
            PluginError, match=r"say nothing about layers\.0\.seq_modeling_block\.ssm\.ttt\.learnable_ttt_lr_weight"
        ):
            shard(model, stage, ranks)
