"""One rank of a mesh: what it holds, when it holds most, and what it sends."""

from math import prod

import pytest
from small_specs import small_stage

from tttdit.checker.memory.host import page_cache_bytes
from tttdit.checker.memory.predicting import predict, tape_of

GROUP, GROUP_INPUTS = "memory.transformer_checkpoint_layer_group_size", "memory.shard_transformer_inputs"


@pytest.fixture
def rank(nine_seconds):
    """What a rank of a small stage needs, and its tape."""

    def predicted(device="cpu", runtime="fsdp2", mesh="dp_replicate = 2\ndp_sharding = 4", more=""):
        stage = nine_seconds(added=f"\n[parallelism]\n{mesh}\n{more}")
        return (
            predict(stage, device=device, dtype="bfloat16", runtime=runtime),
            tape_of(stage, device=device, dtype="bfloat16", runtime=runtime),
        )

    return predicted


def standing(tape, kind):
    return sum(one.nbytes for one in tape.standing if one.kind == kind)


def test_parts_add_up_at_the_highest_moment_of_the_whole_step(rank):
    prediction, tape = rank()
    assert sum(prediction.parts.values()) == prediction.total_bytes
    assert prediction.total_bytes == sum(one.nbytes for one in tape.standing) + max(tape.high)
    assert prediction.peak_bytes == max(tape.high[: tape.passes])
    assert {moment.phase for moment in tape.moments} == {"forward", "backward", "gradient clipping", "optimizer step"}


def test_parameters_are_float32_and_shared_out(rank):
    _, plain = rank(runtime="plain")
    _, one = rank(mesh="dp_sharding = 1")
    _, seventh = rank(mesh="dp_sharding = 7")
    assert standing(one, "parameter") == 2 * standing(plain, "parameter")
    assert standing(one, "parameter") < 7 * standing(seventh, "parameter") < 1.01 * standing(one, "parameter")


def test_the_optimizer_holds_two_moments_of_what_has_a_gradient(rank):
    _, tape = rank(device="cuda")
    trained = sum(one.nbytes for one in tape.standing if one.has_gradient)
    assert standing(tape, "optimizer") == 2 * trained
    _, on_cpu = rank()
    counts = [one for one in on_cpu.standing if one.name.endswith(".step")]
    assert standing(on_cpu, "optimizer") == 2 * trained + 4 * len(counts), "their steps are in main memory"


def test_micro_steps_begin_with_gradients(rank):
    prediction, tape = rank(more="[training]\ngrad_accum_steps = 2\n")
    made = sum(one.nbytes for one in tape.standing if one.has_gradient)
    assert standing(tape, "gradient") == made
    once, _ = rank()
    assert [each.sent for each in prediction.communication][:4] == [2 * each.sent for each in once.communication][:4]


def test_collectives(rank):
    prediction, tape = rank(more="[hardware]\ngpu = 'H100-80GB'\ngpus_per_node = 4\n")
    told = [(each.name, each.dimension, each.ranks, each.between_nodes) for each in prediction.communication]
    assert told == [
        ("all-gather", "shards", 4, False),
        ("all-gather", "shards", 4, False),
        ("reduce-scatter", "shards", 4, False),
        ("all-reduce", "replicas", 2, True),
        ("all-reduce", "shards", 4, False),
    ]
    forward, backward, reduced, summed, norms = prediction.communication
    layers = forward.count - 1
    assert (backward.count, reduced.count, summed.count, norms.count) == (layers, layers + 1, layers + 1, 1)
    assert forward.sent == standing(tape, "parameter") // 2, "in bfloat16"
    assert (forward.received, reduced.sent) == (4 * forward.sent, 4 * reduced.received)
    assert reduced.received == summed.sent == sum(one.nbytes for one in tape.standing if one.has_gradient)


def test_one_rank_alone_sends_nothing(rank):
    prediction, _ = rank(mesh="dp_sharding = 1")
    assert prediction.communication == ()


# What tensor-parallel ranks all have of a layer, of which each uses it for its own heads or tokens.
FOR_ALL_HEADS = ("q_norm.", "k_norm.", "o.", "post_norm.", "wo.", "mlp.")


def test_what_tensor_parallel_ranks_send(rank):
    """Of each of two layers, as docs/memory.md, "Tensor-parallel ranks", lists it."""
    sets = "model.adapter=sft", "parallelism.tp_sharding=2", f"{GROUP}=0", f"{GROUP_INPUTS}=true"
    stage = small_stage("model.layers=2", *sets)
    prediction = predict(stage, device="cuda", dtype="bfloat16", runtime="fsdp2")
    of_ranks = [one for one in prediction.communication if one.dimension == "tensor"]
    assert {one.ranks for one in of_ranks} == {2}
    assert {(one.name, one.purpose): one.count for one in of_ranks} == {
        ("all-to-all", "activations, forward"): 2 * 3,
        ("all-gather", "activations, forward"): 2 * 4 + 2,
        ("all-to-all", "gradients of activations"): 2 * 3,
        ("all-gather", "gradients of activations"): 2 + 2,
        ("all-reduce", "gradients of activations"): 2 * 4,
        ("all-reduce", "gradients of parameters"): 2 * 14,
        ("all-reduce", "norms of gradients"): 1,
    }
    standing = tape_of(stage, device="cuda", dtype="bfloat16", runtime="fsdp2").standing
    summed = [
        one for one in standing if one.kind == "parameter" and any(f".{name}" in one.name for name in FOR_ALL_HEADS)
    ]
    assert not any(one.of_heads for one in summed)
    (parameters,) = [one for one in of_ranks if one.purpose == "gradients of parameters"]
    elements = sum(prod(one.shape) * stage.parallelism.dp_sharding for one in summed)
    assert parameters.sent == parameters.received == 2 * elements, "in bfloat16"


def test_of_tensor_parallel_ranks_that_have_the_same_one_writes(rank):
    added = "parallelism.tp_sharding=4", "parallelism.dp_sharding=2", "hardware.gpus_per_node=8", "hardware.nodes=1"
    stage = small_stage("model.layers=2", *added, "parallelism.dp_replicate=1")
    tape = tape_of(stage, device="cuda", dtype="bfloat16", runtime="fsdp2")
    saved = [one for one in tape.standing if one.kind in ("parameter", "optimizer")]
    written = sum(one.nbytes * (8 if one.of_heads else 2) for one in saved)
    assert 0 < page_cache_bytes(stage, tape.standing) == written < 8 * sum(one.nbytes for one in saved)
