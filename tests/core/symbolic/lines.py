"""Programs in one line, for tables of many: `line("x = a * 2; x[1] = b; x", "a 3 4, b 4")`.

Names say what a tensor is: a to e are trained, h is trained in bfloat16, g is frozen, i, j and k are int64, n is int32.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from worlds import Leaf, Program

_KINDS = {
    **dict.fromkeys("abcde", (True, "float32")),
    **dict.fromkeys("ijk", (False, "int64")),
    "g": (False, "float32"),
    "h": (True, "bfloat16"),
    "n": (False, "int32"),
}
_numbers = itertools.count()


def line(text: str, tensors: str) -> tuple[Program, list[Leaf]]:
    """The program and what it starts from."""
    names, leaves = [], []
    for each in filter(None, tensors.split(",")):
        name, *sizes = each.split()
        trained, dtype = _KINDS[name]
        names.append(name)
        leaves.append(Leaf(tuple(map(int, sizes)), trained, dtype))
    *statements, result = (part.strip() for part in text.split(";"))
    code = compile("\n".join([*statements, f"result = {result}"]), "<line>", "exec")

    def program(torch: Any, *given: Any) -> Any:
        space: dict[str, Any] = {"T": torch, "F": torch.nn.functional, **dict(zip(names, given, strict=True))}
        exec(code, space)
        return space.pop("result")

    return program, leaves


def in_checkpoint(program: Program) -> Program:
    """The program as a region that is recomputed, between operators that are not."""

    def checkpointed(torch: Any, *tensors: Any) -> Any:
        def region(*inside: Any) -> Any:
            return program(torch, *[each.sigmoid() if each.dtype.is_floating_point else each for each in inside])

        return torch.utils.checkpoint.checkpoint(region, *tensors, use_reentrant=False) * 2

    return checkpointed


def in_operator(program: Program, leaves: Sequence[Leaf]) -> tuple[Program, list[Leaf]]:
    """The program as the body of a custom operator without a gradient, where what aten composes counts as one operator."""
    names = [f"x{at}" for at in range(len(leaves))]
    source = f"def body({', '.join(f'{name}: Tensor' for name in names)}) -> Tensor:\n    return run({', '.join(names)}) * 1\n"
    operators: dict[int, Any] = {}

    def called(torch: Any, weight: Any, *tensors: Any) -> Any:
        if id(torch) not in operators:
            space: dict[str, Any] = {"Tensor": torch.Tensor, "run": lambda *inside: program(torch, *inside)}
            exec(source, space)
            name = f"lines{next(_numbers)}::body"
            operators[id(torch)] = torch.library.custom_op(name, space["body"], mutates_args=())
        return operators[id(torch)](*tensors).float().sum() + weight

    return called, [Leaf((), True), *(Leaf(leaf.shape, False, leaf.dtype) for leaf in leaves)]
