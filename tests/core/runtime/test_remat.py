"""Regions that are recomputed: when, with which random numbers, and what comes through them."""

from __future__ import annotations

import pytest
import torch
from attrs import frozen
from torch._subclasses.fake_tensor import FakeTensorMode

from tttdit.core.runtime.live_bytes import LiveBytes
from tttdit.core.runtime.remat import RecomputedRegions
from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic.storage import Meter
from tttdit.core.symbolic.tensor import given
from tttdit.core.symbolic.trace import WORLD
from tttdit.core.symbolic.world import TORCH


@frozen
class Named:
    """Recomputes the regions of these full names."""

    names: frozenset[str] = frozenset()

    def recomputes(self, region):
        return region in self.names

    def group_size(self, name, count):
        return min(2, count)


def regions(*names: str) -> RecomputedRegions:
    return RecomputedRegions(Named(frozenset(names)))


def test_a_region_is_asked_for_by_its_full_name():
    calls = []

    def function(x):
        calls.append(x.shape)
        return x.sin().exp()

    for path, runs in (("layers.0", 2), ("layers.1", 1)):
        calls.clear()
        regions("layers.0.mlp").within("layers").within(path[-1])("mlp", function, leaf()).sum().backward()
        assert len(calls) == runs


def test_sizes_are_the_strategys():
    assert regions().within("layers.3").group_size("scan", 9) == 2


def leaf() -> torch.Tensor:
    return torch.linspace(-1, 1, 12).view(3, 4).requires_grad_()


def dropped(x):
    """A region that draws random numbers, as a third party's may."""
    return torch.nn.functional.dropout(x.exp(), 0.5).sin()


def run(these: RecomputedRegions) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The result of two regions that draw, one in the other; the gradient; and what is drawn afterwards."""
    torch.manual_seed(3)
    x = leaf()
    result = these("outer", lambda x: dropped(these("inner", dropped, dropped(x))) * x, x)
    torch.randn(5)
    result.sum().backward()
    return result.detach(), x.grad, torch.randn(3)


@pytest.mark.parametrize("names", [("outer",), ("inner",), ("outer", "inner")])
def test_a_region_draws_the_same_numbers_again(names):
    """And whoever draws after it is not disturbed."""
    for got, want in zip(run(regions(*names)), run(regions()), strict=True):
        assert torch.equal(got, want)


def program(world, these, function, x):
    """The same lines in both worlds: a region that draws, and one around it."""
    drop = world.nn.functional.dropout
    result = these("outer", lambda x: drop(these("inner", function, x), 0.5) * x, x)
    result = (result * result).mean()
    result.backward()


@pytest.mark.parametrize("names", [(), ("outer",), ("inner",), ("outer", "inner")])
def test_both_worlds_count_the_same_bytes_where_random_numbers_are_drawn(names):
    """The generators' states are no tensors of the step: neither world counts them."""
    x = leaf()
    with LiveBytes([x]) as live:
        program(torch, regions(*names), dropped, x)

    def symbolically_dropped(x):
        return TORCH.nn.functional.dropout(x.exp(), 0.5).sin()

    theirs = WORLD.load("tttdit.core.runtime.remat:RecomputedRegions")(Named(frozenset(names)))
    with Meter(log=True) as meter:
        program(TORCH, theirs, symbolically_dropped, given((3, 4), types.NAMES["float32"], requires_grad=True))
    silent = {"detach", "alias"}
    ours = [(entry.shapes, entry.live) for entry in live.log if entry.name not in silent]
    assert ours == [(entry.shapes, entry.live) for entry in meter.log if entry.name not in silent]


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_where_no_gradient_is_recorded_a_region_is_just_run(mode, monkeypatch):
    monkeypatch.setattr("tttdit.core.runtime.remat.checkpoint", None)  # calling it would fail
    x = leaf()
    with mode():
        assert torch.equal(regions("mlp")("mlp", torch.sin, x), x.sin())


def test_fake_tensors_go_through():
    with FakeTensorMode():
        x = torch.empty(3, 4, requires_grad=True)
        regions("mlp")("mlp", dropped, x).sum().backward()
        assert x.grad is not None


class OutOfRange(Exception):
    """A user's own."""


@pytest.mark.parametrize("names", [(), ("mlp",), ("layer", "mlp")])
def test_an_error_in_a_region_comes_through_as_it_is(names):
    raised = OutOfRange("token 9 of 8")

    def function(x):
        raise raised

    these = regions(*names)
    with pytest.raises(OutOfRange) as caught:
        these("layer", lambda x: these("mlp", function, x), leaf())
    assert caught.value is raised


@pytest.mark.parametrize("names", [("mlp",), ("layer",), ("layer", "mlp")])
def test_so_does_one_that_arises_only_when_it_is_run_again(names):
    raised = OutOfRange("token 9 of 8")
    fails = []

    def function(x):
        if fails:
            raise raised
        return x.sin().exp()

    these = regions(*names)
    loss = these("layer", lambda x: these("mlp", function, x), leaf()).sum()
    fails.append(True)
    with pytest.raises(OutOfRange) as caught:
        loss.backward()
    assert caught.value is raised


def test_a_region_keeps_its_tensor_arguments_and_nothing_more():
    """A sine keeps its input, an exponential its result."""

    def function(x):
        return x.sin().exp().sin().exp().sum()

    def held(these):
        x = leaf()
        with LiveBytes([x]) as live:
            loss = these("mlp", function, x * 1.0)
            assert loss.requires_grad
            return live.now

    argument, scalar = 12 * 4, 4
    assert held(regions("mlp")) == argument + scalar
    assert held(regions()) == argument * 3 + scalar


@pytest.mark.parametrize("names", [("outer",), ("inner",), ("outer", "inner")])
def test_compiled_it_is_the_same(names):
    these = regions(*names)

    def function(x):
        return these("outer", lambda x: these("inner", lambda x: x.sin().exp(), x.cos()) * x, x).sum()

    torch._dynamo.reset()
    compiled = torch.compile(function, backend="aot_eager", fullgraph=True)
    gradients = []
    for each in (function, compiled):
        x = leaf()
        each(x).backward()
        gradients.append(x.grad)
    assert torch.equal(*gradients)
