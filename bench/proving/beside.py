"""This model's bytes beside those of another implementation of the same model, counted the same way."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from attrs import evolve, frozen

import tttdit
from proving.full_size import DTYPE, FLAGS, LAYERS, SCAN, SPEC
from tttdit.checker.memory.predicting import with_memory
from tttdit.core.symbolic.periods import whole_step
from tttdit.core.symbolic.stepping import Manner
from tttdit.core.symbolic.tape import Allocation, Tape

STAGE = "9s"
FOUR = FLAGS[:-1]
# Setting and adapter of another implementation, TTT-MLP at 9 s, batch 1, bfloat16, fake CPU tensors, its scan one operator: GiB at the
# peak beside its parameters and gradients, as measured on it.
OTHER: tuple[tuple[str, str, Mapping[str, Any], float], ...] = (
    ("layer groups of 1", "sft", {}, 28.86),
    ("+ forward_ssm", "sft", {"forward_ssm": True}, 25.29),
    ("+ reverse_ssm", "sft", {"reverse_ssm": True}, 25.29),
    ("+ attention", "sft", {"attention": True}, 26.65),
    ("+ mlp", "sft", {"mlp": True}, 28.86),
    ("+ seq_modeling_block", "sft", {"seq_modeling_block": True}, 25.27),
    ("+ all but seq_modeling_block", "sft", dict.fromkeys(FOUR, True), 19.49),
    ("+ all flags", "sft", dict.fromkeys(FLAGS, True), 19.46),
    ("scan groups of 1", "sft", {SCAN: 1}, 37.77),
    ("scan groups of 4", "sft", {SCAN: 4}, 30.64),
    ("no scan groups", "sft", {SCAN: 0}, 36.56),
    ("layer groups of 2", "sft", {LAYERS: 2}, 37.94),
    ("layer groups of 1, qkvo", "qkvo", {}, 27.62),
    ("+ all but seq_modeling_block, qkvo", "qkvo", dict.fromkeys(FOUR, True), 19.17),
)


@frozen
class Held:
    """Tensors that live at the peak: how many of one operator and one shape, and what they take together."""

    operator: str
    place: str
    shape: tuple[int, ...]
    dtype: str
    count: int
    nbytes: int


def peak_beside_gradients(tape: Tape) -> tuple[int, int]:
    """The most bytes that live beside gradients of parameters, and the moment."""
    changes: Counter[int] = Counter()
    for one in tape.allocations:
        if one.kind == "gradients":
            changes[one.made] += one.nbytes
            if one.gone is not None:
                changes[one.gone] -= one.nbytes
    gradients, highest, where = 0, 0, 0
    for at, moment in enumerate(tape.moments):
        gradients += changes[at]
        if moment.high - gradients > highest:
            highest, where = moment.high - gradients, at
    return highest, where


def recorded(adapter: str, setting: Mapping[str, Any]) -> Tape:
    """The step of this model with a setting on top of layer groups of 1 and scan groups of 16."""
    stages = tttdit.load_spec(SPEC).stages
    (stage,) = (each for each in stages if each.name == STAGE)
    stage = evolve(stage, model=stage.model.model_copy(update={"adapter": adapter}))
    plain = {LAYERS: 1, SCAN: 16, **dict.fromkeys(FLAGS, False)}
    return whole_step(with_memory(stage, {**plain, **setting}), Manner(dtype=DTYPE))


def held(tape: Tape, at: int) -> list[Held]:
    """What lives at a moment beside gradients, the largest together first."""
    found: dict[tuple[Any, ...], list[Allocation]] = {}
    for one in tape.live_at(at):
        if one.kind != "gradients":
            made = tape.moments[one.made]
            place = re.sub(r"\.\d+(?=\.|$)", ".*", made.place)
            found.setdefault((made.name, place, tuple(map(int, one.shape)), one.dtype), []).append(one)
    rows = [Held(*key, len(alike), sum(one.nbytes for one in alike)) for key, alike in found.items()]
    return sorted(rows, key=lambda row: -row.nbytes)
