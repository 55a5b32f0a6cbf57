"""The generic rules, each by what it says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tttdit.checker.report import FileReport
from tttdit.checker.resolving import our_rules
from tttdit.core.findings import Finding
from tttdit.core.rules import Page


def codes(file: FileReport) -> list[str]:
    return [finding.code for finding in file.findings]


def of(file: FileReport, code: str) -> Finding:
    (finding,) = [finding for finding in file.findings if finding.code == code]
    return finding


def test_every_code_has_one_page_that_says_what_why_and_what_instead() -> None:
    seen = [rule.code for rule in our_rules()]
    assert len(seen) == len(set(seen))
    for rule in our_rules():
        page = type(rule).__doc__ or ""
        assert all(f"{word}: " in page for word in ("What", "Why", "Example", "Instead", "Fix")), rule.code
        assert type(rule).__module__ == f"tttdit.checker.rules.{rule.name.replace('-', '_')}" or not isinstance(
            rule, Page
        )


# -- TTD501


@pytest.mark.parametrize("size", [0, 1, 2, 3, 6, 7, 14, 21, 42])
def test_layers_in_groups_that_divide_them(check_spec: Callable[..., FileReport], size: int) -> None:
    assert "TTD501" not in codes(check_spec(sets=(f"memory.transformer_checkpoint_layer_group_size={size}",)))


def test_layers_in_groups_that_leave_some_over(
    check_spec: Callable[..., FileReport], drawn: Callable[[FileReport], str]
) -> None:
    file = check_spec(added="\n[memory]\ntransformer_checkpoint_layer_group_size = 4\n")
    finding = of(file, "TTD501")
    assert finding.fix is not None
    assert [(edit.key, edit.value) for edit in finding.fix.edits] == [
        ("memory.transformer_checkpoint_layer_group_size", 3)
    ]
    assert (
        "warning[TTD501] layer-groups: 42 layers in groups of 4 do not come out even: the last group has 2\n"
        "  --> spec.toml:22:1\n"
        "   |\n"
        '16 | preset = "5B"\n'
        "   | ------------- 42 layers\n"
        "...\n"
        "22 | transformer_checkpoint_layer_group_size = 4\n"
        "   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "   |\n"
        "   = help: write memory.transformer_checkpoint_layer_group_size = 2, 3 or 6, or 0 to recompute none\n"
    ) in drawn(file)


def test_a_scans_last_group_may_be_smaller(check_spec: Callable[..., FileReport]) -> None:
    """804 mini-batches in groups of 16 leave 4."""
    assert "TTD501" not in codes(check_spec(sets=("memory.scan_checkpoint_group_size=16",)))


# -- TTD602


def batch(samples: int, replicas: int, shards: int, passes: int) -> tuple[str, ...]:
    return (
        f"training.global_batch_size={samples}",
        f"parallelism.dp_replicate={replicas}",
        f"parallelism.dp_sharding={shards}",
        f"training.grad_accum_steps={passes}",
    )


@pytest.mark.parametrize(("sizes", "share"), [((64, 8, 8, 1), 1), ((64, 4, 4, 2), 2), ((64, 1, 1, 1), 64)])
def test_a_batch_that_can_be_shared(
    check_spec: Callable[..., FileReport], sizes: tuple[int, int, int, int], share: int
) -> None:
    file = check_spec(sets=batch(*sizes))
    assert "TTD602" not in codes(file)
    assert file.stages[0].dims["B"] == share


@pytest.mark.parametrize("sizes", [(64, 8, 8, 2), (63, 8, 8, 1), (8, 16, 1, 1)])
def test_a_batch_that_cannot(check_spec: Callable[..., FileReport], sizes: tuple[int, int, int, int]) -> None:
    file = check_spec(sets=batch(*sizes))
    assert codes(file) == ["TTD602"]
    assert file.stages[0].dims["B"] is None


def test_a_batch_that_nobody_states_is_one_sample_a_rank(check_spec: Callable[..., FileReport]) -> None:
    file = check_spec(sets=("parallelism.dp_sharding=5", "training.grad_accum_steps=3"))
    assert "TTD602" not in codes(file)
    assert file.stages[0].dims["B"] == 1


def test_what_a_batch_is_shared_by(check_spec: Callable[..., FileReport]) -> None:
    finding = of(
        check_spec(
            added="\n[training]\nglobal_batch_size = 64\ngrad_accum_steps = 2\n[parallelism]\ndp_sharding = 64\n"
        ),
        "TTD602",
    )
    assert finding.message == (
        "64 samples cannot be shared by 1 * 64 data-parallel ranks in 2 accumulation steps: "
        "128 equal shares do not come out whole"
    )
    assert finding.help == "write training.global_batch_size = 128 or 256, or training.grad_accum_steps = 1"
    assert [(related.message, related.span and related.span.line) for related in finding.related] == [
        ("64 shards", 25),
        ("2 accumulation steps", 23),
    ]


# -- TTD603


def mesh(replicas: int, shards: int, tensor: int, gpus: int, nodes: int) -> tuple[str, ...]:
    return (
        f"parallelism.dp_replicate={replicas}",
        f"parallelism.dp_sharding={shards}",
        f"parallelism.tp_sharding={tensor}",
        f"hardware.gpus_per_node={gpus}",
        f"hardware.nodes={nodes}",
    )


def test_a_mesh_as_large_as_the_hardware(check_spec: Callable[..., FileReport]) -> None:
    assert "TTD603" not in codes(check_spec(sets=mesh(16, 4, 4, 8, 32)))


def test_a_mesh_that_is_larger(check_spec: Callable[..., FileReport]) -> None:
    finding = of(check_spec(sets=mesh(8, 8, 2, 8, 8)), "TTD603")
    assert finding.severity == "error"
    assert finding.message == "the mesh has 8 * 8 * 2 = 128 ranks, the hardware 8 * 8 = 64 GPUs: more than there are"
    assert finding.help == "write parallelism.dp_replicate = 4"


def test_a_mesh_that_is_smaller_is_only_odd(check_spec: Callable[..., FileReport]) -> None:
    file = check_spec(sets=mesh(1, 4, 1, 8, 1))
    assert of(file, "TTD603").severity == "warning"
    assert of(file, "TTD603").message.endswith("4 would be idle")
    assert file.ok


def test_hardware_of_which_only_a_part_is_known_says_nothing(check_spec: Callable[..., FileReport]) -> None:
    assert "TTD603" not in codes(check_spec(sets=("hardware.gpus_per_node=8", "parallelism.dp_sharding=64")))


# -- rules and each other


def test_what_follows_from_a_first_mistake_is_not_reported_again(check_spec: Callable[..., FileReport]) -> None:
    """With two segments L is 50,954, no whole number of mini-batches; but it is the segments that are wrong."""
    assert codes(check_spec("segments = 2")) == ["TTD202"]


def test_two_mistakes_of_which_neither_follows_from_the_other_are_both_reported(
    check_spec: Callable[..., FileReport],
) -> None:
    file = check_spec("tokens_per_segment = 493", sets=("model.heads=40",))
    assert sorted(codes(file)) == ["TTD201", "TTD301"]
