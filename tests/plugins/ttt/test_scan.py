"""The two scans against their oracles: outputs and every gradient, over sizes, groups, tiles and dtypes."""

from unittest import mock

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from tttdit.plugins.ttt.scan import operators as scan
from tttdit.plugins.ttt_linear import naive as linear_naive
from tttdit.plugins.ttt_linear import operators as linear
from tttdit.plugins.ttt_mlp import naive as mlp_naive
from tttdit.plugins.ttt_mlp import operators as mlp

torch.set_num_threads(1)

SCANS = {"ttt-mlp": mlp.ttt_mlp_scan, "ttt-linear": linear.ttt_linear_scan}
NAIVE = {"ttt-mlp": mlp_naive.ttt_mlp_scan, "ttt-linear": linear_naive.ttt_linear_scan}
NETWORKS = {"ttt-mlp": mlp.MLP, "ttt-linear": linear.Linear}
NAMES = ("q", "k", "v", "eta", "norm_weight", "norm_bias", "W1", "b1", "W2", "b2")


def operands(
    mixer: str, B: int, A: int, n: int, b: int, K: int, dtype: torch.dtype, seed: int = 0
) -> dict[str, Tensor]:
    """Operands of a scan, drawn; rates so large that training changes much, and norms away from 1 and 0."""
    generator = torch.Generator().manual_seed(seed)
    L, D, inner = n * b, A * K, 4 * K if mixer == "ttt-mlp" else K

    def draw(*shape: int, spread: float = 1.0, around: float = 0.0) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64) * spread + around

    angle = draw(L, K // 2, spread=3.0)
    drawn = {
        "q": draw(B, L, D),
        "k": draw(B, L, D),
        "v": draw(B, L, D),
        "eta": torch.rand(B, L, A, generator=generator, dtype=torch.float64) / b,
        "cos": angle.cos(),
        "sin": angle.sin(),
        "norm_weight": draw(A, K, spread=0.2, around=1.0),
        "norm_bias": draw(A, K, spread=0.2),
        "W1": draw(A, K, inner, spread=0.3),
        "b1": draw(A, 1, inner, spread=0.3),
    }
    if mixer == "ttt-mlp":
        drawn |= {"W2": draw(A, 4 * K, K, spread=0.3), "b2": draw(A, 1, K, spread=0.3)}
    return {name: x.to(dtype).requires_grad_(name in NAMES) for name, x in drawn.items()}


def outcome(function, tensors: dict[str, Tensor], **sizes: float) -> dict[str, Tensor]:
    """The output and the gradient of every operand, for a loss that weighs each number differently."""
    given_ = {name: x.detach().clone().requires_grad_(x.requires_grad) for name, x in tensors.items()}
    out = function(**given_, **sizes)
    weights = torch.linspace(-1, 1.3, out.numel(), dtype=out.dtype).view_as(out).cos()
    (out * weights).sum().backward()
    return {"output": out.detach()} | {name: x.grad for name, x in given_.items() if x.requires_grad}


def differences(mixer: str, tensors: dict[str, Tensor], mini_batch_size: int, group: int) -> dict[str, float]:
    """Relative difference, norm over norm, of the operator to the oracle, for the output and each gradient."""
    sizes = {"mini_batch_size": mini_batch_size, "norm_eps": 1e-6}
    got = outcome(SCANS[mixer], tensors, **sizes, group=group)
    want = outcome(NAIVE[mixer], tensors, **sizes)
    assert got.keys() == want.keys()
    assert all(got[name].dtype == want[name].dtype and got[name].shape == want[name].shape for name in want)
    return {name: ((got[name] - want[name]).norm() / want[name].norm().clamp_min(1e-3)).item() for name in want}


@pytest.mark.parametrize("mixer", SCANS)
@settings(max_examples=40, deadline=None)
@given(
    B=st.integers(1, 3),
    A=st.integers(1, 3),
    n=st.integers(1, 7),
    b=st.integers(1, 5),
    K=st.sampled_from([4, 6, 16]),
    group=st.integers(1, 9),
    forward_tile=st.integers(1, 20),
    backward_tile=st.integers(1, 20),
    seed=st.integers(0, 2**20),
)
# the group divides neither n nor the tiles
@example(B=2, A=2, n=7, b=4, K=8, group=3, forward_tile=8, backward_tile=8, seed=0)
@example(B=1, A=1, n=1, b=1, K=4, group=1, forward_tile=1, backward_tile=1, seed=0)
def test_equals_the_oracle_in_float64(mixer, B, A, n, b, K, group, forward_tile, backward_tile, seed):
    tiles = mock.patch.object(NETWORKS[mixer], "tile_tokens", backward_tile)
    with tiles, mock.patch.object(scan, "FORWARD_TILE_TOKENS", forward_tile):
        found = differences(mixer, operands(mixer, B, A, n, b, K, torch.float64, seed), b, group)
    assert max(found.values()) < 1e-9, found


@pytest.mark.parametrize("mixer", SCANS)
@pytest.mark.parametrize("group", [1, 4, 24])
def test_equals_the_oracle_in_float32(mixer, group):
    found = differences(mixer, operands(mixer, 2, 3, 24, 16, 32, torch.float32), 16, group)
    assert max(found.values()) < 1e-5, found


@pytest.mark.parametrize("mixer", SCANS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_computes_in_float32_whatever_the_models_dtype(mixer, dtype):
    """A scan of narrow operands is the float32 scan of the same numbers, rounded once at its end."""
    narrow = operands(mixer, 1, 2, 6, 8, 16, dtype)
    narrow |= {name: narrow[name].detach().float() for name in ("cos", "sin")}
    narrow |= {"eta": narrow["eta"].detach().float().requires_grad_()}
    wide = {name: x.detach().float().requires_grad_(x.requires_grad) for name, x in narrow.items()}
    sizes = {"mini_batch_size": 8, "norm_eps": 1e-6, "group": 4}
    got, want = outcome(SCANS[mixer], narrow, **sizes), outcome(SCANS[mixer], wide, **sizes)
    assert got["output"].dtype == got["q"].dtype == got["W1"].dtype == dtype
    assert got["eta"].dtype == torch.float32
    torch.testing.assert_close(got["output"], want["output"].to(dtype))


@pytest.mark.parametrize("mixer", SCANS)
def test_gradcheck(mixer):
    tensors = operands(mixer, 1, 2, 3, 2, 4, torch.float64)

    def from_values(*values: Tensor) -> Tensor:
        named = dict(zip(tensors, values, strict=True))
        return SCANS[mixer](**named, mini_batch_size=2, norm_eps=1e-6, group=2)

    assert torch.autograd.gradcheck(from_values, tuple(tensors.values()))


@pytest.mark.parametrize("mixer", SCANS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_opcheck(mixer, dtype):
    operator = {"ttt-mlp": mlp, "ttt-linear": linear}[mixer]._scan
    tensors = operands(mixer, 2, 2, 5, 4, 16, dtype)
    torch.library.opcheck(operator, (*tensors.values(), 4, 1e-6, 2))


@pytest.mark.parametrize("mixer", SCANS)
def test_keeps_states_in_float32_at_group_starts_only(mixer):
    """What the backward needs of fast weights does not grow with the mini-batches of a group."""
    operator = {"ttt-mlp": mlp, "ttt-linear": linear}[mixer]._scan
    tensors = operands(mixer, 2, 3, 10, 4, 16, torch.bfloat16)
    for group, groups in ((1, 10), (3, 4), (5, 2), (10, 1), (64, 1)):
        _, *states = operator(*tensors.values(), 4, 1e-6, group)
        initial = [x for name, x in tensors.items() if name in ("W1", "b1", "W2", "b2")]
        assert [state.shape for state in states] == [(groups, 2 * 3, *x.shape[1:]) for x in initial]
        assert {state.dtype for state in states} == {torch.float32}


class Products(TorchDispatchMode):
    """Counts multiplications inside products of matrices."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.overloadpacket.__name__ in ("bmm", "baddbmm", "baddbmm_"):
            left, right = args[-2:]
            self.count += left.numel() * right.shape[-1]
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("mixer", SCANS)
@pytest.mark.parametrize("group", [1, 3, 7])
def test_products_a_mini_batch(mixer, group):
    """As docs/performance.md counts them: 28 in ttt-mlp, 12 in ttt-linear, a replay included, whatever the group."""
    B, A, n, b, K = 2, 2, 7, 4, 6
    q, k, v, eta, cos, sin, weight, bias, *fast = (
        x.detach() for x in operands(mixer, B, A, n, b, K, torch.float32).values()
    )
    with Products() as products:
        whole = scan.Scan(NETWORKS[mixer](), k, v, eta, cos, sin, weight, bias, b, 1e-6, group)
        out, *states = scan.scan_forward(whole, q, fast)
        forward = products.count
        scan.scan_backward(whole, q, states, out)
    one = n * B * A * b * K * fast[0].shape[-1]
    assert (forward, products.count) == ((7 * one, 28 * one) if mixer == "ttt-mlp" else (3 * one, 12 * one))


@pytest.mark.parametrize("mixer", SCANS)
def test_no_operand_is_written_to(mixer):
    tensors = operands(mixer, 1, 2, 3, 4, 16, torch.float64)
    before = {name: x.detach().clone() for name, x in tensors.items()}
    SCANS[mixer](**tensors, mini_batch_size=4, norm_eps=1e-6, group=2).sum().backward()
    assert all(torch.equal(tensors[name], before[name]) for name in before)


@pytest.mark.parametrize("mixer", SCANS)
def test_constant_rows_and_zero_rows_give_finite_gradients(mixer):
    """A row of q or k without a direction, or of v - k without a deviation, spoils no other row."""
    tensors = operands(mixer, 1, 1, 2, 4, 16, torch.float32)
    with torch.no_grad():
        for name in ("q", "k", "v"):
            tensors[name][:, 1] = 0.0
    sizes = {"mini_batch_size": 4, "norm_eps": 1e-6}
    got, want = outcome(SCANS[mixer], tensors, **sizes, group=2), outcome(NAIVE[mixer], tensors, **sizes)
    assert all(torch.isfinite(x).all() for x in got.values())
    untouched = [row for row in range(8) if row != 1]
    for name in ("q", "k", "v"):
        torch.testing.assert_close(got[name][:, untouched], want[name][:, untouched], rtol=1e-4, atol=1e-5)


def test_unwritten_memory_would_show():
    assert torch.empty(3).isnan().all()
