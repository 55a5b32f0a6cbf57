"""Constants of a model: tables and index maps that follow from its sizes, there before the first step and no part of its state.

A module with such constants gets them as `Tables` made by `shared`, in either world:

    class Mask(Tables):
        def __init__(self, length: int) -> None:
            super().__init__()
            self.length = length
            self.reset_parameters()

        def make(self, dtype, device):
            return {"mask": torch.ones(self.length, self.length, dtype=dtype, device=device).tril()}

    self.causal = shared(Mask, length)  # its table is self.causal.mask

A buffer that a constructor fills is lost in `model.to_empty(...)`, after which neither `load_state_dict` nor anything else brings it
back. Tables are made again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import torch
from torch import Tensor, nn


class Tables(nn.Module):
    """Non-persistent buffers that are computed, wherever the model goes.

    They follow it to another device, by `to_empty` as well, and to float64, but not to a narrower type: an angle in bfloat16 is wrong by
    whole turns. A subclass says in `make` what they are, and ends its constructor with `reset_parameters()`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.dtype = torch.float32

    def make(self, dtype: torch.dtype, device: torch.device) -> Mapping[str, Tensor]:
        """The tables by name, those with fractions in this type: float32 or float64."""
        raise NotImplementedError

    def reset_parameters(self) -> None:
        """Makes the tables, where they are already or else on the default device."""
        here = next(iter(self._buffers.values()), None)
        self._fill(self.dtype, torch.empty(0).device if here is None else here.device)

    def _fill(self, dtype: torch.dtype, device: torch.device) -> None:
        self.dtype = dtype
        for name, table in self.make(dtype, device).items():
            self.register_buffer(name, table, persistent=False)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Tables:
        """What `to`, `cuda`, `double`, `to_empty` and the like do to a module: `fn` is asked where it leads, the tables are made there."""
        here = next(buffer.device for buffer in self._buffers.values() if buffer is not None)
        there = fn(torch.empty(0, dtype=self.dtype, device=here))
        dtype = torch.float64 if there.dtype == torch.float64 else torch.float32
        if (dtype, there.device) != (self.dtype, here):
            self._fill(dtype, there.device)
        return self


Kind = TypeVar("Kind", bound=Tables)

_MADE: ContextVar[dict[Any, Any] | None] = ContextVar("tables made inside `sharing`", default=None)


@contextmanager
def sharing() -> Iterator[None]:
    """While a model is built inside, `shared` makes equal tables once.

    At 63 seconds a TTT mixer's RoPE tables take 90 MB, and each of 42 layers would have its own.
    """
    token = _MADE.set({})
    try:
        yield
    finally:
        _MADE.reset(token)


def shared(kind: type[Kind], *sizes: Hashable) -> Kind:
    """`kind(*sizes)`; inside `sharing` the same module for every caller who asks for the same."""
    made = _MADE.get()
    if made is None:
        return kind(*sizes)
    key = (kind, *sizes)
    if key not in made:
        made[key] = kind(*sizes)
    tables: Kind = made[key]
    return tables
