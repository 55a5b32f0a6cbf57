"""`load_weights`, with a model of nobody's and one that a plugin of ours announces."""

import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

import tttdit
from tttdit.core.errors import UsageError
from tttdit.core.plugin.weight_names import WeightNames
from tttdit.core.runtime.weights.reading import SafetensorsSource


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(4, 4)
        self.gate = nn.Parameter(torch.empty(4))

    def reset_parameters(self) -> None:
        nn.init.constant_(self.gate, 0.5)


class Small(nn.Module):
    def __init__(self, *, scale: bool = False) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer() for _ in range(2))
        if scale:
            self.register_buffer("scale", torch.tensor(3.0), persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        for layer in self.layers:
            layer.inner.reset_parameters()
            layer.reset_parameters()
        if hasattr(self, "scale"):
            self.scale.fill_(3.0)


NAMES = (
    WeightNames(
        project="theirs",
        names={f"block.*.{kind}": f"layers.*.inner.{kind}" for kind in ("weight", "bias")},
        added=("layers.*.gate",),
    ),
)


def theirs() -> dict[str, Tensor]:
    return {
        f"block.{i}.{kind}": torch.randn(4, 4) if kind == "weight" else torch.randn(4)
        for i in range(2)
        for kind in ("weight", "bias")
    }


def saved(path: Path, tensors: dict[str, Tensor]) -> Path:
    file = path / "weights.safetensors"
    save_file(tensors, file)
    return file


def test_into_a_model(tmp_path: Path) -> None:
    tensors = theirs()
    model = Small()
    with torch.no_grad():
        model.layers[1].gate.fill_(7)
    parameters = list(model.parameters())
    found = tttdit.load_weights(model, saved(tmp_path, tensors), NAMES)
    assert found.new == ("layers.0.gate", "layers.1.gate")
    assert torch.equal(model.layers[1].inner.weight, tensors["block.1.weight"])
    assert model.layers[1].gate.tolist() == [7] * 4  # what is new stays as it is
    assert all(now is before for now, before in zip(model.parameters(), parameters, strict=True))


@pytest.mark.parametrize("wrap", [torch.compile, nn.DataParallel, lambda model: torch.compile(nn.DataParallel(model))])
def test_into_a_model_that_something_wraps(tmp_path: Path, wrap: Callable[[nn.Module], nn.Module]) -> None:
    tensors = theirs()
    model = Small()
    tttdit.load_weights(wrap(model), saved(tmp_path, tensors), NAMES)
    assert torch.equal(model.layers[1].inner.weight, tensors["block.1.weight"])


def test_in_the_models_own_type(tmp_path: Path) -> None:
    tensors = theirs()
    model = Small().bfloat16()
    model.layers[0].inner.weight.requires_grad_(False)
    tttdit.load_weights(model, saved(tmp_path, tensors), NAMES)
    assert torch.equal(model.layers[0].inner.weight, tensors["block.0.weight"].bfloat16())
    assert not model.layers[0].inner.weight.requires_grad
    assert model.layers[0].inner.bias.requires_grad


@pytest.mark.parametrize("scale", [False, True])
def test_into_a_model_on_meta(tmp_path: Path, scale: bool) -> None:
    tensors = theirs()
    with torch.device("meta"):
        model = Small(scale=scale)
    tttdit.load_weights(model, saved(tmp_path, tensors), NAMES)
    assert torch.equal(model.layers[0].inner.weight, tensors["block.0.weight"])
    assert model.layers[0].gate.tolist() == [0.5] * 4
    assert not scale or model.scale == 3


def test_a_buffer_that_no_file_has_is_made_again(tmp_path: Path) -> None:
    with torch.device("meta"):
        model = Small(scale=True)
    complete = {name: torch.randn(tensor.shape) for name, tensor in model.state_dict().items()}
    assert tttdit.load_weights(model, saved(tmp_path, complete), NAMES).new == ()
    assert model.scale == 3


def test_a_model_that_cannot_be_put_on_the_cpu(tmp_path: Path) -> None:
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
        model.register_buffer("scale", torch.ones(1), persistent=False)
    file = saved(tmp_path, {name: torch.ones(tensor.shape) for name, tensor in model.state_dict().items()})
    with pytest.raises(
        UsageError, match=r"^Sequential is on meta and has no reset_parameters\(\): build it on the CPU$"
    ):
        tttdit.load_weights(model, file)
    model[0].to_empty(device="cpu")
    with pytest.raises(UsageError, match=r"^Sequential is partly on meta: put it on one device$"):
        tttdit.load_weights(model, file)


def test_what_does_not_fit_leaves_the_model_alone(tmp_path: Path) -> None:
    model = Small()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    tensors = theirs()
    del tensors["block.1.bias"]
    file = saved(tmp_path, {**tensors, "stray": torch.ones(1), "block.0.bias": torch.ones(5)})
    with pytest.raises(UsageError) as caught:
        tttdit.load_weights(model, file, NAMES)
    assert str(caught.value) == (
        f"{file} does not fit the model: 1 missing: layers.1.inner.bias; 1 unexpected: stray; "
        "1 of another shape: layers.0.inner.bias is [5], not [4]"
    )
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_whole_numbers_are_no_weights(tmp_path: Path) -> None:
    model = Small()
    before = model.layers[0].inner.weight.clone()
    file = saved(tmp_path, {**theirs(), "block.1.weight": torch.ones(4, 4, dtype=torch.int8)})
    with pytest.raises(
        UsageError,
        match=r'"block\.1\.weight" is of the type torch\.int8, and layers\.1\.inner\.weight of torch\.float32$',
    ):
        tttdit.load_weights(model, file, NAMES)
    assert torch.equal(model.layers[0].inner.weight, before)


def test_a_number_that_the_parameters_type_does_not_hold(tmp_path: Path) -> None:
    file = saved(tmp_path, {**theirs(), "block.1.bias": torch.full((4,), 1e6)})
    with pytest.raises(UsageError, match=r"^layers\.1\.inner\.bias has 1e\+06, more than torch\.float16 holds"):
        tttdit.load_weights(Small().half(), file, NAMES)


def test_what_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"^weights are loaded into what tttdit\.build_model returns, and this is a PosixPath$"
    ):
        tttdit.load_weights(tmp_path, tmp_path)


def test_a_model_of_nobodys_takes_its_own_names_only(tmp_path: Path) -> None:
    model = nn.Linear(2, 3)
    tensors = {"weight": torch.randn(3, 2), "bias": torch.randn(3)}
    assert tttdit.load_weights(model, saved(tmp_path, tensors)).project == "tttdit"
    assert torch.equal(model.weight, tensors["weight"])
    with pytest.raises(UsageError, match=r"1 missing: bias$"):
        tttdit.load_weights(model, saved(tmp_path, {"weight": tensors["weight"]}))


def test_one_tensor_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    living: weakref.WeakSet[Tensor] = weakref.WeakSet()
    read = SafetensorsSource.read

    def counted(self: SafetensorsSource, name: str) -> Tensor:
        assert len(living) == 0
        tensor = read(self, name)
        living.add(tensor)
        return tensor

    monkeypatch.setattr(SafetensorsSource, "read", counted)
    tttdit.load_weights(Small(), saved(tmp_path, theirs()), NAMES)
