"""A step of training on torch's fake tensors: every shape, and every byte, at full size, without memory for them.

The tensors are fake CPU tensors, which take the same paths as real ones there (fake CUDA tensors choose another attention). Where they
differ from real ones, in torch 2.13: a changed view is looked at anew by one operator more, which allocates nothing; the results of
`roll`, of indexing with a transposed index and of a few activations' and losses' backwards are laid out otherwise; a norm with weights
of another type than its input keeps its statistics in the input's; `F.mse_loss` and `F.smooth_l1_loss` let go of their squared error.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from traceback import walk_tb
from typing import Any, TypeVar

import torch
from attrs import field, frozen
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
    UnsupportedOperatorException,
)

from tttdit.core.errors import TttditError
from tttdit.core.loops import STEPS_COUNTED
from tttdit.core.naming import names_heard
from tttdit.core.plugin.references import one_line
from tttdit.core.regions import Regions
from tttdit.core.runtime.building import build_stage, packages
from tttdit.core.runtime.live_bytes import LiveBytes
from tttdit.core.runtime.objective import training_loss
from tttdit.core.runtime.remat import RecomputedRegions, Strategy
from tttdit.core.shapes import NamedShape, ShapeNotes, gives_back
from tttdit.core.stage import Stage
from tttdit.core.stepping import step_inputs
from tttdit.core.symbolic.storage import Operator

Result = TypeVar("Result")

# What fake tensors cannot answer although the module may be right.
_BEYOND_FAKES = (DataDependentOutputException, DynamicOutputShapeException, UnsupportedOperatorException)


@frozen
class FakeRun:
    """What a step makes: forward, loss and backward of a batch. With an error, as far as it went."""

    log: tuple[Operator, ...]
    shapes: tuple[NamedShape, ...]  # as a check's trace names them
    saved_bytes: int  # live when the loss has been computed
    peak_bytes: int
    flops: int  # see core/runtime/flops.py
    error: str | None = None  # one line, with the module's file and line
    forward: int = 0  # operators until the loss had been computed
    saved_by: Mapping[int, int] = field(factory=dict)  # the saved bytes, by the number of the operator that made them


def fake_run(
    stage: Stage,
    *,
    layers: int | None = None,
    look_inside: bool = False,
    first_steps: int | None = STEPS_COUNTED,
    dtype: torch.dtype = torch.float32,
) -> FakeRun:
    """Builds a stage's model on fake tensors and runs a step of training at the stage's own sizes.

    `layers` builds only that many of the layers that are all alike. Custom operators run their fakes, with their bodies' workspace, for
    which these are run once beside the step, with `first_steps` of their loops (None: all); or, with `look_inside`, their
    bodies each time, loops included: at full size that takes an hour unless `tttdit.core.loops.shortened` is in force. Bytes are those of
    all that the step creates, gradients included, and leave out parameters, buffers and the step's inputs. An error of the module is in the
    result. Raises UsageError for sizes that do not fit or are missing, PluginError for a module that cannot be imported.
    """
    watch = _Watch()
    live = LiveBytes()
    error = None
    with FakeTensorMode(), _silence():
        try:
            model = _built(stage, layers, dtype, watch)
            inputs = [
                torch.empty(each.shape, dtype=getattr(torch, each.dtype)) for each in step_inputs(stage, _name(dtype))
            ]
            watch.model(stage, model, inputs)
            existing = [*model.parameters(), *model.buffers(), *inputs]
            live = LiveBytes(existing, look_inside=look_inside, first_steps=first_steps)
            with live, names_heard(watch.name):
                _step(watch, live, model, *inputs)
        except TttditError:
            raise
        except Exception as raised:
            error = _one_line(raised, stage)
    return FakeRun(
        tuple(live.log),
        tuple(watch.notes.shapes),
        live.saved,
        live.peak,
        sum(operator.flops for operator in live.log),
        error,
        live.forward or 0,
        live.saved_by,
    )


@contextmanager
def _silence() -> Iterator[None]:
    """Keeps torch from logging a traceback for what an operator refuses: it is in the result."""
    log = logging.getLogger(FakeTensorMode.__module__)
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before


def _built(stage: Stage, layers: int | None, dtype: torch.dtype, watch: _Watch) -> nn.Module:
    """The model, on the CPU."""
    try:
        return build_stage(stage, dtype=dtype, layers=layers, regions=watch.regions)
    except DataDependentOutputException:  # an initialisation that looks at its numbers, as torch's trunc_normal_ does
        model = build_stage(stage, "meta", dtype, layers=layers, regions=watch.regions)
    moved: dict[Tensor, Tensor] = {}
    for module in model.modules():
        tables: tuple[dict[str, Any], ...] = (module._parameters, module._buffers)
        for held in tables:
            for name, tensor in held.items():
                if tensor is not None:
                    held[name] = moved.setdefault(tensor, _on_cpu(tensor))
    return model


def _on_cpu(tensor: Tensor) -> Tensor:
    made = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype)
    return nn.Parameter(made, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else made


def _step(watch: _Watch, live: LiveBytes, model: nn.Module, *inputs: Tensor) -> None:
    loss = training_loss(watch.output_of(model), *inputs)
    live.end_forward()
    watch.listening = False  # what backward recomputes has been noted
    if loss.requires_grad:
        loss.backward()


class _Watch:
    """Notes what goes into the forward pass, and what modules and regions return."""

    def __init__(self) -> None:
        self.notes = ShapeNotes(_look)
        self.listening = True
        self._places = [""]  # the modules at work, the innermost last

    def name(self, name: str, value: Any) -> None:
        place = self._places[-1]
        self.note(f"{place}.{name}" if place else name, value)

    def note(self, name: str, value: Any) -> None:
        if self.listening:
            self.notes.note(name, "intermediate", value)

    def regions(self, strategy: Strategy) -> Regions:
        return _WatchedRegions(strategy, self)

    def model(self, stage: Stage, model: nn.Module, inputs: list[Tensor]) -> None:
        for name, parameter in model.named_parameters():
            self.notes.note(name, "parameter", parameter)
        for name, buffer in model.named_buffers():
            self.notes.note(name, "buffer", buffer)
        for name, tensor in zip(stage.assembly.model.inputs(stage.model, stage.dims), inputs, strict=False):
            self.notes.note(name, "input", tensor)
        for path, module in model.named_modules():
            if path:
                module.register_forward_pre_hook(lambda _, __, path=path: self._places.append(path))
                module.register_forward_hook(self._returned)

    def _returned(self, _: nn.Module, arguments: tuple[Any, ...], result: Any) -> None:
        place = self._places.pop()
        if not gives_back(result, arguments):
            self.note(place, result)

    def output_of(self, model: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def run(*inputs: Tensor) -> Tensor:
            output = model(*inputs)
            self.notes.note("output", "output", output)
            return output

        return run


class _WatchedRegions(RecomputedRegions):
    """Runs each region as the strategy says, and notes what goes in and what comes out."""

    def __init__(self, strategy: Strategy, watch: _Watch, path: str = "") -> None:
        super().__init__(strategy, path)
        self._watch = watch

    def within(self, name: str) -> Regions:
        return _WatchedRegions(self.strategy, self._watch, self._join(name))

    def __call__(self, name: str, function: Callable[..., Result], *arguments: Any) -> Result:
        full = self._join(name)
        tensors = [argument for argument in arguments if isinstance(argument, Tensor)]
        self._watch.note(f"{full}.in", tensors[0] if len(tensors) == 1 else tensors)
        del tensors
        result = super().__call__(name, function, *arguments)
        self._watch.note(f"{full}.out", result)
        return result


def _look(value: Any) -> tuple[tuple[int, ...], str] | None:
    return (tuple(value.shape), _name(value.dtype)) if isinstance(value, Tensor) else None


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _one_line(error: Exception, stage: Stage) -> str:
    """The innermost line of the stage's plugins, and what happened there."""
    plugins = packages(stage)
    place = ""
    for frame, line in walk_tb(error.__traceback__):
        module = frame.f_globals.get("__name__", "")
        if module.partition(".")[0] in plugins and not module.startswith(("tttdit.core.", "tttdit.checker.")):
            place = f"{frame.f_code.co_filename}:{line}: "
    if isinstance(error, _BEYOND_FAKES):
        return f"{place}{error.func} cannot be followed without numbers"
    return place + one_line(error)
