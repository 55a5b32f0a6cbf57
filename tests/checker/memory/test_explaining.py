"""What saved bytes and peak consist of adds up to them, tensor by tensor."""

import pytest

from tttdit.checker.memory.abbreviating import Abbreviations
from tttdit.checker.memory.explaining import alike, explain, in_any_layer, layer_of
from tttdit.checker.memory.polynomial import polynomial
from tttdit.checker.memory.predicting import predict, tape_of

SETTINGS = [
    ("plain", "transformer_checkpoint_layer_group_size = 1"),
    ("plain", "transformer_checkpoint_layer_group_size = 2\nattention = true\nmlp = true"),
    ("plain", "transformer_checkpoint_layer_group_size = 0\nforward_ssm = true\nreverse_ssm = true"),
    ("fsdp2", "transformer_checkpoint_layer_group_size = 1\nscan_checkpoint_group_size = 16"),
]


def shown(stage, runtime):
    tape = tape_of(stage, device="cuda", dtype="bfloat16", runtime=runtime)
    return explain(tape), predict(stage, device="cuda", dtype="bfloat16", runtime=runtime)


@pytest.mark.parametrize(("runtime", "setting"), SETTINGS)
def test_sums_are_the_predicted_bytes(nine_seconds, runtime, setting):
    stage = nine_seconds(added=f"\n[memory]\n{setting}\n")
    explanation, prediction = shown(stage, runtime)
    known = Abbreviations(stage)
    assert explanation.saved.nbytes == prediction.saved_bytes
    assert explanation.peak.nbytes == prediction.peak_bytes
    assert explanation.peak.at == prediction.peak_at
    for balance in (explanation.saved, explanation.peak):
        assert sum(share.times * share.nbytes for share in balance.shares) == balance.nbytes
        assert sum(share.times * known.value(share.formula) for share in balance.shares) == balance.nbytes


def test_layers_that_hold_the_same_are_one_share(nine_seconds):
    stage = nine_seconds(added="\n[memory]\ntransformer_checkpoint_layer_group_size = 1\n")
    explanation, _ = shown(stage, "plain")
    first = explanation.saved.shares[0]
    assert first.layers == tuple(range(41)), "the last layer's text is not used"
    assert {each.place for each in first.tensors} == {"layers.*"}
    assert polynomial(first.tensors, Abbreviations(stage)) == "2*B*D*L"
    assert sorted(number for share in explanation.saved.shares for number in share.layers) == list(range(42))


def test_a_layer_without_remat_is_a_polynomial_term_by_term(nine_seconds):
    stage = nine_seconds(added="\n[memory]\ntransformer_checkpoint_layer_group_size = 0\n")
    explanation, _ = shown(stage, "plain")
    known = Abbreviations(stage)
    share = explanation.saved.shares[0]
    largest = share.tensors[0]
    assert known.text(largest.formula) == "8*B*D*L"
    assert largest.operator in ("addmm", "gelu")
    assert largest.place.startswith("layers.*.mlp")
    sizes = [known.value(each.count * each.formula) for each in share.tensors]
    assert sizes == sorted(sizes, reverse=True) == [each.total for each in share.tensors]


def test_alike_are_added_up(nine_seconds):
    explanation, _ = shown(nine_seconds(), "plain")
    tensors = [each for share in explanation.peak.shares for each in share.tensors]
    twice = alike([*tensors, *tensors])
    assert sum(each.total for each in twice) == 2 * sum(each.total for each in tensors)
    assert len(twice) <= len(tensors)


@pytest.mark.parametrize(
    ("path", "number", "starred"),
    [
        ("layers.41.mlp", 41, "layers.*.mlp"),
        ("layers.0", 0, "layers.*"),
        ("layers_of.0.mlp", None, "layers_of.0.mlp"),
        ("", None, ""),
    ],
)
def test_layers_of_paths(path, number, starred):
    assert layer_of(path, "layers") == number
    assert in_any_layer(path, "layers") == starred
    assert in_any_layer(path, "") == path
