"""Records of steps, compared: where they part, and how that is told."""

import pytest
from attrs import evolve

from tttdit.core.runtime.proof.comparing import (
    flops_differ,
    gradients_differ,
    listing_differs,
    parting,
    same,
    tensors_differ,
)
from tttdit.core.shapes import NamedShape
from tttdit.core.stepping import Step
from tttdit.core.symbolic.storage import Operator

GELU = Operator("gelu", ((2, 90, 128),), ((11520, 128, 1),), ("bfloat16",), 46_080, "layers.0.mlp", "m.py:7", "r.py:9")
MM = Operator("mm", ((180, 32),), ((32, 1),), ("bfloat16",), 57_600, flops=1_474_560)
LOG = [evolve(MM, live=11_520), GELU, MM]
WEIGHT = NamedShape("layers.0.mlp.weight", "parameter", (32, 32), "bfloat16")


def test_equal_logs_do_not_part():
    detached = evolve(GELU, name="detach", live=0)
    assert parting(LOG, LOG) is None
    assert parting([LOG[0], detached, *LOG[1:]], LOG) is None, "what allocates nothing and exists in one world only"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"shapes": ((2, 90, 64),)}, "shapes of gelu in layers.0.mlp differ"),
        ({"strides": ((1, 180, 2),)}, "strides of gelu in layers.0.mlp differ"),
        ({"dtypes": ("float32",)}, "dtypes of gelu in layers.0.mlp differ"),
        ({"live": 92_160}, "live bytes of gelu in layers.0.mlp differ"),
        ({"dtypes": ("float32",), "live": 1}, "dtypes and live bytes of gelu in layers.0.mlp differ"),
        (
            {"shapes": (), "strides": (), "dtypes": ()},
            "the number of results of gelu in layers.0.mlp differs",
        ),
    ],
)
def test_what_differs_is_named(change, what):
    parted = parting(LOG, [LOG[0], evolve(GELU, **change), MM])
    assert parted.told().splitlines()[0] == f"operator 2 of 3: {what}"


def test_both_operators_are_told_with_the_bytes_between_them():
    parted = parting(LOG, [LOG[0], evolve(GELU, live=92_160), MM])
    assert parted.excess == 46_080
    assert parted.in_bytes_only
    assert parted.told() == (
        "operator 2 of 3: live bytes of gelu in layers.0.mlp differ\n"
        "torch:    gelu [2, 90, 128] bfloat16 with strides [11520, 128, 1], 46,080 bytes live\n"
        "symbolic: gelu [2, 90, 128] bfloat16 with strides [11520, 128, 1], 92,160 bytes live: 46,080 bytes more"
    )


def test_a_world_that_ends_early():
    assert parting(LOG, LOG[:2]).told() == (
        "operator 3 of 3: torch runs mm, the symbolic world has come to its end\n"
        "torch:    mm [180, 32] bfloat16 with strides [32, 1], 57,600 bytes live, 1,474,560 FLOPs\n"
        "symbolic: nothing more"
    )
    first = parting(LOG[:2], LOG).told().splitlines()[0]
    assert first == "operator 3 of 2: the symbolic world runs mm, torch has come to its end"


def test_strides_of_single_elements_and_of_nothing_do_not_matter():
    single = evolve(GELU, shapes=((1, 90, 1),), strides=((90, 1, 1),))
    assert same(single, evolve(single, strides=((7, 1, 90),)))
    assert not same(single, evolve(single, strides=((90, 2, 1),)))
    empty = evolve(GELU, shapes=((0, 4),), strides=((4, 1),))
    assert same(empty, evolve(empty, strides=((1, 1),)))


def test_names_of_operators_may_differ():
    assert same(GELU, evolve(GELU, name="gelu_"))


def test_tensors_by_name_shape_and_type():
    assert tensors_differ([WEIGHT], [WEIGHT], "the symbolic world") is None
    other = evolve(WEIGHT, name="layers.0.mlp.weights")
    assert tensors_differ([WEIGHT], [other], "the symbolic world").message == (
        "torch has the parameter layers.0.mlp.weight [32, 32], the symbolic world has no such tensor"
    )
    assert tensors_differ([], [other], "the symbolic world").message == (
        "the symbolic world has the parameter layers.0.mlp.weights [32, 32], torch has no such tensor"
    )
    assert tensors_differ([WEIGHT], [evolve(WEIGHT, dtype="float32")], "the symbolic world").message == (
        "layers.0.mlp.weight differs: on torch a parameter [32, 32] bfloat16, in the symbolic world a parameter [32, 32] float32"
    )


def test_the_list_names_layers_that_are_alike_once():
    once = evolve(WEIGHT, name="layers.*.mlp.weight", dtype="float32")
    both = [WEIGHT, evolve(WEIGHT, name="layers.1.mlp.weight")]
    assert listing_differs(both, [once]) is None
    assert listing_differs(both, []).message == (
        "the check does not list layers.0.mlp.weight [32, 32], a parameter on torch"
    )
    assert listing_differs(both, [evolve(once, shape=(32, 64))]).message == (
        "layers.0.mlp.weight differs: on torch a parameter [32, 32], listed as a parameter [32, 64]"
    )
    assert listing_differs([], [once]).message == (
        "the check lists the parameter layers.*.mlp.weight, torch has no such tensor"
    )


def test_gradients_by_name():
    step = Step((), (WEIGHT,), (WEIGHT.name,))
    none = evolve(step, gradients=())
    assert gradients_differ(step, step) is None
    assert gradients_differ(step, evolve(step, gradients=None)) is None, "nobody looked"
    assert gradients_differ(step, none).message == (
        "layers.0.mlp.weight gets a gradient on torch, and none in the symbolic world"
    )
    assert gradients_differ(none, step).message == (
        "layers.0.mlp.weight gets a gradient in the symbolic world, and none on torch"
    )


def test_flops_may_be_a_hundredth_apart():
    def step(flops):
        return Step((GELU, evolve(MM, flops=flops, line="m.py:8", rule="r.py:10")), (), ())

    assert flops_differ(step(1000), step(1010)) is None
    difference = flops_differ(step(1000), step(1011))
    assert (difference.module, difference.rule, difference.operator) == ("m.py:8", "r.py:10", 1)
    assert difference.message == (
        "FLOPs differ: 1,000 on torch, 1,011 in the symbolic world\n"
        "operator 2 of 2: FLOPs of mm differ\n"
        "torch:    mm [180, 32] bfloat16 with strides [32, 1], 57,600 bytes live, 1,000 FLOPs\n"
        "symbolic: mm [180, 32] bfloat16 with strides [32, 1], 57,600 bytes live, 1,011 FLOPs"
    )
