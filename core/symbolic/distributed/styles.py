"""`torch.distributed.tensor.parallel`: styles of modules, and a plan of them applied to a model."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatch
from typing import Any

from tttdit.core.symbolic.distributed.dtensor import DTensor
from tttdit.core.symbolic.distributed.placements import DeviceMesh, Placement
from tttdit.core.symbolic.names import known_value
from tttdit.core.symbolic.nn.module import Module


class ParallelStyle:
    """How a module works on one of several ranks; `_apply` changes the module."""

    def _apply(self, module: Module, device_mesh: DeviceMesh) -> Module:
        raise NotImplementedError


class PrepareModuleInput(ParallelStyle):
    """Tensors go into a module as DTensors, in other places than those that they come in."""

    def __init__(
        self,
        *,
        input_layouts: Placement | tuple[Placement | None, ...],
        desired_input_layouts: Placement | tuple[Placement | None, ...],
        use_local_output: bool = False,
    ) -> None:
        self._come, self._wanted = _row(input_layouts), _row(desired_input_layouts)
        self._local = use_local_output

    def _apply(self, module: Module, device_mesh: DeviceMesh) -> Module:
        module.register_forward_pre_hook(lambda _, inputs: self._prepared(inputs, device_mesh))
        return module

    def _prepared(self, inputs: tuple[Any, ...], mesh: DeviceMesh) -> tuple[Any, ...]:
        """`_prepare_input_fn`."""
        prepared = []
        for input, comes, wanted in zip(inputs, self._come, self._wanted, strict=True):
            prepared.append(self._prepare(input, comes, wanted, mesh))
        return tuple(prepared)

    def _prepare(self, input: Any, comes: Placement | None, wanted: Placement | None, mesh: DeviceMesh) -> Any:
        """`_prepare_input_arg`."""
        if comes is None:
            return input
        tensor = input if isinstance(input, DTensor) else DTensor.from_local(input, mesh, (comes,))
        if wanted is not None and comes != wanted:
            tensor = tensor.redistribute(placements=(wanted,))
        return tensor.to_local() if self._local else tensor


def parallelize_module(
    module: Module, device_mesh: DeviceMesh, parallelize_plan: Mapping[str, ParallelStyle]
) -> Module:
    """Applies each style to the modules that its path names, with wildcards."""
    for path, style in parallelize_plan.items():
        for each in _named(module, path):
            style._apply(each, device_mesh)
    return module


def _named(module: Module, path: str) -> list[Module]:
    found = [module]
    for part in path.split(".") if path else ():
        found = [inner for each in found for name, inner in each.named_children() if fnmatch(name, part)]
    return found


def _row(layouts: Placement | tuple[Placement | None, ...]) -> tuple[Placement | None, ...]:
    return (layouts,) if isinstance(layouts, Placement) else layouts


known_value("torch.distributed.tensor.parallel.ParallelStyle", ParallelStyle)
known_value("torch.distributed.tensor.parallel.PrepareModuleInput", PrepareModuleInput)
known_value("torch.distributed.tensor.parallel.parallelize_module", parallelize_module)
