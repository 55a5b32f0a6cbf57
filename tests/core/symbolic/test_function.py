"""`torch.autograd.Function`, and what is said about modes: the same in both worlds."""

import pytest
from family_checks import check_everywhere, trained
from worlds import Leaf, check

from tttdit.core.errors import SymbolicError, UnknownCall
from tttdit.core.symbolic.tensor import given
from tttdit.core.symbolic.world import TORCH


def swish(T):
    class Swish(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            gate = T.sigmoid(x)
            ctx.save_for_backward(x, gate)
            return x * gate

        @staticmethod
        def backward(ctx, grad):
            x, gate = ctx.saved_tensors
            return grad * (gate + x * gate * (1 - gate))

    return lambda x, w: Swish.apply(x) * w


def two_results(T):
    class TwoResults(T.autograd.Function):
        @staticmethod
        def forward(ctx, x, w, factor):
            ctx.factor = factor
            product = x * w
            ctx.save_for_backward(x, w, product)
            return product * factor, x + w

        @staticmethod
        def backward(ctx, grad, other):
            x, w, _ = ctx.saved_tensors
            for_x = grad * w * ctx.factor + other if ctx.needs_input_grad[0] else None
            for_w = (grad * x * ctx.factor + other).sum(0) if ctx.needs_input_grad[1] else None
            return for_x, for_w, None

    return lambda x, w: TwoResults.apply(x, w, 3.0)


def both(T):
    return lambda x, w: (lambda a, b: a * w + b)(*two_results(T)(x, w))


def the_first(T):  # zeros are made for the second's gradient
    return lambda x, w: two_results(T)(x, w)[0] * w


def the_second(T):
    return lambda x, w: two_results(T)(x, w)[1] * w


def with_setup(T):
    class WithSetup(T.autograd.Function):
        @staticmethod
        def forward(x, w):
            return T.exp(x) * w

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs, output)
            ctx.set_materialize_grads(False)

        @staticmethod
        def backward(ctx, grad):
            x, _, output = ctx.saved_tensors
            return grad * output, (grad * T.exp(x)).sum(0) if ctx.needs_input_grad[1] else None

    return WithSetup.apply


def with_indices(T):
    class WithIndices(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            values, indices = x.max(-1)
            ctx.mark_non_differentiable(indices)
            ctx.save_for_backward(indices, None)
            ctx.shape = x.shape
            return values, indices

        @staticmethod
        def backward(ctx, grad, _):
            indices, nothing = ctx.saved_tensors
            assert nothing is None
            return grad.unsqueeze(-1).expand(ctx.shape) * indices.sum()

    return lambda x, w: (lambda values, indices: values * indices)(*WithIndices.apply(x)) * w.sum()


def the_same(T):
    class TheSame(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        @T.autograd.function.once_differentiable
        def backward(ctx, grad):
            return grad * 0.5

    return lambda x, w: TheSame.apply(x) * w


def a_view(T):
    class AView(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return (x * 2).flatten(0, 1)

        @staticmethod
        def backward(ctx, grad):
            return grad.unflatten(0, (3, 4)) * 2

    return lambda x, w: AView.apply(x) * w.sum()


def an_attribute(T):
    class AnAttribute(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.gate = T.sigmoid(x)
            return x * ctx.gate

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.gate

    return lambda x, w: AnAttribute.apply(x) * w


def sums_left_out(T):  # the engine makes them, when the gradient that came in is gone
    class SumsLeftOut(T.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            ctx.save_for_backward(x, w)
            return x * w

        @staticmethod
        def backward(ctx, grad):
            x, w = ctx.saved_tensors
            return grad * w, grad * x

    return lambda x, w: T.sigmoid(SumsLeftOut.apply(x * 2, w)) * w


def another_type(T):  # the engine casts to the type of what the gradient is for
    class AnotherType(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.to(T.float64)

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    return lambda x, w: T.sigmoid(AnotherType.apply(x * 2) * 3).to(T.float32) * w


@pytest.mark.parametrize(
    "function",
    [
        swish,
        both,
        the_first,
        the_second,
        with_setup,
        with_indices,
        the_same,
        a_view,
        an_attribute,
        sums_left_out,
        another_type,
    ],
    ids=lambda function: function.__name__,
)
@pytest.mark.parametrize("wanted", [(True, True), (True, False), (False, True)], ids=str)
def test_functions(function, wanted):
    leaves = [Leaf((3, 4), wanted[0]), Leaf((4,), wanted[1])]
    check_everywhere(lambda T, x, w: function(T)(x, w), leaves)
    check_everywhere(lambda T, x, w, c: function(T)(x * c, w) * c, [*leaves, trained(1)])


def test_modes():
    def program(T, x, w):
        with T.no_grad():
            y = x * w
        with T.set_grad_enabled(False):
            z = x * w * 2
            assert not T.is_grad_enabled()
        assert T.is_grad_enabled()

        @T.set_grad_enabled(False)
        def outside(a):
            return a * 3

        assert T.is_grad_enabled()

        assert T.amp.is_autocast_available("cpu")
        with T.autocast("cpu", enabled=False):
            z = z * w
        return y + outside(x) + z * w

    check(program, [trained(3, 4), trained(4)])


def test_compile_gives_back_the_function():
    def function(x):
        return x * 2

    assert TORCH.compile(function, dynamic=True) is function
    assert TORCH.compile(dynamic=True)(function) is function
    assert TORCH.compiler.disable(function) is function
    assert not TORCH.compiler.is_compiling()


def test_annotations():
    def forward(x: TORCH.FloatTensor, device: TORCH.types.Device, shape: TORCH.types._size) -> TORCH.LongTensor:
        return x

    with pytest.raises(UnknownCall) as raised:
        TORCH.LongTensor([1, 2])
    assert str(raised.value) == "torch.LongTensor is not known to the symbolic world: outside annotations"


def wrong_count(T):
    class WrongCount(T.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            return x * w

        @staticmethod
        def backward(ctx, grad):
            return grad

    return WrongCount


def test_a_backward_with_too_few_gradients():
    result = wrong_count(TORCH).apply(given((3,), requires_grad=True), given((3,)))
    with pytest.raises(SymbolicError, match=r"WrongCount\.backward gives 1 gradients for 2 arguments of forward"):
        result.sum().backward()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: TORCH.autocast("cuda", dtype=TORCH.bfloat16),
            "torch.autocast is not known to the symbolic world: types are not chosen operator by operator; cast where the module wants "
            "another type",
        ),
        (
            lambda: TORCH.func.vmap(len),
            "torch.func.vmap is not known to the symbolic world: transformed functions are not traced; call the function itself",
        ),
        (
            lambda: TORCH.autograd.grad(given(()), given(())),
            "torch.autograd.grad is not known to the symbolic world: gradients inside a module are not traced; write them as operators, "
            "or as a torch.autograd.Function",
        ),
        (
            lambda: TORCH.nn.utils.parametrizations.weight_norm(TORCH.nn.Linear(2, 2)),
            "torch.nn.utils.parametrizations.weight_norm is not known to the symbolic world: parameters that are computed anew for every "
            "call are not traced",
        ),
        (
            lambda: TORCH.nn.utils.clip_grad_norm_([], 1.0),
            "torch.nn.utils.clip_grad_norm_ is not known to the symbolic world: what happens to gradients after backward is no part of a "
            "module",
        ),
        (
            lambda: wrong_count(TORCH).apply(x=given((3,))),
            "WrongCount.apply is not known to the symbolic world: with keyword arguments, which torch refuses",
        ),
        (lambda: TORCH.nn.MultiheadAttention(8, 2), "torch.nn.MultiheadAttention is not known to the symbolic world"),
    ],
)
def test_what_is_not_known(call, message):
    with pytest.raises(UnknownCall) as raised:
        call()
    assert str(raised.value) == message
