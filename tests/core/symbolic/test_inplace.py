"""Changes in place: of a base, of a view, of a view of a view, and what becomes of everything else that sees the memory."""

from __future__ import annotations

import pytest
import torch
from lines import in_checkpoint, in_operator, line
from worlds import check, real, symbolic

from tttdit.core.errors import ShapeMismatch, SymbolicError
from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic.dimension import Dim
from tttdit.core.symbolic.formula import Formula
from tttdit.core.symbolic.tensor import given
from tttdit.core.symbolic.world import TORCH as T

# What changes v; y is another operand.
CHANGES = (
    *(f"v.{name}_({operand})" for name in ("add", "sub", "mul", "div", "pow", "remainder", "fmod") for operand in ("y", "2.5")),
    *(f"v {operator}= {operand}" for operator in ("+", "-", "*", "/", "%") for operand in ("y", "2")),
    *(f"v **= {power}" for power in (0, 1, 2, 0.5)),
    *(f"v.{name}_()" for name in (
        "abs", "exp", "log", "log1p", "expm1", "sqrt", "rsqrt", "square", "sin", "cos", "tan", "erf", "reciprocal", "relu", "sigmoid",
        "tanh", "neg", "floor", "round", "sign", "nan_to_num", "zero",
    )),
    *(f"F.{name}(v, inplace=True)" for name in (
        "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "mish", "hardswish", "hardsigmoid", "hardtanh", "silu",
    )),
    "F.threshold(v, 1, 0, inplace=True)",
    "v.add_(y, alpha=2)", "v.sub_(y, alpha=2)", 'v.div_(y, rounding_mode="trunc")',
    "v.copy_(y)", "v.fill_(2)", "v.fill_(y.sum())", "v.clamp_(0.6, 0.9)", "v.clamp_min_(0.7)", "v.clamp_max_(0.7)", "v.clamp_(y, y + 1)",
    "v.masked_fill_(y > 1, 2)", "v.masked_fill_(y > 1, y.sum())", "v.lerp_(y.float().expand(v.shape), 0.4)",
    "v.addcmul_(y, y, value=2)", "v.addcdiv_(y, y)",
)  # fmt: skip
# Around the change "!": what v is, and what is used afterwards. x is a leaf of 4 x 6.
PLACES = {
    "an intermediate tensor": "v = x * 2; !; v + 1",
    "one that is used twice": "v = x * 2; w = v.view(24); !; v * w.view(4, 6)",
    "a transposed one": "v = (x * 2).transpose(0, 1).contiguous().transpose(0, 1); !; v * 2",
    "a view, then its base": "b = (x * 2).unsqueeze(0); v = b.select(0, 0); !; b * 2",
    "a view, then other views": "b = (x * 2).view(1, 4, 6); v = b.select(0, 0); w = v.transpose(0, 1); !; w * b[0].t()",
    "a view of a view": "b = x.transpose(0, 1) * 2; v = b.transpose(0, 1).narrow(0, 0, 4); !; v + b.transpose(0, 1)",
    "a piece": "b = T.cat((x, x * 2), 0); v = b.narrow(0, 2, 4); w = b.narrow(0, 0, 4); !; w * 1 + v",
    "a base, then a view": "v = x * 2; w = v.narrow(0, 1, 2).unsqueeze(0).transpose(0, 1); !; w * 2",
    "a base, then an expanded view": "v = x * 2; w = v.narrow(0, 1, 1).expand(3, 6); !; w * 2",
    "a fresh buffer": "v = x.detach().clone(); !; v * x",
    "a piece of a fresh buffer": "b = T.zeros(2, 4, 6); v = b.select(0, 1); !; b * x",
    "outside the graph": "v = x * 2; w = v.view(24)\nwith T.no_grad(): !\nv = v + 1; v + w.view(4, 6)",
}
OPERANDS = ("b 6", "b 4 6", "b 4 1", "b", "h 4 6", "g 4 6")


def _line(place, change, x, y):
    text = f"x = {x[0]}; y = {y[0]}; " + PLACES[place].replace("\n", ";").replace("!", change)
    return line(text, f"{x}, {y}" if x[0] != y[0] else f"{x}")


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("place", PLACES)
def test_both_worlds_agree(place, change):
    for y in OPERANDS:
        check(*_line(place, change, "a 4 6", y))
    for y in OPERANDS[:-1]:
        check(*_line(place, change, "g 4 6", y))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("place", PLACES)
def test_both_worlds_agree_where_it_is_recomputed_and_inside_an_operator(place, change):
    program, leaves = _line(place, change, "a 4 6", "b 4 6")
    check(in_checkpoint(program), leaves)
    check(*in_operator(program, leaves))


SEVERAL = (
    ("b = a * 2; v = b.view(24); v.mul_(2); b.add_(g); v.neg_(); v.view(4, 6) + b", "a 4 6, g 6"),
    ("b = a * 2; v = b[0]; w = b[1]; v.copy_(c); w.mul_(c); v.exp_(); b", "a 4 6, c 6"),
    ("b = T.zeros(4, 6); b[0].copy_(c); b[1].copy_(c * 2); b[2] += c; b * a", "a 4 6, c 6"),
    ("b = g.clone(); v = b[0]; w = b[1]; v.copy_(c); w = b[1]; w.mul_(c); b", "g 4 6, c 6"),
    ("b = a * 2; v = b.t(); d = v * 3; b.add_(1); d + v", "a 4 6"),
    ("b = a * 2; d = T.tanh(b); b.zero_(); d + b", "a 4 6"),
    ("b = a * 2; v = b.select(0, 0).select(0, 0); v.copy_(c); v.exp_(); b + v", "a 4 6, c"),
    ("b = a * 2; b.copy_(b); b", "a 4 6"),
    ("b = a * 2; b.expand(3, 6).masked_fill_(g > 1, 0).detach() + a", "a 1 6, g 3 6"),
    ("v = (a * 2).bfloat16(); v.add_(b); v.mul_(b); v", "a 4 6, b 6"),
    ("v = a * 2; v.copy_(h); v.add_(h); v", "a 4 6, h 1 6"),
    ("v = i.float(); v += a; v.floor_divide_(2).detach() * v.detach() * a", "a 4 6, i 4 6"),
    ("m = a > 1; m &= g > 1; m |= a > 2; m ^= g > 0; m.logical_not_(); m.logical_and_(a > 1); m * a", "a 4 6, g 4 6"),
    ("i += 2; i *= 3; i //= 2; i %= 3; i **= 2; i * a", "a 4 6, i 4 6"),
)  # fmt: skip


@pytest.mark.filterwarnings("ignore:Use of masked_fill_ on expanded tensors")
@pytest.mark.parametrize(("text", "tensors"), SEVERAL)
def test_several_changes(text, tensors):
    check(*line(text, tensors))


def test_a_region_must_not_change_what_it_was_given():
    def program(torch, a):
        def region(x):
            return x.exp_() * 2

        return torch.utils.checkpoint.checkpoint(region, a * 2, use_reentrant=False)

    _, leaves = line("a", "a 4 6")
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        real(program, leaves)
    with pytest.raises(SymbolicError, match="changed in place after it had been saved"):
        symbolic(program, leaves)


def test_a_view_of_changed_memory_gets_its_history_when_the_region_first_uses_it():
    def program(torch, a, c):
        def region(x, view):
            first, second = x * 1, view * 1
            return first.sigmoid().view(24) * second.sigmoid()

        def nested(x, view):
            return torch.utils.checkpoint.checkpoint(region, x, view, use_reentrant=False) * 2

        made = []
        for run in (region, nested):
            base = a * 2
            view = base.view(24)
            base.mul_(3)
            made.append(torch.utils.checkpoint.checkpoint(run, c, view, use_reentrant=False))
        return made[0] + made[1]

    _, leaves = line("a * c", "a 4 6, c 4 6")
    check(program, leaves)


def test_a_region_given_one_of_several_views_of_changed_memory_is_refused_in_backward():
    def program(torch, a):
        base = a * 2
        view, _ = base.chunk(2, 0)
        base.mul_(3)
        return torch.utils.checkpoint.checkpoint(
            lambda other, view: other.exp() * 2, base, view, use_reentrant=False
        ).exp()

    _, leaves = line("a", "a 4 6")
    for world in (real, symbolic):
        with pytest.raises((RuntimeError, SymbolicError), match=r"its base or another view of its base (has been|was)"):
            world(program, leaves)


@pytest.mark.parametrize(
    ("text", "tensors", "message"),
    [
        ("a.add_(1); a", "a 4 6", "add_: a leaf that requires grad, [4, 6], is changed in place"),
        ("a[0].add_(1); a", "a 4 6", "add_: a view of a leaf that requires grad, [6], is changed in place"),
        (
            "x = a * 2; y = x.exp(); y.mul_(2); y",
            "a 4 6",
            "a tensor of [4, 6] that backward needs was changed in place after it had been saved: 1 times; torch refuses that; "
            "clone it before the change",
        ),
        (
            "x = a * 2; y = x * b; x.view(24)[0].zero_(); y",
            "a 4 6, b 4 6",
            "a tensor of [4, 6] that backward needs was changed in place after it had been saved: 1 times; torch refuses that; "
            "clone it before the change",
        ),
        (
            "x, y = (a * 2).chunk(2, 0); x.add_(1); x",
            "a 4 6",
            "add_: it is being changed in place, and a view of [2, 6] is one of several that one operator made (split, chunk, unbind): "
            "torch refuses that; use an operator out of place",
        ),
        (
            "b = a * 2; x, y = b.chunk(2, 0); b.add_(1); x * 2",
            "a 4 6",
            "its base or another view of its base was changed in place, and a view of [2, 6] is one of several that one operator made "
            "(split, chunk, unbind): torch refuses that; use an operator out of place",
        ),
        (
            "b = a * 2;with T.no_grad(): x = b.view(24);x.add_(1); x",
            "a 4 6",
            "add_: it is being changed in place with gradients recorded, and a view of [24] was made under no_grad: torch refuses "
            "that; make the view and the change both inside no_grad or both outside",
        ),
        (
            "x = g[0]; y = g[1]; x.copy_(b); y.copy_(b); g",
            "g 4 6, b 6",
            "copy_: a view of [6] is changed in place that was made before its base became part of the graph; torch takes it for a leaf "
            "that requires grad and refuses: make the view anew",
        ),
        (
            "x = (a * 2).expand(4, 6); x.add_(1); x",
            "a 1 6",
            "add_: [4, 6] with strides (0, 1) is expanded: several of its elements lie at one place, and cannot be changed in place; "
            "clone it first",
        ),
        (
            "x = a * 2; x[1:].copy_(x[:-1]); x",
            "a 4 6",
            "copy_: [3, 6] and [3, 6] overlap in memory; clone one of them before the change",
        ),
        (
            "i += 0.5; i * a",
            "i 4 6, a 4 6",
            "add_: a result of torch.float32 cannot be put into a tensor of torch.int64",
        ),
        ("i /= 2; i * a", "i 4 6, a 4 6", "div_: a result of torch.float32 cannot be put into a tensor of torch.int64"),
        (
            "x = a * 2; x.fill_(b); x",
            "a 4 6, b 6",
            "fill_ takes a number or a tensor without dimensions, not one of [6]",
        ),
    ],
)
def test_both_worlds_refuse(text, tensors, message):
    program, leaves = line(text, tensors)
    with pytest.raises((RuntimeError, TypeError)):
        real(program, leaves)
    with pytest.raises(SymbolicError) as raised:
        symbolic(program, leaves)
    assert str(raised.value) == message


B, L, D = (Dim(value, Formula.symbol(name)) for name, value in (("B", 2), ("L", 12), ("D", 8)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: given((B, L, D)).add_(given((B, L + 1, D))),
            "add_: [B, L + 1, D] does not fit into [B, L, D], which is changed in place: dimension 1 is L = 12 against L + 1 = 13",
        ),
        (
            lambda: given((L, D)).mul_(given((B, L, D))),
            "mul_: [B, L, D] does not fit into [L, D], which is changed in place",
        ),
        (
            lambda: given((B, 1, D)).copy_(given((B, L, D))),
            "copy_: [B, L, D] does not fit into [B, 1, D], which is changed in place: dimension 1 is 1 against L = 12",
        ),
    ],
)
def test_says_what_does_not_fit(call, message):
    with pytest.raises(ShapeMismatch) as raised:
        call()
    assert str(raised.value) == message


def test_a_change_gives_back_the_tensor_itself():
    tensor = given((4, 6))
    assert tensor.add_(1).mul_(2).relu_() is tensor
    assert T.nn.functional.relu(tensor, inplace=True) is tensor
    before = tensor
    tensor += 1
    assert tensor is before


def test_a_view_that_was_made_under_no_grad_wants_gradients_as_its_base_does():
    for world, leaf in (
        (torch, torch.zeros(4, 6, requires_grad=True)),
        (T, given((4, 6), types.float32, requires_grad=True)),
    ):
        with world.no_grad():
            view = leaf.view(24)
        assert view.requires_grad
        assert view.is_leaf
