"""Stages for the rules of plugins, made as the checker makes them: from tables, with everything resolved."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tttdit.checker.api import check
from tttdit.checker.dimensions import fill
from tttdit.checker.judging import judge, laws_of
from tttdit.core.findings import Finding
from tttdit.core.plugin.registry import Registry
from tttdit.core.spec.tables import (
    CheckpointTable,
    HardwareTable,
    OptimizerTable,
    ParallelismTable,
    TextTable,
    TrainingTable,
    VideoTable,
)
from tttdit.core.stage import Assembly, Stage

NINE_SECONDS: dict[str, dict[str, Any]] = {
    "video": {"seconds": 9, "fps": 16, "height": 480, "width": 720},
    "text": {"segments": 3, "tokens_per_segment": 502, "width": 4096},
    "codec": {"plugin": "cogvideox-vae"},
    "model": {"plugin": "ttt-dit", "preset": "5B"},
    "model.mixer": {"plugin": "ttt-mlp"},
    "memory": {"plugin": "regions"},
    "parallelism": {},
    "training": {},
}


SPEC = """\
name = "nine"

[video]
seconds = 9
fps = 16
height = 480
width = 720

[text]
segments = "auto"
tokens_per_segment = "auto"
width = 4096

[model]
plugin = "ttt-dit"
preset = "5B"

[model.mixer]
plugin = "ttt-mlp"
"""


@pytest.fixture
def check_spec(tmp_path: Path) -> Callable[..., tuple[Finding, ...]]:
    """A function that checks a spec of nine seconds, with tables and stages added and keys set; all that is found."""

    def find(added: str = "", *sets: str) -> tuple[Finding, ...]:
        path = tmp_path / "spec.toml"
        path.write_text(SPEC + added, encoding="utf-8")
        return check(path, sets=sets).findings

    return find


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry.of_environment()


@pytest.fixture
def stage_of(registry: Registry) -> Callable[..., Stage]:
    """A function that makes the nine-second stage, with tables changed key by key (None takes a key away)."""

    def make(**changes: dict[str, Any]) -> Stage:
        spec = {name: dict(table) for name, table in NINE_SECONDS.items()}
        for name, table in changes.items():
            name = "model.mixer" if name == "mixer" else name
            spec[name] = {k: v for k, v in {**spec.get(name, {}), **table}.items() if v is not None}
        return _stage(registry, spec)

    return make


@pytest.fixture
def findings_of(registry: Registry, stage_of: Callable[..., Stage]) -> Callable[..., list[Finding]]:
    """A function like `stage_of` that returns what the stage's plugins find."""

    def find(**changes: dict[str, Any]) -> list[Finding]:
        stage = stage_of(**changes)
        return list(judge(_rules(registry, stage.assembly), stage))

    return find


def _rules(registry: Registry, assembly: Assembly) -> Any:
    return registry.rules_of([assembly.codec, assembly.model, assembly.mixer, assembly.memory])


def _stage(registry: Registry, spec: dict[str, dict[str, Any]]) -> Stage:
    model: Any = registry.find("model", spec["model"]["plugin"])
    mixer: Any = registry.find("mixer", spec["model.mixer"]["plugin"])
    codec: Any = registry.find("codec", spec["codec"]["plugin"])
    memory: Any = registry.find("memory", spec["memory"]["plugin"])
    tables: dict[str, Any] = {
        "model": registry.table(model).model_validate(spec["model"]),
        "mixer": registry.table(mixer).model_validate(spec["model.mixer"]),
        "codec": registry.table(codec).model_validate(spec["codec"]),
        "memory": registry.memory_table(memory, model, mixer).model_validate(spec["memory"]),
        "video": VideoTable(**spec["video"]),
        "text": TextTable(**spec["text"]),
        "training": TrainingTable(**spec["training"]),
        "parallelism": ParallelismTable(**spec["parallelism"]),
    }
    dims = fill(
        tables["video"],
        tables["text"],
        tables["training"],
        tables["parallelism"],
        (codec, tables["codec"]),
        (model, tables["model"]),
        (mixer, tables["mixer"]),
    )
    written = {f"{table}.{key}" for table, keys in spec.items() for key in keys}
    stage = Stage(
        name="9s",
        assembly=Assembly(model=model, mixer=mixer, codec=codec, memory=memory),
        dims=dims,
        wrote=written.__contains__,
        laws=lambda: laws_of(_rules(registry, stage.assembly), stage),
        data=None,
        sampling=None,
        logging=None,
        optimizer=OptimizerTable(),
        hardware=HardwareTable(),
        checkpoint=CheckpointTable(),
        **tables,
    )
    return stage
