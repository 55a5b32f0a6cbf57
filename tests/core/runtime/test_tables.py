"""Constants are right wherever a model goes, in the type that they need, and there once."""

import copy

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from tttdit.core.runtime.tables import Tables, shared, sharing


class Ramp(Tables):
    """0, 1/2, 1, ...; and the same counted."""

    made = 0

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length
        self.reset_parameters()

    def make(self, dtype: torch.dtype, device: torch.device) -> dict[str, torch.Tensor]:
        type(self).made += 1
        index = torch.arange(self.length, device=device)
        return {"ramp": index.to(dtype) / 2, "index": index}


@pytest.fixture
def model() -> nn.Module:
    return nn.Sequential(Ramp(5), nn.Linear(5, 2))


def ramp(dtype: torch.dtype) -> torch.Tensor:
    return torch.arange(5, dtype=dtype) / 2


@pytest.mark.parametrize("cast", [torch.bfloat16, torch.float16])
def test_a_narrow_model_keeps_wide_tables(model: nn.Module, cast: torch.dtype) -> None:
    model.to(cast)
    assert model[1].weight.dtype == cast
    assert model[0].ramp.dtype == torch.float32
    assert model[0].index.dtype == torch.int64
    assert torch.equal(model[0].ramp, ramp(torch.float32))


def test_a_wide_model_has_wide_tables_and_a_model_made_narrow_again_has_not(model: nn.Module) -> None:
    assert torch.equal(model.double()[0].ramp, ramp(torch.float64))
    assert model.float()[0].ramp.dtype == torch.float32


def test_tables_survive_the_way_over_meta(model: nn.Module) -> None:
    model.to("meta")
    assert {buffer.device.type for buffer in model.buffers()} == {"meta"}
    model.to_empty(device="cpu")
    assert torch.equal(model[0].ramp, ramp(torch.float32))
    assert torch.equal(model[0].index, torch.arange(5))


def test_emptying_a_model_where_it_is_leaves_its_tables(model: nn.Module) -> None:
    model.to_empty(device="cpu")
    assert torch.equal(model[0].ramp, ramp(torch.float32))


def test_a_type_asked_for_on_meta_holds_afterwards() -> None:
    with torch.device("meta"):
        tables = Ramp(5).double()
    assert tables.ramp.device.type == "meta"
    assert torch.equal(tables.to_empty(device="cpu").ramp, ramp(torch.float64))


def test_fake_tables_are_fake() -> None:
    with FakeTensorMode():
        tables = Ramp(5).double()
    assert tables.ramp.dtype == torch.float64
    assert not isinstance(Ramp(5).ramp, type(tables.ramp))


def test_tables_are_no_part_of_the_state(model: nn.Module) -> None:
    assert set(model.state_dict()) == {"1.weight", "1.bias"}


def test_a_copy_has_its_own(model: nn.Module) -> None:
    other = copy.deepcopy(model).double()
    assert (model[0].ramp.dtype, other[0].ramp.dtype) == (torch.float32, torch.float64)


def test_equal_tables_are_made_once_and_stay_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ramp, "made", 0)
    with sharing():
        parts = nn.ModuleList(nn.ModuleDict({"tables": shared(Ramp, length)}) for length in (5, 5, 7))
    assert Ramp.made == 2
    assert parts[0]["tables"] is parts[1]["tables"]
    assert parts[0]["tables"] is not parts[2]["tables"]
    parts.to("meta").to_empty(device="cpu")
    assert Ramp.made == 6
    assert parts[1]["tables"].ramp is parts[0]["tables"].ramp


def test_what_two_models_make_is_not_shared() -> None:
    def build() -> Tables:
        with sharing():
            return shared(Ramp, 5)

    assert build() is not build()
    assert shared(Ramp, 5) is not shared(Ramp, 5)
