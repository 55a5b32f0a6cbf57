"""A sample of `make prove` at full size, on fake tensors: what is predicted of a step, held against what torch takes, to the byte."""

from pathlib import Path

import pytest
import torch

import tttdit
from tttdit.core.runtime.fake_run import fake_run
from tttdit.core.runtime.measuring import measure

CURRICULUM = Path(__file__).parents[3] / "examples" / "curriculum.toml"


def stage_of(spec, name):
    return next(stage for stage in spec.stages if stage.name == name)


def test_all_layers_at_full_size():
    """The scan's loops are shortened in the run for its workspace."""
    spec = tttdit.load_spec(CURRICULUM)
    predicted = tttdit.predict_memory(spec, "9s", dtype="bfloat16")
    run = fake_run(stage_of(spec, "9s"), dtype=torch.bfloat16)
    assert (predicted.saved_bytes, predicted.peak_bytes, predicted.flops) == (
        run.saved_bytes,
        run.peak_bytes,
        run.flops,
    )
    assert run.peak_bytes > 20 * 2**30


def test_the_whole_scan_at_full_size():
    """Few layers, large mini-batches, and every step of the scan's loops."""
    sets = ["model.layers=2", "model.mixer.mini_batch_size=384", "memory.scan_checkpoint_group_size=5"]
    spec = tttdit.load_spec(CURRICULUM, sets=sets)
    predicted = tttdit.predict_memory(spec, "3s", dtype="bfloat16")
    measured = measure(stage_of(spec, "3s"), "bfloat16", without_data=True)
    assert (predicted.saved_bytes, predicted.peak_bytes) == (measured.saved_bytes, measured.peak_bytes)
    assert predicted.flops == pytest.approx(measured.flops, rel=0.01)
