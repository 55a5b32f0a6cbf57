"""A sweep says of every setting what a prediction of that setting says, and keeps what it has found out."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from small_specs import small_stage

from tttdit.checker.memory import recording, sweeping
from tttdit.checker.memory.predicting import predict, with_memory
from tttdit.checker.memory.prediction import Runtime
from tttdit.checker.memory.settings import Outlook, Setting, settings
from tttdit.core.stage import Stage
from tttdit.core.symbolic.atlas import Atlas
from tttdit.core.symbolic.atlas_text import atlas_of, text_of
from tttdit.core.symbolic.formula import Formula
from tttdit.core.symbolic.periods import grouping


def stage_of(*sets: str) -> Stage:
    return small_stage("model.layers=12", *sets)


def sweep(stage: Stage, chosen: list[Setting], device: str, runtime: Runtime) -> tuple[Outlook, ...]:
    own = predict(stage, device=device, dtype=stage.parallelism.unsharded_dtype, runtime=runtime)
    return sweeping.sweep(stage, chosen, own=own, progress=lambda count: None).outlooks


@pytest.fixture(autouse=True)
def nothing_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting is to come out of an outline."""

    def alone(*arguments: object) -> Outlook:
        raise AssertionError(f"predicted by itself: {arguments}")

    monkeypatch.setattr(sweeping, "_alone", alone)
    monkeypatch.setenv("TTTDIT_CACHE", "")


@pytest.mark.parametrize(("device", "runtime"), [("cpu", "plain"), ("cuda", "fsdp2")])
@pytest.mark.parametrize(
    "sets",
    [
        (),
        (
            "model.adapter=sft",
            "model.mixer.plugin=ttt-linear",
            "parallelism.dp_sharding=3",
            "training.global_batch_size=24",
        ),
    ],
)
def test_a_sweep_is_what_predictions_say(device: str, runtime: Runtime, sets: tuple[str, ...]) -> None:
    stage = stage_of(*sets)
    compare(stage, random.Random(f"{runtime}{sets}").sample(settings(stage), 7), device, runtime)


UNEVEN = (
    "model.mixer.plugin=ttt-linear",
    "model.mixer.mini_batch_size=1",
    "text.tokens_per_segment=11",
    "parallelism.dp_replicate=2",
    "training.global_batch_size=32",
)


@pytest.mark.parametrize(
    ("device", "sets"), [("cuda", ()), ("cuda", UNEVEN), ("cpu", UNEVEN)], ids=["cuda", "cuda, uneven", "cpu, uneven"]
)
def test_a_sweep_of_tensor_parallel_ranks(device: str, sets: tuple[str, ...]) -> None:
    """Where lengths are shared out unevenly, and a rank has two samples, operators are given pieces of padded tensors."""
    stage = stage_of("parallelism.tp_sharding=2", *sets)
    assert (int(stage.dims["L"]) % 2, int(stage.dims["B"])) == ((1, 2) if sets else (0, 1))
    compare(stage, random.Random(f"{device}{sets}").sample(settings(stage), 3), device, "fsdp2")


@pytest.mark.parametrize(("device", "runtime"), [("cpu", "plain"), ("cuda", "fsdp2")])
def test_every_length_of_a_group_follows(device: str, runtime: Runtime) -> None:
    """Few lengths are recorded; 18 layers come in groups of 1, 2, 3, 6, 9, 18, or in none."""
    stage, draw = small_stage("model.layers=18"), random.Random(runtime)
    key = grouping(stage)
    assert key is not None
    sizes = sorted({each.values[key] for each in settings(stage)})
    assert sizes == [0, 1, 2, 3, 6, 9, 18]
    of_size = [[each for each in settings(stage) if each.values[key] == size] for size in sizes]
    compare(stage, [draw.choice(some) for some in of_size], device, runtime)


def compare(stage: Stage, chosen: list[Setting], device: str, runtime: Runtime) -> None:
    dtype = stage.parallelism.unsharded_dtype
    for outlook in sweep(stage, chosen, device, runtime):
        alone = predict(with_memory(stage, outlook.setting.values), device=device, dtype=dtype, runtime=runtime)
        assert outlook.saved_bytes == alone.saved_bytes
        assert outlook.peak_bytes == alone.peak_bytes
        assert outlook.total_bytes == alone.total_bytes
        assert (outlook.flops, outlook.recompute_flops) == (alone.flops, alone.recompute_flops)


@pytest.mark.parametrize(
    ("device", "runtime", "other"),
    [
        ("cpu", "plain", ("model.width=128", "video.width=128")),
        ("cuda", "fsdp2", ("model.width=128", "parallelism.dp_sharding=16", "parallelism.dp_replicate=4")),
        ("cuda", "fsdp2", ("model.timestep_width=17", "parallelism.dp_sharding=3", "training.global_batch_size=24")),
    ],
)
def test_what_was_found_out_holds_for_other_sizes(
    device: str, runtime: Runtime, other: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outlines are kept, and no size is in them: for a wider model, or other ranks, nothing is recorded but the spec's own setting."""
    monkeypatch.setenv("TTTDIT_CACHE", str(tmp_path))
    narrow, wide = stage_of(), stage_of(*other)
    chosen = random.Random(2).sample(settings(narrow), 3)
    sweep(narrow, chosen, device, runtime)

    def recorded(*arguments: object) -> None:
        raise AssertionError("recorded once more")

    monkeypatch.setattr(recording, "record_step", recorded)
    compare(wide, chosen, device, runtime)


def test_what_tensor_parallel_ranks_share_out_alike_holds_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTTDIT_CACHE", str(tmp_path))
    two = "parallelism.tp_sharding=2"
    narrow, wide = stage_of(two), stage_of(two, "model.timestep_width=34", "model.width=128")
    chosen = random.Random(5).sample(settings(narrow), 2)
    sweep(narrow, chosen, "cuda", "fsdp2")
    made: list[object] = []
    record_step = recording.record_step
    monkeypatch.setattr(recording, "record_step", lambda *given: made.append(given) or record_step(*given))
    compare(wide, chosen, "cuda", "fsdp2")
    assert not made
    compare(stage_of(two, "model.timestep_width=17"), chosen, "cuda", "fsdp2")
    assert made, "a size that leaves something over"


def test_what_is_broken_in_the_cache_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTTDIT_CACHE", str(tmp_path))
    stage = stage_of()
    chosen = random.Random(3).sample(settings(stage), 2)
    first = sweep(stage, chosen, "cpu", "plain")
    (path,) = tmp_path.rglob("outlines/*.json")
    for text in ("{", "[]", '{"sizes": 1}', ""):
        path.write_text(text)
        assert sweep(stage, chosen, "cpu", "plain") == first


def shifted(kept: Atlas) -> None:
    """Every size stands for another."""
    first, *others = kept.sizes
    kept.sizes = {size: number for number, size in enumerate([*others, first])}


def of_sevenths(kept: Atlas) -> None:
    """No size is a whole number."""
    kept.sizes = {Formula.symbol("D") / 7**power: number for power, number in enumerate(kept.sizes.values(), 1)}


@pytest.mark.parametrize("change", [shifted, of_sevenths])
def test_what_no_longer_fits_is_made_anew(
    change: Callable[[Atlas], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outline of another order of things does not say what the stage's own step says, and none from the cache is believed."""
    monkeypatch.setenv("TTTDIT_CACHE", str(tmp_path))
    stage = stage_of()
    chosen = [*random.Random(4).sample(settings(stage), 2)]
    first = sweep(stage, chosen, "cpu", "plain")
    (path,) = tmp_path.rglob("outlines/*.json")
    kept = atlas_of(path.read_text())
    assert text_of(kept) == path.read_text()
    change(kept)
    path.write_text(text_of(kept))
    assert sweep(stage, chosen, "cpu", "plain") == first
    assert text_of(atlas_of(path.read_text())) != text_of(kept)
