"""What a custom operator's fake promises, beside what its body gives. A step runs one of the two, so no comparison of steps sees it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from inspect import unwrap
from typing import Any

import torch
from torch import Tensor
from torch._library.custom_ops import OPDEFS
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import _disable_current_modes
from torch.utils._pytree import tree_leaves, tree_map_only

from tttdit.core.plugin.references import one_line
from tttdit.core.runtime.flops import look
from tttdit.core.runtime.live_bytes import LiveBytes
from tttdit.core.runtime.proof.comparing import Difference, made_alike, results
from tttdit.core.symbolic.storage import Operator


class RodWithFakes(LiveBytes):
    """Counts, and runs each custom operator's fake once for all calls that look alike; `unlike` has those that promise something else."""

    def __init__(self, existing: Iterable[Tensor] = ()) -> None:
        super().__init__(existing)
        self.unlike: list[Difference] = []
        self._seen: set[Hashable] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = super().__torch_dispatch__(func, types, args, kwargs)
        definition: Any = OPDEFS.get(func._schema.name) if hasattr(func, "_schema") else None
        if definition is not None and definition._abstract_fn is not None:
            given = args, kwargs or {}
            key = (func._schema.name, *map(look, tree_leaves(given)))
            if key not in self._seen:
                self._seen.add(key)
                self._compare(func, given, _described(func, result), definition._abstract_fn)
        return result

    def _compare(self, func: Any, given: Any, real: Operator, fake: Any) -> None:
        code = unwrap(fake).__code__
        line = f"{code.co_filename}:{code.co_firstlineno}"
        with _disable_current_modes(), FakeTensorMode(), torch.no_grad():
            args, kwargs = tree_map_only(Tensor, _without_data, given)
            try:
                promised = _described(func, func(*args, **kwargs))
            except Exception as error:
                self.unlike.append(
                    Difference(f"the fake of {func._schema.name} fails: {one_line(error)}", line, of_fake=True)
                )
                return
        if len(promised.shapes) != len(real.shapes) or not made_alike(promised, real):
            message = (
                f"the fake of {func._schema.name} promises something else than its body gives\n"
                f"fake: {results(promised)}\nbody: {results(real)}"
            )
            self.unlike.append(Difference(message, line, of_fake=True))


def _described(func: Any, result: Any) -> Operator:
    tensors = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
    return Operator(
        func._schema.name,
        tuple(tuple(tensor.shape) for tensor in tensors),
        tuple(tuple(tensor.stride()) for tensor in tensors),
        tuple(str(tensor.dtype).removeprefix("torch.") for tensor in tensors),
        0,
    )


def _without_data(tensor: Tensor) -> Tensor:
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype)
