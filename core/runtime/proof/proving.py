"""Proves one stage: a training step on torch and in the symbolic world, compared after every operator, and with what is predicted of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from traceback import walk_tb

import torch
from attrs import evolve, frozen

from tttdit.core.errors import UnknownCall
from tttdit.core.plugin.references import one_line
from tttdit.core.runtime.fake_run import FakeRun, fake_run
from tttdit.core.runtime.proof.comparing import (
    Difference,
    Parting,
    audible,
    flops_apart,
    flops_differ,
    gradients_differ,
    listing_differs,
    parting,
    results,
    tensors_differ,
)
from tttdit.core.runtime.proof.fakes import RodWithFakes
from tttdit.core.runtime.proof.holding import Holding, holdings
from tttdit.core.runtime.proof.regions import Counted, MemoryProof, compare_memory
from tttdit.core.runtime.proof.steps import real_step
from tttdit.core.shapes import NamedShape
from tttdit.core.stage import Stage
from tttdit.core.stepping import Step
from tttdit.core.symbolic.periods import whole_step
from tttdit.core.symbolic.stepping import Manner, is_module, symbolic_step
from tttdit.core.symbolic.storage import Meter, Operator
from tttdit.core.symbolic.tape import Tape

_MOST_HOLDINGS = 3  # told of in a message


@frozen
class Proof:
    """What was compared, and the first difference; the figures are torch's."""

    operators: int = 0
    parameters: int = 0
    flops: int = 0
    flops_apart: float = 0.0  # as a share of torch's
    memory: MemoryProof | None = None  # None where the step fails in one world
    difference: Difference | None = None


def prove(stage: Stage, listed: Sequence[NamedShape], dtype: str) -> Proof:
    """Runs the stage's step in both worlds, on real tensors, and compares; custom operators' bodies too, and these with their fakes.

    `listed` are the tensors that the check lists for this stage, `dtype` is that of parameters and inputs. Raises `UnknownCall` for what
    the symbolic world does not know.
    """
    rods: list[RodWithFakes] = []

    def rod(existing: Iterable[torch.Tensor]) -> RodWithFakes:
        rods.append(RodWithFakes(existing))
        return rods[0]

    try:
        on_torch = real_step(stage, dtype, rod)
    except Exception as error:
        return Proof(difference=_failure("on torch the step fails", error))
    return _compared(
        on_torch,
        rods[0],
        lambda meter: symbolic_step(stage, dtype, meter),
        lambda: whole_step(stage, Manner(dtype=dtype)),
        listed,
        lambda operator: holdings(stage, dtype, operator),
        next(iter(rods[0].unlike), None),
    )


def prove_without_data(stage: Stage, listed: Sequence[NamedShape], dtype: str) -> Proof:
    """The same on fake tensors, so that the stage can be as large as it likes; a custom operator counts as one."""
    run = trace_without_data(stage, dtype)
    if run.error is not None:
        return Proof(difference=Difference(f"on torch's fake tensors the step fails: {run.error}"))
    tensors = tuple(shape for shape in run.shapes if shape.kind in ("parameter", "buffer"))
    return _compared(
        Step(run.log, tensors, None),
        run,
        lambda meter: symbolic_step(stage, dtype, meter, look_inside=False),
        lambda: whole_step(stage, Manner(dtype=dtype)),
        listed,
        lambda operator: [],
    )


def trace_without_data(stage: Stage, dtype: str) -> FakeRun:
    """The stage's step on fake tensors alone: what can be had of modules that the symbolic world does not know whole."""
    return fake_run(stage, dtype=getattr(torch, dtype))


def _compared(
    on_torch: Step,
    counted: Counted,
    symbolic_step: Callable[[Meter], Step],
    predicted_step: Callable[[], Tape],
    listed: Sequence[NamedShape],
    holdings_at: Callable[[int], list[Holding]],
    unlike: Difference | None = None,
) -> Proof:
    """`unlike` is a fake that promises something else than its operator gives: what is predicted relies on that."""
    compared = Proof(
        operators=len(audible(on_torch.log)),
        parameters=sum(tensor.kind == "parameter" for tensor in on_torch.tensors),
        flops=on_torch.flops,
    )
    meter = Meter(log=True, is_module=is_module)
    try:
        symbolic = symbolic_step(meter)
    except UnknownCall:
        raise
    except Exception as error:
        # what differs first may well be why it fails
        parted = parting(on_torch.log, meter.log or ())
        if parted is not None and parted.symbolic is not None:
            return evolve(compared, difference=_told(parted, meter.log or (), holdings_at))
        return evolve(compared, difference=_failure("the symbolic world refuses a step that torch runs", error))
    parted = parting(on_torch.log, symbolic.log)
    difference = (
        tensors_differ(on_torch.tensors, symbolic.tensors, "the symbolic world")
        or listing_differs(on_torch.tensors, listed)
        or (parted and _told(parted, symbolic.log, holdings_at))
        or unlike
    )
    compared = evolve(compared, flops_apart=flops_apart(on_torch, symbolic), difference=difference)
    memory = None
    try:
        memory = compare_memory(counted, symbolic.log, predicted_step())
    except UnknownCall:  # nothing is predicted where custom operators cannot count as one, for want of a fake
        pass
    except Exception as error:
        difference = difference or _failure("what is predicted cannot be recorded", error)
    difference = (
        difference
        or (memory and memory.difference)
        or gradients_differ(on_torch, symbolic)
        or flops_differ(on_torch, symbolic)
    )
    return evolve(compared, memory=memory, difference=difference)


def _told(parted: Parting, log: Sequence[Operator], holdings_at: Callable[[int], list[Holding]]) -> Difference:
    """Where the logs part, and why as far as that can be seen."""
    theirs = audible(log)
    # where the symbolic world has come to its end, its last operator is the nearest that has lines
    believed = parted.symbolic or theirs[-1]
    module, rule, message = believed.line, believed.rule, parted.told()
    if parted.in_bytes_only:
        held = holdings_at(parted.index)
        message = "\n".join([message, *(_told_holding(each, theirs) for each in held[:_MOST_HOLDINGS])])
        culprit = next((each for each in held if each.rule), None)
        if culprit is not None:
            module, rule = culprit.line, culprit.rule
    return Difference(message, module, rule, parted.index, parted.excess)


def _told_holding(holding: Holding, operators: Sequence[Operator]) -> str:
    """Which bytes are held in one world only, whose result they are, and who holds them."""
    world = "the symbolic world" if holding.excess > 0 else "torch"
    by = f", by the node {holding.node}" if holding.node else ""
    made = operators[holding.made_by] if holding.made_by >= 0 else None
    what = f"operator {holding.made_by + 1:,}, {made.name} {results(made)}" if made else "an unknown operator"
    return f"held by {world} only{by}: {abs(holding.excess):,} bytes of {what}"


def _failure(what: str, error: Exception) -> Difference:
    """An exception that only one world raises, at the innermost line of a module."""
    module = ""
    for frame, line in walk_tb(error.__traceback__):
        if is_module(frame.f_code.co_filename):
            module = f"{frame.f_code.co_filename}:{line}"
    return Difference(f"{what}: {one_line(error)}", module)
