"""`tttdit run` on samples from files: whoever reads them, and where one cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from launching import finish
from sample_files import SPEC, write_manifest, write_samples
from tiny_runs import losses

from tttdit.core.running.lines import read_lines


def run(folder: Path, *sets: str, output: str = "out") -> tuple[int, str]:
    (folder / "spec.toml").write_text(SPEC, "utf-8")
    words = [word for one in sets for word in ("--set", one)]
    return finish(["run", "spec.toml", "--device", "cpu", "--output", output, *words], folder)


def test_samples_are_the_same_whoever_reads_them(tmp_path: Path) -> None:
    write_samples(tmp_path, 4)
    for workers in (0, 2):
        code, said = run(tmp_path, f"data.workers={workers}", output=str(workers))
        assert code == 0, said
    told = losses(tmp_path / "0", "small")
    assert len(told) == 3
    assert told == losses(tmp_path / "2", "small")


@pytest.mark.parametrize("workers", [0, 1])
def test_a_bad_sample_ends_the_run_or_is_passed_over(workers: int, tmp_path: Path) -> None:
    lines = write_samples(tmp_path, 2)
    write_manifest(tmp_path, *lines, {"latents": "gone.pt", "text": "gone.pt"})
    sets = ("data.shuffle=false", "training.global_batch_size=3", f"data.workers={workers}")
    code, said = run(tmp_path, *sets)
    assert code == 70
    assert "clips.jsonl:3: gone.pt is not there" in said
    assert "Traceback" not in said
    code, said = run(tmp_path, *sets, "data.bad_samples=skip", output="skipping")
    assert code == 0, said
    bad = [line for line in read_lines(tmp_path / "skipping" / "events.jsonl") if line["event"] == "bad_sample"]
    assert [line["where"] for line in bad] == ["clips.jsonl:3: gone.pt is not there"] * 3
