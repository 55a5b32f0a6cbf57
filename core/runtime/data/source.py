"""What a data source is: samples by their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from tttdit.core.plugin.references import one_line


class Source(Protocol):
    """What a data source's `source` makes: `Source(table, wanted, folder)`.

    `wanted` are the shapes of one sample by the names of the model's inputs, `folder` is the one that the spec lies in. Sources are sent to
    other processes, so they open files when they are asked for a sample.
    """

    def __len__(self) -> int:
        """How many samples there are."""

    def name(self, index: int) -> str:
        """What people know one of them by: `clips.jsonl:7`, or its number."""

    def sample(self, index: int, chance: torch.Generator) -> Mapping[str, Tensor]:
        """One of them, float32 by the names of `wanted`. What it draws it draws from `chance`.

        Raises BadSample for one that cannot be used.
        """


class BadSample(Exception):
    """A sample that cannot be used. The message says what is wrong with it."""


def read_sample(
    source: Source, index: int, chance: torch.Generator, wanted: Mapping[str, tuple[int, ...]]
) -> Mapping[str, Tensor]:
    """A sample that has the wanted shapes and finite numbers. Raises BadSample, which names it, for any other, whatever goes wrong."""
    try:
        sample = source.sample(index, chance)
        for name, shape in wanted.items():
            _check(name, sample.get(name), shape)
    except BadSample as bad:
        raise BadSample(f"{source.name(index)}: {bad}") from None
    except Exception as error:
        raise BadSample(f"{source.name(index)}: {one_line(error)}") from error
    return {name: sample[name] for name in wanted}


def _check(name: str, tensor: Tensor | None, shape: tuple[int, ...]) -> None:
    if tensor is None:
        raise BadSample(f"it has no {name}")
    if tuple(tensor.shape) != shape:
        raise BadSample(f"{name} is {[*tensor.shape]}, and the model takes {[*shape]}")
    if not bool(tensor.isfinite().all()):
        raise BadSample(f"{name} has numbers that are not finite")
