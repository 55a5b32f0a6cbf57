"""Times a step of `tttdit run` beside the same step without it; writes docs/performance.md.

The same model, batch, objective, clipping and AdamW, once in a loop of its own on `tttdit.build_model`, once as the command, in turns; of
the command the time from one line of metrics.jsonl to the next counts, with everything that it does between steps. Exit code 1 where the
bar is missed.

    python bench/run_step.py
"""

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

import torch
from page import machine, write
from train_step import THREADS, Sizes

import tttdit

BAR = 1.05  # of the bare step
ROUNDS, STEPS = 4, 8
MORE = """
steps = 8
[data]
plugin = "synthetic"
[parallelism]
unsharded_dtype = "float32"
"""


def bare(path: Path) -> list[float]:
    """Seconds of each step but the first."""
    spec = tttdit.load_spec(path)
    (stage,) = spec.stages
    model = tttdit.build_model(spec)
    optimizer = torch.optim.AdamW(model.parameters(), foreach=True)
    inputs = stage.assembly.model.inputs(stage.model, stage.dims)
    video, text = (torch.randn(tuple(map(int, inputs[name].shape))) for name in ("video", "text"))
    times = []
    for _ in range(STEPS):
        start = time.perf_counter()
        noise, level = torch.randn_like(video), torch.randint(1000, video.shape[:1])
        tttdit.training_loss(model, video, text, level, noise).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
        optimizer.step()
        optimizer.zero_grad()
        times.append(time.perf_counter() - start)
    return times[1:]


def run(path: Path, folder: Path) -> list[float]:
    """Seconds from one step's metrics to the next one's."""
    subprocess.run(
        [
            str(Path(sysconfig.get_path("scripts"), "tttdit")),
            "run",
            str(path),
            "--device",
            "cpu",
            "--output",
            str(folder),
        ],
        env={**os.environ, "OMP_NUM_THREADS": str(THREADS)},
        check=True,
        capture_output=True,
    )
    times = [json.loads(line)["time"] for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]
    return [after - before for before, after in pairwise(times)]


def main() -> int:
    """Measure, print, and write the page's block."""
    torch.set_num_threads(THREADS)
    alone: list[float] = []
    within: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bench.toml")
        path.write_text(Sizes().spec("ttt-mlp") + MORE, "utf-8")
        for number in range(ROUNDS):
            alone += bare(path)
            within += run(path, Path(folder, str(number)))
    ratio = median(within) / median(alone)
    block = "\n".join(
        (
            f"Medians of {len(alone)} steps each, {THREADS} threads. {machine()}.",
            "",
            "| a step of the model above, TTT-MLP, with AdamW | seconds |",
            "|---|---|",
            f"| in a loop of its own | {median(alone):.3f} |",
            f"| by `tttdit run` | {median(within):.3f} |",
            f"| ratio (bar: at most {BAR}) | {ratio:.3f} |",
        )
    )
    write("run_step.py", block)
    print(block)
    return 0 if ratio <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
