"""One training step of a stage in the symbolic world."""

from __future__ import annotations

from typing import Any

from tttdit.core.construction import construct
from tttdit.core.stage import Stage
from tttdit.core.stepping import OBJECTIVE, REMAT, Step, gradients_of, step_inputs, tensors_of, train_once
from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.storage import Meter
from tttdit.core.symbolic.tensor import given
from tttdit.core.symbolic.trace import WORLD


def is_module(path: str) -> bool:
    """Whether a file is a module's; that which recomputes regions is none."""
    return WORLD.runs(path) and path != WORLD.load(REMAT.partition(":")[0]).__file__


def symbolic_step(stage: Stage, dtype: str, meter: Meter, *, look_inside: bool = True) -> Step:
    """Builds the stage's model and trains it once, with the regions of its memory strategy.

    `meter` counts. With `look_inside` the bodies of custom operators run, every step of their loops included, else each counts as one
    operator. Raises `UnknownCall` for what this world does not know, and what the modules raise.
    """
    wanted = types.NAMES[dtype]
    regions = WORLD.load(REMAT)(stage.assembly.memory.strategy(stage.memory))
    model = construct(WORLD.load, stage, regions).to(wanted)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(stage.assembly.model.trains(stage.model, name))
    tensors = tensors_of(model, lambda tensor: tensor.dtype.name)
    inputs = [given(each.shape, types.NAMES[each.dtype]) for each in step_inputs(stage, dtype)]
    before, STATE.recorder, STATE.inside_operators = STATE.recorder, _Places(model), look_inside
    try:
        with meter:
            train_once(WORLD.load(OBJECTIVE), model, inputs)
    finally:
        STATE.recorder, STATE.place, STATE.inside_operators = before, "", True
    return Step(tuple(meter.log or ()), tensors, gradients_of(model))


class _Places:
    """Says which module is at work."""

    def __init__(self, model: Any) -> None:
        self._paths = {id(each): path for path, each in model.named_modules()}

    def call(self, module: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """`module.forward(*arguments, **keywords)`, with the module's path in the log."""
        outer, STATE.place = STATE.place, self._paths.get(id(module), STATE.place)
        try:
            return module.forward(*arguments, **keywords)
        finally:
            STATE.place = outer
