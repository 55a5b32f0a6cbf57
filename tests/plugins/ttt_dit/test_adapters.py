"""`model.adapter`: which parameters are trained."""

import re
from pathlib import Path

import pytest
import torch
from tiny_specs import batch_of, spec_of

import tttdit

torch.set_num_threads(1)

# The attention's q, k, v, o and their norms, the mixer and its gates.
QKVO = [
    r"layers\.\d+\.seq_modeling_block\.[qkvo]\.(weight|bias)",
    r"layers\.\d+\.seq_modeling_block\.[qk]_norm\.(weight|bias)",
    r"layers\.\d+\.seq_modeling_block\.ssm\.ttt\.w[qkvo]\.(weight|bias)",
    r"layers\.\d+\.seq_modeling_block\.ssm\.ttt\.(W1|b1|W2|b2|learnable_ttt_lr_(weight|bias)|ttt_norm_(weight|bias))",
    r"layers\.\d+\.seq_modeling_block\.ssm\.ttt\.post_norm\.(weight|bias)",
    r"layers\.\d+\.seq_modeling_block\.(forward|backward)_ssm_gating_(video|text)\.gating_alpha",
]
TRAINED = {"sft": [".*"], "qkvo": QKVO, "none": []}
# The last layer's text goes nowhere.
UNREAD = {"layers.2.seq_modeling_block.backward_ssm_gating_text.gating_alpha"}


@pytest.fixture(params=TRAINED)
def adapter(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def spec(adapter: str, tmp_path: Path) -> tttdit.Spec:
    return spec_of(tmp_path / "tiny.toml", sets=[f'model.adapter="{adapter}"'])


def trained(adapter: str, names: list[str]) -> set[str]:
    return {name for name in names if any(re.fullmatch(pattern, name) for pattern in TRAINED[adapter])}


def test_parameters_that_are_trained_and_no_others_want_gradients(adapter, spec):
    parameters = dict(tttdit.build_model(spec, device="meta").named_parameters())
    wanting = {name for name, parameter in parameters.items() if parameter.requires_grad}
    assert wanting == trained(adapter, list(parameters))
    for pattern in QKVO:
        assert any(re.fullmatch(pattern, name) for name in parameters), pattern


def test_parameters_that_are_trained_and_no_others_get_gradients(adapter, spec):
    model = tttdit.build_model(spec)
    loss = tttdit.training_loss(model, *batch_of(spec))
    assert loss.requires_grad == (adapter != "none")
    if loss.requires_grad:
        loss.backward()
    getting = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert getting | UNREAD == trained(adapter, [name for name, _ in model.named_parameters()]) | UNREAD


def test_predictions_do_not_depend_on_it(adapter, spec):
    torch.manual_seed(0)
    model = tttdit.build_model(spec)
    video, text, timestep, _ = batch_of(spec)
    with torch.no_grad():
        quiet = model(video, text, timestep)
    assert not quiet.requires_grad
    assert torch.equal(model(video, text, timestep), quiet)


def test_it_holds_on_the_way_over_meta(adapter, spec):
    model = tttdit.build_model(spec, device="meta").to_empty(device="cpu")
    model.reset_parameters()
    other = tttdit.build_model(spec)
    assert [p.requires_grad for p in model.parameters()] == [p.requires_grad for p in other.parameters()]
