"""One training step of a model: the same lines in both worlds, so that what they hold lives equally long."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen

from tttdit.core.plugin.kinds import Input
from tttdit.core.shapes import NamedShape
from tttdit.core.stage import Stage
from tttdit.core.symbolic.storage import Operator

OBJECTIVE = "tttdit.core.runtime.objective:training_loss"
REMAT = "tttdit.core.runtime.remat:RecomputedRegions"


@frozen
class Step:
    """What one world did in a training step.

    `log` has every operator of forward and backward, `tensors` the model's parameters and buffers before it, `gradients` the names of the
    parameters that got one, None where nobody looked.
    """

    log: tuple[Operator, ...]
    tensors: tuple[NamedShape, ...]
    gradients: tuple[str, ...] | None

    @property
    def flops(self) -> int:
        """Floating-point operations of all operators."""
        return sum(operator.flops for operator in self.log)


def step_inputs(stage: Stage, dtype: str, *, formulas: bool = False) -> list[Input]:
    """What the objective takes behind the model: video, text, timestep, and noise like the video; floating-point ones in `dtype`.

    With `formulas` their sizes remember how they came about.
    """
    inputs: Mapping[str, Input] = stage.assembly.model.inputs(stage.model, stage.dims)
    sizes = [
        Input(
            wanted.shape if formulas else tuple(map(int, wanted.shape)),
            wanted.dtype if wanted.dtype == "int64" else dtype,  # type: ignore[arg-type]
        )
        for wanted in inputs.values()
    ]
    return [*sizes, sizes[0]]


def train_once(objective: Callable[..., Any], model: Any, inputs: Sequence[Any]) -> Any:
    """The loss, after forward and, where anything is trained, backward; gradients are in the parameters then."""
    loss = objective(model, *inputs)
    if loss.requires_grad:
        loss.backward()
    return loss


def tensors_of(model: Any, dtype_name: Callable[[Any], str]) -> tuple[NamedShape, ...]:
    """Parameters and buffers, as they are before a step: a step may add to them what it makes when first asked, tables for instance."""
    named = [
        *(("parameter", name, tensor) for name, tensor in model.named_parameters()),
        *(("buffer", name, tensor) for name, tensor in model.named_buffers()),
    ]
    return tuple(NamedShape(name, kind, tuple(map(int, t.shape)), dtype_name(t)) for kind, name, t in named)  # type: ignore[arg-type]


def gradients_of(model: Any) -> tuple[str, ...]:
    """The names of the parameters that have got a gradient."""
    return tuple(name for name, parameter in model.named_parameters() if parameter.grad is not None)
