"""A whole step put together from few layers is the step that all layers make, allocation by allocation."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from small_specs import small_stage

from tttdit.checker.memory.predicting import with_memory
from tttdit.core.stage import Stage
from tttdit.core.symbolic.periods import Rows, in_groups, rows_of, stretched, whole_step
from tttdit.core.symbolic.stepping import Manner, record_step
from tttdit.core.symbolic.tape import Tape

FLAGS = ("attention", "forward_ssm", "reverse_ssm", "mlp", "seq_modeling_block")


def stage_of(
    layers: int, *, adapter: str = "qkvo", mixer: str = "ttt-mlp", rates: str = "token", **memory: int
) -> Stage:
    mixers = f"model.mixer.plugin={mixer}", f"model.mixer.learning_rates={rates}"
    stage = small_stage(f"model.layers={layers}", f"model.adapter={adapter}", *mixers)
    return with_memory(stage, memory)


def told(tape: Tape) -> tuple[object, ...]:
    """All that a record says."""
    numbers = tape.forward, tape.saved_bytes, tape.peak_bytes, tape.peak_at, tape.flops, tape.recompute_flops
    return numbers, list(tape.moments), list(tape.allocations), set(tape.standing)


@given(
    layers=st.integers(11, 15),
    size=st.sampled_from([0, 1, 2, 3, 7, 9, 20]),
    flags=st.sets(st.sampled_from(FLAGS)),
    adapter=st.sampled_from(["qkvo", "sft"]),
    mixer=st.sampled_from(["ttt-mlp", "ttt-linear"]),
    rates=st.sampled_from(["token", "upstream"]),
)
@settings(max_examples=5, deadline=None)
def test_few_layers_tell_of_all(layers: int, size: int, flags: set[str], adapter: str, mixer: str, rates: str) -> None:
    groups = {"transformer_checkpoint_layer_group_size": size}
    stage = stage_of(layers, adapter=adapter, mixer=mixer, rates=rates, **groups, **dict.fromkeys(flags, True))
    rows, manner = rows_of(stage), Manner(dtype="bfloat16")
    assert rows is not None
    few = rows.fewer()
    record = record_step(in_groups(stage, few), evolve(manner, layers=few.layers))
    whole = stretched(record, few, rows)
    assert whole is not None
    assert told(whole) == told(record_step(stage, manner))


def test_rows() -> None:
    assert rows_of(stage_of(42, transformer_checkpoint_layer_group_size=4)) == Rows(10, 4, 2)
    assert rows_of(stage_of(42, transformer_checkpoint_layer_group_size=0)) == Rows(1, 42, 0)
    assert Rows(10, 4, 2).fewer() == Rows(4, 4, 2)
    assert Rows(42, 1).fewer() == Rows(6, 1)
    assert Rows(3, 11, 9).fewer() == Rows(3, 7, 6)


def test_layers_that_do_not_do_the_same_are_not_put_together() -> None:
    """A record whose middle layers differ is refused, and the whole step is recorded."""
    stage, manner = stage_of(14), Manner(dtype="bfloat16", layers=6)
    tape = record_step(stage, manner)
    middle = next(at for at, moment in enumerate(tape.moments) if moment.place == "layers.2.mlp.layer1")
    moments = list(tape.moments)
    moments[middle] = evolve(moments[middle], name="something else")
    assert stretched(tape, Rows(6, 1), Rows(14, 1)) is not None
    assert stretched(evolve(tape, moments=moments), Rows(6, 1), Rows(14, 1)) is None


def test_a_few_layers_are_recorded_whole() -> None:
    stage = stage_of(3)
    assert told(whole_step(stage, Manner(dtype="float32"))) == told(record_step(stage, Manner(dtype="float32")))
