"""Which steps the console speaks of, and what it says."""

from __future__ import annotations

from pathlib import Path

from tttdit.plugins.console.spec import ConsoleTable
from tttdit.plugins.console.writer import ConsoleWriter


def metrics(step: int) -> dict[str, object]:
    return {
        "stage": "9s", "step": step, "steps": 7, "loss": 0.5, "gradient_norm": 0.25, "lr": 1e-5, "lr_mixer": 2e-5, "seconds": 10.0,
        "tokens_per_second": 5145.6, "data_seconds": 0.0, "peak_bytes": None, "predicted_bytes": None, "skipped": False,
    }  # fmt: skip


def test_it_speaks_of_the_first_step_of_every_third_and_of_the_last() -> None:
    said: list[str] = []
    writer = ConsoleWriter(ConsoleTable(plugin="console", log_interval=3), Path(), said.append)
    for step in range(1, 8):
        writer.write(metrics(step))
    writer.write({"stage": "9s", "step": 7, "validation_loss": 1.0})
    writer.close()
    assert [line.partition(":")[0] for line in said] == ["9s step 1/7", "9s step 3/7", "9s step 6/7", "9s step 7/7"]
    assert said[0] == (
        "9s step 1/7: loss 0.5000, gradient norm 0.25, lr 1.00e-05, mixer 2.00e-05, 10 s a step, 5,146 tokens/s, 0:01:00 left"
    )


def test_memory_waiting_and_skipping_are_told_where_there_is_something_to_tell() -> None:
    said: list[str] = []
    more = {"peak_bytes": 44 * 2**30, "predicted_bytes": 45 * 2**30, "data_seconds": 2.5, "skipped": True}
    ConsoleWriter(ConsoleTable(plugin="console"), Path(), said.append).write({**metrics(1), **more})
    assert said[0].endswith(
        "2.5 s of it waiting for data, 44.00 GiB at peak, 45.00 GiB predicted, skipped, 0:01:00 left"
    )
