"""State dicts: the names and shapes of the public checkpoints, their prefix, and weights of a model that had no mixers."""

import re
from pathlib import Path

import pytest
import torch
from tiny_specs import TTT_MLP, batch_of, relative, spec_of
from torch import nn

import tttdit

torch.set_num_threads(1)

ROOT = Path(__file__).parents[3]
MIXERS = {"ttt-mlp": {"plugin": "ttt-mlp", "mini_batch_size": 4}, "none": {"plugin": "none"}}

D, A, K, E, X, C, LAYERS = 3072, 48, 64, 512, 4096, 16, 42
BLOCK = "layers.*.seq_modeling_block."
# Every parameter of the public 5B model with TTT-MLP.
SHAPES = {
    **{f"time_embed.{i}.{kind}": shape for i, inputs in ((0, D), (2, E)) for kind, shape in (("weight", (E, inputs)), ("bias", (E,)))},
    "patch_embedding.vid_proj.weight": (D, C, 2, 2),
    "patch_embedding.vid_proj.bias": (D,),
    "patch_embedding.text_proj.weight": (D, X),
    "patch_embedding.text_proj.bias": (D,),
    **{f"{norm}.{kind}": (D,) for norm in ("transformer_norm", "final_layer.norm") for kind in ("weight", "bias")},
    "final_layer.adaLN_modulation.1.weight": (2 * D, E),
    "final_layer.adaLN_modulation.1.bias": (2 * D,),
    "final_layer.linear.weight": (4 * C, D),
    "final_layer.linear.bias": (4 * C,),
    **{f"layers.*.pre_{part}_layernorm.{kind}": (D,) for part in ("seq", "mlp") for kind in ("weight", "bias")},
    **{f"layers.*.pre_{part}_adaLN_modulation.1.weight": (6 * D, E) for part in ("seq", "mlp")},
    **{f"layers.*.pre_{part}_adaLN_modulation.1.bias": (6 * D,) for part in ("seq", "mlp")},
    "layers.*.mlp.layer1.weight": (4 * D, D),
    "layers.*.mlp.layer1.bias": (4 * D,),
    "layers.*.mlp.layer2.weight": (D, 4 * D),
    "layers.*.mlp.layer2.bias": (D,),
    **{f"{BLOCK}{name}.weight": (D, D) for name in "qkvo"},
    **{f"{BLOCK}{name}.bias": (D,) for name in "qkvo"},
    **{f"{BLOCK}{name}_norm.{kind}": (K,) for name in "qk" for kind in ("weight", "bias")},
    **{f"{BLOCK}ssm.ttt.w{name}.weight": (D, D) for name in "qkvo"},
    **{f"{BLOCK}ssm.ttt.w{name}.bias": (D,) for name in "qkvo"},
    f"{BLOCK}ssm.ttt.learnable_ttt_lr_weight": (A, 1, D),
    f"{BLOCK}ssm.ttt.learnable_ttt_lr_bias": (A, 1),
    f"{BLOCK}ssm.ttt.ttt_norm_weight": (A, K),
    f"{BLOCK}ssm.ttt.ttt_norm_bias": (A, K),
    f"{BLOCK}ssm.ttt.post_norm.weight": (D,),
    f"{BLOCK}ssm.ttt.post_norm.bias": (D,),
    f"{BLOCK}ssm.ttt.W1": (A, K, 4 * K),
    f"{BLOCK}ssm.ttt.b1": (A, 1, 4 * K),
    f"{BLOCK}ssm.ttt.W2": (A, 4 * K, K),
    f"{BLOCK}ssm.ttt.b2": (A, 1, K),
    **{f"{BLOCK}{way}_ssm_gating_{stream}.gating_alpha": (D,) for way in ("forward", "backward") for stream in ("video", "text")},
}  # fmt: skip


def spec(folder: Path, mixer: str = "ttt-mlp") -> tttdit.Spec:
    return spec_of(folder / f"{mixer}.toml", {**TTT_MLP, "model.mixer": MIXERS[mixer], "memory": {}})


@pytest.fixture
def model(tmp_path: Path) -> nn.Module:
    torch.manual_seed(0)
    return tttdit.build_model(spec(tmp_path))


@pytest.fixture
def other(tmp_path: Path) -> nn.Module:
    torch.manual_seed(1)
    return tttdit.build_model(spec(tmp_path))


def same(model: nn.Module, other: nn.Module) -> bool:
    theirs = other.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in model.state_dict().items())


def test_names_and_shapes_at_full_size_are_the_public_ones() -> None:
    model = tttdit.build_model(tttdit.load_spec(ROOT / "examples" / "three-seconds.toml"), device="meta")
    state = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    assert state == {
        name.replace("*", str(index)): shape
        for name, shape in SHAPES.items()
        for index in (range(LAYERS) if "*" in name else (0,))
    }
    assert sum(parameter.numel() for parameter in model.parameters()) == 7_230_178_848


@pytest.mark.parametrize("prefix", ["", "dit."])
@pytest.mark.parametrize("assign", [False, True])
def test_public_names_load_with_and_without_their_prefix(model, other, prefix, assign):
    state = {prefix + name: value.clone() for name, value in model.state_dict().items()}
    names = list(state)
    result = other.load_state_dict(state, strict=True, assign=assign)
    assert (result.missing_keys, result.unexpected_keys) == ([], [])
    assert same(other, model)
    assert list(state) == names  # the caller's dict is as it was


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_assigned_weights_bring_their_type_to_the_tables(model, tmp_path, dtype):
    """In float64 a model whose angles are those of float32 would be right to seven digits."""
    empty = tttdit.build_model(spec(tmp_path), device="meta")
    empty.load_state_dict(model.to(dtype).state_dict(), assign=True)
    assert {table.dtype for table in empty.buffers()} == {table.dtype for table in model.buffers()}
    assert all(torch.equal(one, two) for one, two in zip(empty.buffers(), model.buffers(), strict=True))


def test_inside_another_module_too(model, other):
    """As whoever trains it may wrap it."""
    wrapped = nn.ModuleDict({"model": other})
    wrapped.load_state_dict({f"model.dit.{name}": value for name, value in model.state_dict().items()})
    assert same(other, model)


def test_what_is_missing_and_what_is_too_much_is_reported(model, other):
    state = {f"dit.{name}": value for name, value in model.state_dict().items()}
    del state["dit.layers.1.mlp.layer1.weight"]
    state["dit.layers.1.mlp.layer3.weight"] = torch.zeros(1)
    state["vae.decoder.weight"] = torch.zeros(1)
    state["time_embed.0.bias"] = state["dit.time_embed.0.bias"]  # twice
    result = other.load_state_dict(state, strict=False)
    assert result.missing_keys == ["layers.1.mlp.layer1.weight"]
    assert sorted(result.unexpected_keys) == [
        "dit.time_embed.0.bias",
        "layers.1.mlp.layer3.weight",
        "vae.decoder.weight",
    ]
    with pytest.raises(
        RuntimeError, match=r'(?s)Missing key.*"layers.1.mlp.layer1.weight".*Unexpected key.*"vae.decoder.weight"'
    ):
        other.load_state_dict(state)


def test_a_wrong_shape_is_reported(model, other):
    state = {f"dit.{name}": value for name, value in model.state_dict().items()}
    state["dit.time_embed.0.bias"] = torch.zeros(3)
    with pytest.raises(RuntimeError, match=r"size mismatch for time_embed.0.bias: .*\[3\].*\[12\]"):
        other.load_state_dict(state)


@pytest.fixture
def pretrained(tmp_path: Path) -> nn.Module:
    """A model that has never heard of a mixer, somewhat trained: nothing in it is zero."""
    torch.manual_seed(2)
    model = tttdit.build_model(spec(tmp_path, "none"))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def test_weights_without_mixers_leave_mixers_and_gates_at_their_initial_values(model, pretrained):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    result = model.load_state_dict(pretrained.state_dict(), strict=False)
    assert result.unexpected_keys == []
    new = {re.sub(r"^layers\.\d+\.seq_modeling_block\.", "", name) for name in result.missing_keys}
    assert {name.split(".")[0] for name in new} == {
        "ssm",
        "forward_ssm_gating_text",
        "forward_ssm_gating_video",
        "backward_ssm_gating_text",
        "backward_ssm_gating_video",
    }
    state = model.state_dict()
    assert all(torch.equal(state[name], before[name]) for name in result.missing_keys)
    assert all(torch.equal(state[name], value) for name, value in pretrained.state_dict().items())


def test_training_goes_on_near_what_the_pretrained_model_does(model, pretrained, tmp_path):
    """Gates of 0 would be the pretrained model itself; 0.1 is near it, and lets the mixers learn from the first step."""
    video, text, timestep, noise = batch_of(spec(tmp_path))
    want = pretrained(video, text, timestep)
    model.load_state_dict(pretrained.state_dict(), strict=False)
    assert 0 < relative(model(video, text, timestep), want) < 0.1
    tttdit.training_loss(model, video, text, timestep, noise).backward()
    mixers = [parameter for name, parameter in model.named_parameters() if ".ssm." in name]
    assert all(parameter.grad.any() for parameter in mixers)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("gating_alpha"):
                parameter.zero_()
    assert torch.equal(model(video, text, timestep), want)
