"""examples/tiny.toml, trained as the documents say."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from statistics import mean

from launching import finish
from tiny_runs import losses

EXAMPLE = Path(__file__).parents[2] / "examples" / "tiny.toml"
SECONDS = 180


def test_both_stages_are_trained_in_less_than_three_minutes_and_the_loss_falls_by_half(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path)
    began = time.monotonic()
    code, said = finish(["run", "tiny.toml"], tmp_path)
    spent = time.monotonic() - began
    assert code == 0, said
    assert spent < SECONDS
    first, second = (losses(tmp_path / "runs" / "tiny", stage) for stage in ("3s", "9s"))
    assert mean(first[-20:]) < mean(first[:5]) / 2
    assert mean(second[-20:]) < mean(first[:5]) / 2
