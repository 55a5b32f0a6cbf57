"""`[memory] plugin = "auto"`: what it finds, in a check, when a spec is loaded, and when its model is built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from small_specs import TWO_LAYERS

from tttdit import load_spec
from tttdit.checker.api import check
from tttdit.checker.memory.surveying import Survey, search_space, survey
from tttdit.checker.memory.weighing import DEVICE, RUNTIME
from tttdit.checker.planning import plan
from tttdit.checker.report import FileReport
from tttdit.core.errors import SpecError

LAYERS = "transformer_checkpoint_layer_group_size"

SPEC = TWO_LAYERS + '\n[hardware]\ngpu_memory_gib = 80\n\n[memory]\nplugin = "auto"\n'


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Writes the spec with a GPU of so many GiB and more in `[memory]`; its path."""
    monkeypatch.chdir(tmp_path)

    def made(gib: float | None = 80, memory: str = "") -> str:
        text = SPEC.replace("gpu_memory_gib = 80", "" if gib is None else f"gpu_memory_gib = {gib:.9f}")
        Path("spec.toml").write_text(text + memory, encoding="utf-8")
        return "spec.toml"

    return made


@pytest.fixture
def tight(make: Any) -> float:
    """GiB into which only settings fit that recompute something."""
    made = surveyed(make())
    least = plan(evolve(made, budget_bytes=1)).larger
    assert least is not None
    return (made.needed(least) + 4096) / 2**30


def surveyed(path: str) -> Survey:
    stage = load_spec(path).stages[0]
    return survey(stage, search_space(stage), device=DEVICE, runtime=RUNTIME)


def checked(path: str) -> FileReport:
    (file,) = check(path).files
    return file


def test_it_finds_what_plan_finds_and_says_so(make: Any, tight: float) -> None:
    file = checked(make(tight))
    (stage,) = file.stages
    assert file.ok
    assert stage.memory is not None
    assert stage.memory.fits
    assert stage.memory.recompute_flops > 0
    found = {chosen.key: chosen.value for chosen in stage.chosen}
    best = plan(surveyed(make(tight))).chosen
    assert best is not None
    assert found == {f"memory.{key}": value for key, value in best.setting.values.items()}
    (reason,) = {chosen.reason for chosen in stage.chosen}
    assert reason.startswith("of the ")
    assert " of 96 settings that fit " in reason
    assert "the one that recomputes least: " in reason


def test_a_loaded_spec_is_resolved(make: Any, tight: float) -> None:
    roomy, narrow = (load_spec(make(gib)).stages[0].memory for gib in (80, tight))
    assert getattr(roomy, LAYERS) == 0
    assert not any(getattr(roomy, region.key) for region in roomy.declared)
    assert any(getattr(narrow, region.key) for region in narrow.declared)


def test_stated_keys_stay_and_narrow_the_search(make: Any) -> None:
    (stage,) = checked(make(memory=f"{LAYERS} = 1\nmlp = true\n")).stages
    assert {chosen.key for chosen in stage.chosen} == {
        *("memory.attention", "memory.forward_ssm", "memory.reverse_ssm", "memory.seq_modeling_block")
    }
    assert all(" of 16 settings " in chosen.reason for chosen in stage.chosen)
    memory = load_spec("spec.toml").stages[0].memory
    assert (getattr(memory, LAYERS), memory.mlp) == (1, True)


def test_a_stated_size_that_no_plan_would_have_stays_too(make: Any) -> None:
    assert getattr(load_spec(make(memory=f"{LAYERS} = 5\n")).stages[0].memory, LAYERS) == 5


def test_without_a_gpu_there_is_a_finding_and_no_spec(make: Any) -> None:
    (finding,) = checked(make(None)).findings
    assert (finding.code, finding.key) == ("TTD520", "memory.plugin")
    assert finding.message == 'plugin = "auto" looks for what fits the GPU, and the spec names none'
    with pytest.raises(SpecError, match="TTD520 no-plan"):
        load_spec("spec.toml")


def test_where_nothing_fits_it_says_by_how_much_and_only_once(make: Any) -> None:
    (finding,) = checked(make(0.1, "attention = false\n")).findings
    assert finding.code == "TTD520"
    assert finding.message.startswith(
        'plugin = "auto" finds nothing that fits: of 48 settings the one with the fewest bytes needs '
    )
    assert [related.key for related in finding.related] == ["hardware.gpu_memory_gib", "memory.attention"]


def test_what_is_wrong_elsewhere_is_said_once(make: Any) -> None:
    path = make()
    Path(path).write_text(Path(path).read_text().replace("heads = 4", "heads = 5"))
    assert "TTD520" not in [finding.code for finding in checked(path).findings]
    Path(path).write_text(Path(path).read_text().replace("heads = 5", 'heads = "many"'))
    assert [finding.code for finding in checked(path).findings] == ["TTD003"]


def test_the_model_is_built_with_what_was_found(make: Any, tight: float) -> None:
    pytest.importorskip("torch")
    from tttdit import build_model

    spec = load_spec(make(tight))
    model: Any = build_model(spec, device="meta")
    strategy = spec.stages[0].assembly.memory.strategy(spec.stages[0].memory)
    assert model.regions.strategy == strategy
