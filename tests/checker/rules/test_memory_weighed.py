"""TTD506 to TTD509, on predictions that a test makes up: who is asked for what, and which words follow from which bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from tttdit.checker.api import load_spec
from tttdit.checker.judging import weigh
from tttdit.checker.memory.predicting import with_memory
from tttdit.checker.memory.prediction import Prediction
from tttdit.checker.rules.costly_group import CostlyGroup
from tttdit.checker.rules.flag_without_effect import FlagWithoutEffect
from tttdit.checker.rules.over_budget import OverBudget
from tttdit.checker.rules.tight_budget import TightBudget
from tttdit.core.findings import Finding
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage

GIB = 2**30
GROUPS, SCAN = "transformer_checkpoint_layer_group_size", "scan_checkpoint_group_size"
GPU = "\n[hardware]\ngpu_memory_gib = 80\n"
Change = Callable[[Stage], dict[str, Any]]


def prediction(needed: float, **other: Any) -> Prediction:
    """A step that needs so many GiB, one of them outside of torch."""
    inside = int((needed - 1) * GIB)
    fields: dict[str, Any] = {
        "peak_bytes": 20 * GIB,
        "saved_bytes": 10 * GIB,
        "flops": 4 * 10**15,
        "recompute_flops": 10**15,
        "budget_bytes": 80 * GIB,
        "parts": {"activations": inside // 2, "parameters": inside - inside // 2},
        "reserved_bytes": inside,
    }
    return Prediction(
        stage="nine", device="cuda", dtype="bfloat16", runtime="fsdp2", peak_at="backward of layers.41", total_bytes=inside,
        total_at="backward of layers.41", outside_bytes=GIB, host_bytes={}, communication=(), **fields | other
    )  # fmt: skip


class Scripted:
    """A stage whose predictions a test gives: its own, and how other settings differ from it."""

    def __init__(self, stage: Stage, own: Prediction, change: Change = lambda stage: {}) -> None:
        self.stage, self.own, self.change = stage, own, change
        self.asked: list[dict[str, Any]] = []

    @property
    def prediction(self) -> Prediction:
        return self.own

    def outlook(self, **memory: Any) -> Prediction:
        self.asked.append(memory)
        return evolve(self.own, **self.change(with_memory(self.stage, memory)))


@pytest.fixture
def make_stage(make_spec: Callable[..., str]) -> Callable[[str], Stage]:
    """The stage of nine seconds, with these tables."""

    def make(added: str) -> Stage:
        (stage,) = load_spec(make_spec(added=added)).stages
        return stage

    return make


def found(rule: Rule, weighed: Scripted) -> list[Finding]:
    return list(weigh([rule], weighed))


def edits(finding: Finding) -> dict[str, Any]:
    assert finding.fix is not None
    assert finding.fix.applicability == "unsafe"
    return {edit.key: edit.value for edit in finding.fix.edits}  # type: ignore[union-attr]


def fewer_bytes(stage: Stage) -> dict[str, Any]:
    """Attention saves 8 GiB, the MLP 4; more groups nothing."""
    needed = 89 - 8 * stage.memory.attention - 4 * stage.memory.mlp
    return {"total_bytes": needed * GIB, "reserved_bytes": needed * GIB, "recompute_flops": 2 * 10**15}


def test_over_budget_the_flags_that_are_needed_are_written_and_no_others(make_stage: Callable[[str], Stage]) -> None:
    stage = make_stage(GPU)
    (one,) = found(OverBudget(), Scripted(stage, prediction(90), fewer_bytes))
    assert edits(one) == {"memory.attention": True, "memory.mlp": True}
    assert one.message == (
        "a rank needs 90.00 GiB, 10.00 GiB more than the 80.00 GiB of its GPU\n"
        "at the highest moment, backward of layers.41: activations 44.50 GiB, parameters 44.50 GiB"
    )
    assert one.help.startswith(
        "write memory.attention = true, memory.mlp = true: 78.00 GiB, for 1 PFLOP more in every step (25.0 %)"
    )


def test_over_budget_where_nothing_fits_the_largest_part_is_spread(make_stage: Callable[[str], Stage]) -> None:
    stage = make_stage(GPU)
    (one,) = found(OverBudget(), Scripted(stage, prediction(120)))
    assert one.fix is None
    assert (
        one.help
        == "to recompute more does not help\na larger parallelism.tp_sharding spreads the largest part over more ranks"
    )
    states = {"optimizer": 80 * GIB, "activations": 39 * GIB}
    (one,) = found(OverBudget(), Scripted(stage, prediction(120, parts=states)))
    assert "a larger parallelism.dp_sharding spreads" in one.help


def test_without_hardware_no_budget_is_asked_about(make_stage: Callable[[str], Stage]) -> None:
    class Untouched(Scripted):
        @property
        def prediction(self) -> Prediction:
            raise AssertionError("nobody needs it")

    weighed = Untouched(make_stage(""), prediction(90))
    for rule in (OverBudget(), TightBudget(), FlagWithoutEffect(), CostlyGroup()):
        assert found(rule, weighed) == []


@pytest.mark.parametrize(
    ("needed", "waste", "severity"),
    [(70, 0, None), (78.5, 0, "info"), (76, 5, "warning"), (78.4, 0, None), (81, 0, None)],
)
def test_how_tight_a_budget_is(
    make_stage: Callable[[str], Stage], needed: float, waste: int, severity: str | None
) -> None:
    own = prediction(needed)
    own = evolve(own, reserved_bytes=own.total_bytes + waste * GIB)
    assert [one.severity for one in found(TightBudget(), Scripted(make_stage(GPU), own))] == (
        [severity] if severity else []
    )


def test_one_finding_says_over_and_the_other_tight(make_stage: Callable[[str], Stage]) -> None:
    own = evolve(prediction(76), reserved_bytes=82 * GIB)
    assert found(OverBudget(), Scripted(make_stage(GPU), own)) == []
    (one,) = found(TightBudget(), Scripted(make_stage(GPU), own))
    assert "need 76.00 GiB of the GPU's 80.00 GiB, with what the allocator's blocks waste 83.00 GiB" in one.message


def test_a_flag_without_effect_is_one_without_which_nothing_grows(make_stage: Callable[[str], Stage]) -> None:
    stage = make_stage("\n[memory]\nmlp = true\n")
    weighed = Scripted(stage, prediction(60), lambda _: {"recompute_flops": 9 * 10**14})
    (one,) = found(FlagWithoutEffect(), weighed)
    assert edits(one) == {"memory.mlp": False}
    assert one.message.startswith(
        "memory.mlp = true recomputes 100 TFLOP in every step (2.5 % of it) and saves no memory\n"
    )
    assert one.message.endswith("and the same without")
    for larger in ("peak_bytes", "saved_bytes"):
        assert not found(FlagWithoutEffect(), Scripted(stage, prediction(60), lambda _, key=larger: {key: 50 * GIB}))  # type: ignore[misc]


def test_a_region_that_is_never_run_is_not_recomputed_for_nothing(make_stage: Callable[[str], Stage]) -> None:
    assert found(FlagWithoutEffect(), Scripted(make_stage("\n[memory]\nmlp = true\n"), prediction(60))) == []


def test_groups_that_do_not_come_out_even_are_another_rules(make_stage: Callable[[str], Stage]) -> None:
    for size in (4, 42):
        weighed = Scripted(
            make_stage(f"\n[memory]\n{GROUPS} = {size}\n"), prediction(60), lambda _: {"peak_bytes": GIB}
        )
        assert found(CostlyGroup(), weighed) == []


def test_of_a_region_that_waits_nobody_asks_unless_it_lies_in_another(make_stage: Callable[[str], Stage]) -> None:
    waiting = frozenset({"attention", "seq_modeling_block"})
    stage = make_stage("\n[memory]\nattention = true\nseq_modeling_block = true\n")
    weighed = Scripted(stage, prediction(60, waiting=waiting), lambda _: {"peak_bytes": 30 * GIB})
    assert found(FlagWithoutEffect(), weighed) == []
    assert weighed.asked == [{"attention": False}]


def test_a_flag_that_is_in_no_other_region_is_taken_as_meant(make_stage: Callable[[str], Stage]) -> None:
    weighed = Scripted(make_stage(f"\n[memory]\n{GROUPS} = 0\nmlp = true\n"), prediction(60))
    assert found(FlagWithoutEffect(), weighed) == []
    assert weighed.asked == []


def test_the_best_smaller_group_is_named(make_stage: Callable[[str], Stage]) -> None:
    peaks = {6: 26, 3: 24, 2: 22, 1: 23}

    def change(stage: Stage) -> dict[str, Any]:
        return {"peak_bytes": peaks[getattr(stage.memory, GROUPS)] * GIB}

    weighed = Scripted(make_stage(f"\n[memory]\n{GROUPS} = 6\n"), prediction(60, peak_bytes=26 * GIB), change)
    (one,) = found(CostlyGroup(), weighed)
    assert edits(one) == {f"memory.{GROUPS}": 2}
    assert one.message == (
        "groups of 6 need 4.00 GiB more than groups of 2, and recompute no less\nthe peak is 26.00 GiB against 22.00 GiB"
    )
    assert weighed.asked == [{GROUPS: 3}, {GROUPS: 2}, {GROUPS: 1}]


def test_a_smaller_group_that_recomputes_more_is_no_better(make_stage: Callable[[str], Stage]) -> None:
    better_and_slower = {"peak_bytes": 10 * GIB, "recompute_flops": 2 * 10**15}
    weighed = Scripted(make_stage(f"\n[memory]\n{GROUPS} = 2\n"), prediction(60), lambda _: better_and_slower)
    assert found(CostlyGroup(), weighed) == []


def test_groups_of_a_scan_matter_where_an_operator_stands_at_the_peak(make_stage: Callable[[str], Stage]) -> None:
    stage = make_stage(f"\n[memory]\n{SCAN} = 64\n")
    idle, busy = prediction(60), prediction(60, workspace_bytes=GIB)
    less: Change = lambda stage: {"peak_bytes": (19 if getattr(stage.memory, SCAN) == 32 else 20) * GIB}  # noqa: E731
    assert found(CostlyGroup(), Scripted(stage, idle, less)) == []
    (one,) = found(CostlyGroup(), Scripted(stage, busy, less))
    assert edits(one) == {f"memory.{SCAN}": 32}
