"""The spec that a run stores means what the spec means that it was started with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tttdit import load_spec
from tttdit.core.running.resolved import resolved_text
from tttdit.core.stage import Stage

EXAMPLES = Path(__file__).parents[3] / "examples"
TABLES = ("video", "codec", "model", "mixer", "memory", "data", "sampling", "logging", "training", "optimizer")
MORE = ("parallelism", "hardware", "checkpoint")


@pytest.mark.parametrize(
    "path", sorted([*EXAMPLES.glob("*.toml"), *EXAMPLES.glob("jobs/train*.toml")]), ids=lambda p: p.stem
)
def test_the_spec_that_is_written_means_the_same(path: Path, tmp_path: Path) -> None:
    spec = load_spec(path)
    (tmp_path / "spec.toml").write_text(resolved_text(spec.name, spec.stages), "utf-8")
    again = load_spec(tmp_path / "spec.toml")
    assert again.name == spec.name
    assert [each.name for each in again.stages] == [each.name for each in spec.stages]
    for one, other in zip(spec.stages, again.stages, strict=True):
        assert _tables(one) == _tables(other)
        assert {symbol: int(one.dims[symbol]) for symbol in one.dims} == {s: int(other.dims[s]) for s in other.dims}


def test_every_default_is_written(tmp_path: Path) -> None:
    spec = load_spec(EXAMPLES / "nine-seconds.toml")
    text = resolved_text(spec.name, spec.stages)
    for line in ("eps = 1e-08", 'schedule = "linear"', "seed = 42", "tokens_per_segment = 502", "attention = false"):
        assert line in text.splitlines()


def _tables(stage: Stage) -> dict[str, object]:
    return {name: getattr(stage, name) for name in (*TABLES, *MORE)}
