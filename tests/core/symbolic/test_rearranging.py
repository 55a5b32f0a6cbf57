"""Random chains of what indexes, moves, repeats, joins and cuts, on tensors that lie in random orders."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from lines import in_checkpoint
from worlds import Leaf, check, symbolic_tensor

from tttdit.core.errors import TttditError
from tttdit.core.symbolic.world import TORCH

CHAINS = 5  # calls in one program, at most
LARGEST = 3000  # elements; a chain ends before it grows beyond


def calls(r: Random, shape: tuple[int, ...]) -> list[str]:
    """What can be called on a tensor `x` of this shape."""
    dims = len(shape)
    if not dims:
        return ["x[None]", "x.repeat(2)", "x.expand(3)", "x * 2"]
    d, other = r.randrange(dims), r.randrange(dims)
    size = shape[d]
    zeros = "T.zeros({}, dtype=T.int64)".format
    each = [
        f"x.flip({d})", f"x.flip({sorted({d, other})})", f"x.roll({r.randrange(-3, 4)}, {d})", "x.roll(2)", f"x.movedim({d}, {other})",
        "x.squeeze()", f"x.squeeze({d})", f"x.unsqueeze({r.randrange(dims + 1)})", f"x.transpose({d}, {other})",
        f"x.swapdims({d}, {other})", f"x.permute({r.sample(range(dims), dims)})", "x.reshape(-1)", "x.flatten()", "x.clone()",
        "x.contiguous()", "x.expand(2, *x.shape)", "x.broadcast_to((2, *x.shape))", "x.expand_as(T.zeros((3, *x.shape)))",
        f"x.repeat({[r.choice([1, 1, 2]) for _ in range(dims + r.choice([0, 0, 1]))]})",
        f"T.tile(x, {tuple(r.choice([1, 2]) for _ in range(r.randrange(1, dims + 2)))})",
        f"x.repeat_interleave({r.choice([1, 2, 3])}, {d})", "x.repeat_interleave(2)",
        f"F.pad(x, {tuple(r.choice([0, 1, 2, -1]) for _ in range(2 * r.randrange(1, dims + 1)))})",
        f"x.unfold({d}, {r.randrange(1, size + 1)}, {r.randrange(1, 3)})",
        f"x.tensor_split({r.randrange(1, 4)}, {d})[0]", f"x.split(1, {d})[0]", f"x.chunk(2, {d})[-1]", f"x.unbind({d})[0]",
        f"T.cat((x, x * 2), {d})", f"T.cat((x, x.new_zeros(x.shape)), {d})", f"T.stack((x, x * 2), {r.randrange(dims + 1)})",
        "T.hstack((x, x))", "T.vstack((x, x))", "T.dstack((x, x))",
        f"x.select({d}, {r.randrange(size)})", "x[..., None]", f"x[{','.join([':'] * d)}{',' * bool(d)}{r.randrange(size)}]",
        f"x[{','.join([':'] * d)}{',' * bool(d)}::{r.choice([1, 2])}]", f"x[{','.join([':'] * d)}{',' * bool(d)}[0, {size - 1}]]",
        f"x.index_select({d}, {zeros(r.randrange(1, 4))})",
        f"x.gather({d}, {zeros(tuple(r.randrange(1, s + 1) for s in shape))})",
        f"x.index_add({d}, {zeros(2)}, x.index_select({d}, {zeros(2)}) * 2)", f"x.index_copy({d}, {zeros(1)}, x.narrow({d}, 0, 1) * 2)",
        f"x.index_fill({d}, {zeros(1)}, 0.5)", f"x.scatter({d}, T.zeros_like(x, dtype=T.int64), x * 2)",
        f"x.scatter_add({d}, T.zeros_like(x, dtype=T.int64), x * 2)",
        f"x.take_along_dim({zeros(tuple(2 if at == d else 1 for at in range(dims)))}, {d})",
        "x * T.ones_like(x)", "x + T.zeros_like(x)", "x * T.rand(x.shape)", f"x * T.arange({shape[-1]})", "x.tanh()",
    ]  # fmt: skip
    if dims >= 2:
        each += ["x.tril()", "x.triu(1)", "x.mT"]
    by_dims = {
        1: ["T.cartesian_prod(x, x * 2)", 'T.meshgrid(x, x * 2, indexing="xy")[0]', "T.outer(x, x * 2)"],
        3: ["F.interpolate(x, scale_factor=2)", 'F.interpolate(x, size=4, mode="linear")'],
        4: [
            "F.interpolate(x, scale_factor=2)", 'F.interpolate(x, size=(3, 2), mode="bilinear")', "x.permute(0, 3, 1, 2)",
            "F.pixel_shuffle(x.repeat(1, 4, 1, 1), 2)", "F.pixel_unshuffle(x.repeat(1, 1, 2, 2), 2)", "x.permute(0, 2, 3, 1)",
        ],
        5: ["F.interpolate(x, scale_factor=2)", 'F.interpolate(x, size=(2, 3, 2), mode="trilinear")', "x.permute(0, 4, 1, 2, 3)"],
    }  # fmt: skip
    return each + by_dims.get(dims, [])


def run(lines: list[str], torch: Any, x: Any) -> Any:
    for each in lines:
        x = eval(each, {"T": torch, "F": torch.nn.functional, "x": x})
    return x


def chain(r: Random, leaf: Leaf) -> list[str]:
    """Calls that can follow each other; each is tried here first."""
    lines: list[str] = []
    x = symbolic_tensor(leaf)
    for _ in range(r.randrange(1, CHAINS + 1)):
        each = r.choice(calls(r, x.shape))
        try:
            x = run([each], TORCH, x)
        except TttditError:
            continue
        if not 0 < x.elements <= LARGEST:
            break
        lines.append(each)
    return lines


@settings(deadline=None, max_examples=300)
@given(st.randoms(use_true_random=False))
def test_random_chains_agree(r: Random) -> None:
    shape = tuple(r.choice([1, 2, 3, 4]) for _ in range(r.randrange(1, 5)))
    leaf = Leaf(shape, True, r.choice(["float32", "float32", "bfloat16"]))
    lines = chain(r, leaf)

    def program(torch: Any, x: Any, weight: Any) -> Any:
        return run(lines, torch, x) * weight

    leaves = [leaf, Leaf((), True, leaf.dtype)]
    try:
        check(in_checkpoint(program) if r.random() < 0.3 else program, leaves)
    except AssertionError as error:
        raise AssertionError(f"{shape} {leaf.dtype}: {lines}\n{error}") from None


def index(r: Random, shape: tuple[int, ...]) -> list[Any]:
    """A random index; a pair ("tensor", shape) stands for a tensor of zeros."""
    parts: list[Any] = []
    for size in shape:
        if r.random() < 0.15:
            break
        while r.random() < 0.1:
            parts.append(None)
        bounds = [None, *range(-size - 1, size + 2)]
        parts.append(
            r.choice(
                [
                    r.randrange(-size, size),
                    slice(r.choice(bounds), r.choice(bounds), r.choice([None, 1, 2, 3])),
                    slice(None),
                    ("tensor", r.choice([(2,), (3,), (1,), (2, 1), (2, 3), (1, 3)])),
                    [r.randrange(size) for _ in range(3)],
                ]
            )
        )
    if r.random() < 0.3:
        parts.insert(r.randrange(len(parts) + 1), Ellipsis)
    return parts


@settings(deadline=None, max_examples=300)
@given(st.randoms(use_true_random=False))
def test_random_indices_agree(r: Random) -> None:
    shape = tuple(r.choice([1, 2, 3, 4, 5]) for _ in range(r.randrange(1, 5)))
    order = r.sample(range(len(shape)), len(shape))
    parts = index(r, tuple(shape[at] for at in order))
    dtype = r.choice(["float32", "bfloat16"])
    writes, number = r.random() < 0.35, r.random() < 0.3
    alone = len(parts) == 1 and r.random() < 0.5

    def program(torch: Any, x: Any, weight: Any) -> Any:
        x = x.permute(order)
        at: Any = tuple(torch.zeros(part[1], dtype=torch.int64) if isinstance(part, tuple) else part for part in parts)
        at = at[0] if alone else at
        if not writes:
            return x[at] * weight
        x = x.clone()
        x[at] = 0.5 if number else weight * 1.0
        return x

    leaves = [Leaf(shape, True, dtype), Leaf((), True, dtype)]
    try:
        program(TORCH, *map(symbolic_tensor, leaves))
    except TttditError:
        return  # index tensors that do not broadcast; what is refused is tested elsewhere
    try:
        check(program, leaves)
    except AssertionError as error:
        raise AssertionError(f"{shape} in order {order}, {parts}, {'written' * writes}\n{error}") from None
