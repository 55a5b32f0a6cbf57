"""Drawing a video in the symbolic world: what a sampler's loop takes, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve, frozen

from tttdit.core.construction import construct
from tttdit.core.errors import Unpredicted
from tttdit.core.regions import Regions
from tttdit.core.stage import Stage
from tttdit.core.stepping import step_inputs
from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic.dimension import remembering
from tttdit.core.symbolic.ops.creation import randn_like
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.stepping import Manner, Places, at_work
from tttdit.core.symbolic.tape import Recorder, Standing, StandingKind, Tape
from tttdit.core.symbolic.tensor import Tensor, given
from tttdit.core.symbolic.trace import WORLD

SAMPLING = "tttdit.core.runtime.sampling"

# Steps that are recorded: the first, which has none before it; the second, which has no step size before it where the first has no signal;
# one like all others; the last.
RECORDED_STEPS = 4
# Layers of those that are alike. A pass without gradients keeps nothing of a layer, so that one more changes nothing but parameters.
FEW_LAYERS = 3


@frozen
class Drawing:
    """What drawing one video takes: `tape` has the first `recorded` of `steps` steps, and all parameters; `flops` are of all steps."""

    tape: Tape
    recorded: int
    steps: int
    flops: int


def record_drawing(stage: Stage, manner: Manner) -> Drawing:
    """The record of a sampler's loop for one video, without gradients; the model is whole, on one device, in `manner.dtype`.

    Where the model's layers are alike, few are run: one more has to give the same peak. Raises `Unpredicted` for a stage without a
    sampler that has a module, `UnknownCall` for what this world does not know, and what the modules raise.
    """
    sampler = stage.assembly.sampler
    if sampler is None or sampler.module is None:
        raise Unpredicted("there is no [sampling] whose sampler could be run")
    solver = WORLD.load(sampler.module)(stage.sampling)
    steps = stage.sampling.steps
    count = min(steps, RECORDED_STEPS)
    with remembering():
        whole = _model(stage, manner, None)
        layers = _layers(stage)
        if layers is None or layers <= FEW_LAYERS + 1:
            tape = _recorded(stage, manner, whole, solver, count)
            flops = tape.flops
        else:
            tape, more = (
                _recorded(stage, manner, _model(stage, manner, few), solver, count)
                for few in (FEW_LAYERS, FEW_LAYERS + 1)
            )
            flops = tape.flops + (layers - FEW_LAYERS) * (more.flops - tape.flops)
            if tape.peak_bytes != more.peak_bytes:  # layers hold something for those behind them
                tape = _recorded(stage, manner, whole, solver, count)
        tape = evolve(tape, standing=_standing(whole, _inputs(stage, manner)))
    return Drawing(tape, count, steps, flops // count * steps)


def _model(stage: Stage, manner: Manner, layers: int | None) -> Any:
    model = construct(WORLD.load, stage, Regions(), layers=layers, formulas=True).to(types.NAMES[manner.dtype])
    return model.eval().requires_grad_(False)


def _layers(stage: Stage) -> int | None:
    model = stage.assembly.model
    if model.repeated is None:
        return None
    return int(model.arguments(stage.model, stage.dims)[model.repeated])


def _inputs(stage: Stage, manner: Manner) -> dict[str, Tensor]:
    """The start, float32, and the embeddings of the text and of what is not wanted, of one video."""
    video, text, *_ = step_inputs(stage, manner.dtype, formulas=True)
    dtype = types.NAMES[manner.dtype]
    return {
        "start": given((1, *video.shape[1:]), types.float32),
        "text": given((1, *text.shape[1:]), dtype),
        "negative": given((1, *text.shape[1:]), dtype),
    }


def _recorded(stage: Stage, manner: Manner, model: Any, solver: Any, count: int) -> Tape:
    meter, inputs = Recorder(), _inputs(stage, manner)
    draw = WORLD.load(f"{SAMPLING}.drawing:draw")
    start = inputs["start"]
    before = STATE.recorder, STATE.inside_operators
    STATE.recorder, STATE.inside_operators = Places(model), False
    try:
        with at_work(manner), meter:
            for _ in draw(model, solver, _levels(count), *inputs.values(), lambda: randn_like(start)):
                pass
    finally:
        STATE.recorder, STATE.inside_operators, STATE.place = *before, ""
    return meter.tape()


def _levels(count: int) -> Sequence[Any]:
    """Levels whose numbers say nothing, but that the first has no signal and the others some: bytes do not depend on them."""
    level = WORLD.load(f"{SAMPLING}.solver:Level")
    shares = [step / count for step in range(count)] + [1.0]
    return [level(999 - step, shares[step], shares[step + 1], shares[step], step, count) for step in range(count)]


def _standing(model: Any, inputs: dict[str, Tensor]) -> tuple[Standing, ...]:
    named: list[tuple[str, StandingKind, Tensor]] = [
        *((name, "parameter", each) for name, each in model.named_parameters()),
        *((name, "buffer", each) for name, each in model.named_buffers()),
        *((name, "input", each) for name, each in inputs.items()),
    ]
    found: dict[Any, Standing] = {}
    for name, kind, each in named:
        found.setdefault(each.storage, Standing(name, kind, each.shape, each.dtype.name, each.storage.nbytes))
    return tuple(found.values())
