"""Floating-point operations on torch: the log's sum is what torch's own counter says, and custom operators count their bodies."""

import itertools
import warnings

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode, flop_registry, register_flop_formula
from worlds import real_tensor

from tttdit.core.loops import steps
from tttdit.core.runtime.flops import register_operators
from tttdit.core.runtime.live_bytes import LiveBytes

numbers = itertools.count()


def logged(run, *tensors, look_inside=True):
    with LiveBytes(tensors, look_inside=look_inside) as live:
        run(*tensors)
    return sum(operator.flops for operator in live.log)


def counted(run, *tensors):
    with FlopCounterMode(display=False) as counter:
        run(*tensors)
    return counter.get_total_flops()


def trained(module):
    def run(*inputs):
        module.zero_grad()
        module(*inputs).square().mean().backward()

    return run


def operator(body):
    """A custom operator of this file."""
    made = torch.library.custom_op(f"tttdit_tests::flops_{next(numbers)}", body, mutates_args=())
    made.register_fake(lambda x, w: x.new_empty(x.shape))
    return made


def scan(x: Tensor, w: Tensor) -> Tensor:
    out = x.new_empty(x.shape)
    for i in steps(x.shape[0]):
        out[i].copy_(x[i] @ w)
        w = w.clone().addmm_(x[i].t(), out[i])
    return out


def test_ordinary_models():
    from test_ordinary_models import LEAVES, ordinary

    tensors = [real_tensor(leaf) for leaf in LEAVES]
    for fused in (True, False):
        run = trained(ordinary().Transformer(fused=fused))
        assert logged(run, *tensors) == counted(run, *tensors) > 1_000_000


def test_torch_knows_flash_attention_on_the_cpu_and_products_in_place():
    """Its own registry does not."""
    q = torch.randn(2, 3, 50, 8, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        nn.functional.scaled_dot_product_attention(q, q, q).sum().backward()
    assert counter.get_total_flops() == 7 * 2 * 2 * 3 * 50 * 50 * 8
    assert counted(lambda c, a, b: c.addmm_(a, b), torch.ones(3, 5), torch.ones(3, 4), torch.ones(4, 5)) == 120


def test_a_custom_operator_counts_its_body_seen_from_inside_and_from_outside():
    made = operator(scan)
    x, w = torch.randn(7, 3, 4), torch.randn(4, 4)
    per_step = 2 * 3 * 4 * 4 + 2 * 3 * 4 * 4
    assert logged(made, x, w) == logged(made, x, w, look_inside=False) == 7 * per_step
    assert counted(made, x, w) == 0
    register_operators({__name__.partition(".")[0]})
    assert counted(made, x, w) == 7 * per_step


def test_a_long_loop_takes_no_longer():
    """A million steps; with every one run this would take minutes."""
    made = operator(scan)
    x, w = torch.empty(1_000_000, 3, 4, device="meta"), torch.empty(4, 4, device="meta")
    assert logged(made, x, w, look_inside=False) == 1_000_000 * 192


def test_operators_of_other_packages_are_left_alone():
    space = {"Tensor": Tensor}
    exec("def nowhere(x: Tensor, w: Tensor) -> Tensor: return x @ w", space)
    space["nowhere"].__module__ = None
    made = [operator(scan), operator(space["nowhere"])]
    register_operators({"somebody"})
    assert not any(each._opoverload._overloadpacket in flop_registry for each in made)


def test_a_formula_of_the_authors_own_stays():
    made = operator(scan)
    register_flop_formula(made._opoverload._overloadpacket)(lambda *shapes, out_shape=None: 5)
    register_operators({__name__.partition(".")[0]})
    assert counted(made, torch.randn(7, 3, 4), torch.randn(4, 4)) == 5


def test_what_aten_composes_counts_what_it_is_made_of():
    """In a body `matmul` and `linear` are one operator."""

    def body(x: Tensor, w: Tensor) -> Tensor:
        return nn.functional.linear(x @ w, w, w[0]) * torch.einsum("ij,kj->ik", w, w).sum()

    made = operator(body)
    x, w = torch.randn(2, 3, 4), torch.randn(4, 4)
    product, einsum = 2 * (2 * 3) * 4 * 4, 2 * 4 * 4 * 4
    assert logged(made, x, w) == logged(made, x, w, look_inside=False) == 2 * product + einsum


def test_a_body_that_needs_numbers_is_told_of():
    def body(x: Tensor, w: Tensor) -> Tensor:
        return x * float(w.sum())

    made = operator(body)
    with pytest.warns(
        UserWarning, match=r"flops_\d+\.default is not in the count of floating-point operations: it does not"
    ):
        assert logged(made, torch.randn(2, 3), torch.randn(4), look_inside=False) == 0
    with warnings.catch_warnings(record=True) as again:
        logged(made, torch.randn(2, 3), torch.randn(4), look_inside=False)
    assert not again
