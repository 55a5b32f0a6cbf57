"""Live bytes after every operator, on the real torch: what the symbolic world is held against.

Counts every storage that an operator creates, from its creation until nothing holds it. Storages that existed before (parameters,
buffers, inputs) count nowhere; gradients count from when they are made. Looks inside operators made with `torch.library.custom_op` by
running their Python body. Works on real CPU tensors and under FakeTensorMode.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch._library.custom_ops import OPDEFS
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tttdit.core.loops import repeats
from tttdit.core.runtime.flops import operator_flops
from tttdit.core.symbolic.storage import Operator


class LiveBytes(TorchDispatchMode):
    """Counts while it is entered; `log` has one entry an operator."""

    def __init__(self, existing: Iterable[torch.Tensor] = (), *, look_inside: bool = True) -> None:
        super().__init__()
        self.now = 0
        self.peak = 0
        self.peak_operator = ""
        self.log: list[Operator] = []
        self._look_inside = look_inside
        self._held = [tensor.untyped_storage() for tensor in existing]
        self._existing = {storage._cdata for storage in self._held}
        self._live: dict[int, tuple[int, weakref.ref[Any]]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.prim.device.default:  # how fake tensors are asked for their device
            return func(*args)
        body = self._body(func, args) if self._look_inside else None
        if body is None:
            result = func(*args, **(kwargs or {}))
        else:
            with self:
                result = body(*args, **(kwargs or {}))
        tensors = [leaf for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)]
        for tensor in tensors:
            self._see(tensor)
        name = func._schema.name.rpartition("::")[2]
        # the work of a body is that of the operators in it
        flops = operator_flops(func, args, kwargs or {}, result) * repeats() if body is None else 0
        if self.now > self.peak:
            self.peak, self.peak_operator = self.now, name
        self.log.append(
            Operator(
                name,
                tuple(tuple(tensor.shape) for tensor in tensors),
                tuple(tuple(tensor.stride()) for tensor in tensors),
                tuple(str(tensor.dtype).removeprefix("torch.") for tensor in tensors),
                self.now,
                "",
                flops=flops,
            )
        )
        return result

    def _see(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        key, nbytes = storage._cdata, storage.nbytes()
        if key in self._existing:
            return
        known = self._live.get(key)
        if known is None:
            self._live[key] = (nbytes, weakref.ref(storage, partial(self._forget, key)))
            self.now += nbytes
        elif known[0] != nbytes:  # resized in place
            self.now += nbytes - known[0]
            self._live[key] = (nbytes, known[1])

    def _forget(self, key: int, _: Any = None) -> None:
        nbytes, _ = self._live.pop(key, (0, None))
        self.now -= nbytes

    @staticmethod
    def _body(func: Any, args: Any) -> Callable[..., Any] | None:
        """A custom operator's Python body for the device of its first tensor."""
        definition: Any = OPDEFS.get(func._schema.name) if hasattr(func, "_schema") else None
        if definition is None:
            return None
        device = next((leaf.device.type for leaf in tree_leaves(args) if isinstance(leaf, torch.Tensor)), None)
        bodies = definition._backend_fns
        body: Callable[..., Any] = bodies.get(device, bodies.get(None, definition._init_fn))
        return body
