"""Where two records of one training step part: on torch, and in the symbolic world."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import zip_longest

from attrs import frozen

from tttdit.core.shapes import NamedShape
from tttdit.core.stepping import Step
from tttdit.core.symbolic.storage import Operator

# Saved outputs are kept detached: torch does that under a dispatch mode with an operator that allocates nothing.
SILENT = frozenset({"detach", "alias", "lift_fresh"})
# FLOPs agree where they are no further apart, as a share of torch's.
FLOPS_APART = 0.01


@frozen
class Difference:
    """The first thing that the worlds do not agree in; `message` tells it in some lines.

    `module` and `rule` are the lines to look at, `path:57` each, or "": of the module, and of what stands for it in the symbolic
    world. `excess` are the bytes that live in the symbolic world after that operator and not on torch, `operator` is its number.
    """

    message: str
    module: str = ""
    rule: str = ""
    operator: int | None = None
    excess: int = 0
    of_fake: bool = False  # an operator's own fake is at fault, and neither the check nor the spec


@frozen
class Parting:
    """The first operators that are not the same; one is None where a world has come to its end."""

    index: int  # among those that are no silent ones
    of: int
    torch: Operator | None
    symbolic: Operator | None

    @property
    def excess(self) -> int:
        """Bytes live in the symbolic world and not on torch."""
        return self.symbolic.live - self.torch.live if self.torch and self.symbolic else 0

    @property
    def in_bytes_only(self) -> bool:
        """Whether both made the same, and other things live."""
        return bool(self.torch and self.symbolic and made_alike(self.torch, self.symbolic))

    def told(self) -> str:
        """What differs, and both operators."""
        lines = [f"operator {self.index + 1:,} of {self.of:,}: {self._what()}"]
        for world, operator in (("torch", self.torch), ("symbolic", self.symbolic)):
            lines.append(f"{world + ':':9} {'nothing more' if operator is None else told(operator)}")
        if self.excess:
            lines[-1] += f": {abs(self.excess):,} bytes {'more' if self.excess > 0 else 'fewer'}"
        return "\n".join(lines)

    def _what(self) -> str:
        a, b = self.torch, self.symbolic
        if a is None or b is None:
            here, there = ("the symbolic world", "torch") if a is None else ("torch", "the symbolic world")
            operator = b if a is None else a
            return f"{here} runs {operator.name if operator else ''}, {there} has come to its end"
        of = f" of {b.name}" + (f" in {b.place}" if b.place else "")
        if len(a.shapes) != len(b.shapes):
            return f"the number of results{of} differs"
        parts = [
            name
            for name, differ in (
                ("shapes", a.shapes != b.shapes),
                ("strides", not _strides_alike(a, b) and a.shapes == b.shapes),
                ("dtypes", a.dtypes != b.dtypes),
                ("live bytes", a.live != b.live),
                ("FLOPs", a.flops != b.flops and same(a, b)),
            )
            if differ
        ]
        return f"{' and '.join(filter(None, (', '.join(parts[:-1]), parts[-1])))}{of} differ"


def told(operator: Operator) -> str:
    """`gelu [2, 90, 128] bfloat16 with strides [11520, 128, 1], 123,456 bytes live`."""
    flops = f", {operator.flops:,} FLOPs" if operator.flops else ""
    return f"{operator.name} {results(operator)}, {operator.live:,} bytes live{flops}"


def results(operator: Operator) -> str:
    """`[2, 90, 128] bfloat16 with strides [11520, 128, 1]`, one after the other."""
    return (
        "; ".join(
            f"{list(shape)} {dtype} with strides {list(strides)}"
            for shape, strides, dtype in zip(operator.shapes, operator.strides, operator.dtypes, strict=True)
        )
        or "nothing"
    )


def audible(log: Iterable[Operator]) -> list[Operator]:
    """The operators that count: all but those that exist in one world only, and allocate nothing."""
    return [operator for operator in log if operator.name not in SILENT]


def parting(on_torch: Iterable[Operator], symbolic: Iterable[Operator]) -> Parting | None:
    """Where two logs part; None where they agree in every operator."""
    ours, theirs = audible(on_torch), audible(symbolic)
    for index, (a, b) in enumerate(zip_longest(ours, theirs)):
        if a is None or b is None or not same(a, b):
            return Parting(index, len(ours), a, b)
    return None


def same(on_torch: Operator, symbolic: Operator) -> bool:
    """Whether two operators made the same: shapes, strides where they matter, types, bytes. Names may differ."""
    return on_torch.live == symbolic.live and made_alike(on_torch, symbolic)


def made_alike(a: Operator, b: Operator) -> bool:
    """Whether their results have the same shapes, types, and strides where they matter."""
    return a.shapes == b.shapes and a.dtypes == b.dtypes and _strides_alike(a, b)


def _strides_alike(a: Operator, b: Operator) -> bool:
    return all(
        _followed(shape, mine) == _followed(shape, other)
        for shape, mine, other in zip(a.shapes, a.strides, b.strides, strict=False)
    )


def _followed(shape: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, ...]:
    """Strides of dimensions that have more than one element; the others are never followed."""
    if 0 in shape:
        return ()
    return tuple(stride for size, stride in zip(shape, strides, strict=False) if size != 1)


# -- parameters, gradients and FLOPs


def tensors_differ(on_torch: Iterable[NamedShape], listed: Iterable[NamedShape], by: str) -> Difference | None:
    """The first parameter or buffer that only one of them has, or that has another shape or type; `by` lists the second ones."""
    ours, theirs = ({tensor.name: tensor for tensor in tensors} for tensors in (on_torch, listed))
    for name in dict.fromkeys([*ours, *theirs]):
        a, b = ours.get(name), theirs.get(name)
        if a is None or b is None:
            has, lacks = (by, "torch") if a is None else ("torch", by)
            tensor = a or b
            assert tensor is not None
            return Difference(f"{has} has the {tensor.kind} {name} {list(tensor.shape)}, {lacks} has no such tensor")
        if (a.kind, a.shape, a.dtype) != (b.kind, b.shape, b.dtype):
            mine, other = (f"{tensor.kind} {list(tensor.shape)} {tensor.dtype}" for tensor in (a, b))
            return Difference(f"{name} differs: on torch a {mine}, in {by} a {other}")
    return None


def listing_differs(on_torch: Iterable[NamedShape], listed: Iterable[NamedShape]) -> Difference | None:
    """The first parameter or buffer that the check's own list does not have as torch has it.

    The list names layers that are alike once, `layers.*.mlp.layer1.weight`, and every floating-point type as the modules' own.
    """
    known = {tensor.name: tensor for tensor in listed if tensor.kind in ("parameter", "buffer")}
    missing = set(known)
    for tensor in on_torch:
        name = next((name for name in _spellings(tensor.name) if name in known), None)
        if name is None:
            return Difference(f"the check does not list {tensor.name} {list(tensor.shape)}, a {tensor.kind} on torch")
        missing.discard(name)
        other = known[name]
        if (tensor.kind, tensor.shape) != (other.kind, tuple(map(int, other.shape))):
            return Difference(
                f"{tensor.name} differs: on torch a {tensor.kind} {list(tensor.shape)}, "
                f"listed as a {other.kind} {[int(size) for size in other.shape]}"
            )
    for name in known:
        if name in missing:
            return Difference(f"the check lists the {known[name].kind} {name}, torch has no such tensor")
    return None


def _spellings(name: str) -> Iterator[str]:
    """The name itself, and with each of its numbers replaced by a star."""
    yield name
    for number in re.finditer(r"(?<=\.)\d+(?=\.)", name):
        yield f"{name[: number.start()]}*{name[number.end() :]}"


def gradients_differ(on_torch: Step, symbolic: Step) -> Difference | None:
    """The first parameter that gets a gradient in one world only; None where nobody looked in one of them."""
    if on_torch.gradients is None or symbolic.gradients is None:
        return None
    for name in on_torch.gradients:
        if name not in symbolic.gradients:
            return Difference(f"{name} gets a gradient on torch, and none in the symbolic world")
    for name in symbolic.gradients:
        if name not in on_torch.gradients:
            return Difference(f"{name} gets a gradient in the symbolic world, and none on torch")
    return None


def flops_differ(on_torch: Step, symbolic: Step) -> Difference | None:
    """FLOPs that are further apart than `FLOPS_APART`, with the first operator that is counted differently."""
    if abs(symbolic.flops - on_torch.flops) <= FLOPS_APART * on_torch.flops:
        return None
    message = f"FLOPs differ: {on_torch.flops:,} on torch, {symbolic.flops:,} in the symbolic world"
    counted = counted_apart(on_torch.log, symbolic.log)
    if counted is None:
        return Difference(message)
    theirs = counted.symbolic
    assert theirs is not None
    return Difference(f"{message}\n{counted.told()}", theirs.line, theirs.rule, counted.index)


def counted_apart(on_torch: Iterable[Operator], symbolic: Iterable[Operator]) -> Parting | None:
    """The first operator with other FLOPs, in logs that agree otherwise."""
    ours, theirs = audible(on_torch), audible(symbolic)
    pairs = enumerate(zip(ours, theirs, strict=False))
    return next((Parting(index, len(ours), a, b) for index, (a, b) in pairs if a.flops != b.flops), None)


def flops_apart(on_torch: Step, symbolic: Step) -> float:
    """How far the FLOPs are apart, as a share of torch's."""
    return abs(symbolic.flops - on_torch.flops) / max(1, on_torch.flops)
