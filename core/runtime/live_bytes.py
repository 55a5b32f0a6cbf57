"""Live bytes after every operator, on the real torch: what the symbolic world is held against.

Counts every storage that an operator creates, from its creation until nothing holds it. Storages that existed before (parameters,
buffers, inputs) count nowhere; gradients count from when they are made. Work cannot hide in operators made with
`torch.library.custom_op`: their Python body is run, as part of the step, or beside it for what it holds for a moment. Works on real CPU
tensors and under FakeTensorMode.
"""

from __future__ import annotations

import warnings
import weakref
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
from torch._library.custom_ops import OPDEFS
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tttdit.core.loops import repeats, shortened
from tttdit.core.plugin.references import one_line
from tttdit.core.runtime.flops import look, operator_flops
from tttdit.core.symbolic.storage import Operator

# What custom operators' bodies hold for a moment, by what they were given and by how far their loops were run.
_workspaces: dict[Hashable, int] = {}


class LiveBytes(TorchDispatchMode):
    """Counts while it is entered; `log` has one entry an operator.

    With `look_inside` custom operators' bodies take the operators' place: what they call is counted and logged. Without, each is one
    operator, and its body is run beside it, once for all calls that look alike: the log has its workspace. Of loops in a body that is run
    beside, `first_steps` first steps and the last are run (see `tttdit.core.loops`); all, where it is None.
    """

    def __init__(
        self, existing: Iterable[torch.Tensor] = (), *, look_inside: bool = True, first_steps: int | None = None
    ) -> None:
        super().__init__()
        self.now = 0
        self.log: list[Operator] = []
        self.forward: int | None = None  # the number of operators until the loss has been computed
        self.saved_by: Counter[int] = Counter()  # bytes live then, by the number of the operator that made them
        self._look_inside = look_inside
        self._first_steps = first_steps
        self._held = [tensor.untyped_storage() for tensor in existing]
        self._existing = {storage._cdata for storage in self._held}
        self._live: dict[int, tuple[int, weakref.ref[Any]]] = {}
        self._maker: dict[int, int] = {}

    def end_forward(self) -> None:
        """The loss has been computed."""
        self.forward = len(self.log)
        for key, (nbytes, _) in self._live.items():
            self.saved_by[self._maker[key]] += nbytes

    @property
    def saved(self) -> int:
        """Bytes live when the loss had been computed."""
        return sum(self.saved_by.values())

    @property
    def peak(self) -> int:
        """The most bytes that lived at a time."""
        return max((operator.high for operator in self.log), default=0)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.prim.device.default:  # how fake tensors are asked for their device
            return func(*args)
        body = _body(func, args)
        workspace = 0
        if body is None:
            result = func(*args, **(kwargs or {}))
        elif self._look_inside:
            with self:
                result = body(*args, **(kwargs or {}))
        else:
            workspace = _workspace(str(func), body, args, kwargs or {}, self._first_steps)
            result = func(*args, **(kwargs or {}))
        tensors = [leaf for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)]
        for tensor in tensors:
            self._see(tensor)
        self._note(func, args, kwargs or {}, result, tensors, workspace, counted=body is not None and self._look_inside)
        return result

    def _note(
        self,
        func: Any,
        args: Any,
        kwargs: Any,
        result: Any,
        tensors: list[torch.Tensor],
        workspace: int,
        *,
        counted: bool,
    ) -> None:
        """Logs one operator; the work of one whose body took its place has been `counted`."""
        self.log.append(
            Operator(
                func._schema.name.rpartition("::")[2],
                tuple(tuple(tensor.shape) for tensor in tensors),
                tuple(tuple(tensor.stride()) for tensor in tensors),
                tuple(str(tensor.dtype).removeprefix("torch.") for tensor in tensors),
                self.now,
                flops=0 if counted else operator_flops(func, args, kwargs, result) * repeats(),
                workspace=workspace,
            )
        )

    def _see(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        key, nbytes = storage._cdata, storage.nbytes()
        if key in self._existing:
            return
        known = self._live.get(key)
        if known is None:
            self._live[key] = (nbytes, weakref.ref(storage, partial(self._forget, key)))
            self._maker[key] = len(self.log)
            self.now += nbytes
        elif known[0] != nbytes:  # resized in place
            self.now += nbytes - known[0]
            self._live[key] = (nbytes, known[1])

    def _forget(self, key: int, _: Any = None) -> None:
        nbytes, _ = self._live.pop(key, (0, None))
        self.now -= nbytes


class _Beside(LiveBytes):
    """Counts what a body holds, and keeps no log: of the work only the peak is asked."""

    def __init__(self, existing: Iterable[torch.Tensor]) -> None:
        super().__init__(existing)
        self.highest = 0

    def _note(self, *_: Any, **__: Any) -> None:
        self.highest = max(self.highest, self.now)


def _workspace(name: str, body: Callable[..., Any], args: Any, kwargs: Any, first_steps: int | None) -> int:
    """The most bytes that a body holds beside its results. It is run for it, on what it was given."""
    leaves = tree_leaves((args, kwargs))
    key = (name, first_steps, *map(look, leaves))
    if key not in _workspaces:
        _workspaces[key] = 0
        rod = _Beside(leaf for leaf in leaves if isinstance(leaf, torch.Tensor))
        try:
            with torch.no_grad(), nullcontext() if first_steps is None else shortened(first_steps), rod:
                result = body(*args, **kwargs)
                held = rod.now
                del result
        except Exception as error:
            warnings.warn(
                f"the workspace of {name} is not counted: its body does not run ({one_line(error)})", stacklevel=2
            )
        else:
            _workspaces[key] = rod.highest - held
    return _workspaces[key]


def _body(func: Any, args: Any) -> Callable[..., Any] | None:
    """A custom operator's Python body for the device of its first tensor."""
    definition: Any = OPDEFS.get(func._schema.name) if hasattr(func, "_schema") else None
    if definition is None:
        return None
    device = next((leaf.device.type for leaf in tree_leaves(args) if isinstance(leaf, torch.Tensor)), None)
    bodies = definition._backend_fns
    body: Callable[..., Any] = bodies.get(device, bodies.get(None, definition._init_fn))
    return body
