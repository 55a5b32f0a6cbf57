"""Saved and peak bytes by region, of logs and records written by hand."""

import pytest
from attrs import evolve, field, frozen

from tttdit.core.runtime.proof.regions import OUTSIDE, compare_memory
from tttdit.core.symbolic.storage import Operator
from tttdit.core.symbolic.tape import Allocation, Moment, Tape


def operator(name, live, region="", **more):
    return Operator(name, ((live,),), ((1,),), ("float32",), live, region=region, place="layers.0", **more)


# Two operators forward, in two regions of one name, and one backward.
SYMBOLIC = (
    operator("gelu", 100, "layers.0.mlp", line="module.py:3", rule="rule.py:4"),
    operator("detach", 100),
    operator("gelu", 150, "layers.1.mlp"),
    operator("mm", 200),
)
ON_TORCH = tuple(evolve(each, region="", place="") for each in SYMBOLIC if each.name != "detach")
TAPE = Tape(
    standing=(),
    moments=(
        Moment("gelu", "forward", "layers.0", "layers.0.mlp", False, 100),
        Moment("gelu", "forward", "layers.1", "layers.1.mlp", False, 150),
        Moment("mm", "backward", "layers.0", "", False, 200),
    ),
    allocations=(
        Allocation((100,), "float32", 100, 0, None, "activations", 0),
        Allocation((50,), "float32", 50, 1, None, "activations", 1),
        Allocation((50,), "float32", 50, 2, None, "gradients", 2),
    ),
    forward=2,
    saved_bytes=150,
    flops=0,
    recompute_flops=0,
    high=(100, 150, 200),
)


@frozen
class Counted:
    log: tuple = ON_TORCH
    saved_by: dict = field(factory=lambda: {0: 100, 1: 50})


def test_layers_are_one():
    proof = compare_memory(Counted(), SYMBOLIC, TAPE)
    assert proof.difference is None
    assert [(each.name, each.saved_bytes, each.peak_bytes) for each in proof.regions] == [
        ("layers.*.mlp", 150, 150),
        (OUTSIDE, 0, 200),
    ]
    assert (proof.saved_bytes, proof.peak_bytes) == (proof.predicted_saved_bytes, proof.predicted_peak_bytes)


def test_another_peak_names_the_region_and_both_operators():
    higher = (*ON_TORCH[:1], operator("gelu", 170), *ON_TORCH[2:])
    difference = compare_memory(Counted(higher), SYMBOLIC, TAPE).difference
    assert difference.message == (
        "the peak of layers.*.mlp differs: 170 bytes on torch, 150 predicted\n"
        "torch:     operator 2 of 3, gelu [170] float32 with strides [1] in layers.0\n"
        "predicted: gelu in layers.1"
    )


def test_other_saved_bytes_name_the_region_and_whose_results_they_are():
    difference = compare_memory(Counted(saved_by={0: 90, 1: 50}), SYMBOLIC, TAPE).difference
    assert difference.message == (
        "saved bytes of layers.*.mlp differ: 140 on torch, 150 predicted\nresults of gelu: 140 bytes on torch, 150 predicted"
    )
    assert (difference.module, difference.rule) == ("module.py:3", "rule.py:4")


@pytest.mark.parametrize("log", [ON_TORCH[:2], (*ON_TORCH, operator("mm", 200))])
def test_other_operators_have_no_regions(log):
    proof = compare_memory(Counted(log), SYMBOLIC, TAPE)
    assert proof.regions == ()
    assert proof.difference is None
    assert proof.peak_bytes == max(each.live for each in log)
