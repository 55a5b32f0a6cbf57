"""What every parameter is before the first step, however the model came to be: the table in plugins/ttt_dit/README.md."""

import math
import re
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import pytest
import torch
from tiny_specs import TTT_MLP, batch_of, spec_of
from torch import Tensor, nn

import tttdit
from tttdit.core.errors import PluginError
from tttdit.core.runtime.initial import reset

torch.set_num_threads(1)

MIXERS = {
    "ttt-mlp": {"plugin": "ttt-mlp", "mini_batch_size": 4},
    "ttt-mlp, upstream": {"plugin": "ttt-mlp", "mini_batch_size": 4, "learning_rates": "upstream"},
    "ttt-linear": {"plugin": "ttt-linear", "mini_batch_size": 4},
    "sliding-window": {"plugin": "sliding-window"},
    "none": {"plugin": "none"},
}
WIDE = ("model.width=128", "model.heads=4", "model.timestep_width=64", "text.width=64")


def constant(value: float) -> Callable[[Tensor, int], None]:
    def check(parameter: Tensor, inputs: int) -> None:
        assert torch.equal(parameter, torch.full_like(parameter, value))

    return check


def normal(std: float) -> Callable[[Tensor, int], None]:
    def check(parameter: Tensor, inputs: int) -> None:
        error = 4 / math.sqrt(parameter.numel())  # four standard deviations of what is estimated
        assert abs(parameter.mean().item()) < error * std
        assert parameter.std().item() == pytest.approx(std, rel=error)
        assert parameter.abs().max() > 2 * std  # not the uniform distribution of that spread

    return check


def uniform(parameter: Tensor, inputs: int) -> None:
    """Between -1/sqrt(inputs) and 1/sqrt(inputs), as torch's linear layers and convolutions start."""
    bound, error = 1 / math.sqrt(inputs), 4 / math.sqrt(parameter.numel())
    assert abs(parameter.mean().item()) < error * bound
    assert parameter.std().item() == pytest.approx(bound / math.sqrt(3), rel=error)
    assert bound * 0.8 < parameter.abs().max() <= bound


# The first pattern that a name matches says what the parameter is.
VALUES = {
    "*.adaLN_modulation.1.weight": normal(0.02),
    "*_adaLN_modulation.1.weight": normal(0.02),
    "*adaLN_modulation.1.bias": constant(0),
    "final_layer.linear.weight": normal(0.02),
    "final_layer.linear.bias": constant(0),
    "*norm.weight": constant(1),
    "*norm.bias": constant(0),
    "*.gating_alpha": constant(0.1),
    "*.ttt.learnable_ttt_lr_weight": normal(0.02),
    "*.ttt.learnable_ttt_lr_bias": constant(0),
    "*.ttt.ttt_norm_weight": constant(1),
    "*.ttt.ttt_norm_bias": constant(0),
    "*.ttt.W[12]": normal(0.02),
    "*.ttt.b[12]": constant(0),
    "time_embed.[02].*": uniform,
    "patch_embedding.*": uniform,
    "layers.*.mlp.layer[12].*": uniform,
    "layers.*.seq_modeling_block.[qkvo].*": uniform,
    "layers.*.ssm.ttt.w[qkvo].*": uniform,
    "layers.*.ssm.[qkvo].*": uniform,  # of the mixer sliding-window
}


def check_values(model: nn.Module) -> None:
    parameters = dict(model.named_parameters())
    for name, parameter in parameters.items():
        inputs = parameters.get(re.sub(r"bias$", "weight", name), parameter)[0].numel()
        (check, *_) = [check for pattern, check in VALUES.items() if fnmatch(name, pattern)]
        check(parameter.detach(), inputs)


def tensors(model: nn.Module) -> dict[str, Tensor]:
    return dict([*model.named_parameters(), *model.named_buffers()])


def assert_same(model: nn.Module, other: nn.Module) -> None:
    """To the last bit, buffers included."""
    ours, theirs = tensors(model), tensors(other)
    assert ours.keys() == theirs.keys()
    assert [name for name, tensor in ours.items() if not torch.equal(tensor, theirs[name])] == []


@pytest.fixture(params=MIXERS)
def spec(request: pytest.FixtureRequest, tmp_path: Path) -> tttdit.Spec:
    tables = {**TTT_MLP, "model.mixer": MIXERS[request.param], "memory": {}}
    return spec_of(tmp_path / "tiny.toml", tables, WIDE)


def test_every_parameter_starts_as_the_table_says(spec):
    torch.manual_seed(0)
    check_values(tttdit.build_model(spec))


def test_the_seed_decides(spec):
    def build(seed: int) -> nn.Module:
        torch.manual_seed(seed)
        return tttdit.build_model(spec)

    assert_same(build(3), build(3))
    assert not torch.equal(build(3).time_embed[0].weight, build(4).time_embed[0].weight)


def test_a_model_that_comes_over_meta_is_the_one_built_where_it_is(spec):
    """New memory reads as NaN here, so nothing is left to chance."""
    torch.manual_seed(5)
    direct = tttdit.build_model(spec)
    torch.manual_seed(5)
    state = torch.get_rng_state()
    model = tttdit.build_model(spec, device="meta")
    assert torch.equal(torch.get_rng_state(), state)  # nothing was drawn
    model.to_empty(device="cpu").reset_parameters()
    assert_same(model, direct)


def test_resetting_starts_over(spec):
    torch.manual_seed(6)
    model = tttdit.build_model(spec)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(7)
    torch.manual_seed(6)
    model.reset_parameters()
    torch.manual_seed(6)
    assert_same(model, tttdit.build_model(spec))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_other_types_start_alike(spec, dtype):
    """Drawn in the type that they have, so not the same numbers as those of a cast model."""
    torch.manual_seed(0)
    model = tttdit.build_model(spec, device="meta", dtype=dtype).to_empty(device="cpu")
    model.reset_parameters()
    wide = model.double()
    for name, parameter in wide.named_parameters():
        if name.endswith("gating_alpha"):
            assert (parameter - 0.1).abs().max() < 1e-3
        elif fnmatch(name, "*.ttt.W[12]"):
            normal(0.02)(parameter.detach(), 0)
        assert parameter.isfinite().all()


def test_emptied_and_loaded_it_is_what_was_saved(spec):
    """Constants are no part of a state dict, and are right all the same."""
    torch.manual_seed(0)
    saved = tttdit.build_model(spec)
    model = tttdit.build_model(spec, device="meta").to_empty(device="cpu")
    model.load_state_dict(saved.state_dict())
    assert_same(model, saved)


def test_weights_that_are_assigned_bring_the_constants_along(spec):
    torch.manual_seed(0)
    saved = tttdit.build_model(spec)
    model = tttdit.build_model(spec, device="meta")
    model.load_state_dict(saved.state_dict(), assign=True)
    assert_same(model, saved)
    video, text, timestep, _ = batch_of(spec)
    assert torch.equal(model(video, text, timestep), saved(video, text, timestep))


def test_a_module_that_nobody_can_reset_is_named():
    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.factor = nn.Parameter(torch.ones(2))

    with pytest.raises(PluginError, match=r"^layers\.3\.ssm\.1 \(Scale\) has parameters or buffers of its own and no "):
        reset(nn.Sequential(nn.Linear(2, 2), Scale()), path="layers.3.ssm")
