"""Nothing in a training step waits for the host, so that a GPU can run ahead, and a CUDA graph can hold the step.

Two proofs that need no GPU: no operator is dispatched, inside our own operators either, that hands a tensor's contents to Python or makes
a tensor of Python's numbers; and the step runs on the device `meta`, which has no contents, and on which a tensor that was made elsewhere
is refused.
"""

import pytest
import torch
from tiny_specs import MIXERS, batch_of, gradients_of, model_of, spec_of

import tttdit
from tttdit.core.runtime.live_bytes import LiveBytes

torch.set_num_threads(1)

# Operators whose result's size or whose caller depends on contents; and what `torch.tensor(...)` dispatches.
WAITING = frozenset(
    {
        "_local_scalar_dense",
        "_unique2",
        "equal",
        "index",  # with a mask
        "lift_fresh",
        "masked_select",
        "nonzero",
        "repeat_interleave",
        "unique_dim",
    }
)
REGIONS = ("attention", "forward_ssm", "reverse_ssm", "mlp", "seq_modeling_block")
REMAT = ("memory.transformer_checkpoint_layer_group_size=1", *(f"memory.{region}=true" for region in REGIONS))


def waits(step):
    with LiveBytes() as live:
        step()
    return {entry.name for entry in live.log} & WAITING


def spec(tmp_path, mixer, rates, sets):
    chosen = ("model.layers=2", f'model.mixer.learning_rates="{rates}"', *sets)
    return spec_of(tmp_path / "spec.toml", MIXERS[mixer], chosen)


@pytest.mark.parametrize("sets", [(), REMAT], ids=["no remat", "all regions"])
@pytest.mark.parametrize(("mixer", "rates"), [("ttt-linear", "token"), ("ttt-mlp", "upstream")])
def test_no_operator_waits(mixer, rates, sets, tmp_path):
    tiny = spec(tmp_path, mixer, rates, sets)
    model, batch = model_of(tiny), batch_of(tiny)
    assert waits(lambda: tttdit.training_loss(model, *batch).backward()) == set()
    assert gradients_of(model)["patch_embedding.vid_proj.weight"].any()


@pytest.mark.parametrize(
    ("step", "operator"),
    [
        (lambda x: x.sum().item(), "_local_scalar_dense"),
        (lambda x: bool(x.sum() > 0), "_local_scalar_dense"),
        (lambda x: x[x > 0], "index"),
        (lambda x: torch.nonzero(x), "nonzero"),
        (lambda x: x + torch.tensor([1.0, 2.0]), "lift_fresh"),
    ],
)
def test_one_that_did_would_be_seen(step, operator):
    assert operator in waits(lambda: step(torch.ones(2)))


@pytest.mark.parametrize("sets", [(), REMAT], ids=["no remat", "all regions"])
@pytest.mark.parametrize(("mixer", "rates"), [("ttt-linear", "upstream"), ("ttt-mlp", "token")])
def test_a_step_needs_no_contents(mixer, rates, sets, tmp_path):
    tiny = spec(tmp_path, mixer, rates, sets)
    model = tttdit.build_model(tiny, device="meta", dtype=torch.bfloat16)
    batch = [x.to("meta") for x in batch_of(tiny, torch.bfloat16)]
    loss = tttdit.training_loss(model, *batch)
    loss.backward()
    assert loss.is_meta
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.is_meta
        assert parameter.grad.shape == parameter.shape
