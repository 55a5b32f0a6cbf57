"""The names of other projects' weights are those that this model has: every parameter has one, and every name a parameter."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.distributed.checkpoint as dcp
from safetensors.torch import load_file, save_file
from tiny_specs import MIXERS, TTT_MLP, Tables, spec_of
from torch import Tensor, nn

import tttdit
from tttdit.checker import cli
from tttdit.core.plugin.weight_names import weight_names
from tttdit.core.runtime.weights.formats import Placed
from tttdit.core.runtime.weights.matching import match
from tttdit.core.runtime.weights.reading import SafetensorsSource
from tttdit.plugins.ttt_dit.weights import NAMES

NONE: Tables = {**TTT_MLP, "model.mixer": {"plugin": "none"}, "memory": {}}
ALL: dict[str, Tables] = {**MIXERS, "none": NONE}


@pytest.fixture
def model(tmp_path: Path) -> Callable[..., nn.Module]:
    """A function that builds the tiny model with the mixer of this name."""

    def build(mixer: str, device: str = "cpu") -> nn.Module:
        return tttdit.build_model(spec_of(tmp_path / f"{mixer}.toml", ALL[mixer]), device=device)

    return build


def convert(*arguments: object) -> int:
    return cli.outcome(cli.tttdit_command, "tttdit", ["convert-weights", *map(str, arguments)])


def state(model: nn.Module, prefix: str = "") -> dict[str, Tensor]:
    return {prefix + name: tensor.contiguous() for name, tensor in model.state_dict().items()}


def test_the_announcement_names_them(tmp_path: Path) -> None:
    (stage,) = spec_of(tmp_path / "spec.toml").stages
    assert weight_names(stage.assembly.model) is NAMES


@pytest.mark.parametrize("names", NAMES, ids=lambda names: names.project)
@pytest.mark.parametrize("mixer", ALL)
def test_they_are_the_parameters_without_the_mixers(names, mixer: str, model: Callable[..., nn.Module]) -> None:
    """Every name leads to a parameter; every parameter has a name, or is one of the mixer's; those are all or none."""
    target = {name: tuple(tensor.shape) for name, tensor in model(mixer, "meta").state_dict().items()}
    base = {name: shape for name, shape in target.items() if ".ssm." not in name and "_ssm_gating_" not in name}
    back = {ours: theirs for theirs, ours in names.names.items()}
    layered = {name: name.replace(name.split(".")[1], "*", 1) if name.startswith("layers.") else name for name in base}
    assert set(layered.values()) == set(back)
    shapes = {
        back[pattern].replace("*", name.split(".")[1]) if "*" in pattern else back[pattern]: base[name]
        for name, pattern in layered.items()
    }
    tensors = {name: Placed(torch.float32, shape, 0) for name, shape in shapes.items()}
    found = match(SafetensorsSource(Path("file"), tensors, {}), NAMES, target=target)
    assert found.fits
    assert set(found.taken) == set(base)
    assert set(found.new) == set(target) - set(base)


@pytest.mark.parametrize("mixer", MIXERS)
@pytest.mark.parametrize("prefix", ["dit.", "model.dit.", "model.", ""])
@pytest.mark.filterwarnings("ignore:torch.distributed is disabled")
def test_a_public_checkpoint(tmp_path: Path, mixer: str, prefix: str, model: Callable[..., nn.Module]) -> None:
    """As the public code saves it with DCP, with or without the optimizer beside it."""
    original = model(mixer)
    saved = state(original, prefix) | ({"optimizer.lr": torch.ones(1)} if prefix.startswith("model.") else {})
    dcp.save(saved, checkpoint_id=tmp_path / "checkpoint", no_dist=True)
    to = tmp_path / "weights.safetensors"
    assert convert(tmp_path / "checkpoint", to, "--spec", tmp_path / f"{mixer}.toml") == 0
    other = model(mixer)
    other.load_state_dict(load_file(to), strict=True)
    assert all(torch.equal(tensor, other.state_dict()[name]) for name, tensor in state(original).items())


def test_a_mixer_that_is_another(tmp_path: Path, model: Callable[..., nn.Module], capsys) -> None:
    """The two TTT mixers have tensors of the same names: their shapes tell them apart."""
    save_file(state(model("ttt-linear"), "dit."), tmp_path / "linear.safetensors")
    model("ttt-mlp", "meta")
    assert (
        convert(tmp_path / "linear.safetensors", tmp_path / "w.safetensors", "--spec", tmp_path / "ttt-mlp.toml") == 1
    )
    said = capsys.readouterr().out
    assert "missing: 6\n  layers.*.seq_modeling_block.ssm.ttt.W2  x 3\n" in said
    assert "  layers.*.seq_modeling_block.ssm.ttt.W1  x 3  is [2, 16, 16], expected [2, 16, 64]\n" in said
    assert not (tmp_path / "w.safetensors").exists()


@pytest.mark.parametrize("mixer", MIXERS)
def test_a_mixer_is_new_in_pretrained_weights(tmp_path: Path, mixer: str, model: Callable[..., nn.Module]) -> None:
    """Loaded into a model on meta: what is new gets the values that a new model has, what is loaded those of the file."""
    pretrained = state(model("none"))
    save_file(pretrained, tmp_path / "none.safetensors")
    filled = model(mixer, "meta")
    found = tttdit.load_weights(filled, tmp_path / "none.safetensors")
    now = filled.state_dict()
    assert set(found.taken) == set(pretrained)
    assert set(found.new) == set(now) - set(pretrained)
    assert all(torch.equal(now[name], tensor) for name, tensor in pretrained.items())
    assert all(tensor.isfinite().all() for tensor in now.values())
    assert all((now[name] == 0.1).all() for name in now if name.endswith("gating_alpha"))
    fresh = model(mixer)
    assert {name for name, _ in filled.named_buffers()} == {name for name, _ in fresh.named_buffers()}
    assert all(torch.equal(buffer, dict(fresh.named_buffers())[name]) for name, buffer in filled.named_buffers())


def test_a_layer_without_its_mixer_is_not_new(tmp_path: Path, model: Callable[..., nn.Module]) -> None:
    tensors = {
        name: tensor
        for name, tensor in state(model("ttt-mlp")).items()
        if "layers.1.seq_modeling_block.ssm" not in name
    }
    save_file(tensors, tmp_path / "part.safetensors")
    with pytest.raises(tttdit.core.errors.UsageError, match=r"18 missing: layers\.1\.seq_modeling_block\.ssm"):
        tttdit.load_weights(model("ttt-mlp"), tmp_path / "part.safetensors")
