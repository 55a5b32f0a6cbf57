"""One rank of a mesh: what it holds, when it holds most, and what it sends."""

import pytest

from tttdit.checker.memory.predicting import predict, tape_of
from tttdit.core.errors import Unpredicted


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


def test_tensor_parallel_ranks_are_not_predicted(rank):
    with pytest.raises(
        Unpredicted, match=r"^parallelism\.tp_sharding is 2, and a rank's memory is predicted for 1 only$"
    ):
        rank(mesh="tp_sharding = 2")
