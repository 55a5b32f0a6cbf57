"""The tables: defaults, strictness, bounds, presets."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, ClassVar

import pytest
from pydantic import Field, ValidationError

from tttdit.core.spec.tables import (
    BASE_TABLES,
    CheckpointTable,
    Count,
    Dimension,
    HardwareTable,
    OptimizerTable,
    ParallelismTable,
    PluginTable,
    Table,
    TextTable,
    TrainingTable,
    VideoTable,
)


class WindowTable(PluginTable):
    presets: ClassVar[dict[str, dict[str, object]]] = {
        "small": {"window": 64, "heads": 2},
        "large": {"window": 512, "heads": 8},
    }

    window: Dimension = Field(description="Tokens to either side.")
    heads: Count = Field(description="Heads.")
    shares: tuple[tuple[float, float], ...] = Field(default=(), description="Pairs.")


def test_defaults() -> None:
    assert TrainingTable().model_dump() == {
        "global_batch_size": None,
        "grad_accum_steps": 1,
        "steps": 5000,
        "warmup_steps": 50,
        "gradient_clipping_norm": 0.1,
        "text_dropout": 0.1,
        "average_decay": None,
        "validation_interval": 0,
        "validation_samples": 8,
        "skipped_steps": 10,
        "seed": 42,
    }
    assert OptimizerTable().model_dump() == {
        "lr": 1e-4,
        "lr_mixer": 1e-4,
        "lr_end": 0.0,
        "schedule": "linear",
        "mixer_schedule": "cosine",
        "betas": (0.9, 0.95),
        "eps": 1e-8,
        "weight_decay": 1e-4,
    }
    assert ParallelismTable().model_dump() == {
        "dp_replicate": 1,
        "dp_sharding": 1,
        "tp_sharding": 1,
        "unsharded_dtype": "bfloat16",
        "reduce_dtype": "float32",
        "timeout_seconds": 1200,
    }
    assert set(HardwareTable().model_dump().values()) == {None}
    assert CheckpointTable().model_dump() == {
        "folder": "checkpoints",
        "interval": 0,
        "keep": None,
        "asynchronous": False,
        "init_from": None,
    }
    assert TextTable(segments="auto", tokens_per_segment=502, width=4096).max_tokens == 512


@pytest.mark.parametrize("table", BASE_TABLES.values(), ids=BASE_TABLES)
def test_every_key_says_what_it_means(table: type[Table]) -> None:
    assert table.__doc__
    for key, field in table.model_fields.items():
        assert field.description, key
        assert field.description.endswith("."), key


def test_an_int_may_stand_for_a_float_and_an_array_for_a_tuple() -> None:
    table = OptimizerTable.model_validate({"lr": 1, "betas": [0, 0.5]})
    assert (table.lr, table.betas) == (1.0, (0.0, 0.5))
    assert isinstance(table.lr, float)
    made = WindowTable.model_validate({"plugin": "x", "preset": "small", "shares": [[1, 2], [3, 4]]})
    assert made.shares == ((1.0, 2.0), (3.0, 4.0))


VIDEO = {"seconds": 9, "fps": 16, "height": 480, "width": 720}
TEXT = {"segments": 3, "tokens_per_segment": 502, "width": 4096}


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (VideoTable, {**VIDEO, "fps": 16.0}),
        (VideoTable, {**VIDEO, "fps": "16"}),
        (VideoTable, {**VIDEO, "fps": True}),
        (VideoTable, {**VIDEO, "seconds": "9"}),
        (VideoTable, {**VIDEO, "seconds": 0}),
        (VideoTable, {**VIDEO, "seconds": float("inf")}),
        (VideoTable, {**VIDEO, "seconds": 100_001}),
        (VideoTable, {**VIDEO, "height": 10_000_001}),
        (VideoTable, {**VIDEO, "height": 0}),
        (VideoTable, {**VIDEO, "heigth": 1}),
        (TextTable, {**TEXT, "segments": "Auto"}),
        (TextTable, {**TEXT, "segments": 100_001}),
        (TextTable, {**TEXT, "encoder": ""}),
        (TrainingTable, {"steps": 100_001}),
        (TrainingTable, {"steps": 0}),
        (TrainingTable, {"warmup_steps": -1}),
        (TrainingTable, {"text_dropout": 1.5}),
        (TrainingTable, {"gradient_clipping_norm": 0}),
        (TrainingTable, {"gradient_clipping_norm": float("nan")}),
        (TrainingTable, {"seed": -1}),
        (OptimizerTable, {"betas": [0.9]}),
        (OptimizerTable, {"betas": [0.9, 1.0]}),
        (OptimizerTable, {"betas": 0.9}),
        (OptimizerTable, {"schedule": "constant"}),
        (OptimizerTable, {"lr": "1e-4"}),
        (ParallelismTable, {"tp_sharding": 0}),
        (ParallelismTable, {"unsharded_dtype": "bf16"}),
        (HardwareTable, {"gpu": "H100"}),
        (HardwareTable, {"gpu_memory_gib": 0}),
        (CheckpointTable, {"folder": 3}),
    ],
)
def test_nothing_is_coerced_and_all_is_bounded(table: type[Table], values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        table.model_validate(values)


def test_the_largest_that_there_may_be() -> None:
    VideoTable.model_validate({"pixel_frames": 10_000_000, "fps": 100_000, "height": 10_000_000, "width": 1})
    TextTable.model_validate({"segments": 100_000, "tokens_per_segment": 10_000_000, "width": 10_000_000})


def test_tables_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        TrainingTable().steps = 3  # type: ignore[misc]


def test_a_preset_fills_what_is_not_given() -> None:
    table = WindowTable.model_validate({"plugin": "window", "preset": "large", "heads": 4})
    assert (table.window, table.heads, table.preset) == (512, 4, "large")
    with pytest.raises(ValidationError, match="there is no such preset; there are: small, large"):
        WindowTable.model_validate({"plugin": "window", "preset": "medium", "window": 1, "heads": 1})


def test_the_tables_are_cheap_to_import() -> None:
    code = (
        "import sys; import tttdit.core.spec.tables; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    modules = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"torch", "sympy", "numpy", "jsonschema"} & set(modules)
