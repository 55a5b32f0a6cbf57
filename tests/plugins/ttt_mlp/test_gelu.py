"""GELU from one sigmoid, against torch's own and autograd's derivatives."""

import pytest
import torch

from tttdit.plugins.ttt_mlp.gelu.operators import Gelu

torch.set_num_threads(1)


def derivatives(x: torch.Tensor) -> list[torch.Tensor]:
    """gelu(x) in its tanh form, and its first two derivatives, by autograd."""
    x = x.clone().requires_grad_()
    value = torch.nn.functional.gelu(x, approximate="tanh")
    (slope,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    (bend,) = torch.autograd.grad(slope.sum(), x)
    return [value.detach(), slope.detach(), bend]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 3e-5)])
def test_value_slope_and_bend(dtype, tolerance):
    x = torch.linspace(-9, 9, 4001, dtype=dtype)
    before = x.clone()
    gelu = Gelu(x)
    got = [gelu.value.clone(), gelu.slope(), gelu.bend()]
    for one, other in zip(got, derivatives(x.double()), strict=True):
        assert (one - other).abs().max() < tolerance
    assert torch.equal(x, before)


def test_far_from_zero():
    """The gate is 0 or 1 there, and nothing is infinity times 0."""
    gelu = Gelu(torch.tensor([-1e6, -50.0, 50.0, 1e6]))
    assert torch.equal(gelu.value, torch.tensor([0.0, 0.0, 50.0, 1e6]))
    assert torch.equal(gelu.slope(), torch.tensor([0.0, 0.0, 1.0, 1.0]))
    assert torch.equal(gelu.bend(), torch.zeros(4))
