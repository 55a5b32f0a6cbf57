"""The scans in the symbolic world: with loops shortened to their first and last steps, the same peak and the same arithmetic."""

import pytest

from tttdit.core.loops import shortened
from tttdit.core.symbolic import dtype
from tttdit.core.symbolic.storage import Meter
from tttdit.core.symbolic.tensor import given
from tttdit.core.symbolic.trace import WORLD

A, K = 2, 16
SCANS = {"ttt_mlp": (4 * K, "W1 b1 W2 b2"), "ttt_linear": (K, "W1 b1")}


def run(mixer: str, b: int, n: int, group: int, held: list) -> Meter:
    """A scan forwards and backwards, counted."""
    inner, names = SCANS[mixer]
    shapes = {"W1": (A, K, inner), "b1": (A, 1, inner), "W2": (A, inner, K), "b2": (A, 1, K)}

    def new(*shape: int, trained: bool = True):
        held.append(given(shape, dtype.float32, requires_grad=trained))
        return held[-1]

    projections = [new(2, n * b, A * K) for _ in range(3)] + [new(2, n * b, A)]
    tables = [new(n * b, K // 2, trained=False) for _ in range(2)]
    parameters = [new(A, K), new(A, K), *(new(*shapes[name]) for name in names.split())]
    scan = WORLD.load(f"tttdit.plugins.{mixer}.operators:{mixer}_scan")
    with Meter() as meter:
        out = scan(*projections, *tables, *parameters, mini_batch_size=b, norm_eps=1e-6, group=group)
        out.sum().backward()
    return meter


@pytest.mark.parametrize("mixer", SCANS)
@pytest.mark.parametrize(("b", "n", "group"), [(256, 23, 5), (512, 17, 16), (128, 40, 3), (64, 70, 70)])
def test_shortened_loops_have_the_same_peak(mixer, b, n, group):
    whole = run(mixer, b, n, group, [])
    with shortened(2):
        short = run(mixer, b, n, group, [])
    assert (short.peak, short.flops) == (whole.peak, whole.flops)


@pytest.mark.parametrize("mixer", SCANS)
def test_the_backwards_workspace_does_not_grow_with_the_sequence(mixer):
    """Twice as long: twice the gradients, results and states, and nothing else."""
    b, group = 64, 4
    short, long, longer = (run(mixer, b, n, group, []).peak for n in (40, 80, 120))
    assert longer - long == long - short
    inner, _ = SCANS[mixer]
    state = 2 * A * (K * inner + inner + (inner * K + K if mixer == "ttt_mlp" else 0)) * 4
    tokens = 2 * 40 * b
    results = (
        4 * tokens * A * K * 4 + tokens * A * 4
    )  # the output, dq, dk, dv; deta. The output's gradient is one number, expanded
    assert long - short == results + 40 // group * state
