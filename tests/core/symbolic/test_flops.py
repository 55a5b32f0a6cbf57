"""Floating-point operations: by hand, as torch's own counter has them, and of loops that are shortened.

That each single operator counts alike in both worlds is held by every comparison of this folder (`worlds.same`).
"""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from worlds import Leaf, load_real, real_tensor, symbolic_tensor

from tttdit.core.loops import shortened
from tttdit.core.runtime.flops import register_operators
from tttdit.core.symbolic import flops
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.storage import Meter
from tttdit.core.symbolic.trace import WORLD
from tttdit.core.symbolic.world import TORCH

SIZES = {"latent_frames": 7, "grid_height": 2, "grid_width": 3, "segments": 3, "tokens_per_segment": 6}
GEOMETRY = {**SIZES, "attention_frames": 2, "prefix_frames": 1}
WIDTH, MIXERS = 32, ("ttt_mlp.module:TTTMLPMixer", "ttt_linear.module:TTTLinearMixer")


def trained(*shape):
    return Leaf(shape, True)


def frozen(*shape):
    return Leaf(shape)


def on_torch(run, leaves):
    """What `FlopCounterMode` counts in a forward and backward pass."""
    register_operators({"tttdit"})
    tensors = [real_tensor(leaf) for leaf in leaves]
    with FlopCounterMode(display=False) as counter:
        backward(run(*tensors))
    return counter.get_total_flops()


def symbolic(run, leaves):
    tensors = [symbolic_tensor(leaf) for leaf in leaves]
    with Meter() as meter:
        backward(run(*tensors))
    return meter.flops


def backward(result):
    results = result if isinstance(result, tuple) else (result,)
    loss = sum((each * each).mean() for each in results)
    if loss.requires_grad:
        loss.backward()


def test_by_hand():
    assert flops.product((3, 4), (4, 5)) == 2 * 3 * 4 * 5
    assert flops.product((7, 3, 4), (7, 4, 5)) == 7 * 2 * 3 * 4 * 5
    # every one of 6 x 10 x 10 outputs is the sum of 4 x 3 x 3 products
    assert flops.convolution((2, 4, 12, 12), (6, 4, 3, 3), (2, 6, 10, 10)) == 2 * 2 * (6 * 10 * 10) * (4 * 3 * 3)
    # 50 queries and 20 keys, 8 wide: scores, and their sums of values
    assert flops.attention((2, 3, 50, 8), (2, 3, 20, 8), (2, 3, 20, 8)) == 2 * 3 * 2 * (2 * 50 * 20 * 8)
    # scores once more, then gradients of scores, values, queries and keys
    assert flops.attention_backward((2, 3, 50, 8), (2, 3, 20, 8), (2, 3, 20, 8)) == 2 * 3 * 5 * (2 * 50 * 20 * 8)


PROGRAMS = [
    ("matrices", [trained(3, 4), trained(4, 5)], lambda T, a, b: a @ b),
    ("one of them frozen", [trained(3, 4), frozen(4, 5)], lambda T, a, b: a @ b),
    ("the other one frozen", [frozen(3, 4), trained(4, 5)], lambda T, a, b: a @ b),
    ("no gradient at all", [frozen(3, 4), frozen(4, 5)], lambda T, a, b: a @ b),
    ("batches", [trained(2, 3, 4), trained(2, 4, 5)], lambda T, a, b: T.bmm(a, b)),
    ("folded batches", [trained(2, 3, 4), trained(4, 5)], lambda T, a, b: a @ b),
    ("linear", [trained(2, 3, 4), trained(5, 4), trained(5)], lambda T, x, w, b: T.nn.functional.linear(x, w, b)),
    ("addmm", [trained(5), trained(3, 4), trained(4, 5)], lambda T, c, a, b: T.addmm(c, a, b, beta=2, alpha=3)),
    ("baddbmm", [trained(2, 3, 5), trained(2, 3, 4), trained(2, 4, 5)], lambda T, c, a, b: T.baddbmm(c, a, b)),
    ("in place", [frozen(2, 3, 5), frozen(2, 3, 4), frozen(2, 4, 5)], lambda T, c, a, b: c.baddbmm_(a, b)),
    ("einsum", [trained(2, 3, 4, 8), trained(2, 3, 5, 8)], lambda T, q, k: T.einsum("bhqd,bhkd->bhqk", q, k)),
    ("tensordot", [trained(2, 3, 4), trained(3, 4, 5)], lambda T, a, b: T.tensordot(a, b)),
    ("conv1d", [trained(2, 4, 9), trained(6, 4, 3)], lambda T, x, w: T.nn.functional.conv1d(x, w, padding=1)),
    ("conv2d", [trained(2, 4, 8, 8), trained(6, 4, 2, 2)], lambda T, x, w: T.nn.functional.conv2d(x, w, stride=2)),
    ("conv2d of latents", [frozen(2, 4, 8, 8), trained(6, 4, 3, 3)], lambda T, x, w: T.nn.functional.conv2d(x, w)),
    ("conv2d, frozen", [trained(2, 4, 8, 8), frozen(6, 4, 3, 3)], lambda T, x, w: T.nn.functional.conv2d(x, w)),
    ("groups", [trained(2, 4, 8, 8), trained(6, 2, 3, 3)], lambda T, x, w: T.nn.functional.conv2d(x, w, groups=2)),
    ("conv3d", [trained(2, 4, 5, 6, 7), trained(6, 4, 2, 3, 3)], lambda T, x, w: T.nn.functional.conv3d(x, w)),
    (
        "transposed",
        [trained(2, 4, 8, 8), trained(4, 6, 2, 2)],
        lambda T, x, w: T.nn.functional.conv_transpose2d(x, w, stride=2),
    ),
    (
        "flash attention",
        [trained(2, 3, 8, 16), trained(2, 3, 5, 16), trained(2, 3, 5, 16)],
        lambda T, q, k, v: T.nn.functional.scaled_dot_product_attention(q, k, v),
    ),
    (
        "attention written out",
        [trained(2, 3, 8, 16), trained(2, 3, 5, 16), trained(2, 3, 5, 16)],
        lambda T, q, k, v: (q @ k.transpose(-2, -1)).softmax(-1) @ v,
    ),
    (
        "attention in plain operators",
        [trained(3, 8, 16), trained(3, 8, 16), trained(3, 8, 16)],
        lambda T, q, k, v: T.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True),
    ),
    (
        "a region made again",
        [trained(3, 4), trained(4, 5)],
        lambda T, a, b: T.utils.checkpoint.checkpoint(
            lambda x, y: (x @ y).sigmoid() @ y.t(), a, b, use_reentrant=False
        ),
    ),
]


@pytest.mark.parametrize(("leaves", "program"), [each[1:] for each in PROGRAMS], ids=[each[0] for each in PROGRAMS])
def test_torch_counts_the_same(leaves, program):
    counted = symbolic(lambda *tensors: program(TORCH, *tensors), leaves)
    assert counted == on_torch(lambda *tensors: program(torch, *tensors), leaves)
    assert counted > 0


class Chosen:
    """Recomputes layer groups of one layer, and in them the named regions."""

    def __init__(self, *recomputed):
        self.recomputed = recomputed

    def recomputes(self, region):
        return region.rpartition(".")[2] in self.recomputed

    def group_size(self, name, count):
        return 1 if name == "transformer_checkpoint_layer_group_size" else min(3, count)


def model(load, mixer, *recomputed):
    """Two layers, embeddings to latents."""
    make_mixer = load(f"tttdit.plugins.{mixer}")
    surroundings = {**GEOMETRY, "width": WIDTH, "heads": 2, "rope_theta": 10_000.0, "norm_eps": 1e-6}
    return load("tttdit.plugins.ttt_dit.module:TTTVideoDiT")(
        **surroundings,
        layers=2,
        timestep_width=24,
        text_width=20,
        latent_channels=4,
        patch_size=2,
        regions=load("tttdit.core.runtime.remat:RecomputedRegions")(Chosen(*recomputed)),
        mixer=lambda regions: make_mixer(
            **surroundings,
            mini_batch_size=4,
            base_learning_rate=0.1,
            learning_rates="token",
            ttt_norm_eps=1e-6,
            regions=regions,
        ),
    )


def batch(size):
    return [Leaf((size, 7, 4, 4, 6)), Leaf((size, 3, 6, 20)), Leaf((size,), dtype="int64")]


def small(load, mixer, recomputed, names=""):
    made = model(load, mixer, *recomputed)
    for name, parameter in made.named_parameters():
        parameter.requires_grad_(names in name)
    return made


@pytest.mark.parametrize("mixer", MIXERS)
@pytest.mark.parametrize("recomputed", [(), ("layer_group",), ("layer_group", "attention", "forward_ssm", "mlp")])
def test_a_model_counts_the_same(mixer, recomputed):
    """On torch the scan counts by its registered formula, in the symbolic world its body does."""
    counted = symbolic(small(WORLD.load, mixer, recomputed), batch(2))
    assert counted == on_torch(small(load_real, mixer, recomputed), batch(2))


def test_what_is_recomputed_counts_again():
    """The forward pass of the layers, all but what comes after the last tensor that backward needs."""
    once, again = (symbolic(small(WORLD.load, MIXERS[0], names), batch(1)) for names in ((), ("layer_group",)))
    tensors = [symbolic_tensor(leaf) for leaf in batch(1)]
    with Meter() as forward, TORCH.no_grad():
        model(WORLD.load, MIXERS[0])(*tensors)
    assert 0.8 * forward.flops < again - once < forward.flops


def test_frozen_layers_have_no_weight_gradients():
    full, part = (symbolic(small(WORLD.load, MIXERS[0], (), names), batch(1)) for names in ("", "seq_modeling_block"))
    assert part < 0.95 * full
    assert part == on_torch(small(load_real, MIXERS[0], (), "seq_modeling_block"), batch(1))


@pytest.mark.parametrize("mixer", MIXERS)
def test_shortened_loops_count_whole(mixer):
    run = small(WORLD.load, mixer, ("layer_group",))
    whole = symbolic(run, batch(1))
    with shortened(2):
        assert symbolic(run, batch(1)) == whole


@pytest.mark.parametrize("mixer", MIXERS)
def test_an_operator_seen_from_outside_counts_its_body(mixer):
    run = small(WORLD.load, mixer, ("layer_group",))
    whole = symbolic(run, batch(1))
    STATE.inside_operators = False
    try:
        assert symbolic(run, batch(1)) == whole
    finally:
        STATE.inside_operators = True


def test_the_log_adds_up():
    tensors = [symbolic_tensor(leaf) for leaf in batch(1)]
    with Meter(log=True) as meter:
        backward(small(WORLD.load, MIXERS[0], ("layer_group",))(*tensors))
    assert sum(operator.flops for operator in meter.log) == meter.flops
    names = {operator.name for operator in meter.log if operator.flops}
    assert {"addmm", "baddbmm", "bmm", "convolution", "_scaled_dot_product_flash_attention_for_cpu"} <= names
    assert not names & {"mul", "add", "native_layer_norm", "gelu", "view"}
