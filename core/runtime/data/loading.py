"""Batches of a data source, for one rank, read ahead by other processes."""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from attrs import frozen
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from tttdit.core.errors import RunError
from tttdit.core.plugin.references import one_line
from tttdit.core.running.chance import seed_of
from tttdit.core.runtime.data.order import index_at
from tttdit.core.runtime.data.sending import Packed
from tttdit.core.runtime.data.source import BadSample, Source, read_sample

_DIED = re.compile(r"DataLoader worker .*(exited unexpectedly|killed by signal)")  # torch/utils/data/dataloader.py

BATCHES_AHEAD = 2  # of each reading process; docs/memory.md counts them


@frozen
class Batch:
    """A rank's samples of one micro-step: tensors [B, ...] by name. `skipped` says which samples others have taken the places of."""

    tensors: Mapping[str, Tensor]
    skipped: tuple[str, ...] = ()


@frozen(kw_only=True)
class Loader:
    """Iterates over a rank's batches without end.

    Sample i of rank r's micro-step m has the position (m * ranks + r) * batch + i of the order; `first` micro-steps are passed over.
    `workers` processes read ahead, or this one reads when it is asked. Iterating raises RunError for a sample that cannot be used, unless
    `skips_bad`: then the next one in the order takes its place.
    """

    source: Source
    wanted: Mapping[str, tuple[int, ...]]
    samples: int  # of the source, from the first on
    seed: int
    stage: str
    shuffle: bool
    skips_bad: bool
    batch: int
    rank: int
    ranks: int
    workers: int
    first: int
    pin: bool

    def __iter__(self) -> Iterator[Batch]:
        loader = DataLoader(
            _Positions(self),
            batch_sampler=_Batches(self),
            collate_fn=_collated,
            num_workers=self.workers,
            prefetch_factor=BATCHES_AHEAD if self.workers else None,
            pin_memory=self.pin,
            multiprocessing_context=_processes() if self.workers else None,
        )
        batches = iter(loader)
        try:
            while True:
                tensors, skipped, failure = _next(batches)
                if failure is not None:
                    raise RunError("bad_sample", failure)
                yield Batch(tensors, skipped)
        finally:
            # ends the processes now: once an error's frames are collected it takes seconds for each
            del batches


@frozen
class _Batches:
    """The positions of each batch, without end."""

    loader: Loader

    def __iter__(self) -> Iterator[list[int]]:
        one, micro_step = self.loader, self.loader.first
        while True:
            start = (micro_step * one.ranks + one.rank) * one.batch
            yield list(range(start, start + one.batch))
            micro_step += 1


# A sample, what was skipped before it, and why there is none.
_Read = tuple[Mapping[str, Tensor], tuple[str, ...], str | None]


@frozen
class _Positions(Dataset[_Read]):
    """The sample at a position. What goes wrong is told in words, since few errors can be sent from one process to another."""

    loader: Loader

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (Packed.of(self.loader, type(self.loader.source)),)

    def __getitem__(self, position: int) -> _Read:
        one = self.loader
        skipped: list[str] = []
        for turn in range(one.samples):
            index = index_at(position + turn, one.samples, one.seed, shuffle=one.shuffle)
            chance = torch.Generator().manual_seed(seed_of(one.seed, one.stage, "sample", position))
            try:
                return read_sample(one.source, index, chance, one.wanted), tuple(skipped), None
            except BadSample as bad:
                if not one.skips_bad:
                    return {}, (), str(bad)
                skipped.append(str(bad))
        return {}, (), f"none of {one.samples:,} samples can be used; the last one: {skipped[-1]}"


def _processes() -> multiprocessing.context.BaseContext:
    """How reading processes are started: from one that has imported torch and does nothing else.

    The process that trains has threads of gloo's or NCCL's, which a fork would copy at work.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _arrived(packed: Packed) -> _Positions:
    return _Positions(packed.unpacked())


def _next(batches: Iterator[_Read]) -> _Read:
    """What comes next. Where something has ended a process that reads, torch says no more than that it, or the way to it, is gone."""
    try:
        return next(batches)
    except (RuntimeError, EOFError, ConnectionError) as error:
        if isinstance(error, RuntimeError) and not _DIED.search(str(error)):
            raise
        raise RunError(
            "error",
            f"a process that reads samples was ended from outside ({one_line(error)}): the kernel does so where main memory is full, "
            "and fewer data.workers need less of it",
        ) from None


def _collated(read: Sequence[_Read]) -> _Read:
    failure = next((why for _, _, why in read if why is not None), None)
    if failure is not None:
        return {}, (), failure
    tensors = {name: torch.stack([sample[name] for sample, _, _ in read]) for name in read[0][0]}
    return tensors, tuple(one for _, skipped, _ in read for one in skipped), None
