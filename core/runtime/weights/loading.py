"""From a file, or a checkpoint of a run, into a model: one tensor in memory besides the model."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from attrs import evolve
from torch import nn

from tttdit.core.errors import UsageError
from tttdit.core.plugin.kinds import Model
from tttdit.core.plugin.registry import Registry
from tttdit.core.plugin.weight_names import WeightNames, weight_names
from tttdit.core.runtime.tables import Tables
from tttdit.core.runtime.weights.converting import cast
from tttdit.core.runtime.weights.distributed import distributed_checkpoint
from tttdit.core.runtime.weights.exporting import taken
from tttdit.core.runtime.weights.matching import Match, Mismatch, match, problems
from tttdit.core.runtime.weights.opening import open_source
from tttdit.core.runtime.weights.reading import Source
from tttdit.core.runtime.whole import fill


def load_weights(model: nn.Module, path: str | os.PathLike[str], names: Sequence[WeightNames] | None = None) -> Match:
    """Fills a model's parameters from a file or folder, in the parameters' own dtypes; the match says what was `new` in the model.

    `path` is what `tttdit convert-weights` wrote, or anything that it reads. New are parameters that the file's project does not have (a
    mixer's): they stay as they are. Of a model that is spread over ranks each fills its part. A model on the meta device is put on the CPU
    first, its new parameters initialised. `names` are other projects' names; by default those that the installed plugin of this model
    announces. Raises UsageError, and leaves the model as it was, if a parameter is missing, a tensor has no place, a shape differs, or
    whole numbers stand where others belong. What is found only while reading (a file that changes, a number that the parameter's dtype
    does not hold) raises it in the middle.
    """
    if not isinstance(model, nn.Module):
        raise UsageError(
            f"weights are loaded into what tttdit.build_model returns, and this is a {type(model).__name__}"
        )
    model = _unwrapped(model)
    formats = _announced(model) if names is None else tuple(names)
    source = open_source(Path(path), [each.folder for each in formats if each.folder])
    state = model.state_dict(keep_vars=True)
    found = match(source, formats, target={name: tuple(tensor.shape) for name, tensor in state.items()})
    if not found.fits:
        raise UsageError(f"{source.path} does not fit the model: {problems(found)}")
    for ours, theirs in found.taken.items():
        dtype = source.tensors[theirs].dtype
        if state[ours].is_floating_point() and not dtype.is_floating_point:
            raise UsageError(f'{source.path}: "{theirs}" is of the type {dtype}, and {ours} of {state[ours].dtype}')
    _materialise(model, initialised=not found.new)
    _fill(model, source, found.taken)
    return found


def load_checkpoint(model: nn.Module, path: Path, *, average: bool = False) -> int:
    """Fills a model's parameters from a checkpoint of a run, in the parameters' own dtypes; of how many the moving average was taken.

    A model on the meta device is put on the CPU first. Raises UsageError, and leaves the model as it was, if it is a checkpoint of another
    model, or has no average.
    """
    source = distributed_checkpoint(path)
    found = taken(source, average=average)
    here = {name: tuple(tensor.shape) for name, tensor in model.state_dict(keep_vars=True).items()}
    compared = _held_against(here, source, found.match)
    if not compared.fits:
        raise UsageError(f"{path} is a checkpoint of another model: {problems(compared)}")
    _materialise(model, initialised=True)
    _fill(model, source, found.match.taken)
    return found.averaged


def _held_against(here: Mapping[str, tuple[int, ...]], source: Source, found: Match) -> Match:
    """What a checkpoint's tensors, found by their own names, are to the model's."""
    there = {ours: source.tensors[theirs].shape for ours, theirs in found.taken.items()}
    return evolve(
        found,
        missing=tuple(name for name in here if name not in there),
        unexpected={name: "" for name in there if name not in here},
        mismatched=tuple(
            Mismatch(name, found.taken[name], there[name], shape)
            for name, shape in here.items()
            if name in there and there[name] != shape
        ),
    )


@torch.no_grad()
def _fill(model: nn.Module, source: Source, names: Mapping[str, str]) -> None:
    """Reads one tensor after the other; `names` are the source's by the model's."""
    into = model.state_dict()
    for ours, theirs in names.items():
        fill(into[ours], cast(source.read(theirs), into[ours].dtype, ours))


def _unwrapped(model: nn.Module) -> nn.Module:
    """What `torch.compile`, DataParallel and DistributedDataParallel have wrapped, whose names weights are known by."""
    inner = dict(model.named_children())
    return _unwrapped(next(iter(inner.values()))) if [*inner] in (["_orig_mod"], ["module"]) else model


def _announced(model: nn.Module) -> tuple[WeightNames, ...]:
    """The names that the plugin whose module this is announces; none for a module of nobody's."""
    module = f"{type(model).__module__}:{type(model).__qualname__}"
    models = [offer.announcement for offer in Registry.of_environment().offers("model")]
    return next((weight_names(each) for each in models if isinstance(each, Model) and each.module == module), ())


def _materialise(model: nn.Module, *, initialised: bool) -> None:
    """Puts a model that is on meta on the CPU. Unless every value of it is `initialised` later, it gets new ones.

    Raises UsageError where only part of it is on meta, or it has no `reset_parameters` and needs one.
    """
    on_meta = {parameter.is_meta for parameter in model.parameters()}
    if True not in on_meta:
        return
    if False in on_meta:
        raise UsageError(f"{type(model).__name__} is partly on meta: put it on one device")
    if initialised and not _loses_buffers(model):
        model.to_empty(device="cpu")
        return
    reset = getattr(model, "reset_parameters", None)
    if reset is None:
        raise UsageError(f"{type(model).__name__} is on meta and has no reset_parameters(): build it on the CPU")
    model.to_empty(device="cpu")
    reset()


def _loses_buffers(model: nn.Module) -> bool:
    """Whether `to_empty` takes values from it that no file has: those of buffers that are no part of its state, and no `Tables`."""
    return any(module._non_persistent_buffers_set for module in model.modules() if not isinstance(module, Tables))
