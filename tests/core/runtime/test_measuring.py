"""The rod and what is measured with it: against hand arithmetic, PyTorch's own tracker, and a rod written apart from it."""

import importlib.util
import re
import sys
import warnings
from pathlib import Path

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker

import tttdit
from tttdit.core.loops import steps
from tttdit.core.runtime.building import build_stage
from tttdit.core.runtime.live_bytes import LiveBytes
from tttdit.core.runtime.measuring import measure
from tttdit.core.runtime.objective import training_loss
from tttdit.core.runtime.proof.steps import random_input
from tttdit.core.stepping import step_inputs

ROOT = Path(__file__).parents[3]
OTHER_ROD = ROOT.parent / "shared" / "tools" / "live_bytes.py"
MATRIX = 32 * 32 * 4  # bytes

SPEC = """
name = "tiny"

[video]
pixel_frames = 49
fps = 16
height = 32
width = 48

[text]
segments = 1
tokens_per_segment = 6
width = 64

[model]
plugin = "ttt-dit"
width = 64
heads = 2
layers = 3
timestep_width = 8

[model.mixer]
plugin = "{mixer}"
{mini_batches}

[memory]
attention = true
mlp = true
"""


@pytest.fixture(params=["ttt-mlp", "ttt-linear", "sliding-window", "none"])
def stage(request, tmp_path):
    mini_batches = "mini_batch_size = 14" if request.param.startswith("ttt") else ""
    path = tmp_path / "spec.toml"
    path.write_text(SPEC.format(mixer=request.param, mini_batches=mini_batches), "utf-8")
    (stage,) = tttdit.load_spec(path).stages
    return stage


def built(stage):
    """A model, the step's inputs, and all that exists before it."""
    torch.manual_seed(0)
    model = build_stage(stage)
    inputs = [random_input(each) for each in step_inputs(stage, "float32")]
    return model, inputs, [*model.parameters(), *model.buffers(), *inputs]


def counted(rod, loss):
    with rod:
        value = loss()
        rod.end_forward()
        value.backward()
    return rod


# -- by hand


def test_what_relu_keeps():
    x, w = torch.randn(32, 32), torch.randn(32, 32, requires_grad=True)
    rod = counted(LiveBytes([x, w]), lambda: torch.relu(x @ w).sum())
    assert rod.saved == MATRIX + 4  # relu's output and the loss
    # the product lives until relu has returned
    assert max(operator.high for operator in rod.log[: rod.forward]) == 2 * MATRIX
    assert rod.now == MATRIX  # the gradient


def test_what_was_saved_is_known_by_the_operator_that_made_it():
    x, w = torch.randn(32, 32), torch.randn(32, 32, requires_grad=True)
    rod = counted(LiveBytes([x, w]), lambda: torch.relu(x @ w).sum())
    assert {rod.log[number].name: nbytes for number, nbytes in rod.saved_by.items()} == {"relu": MATRIX, "sum": 4}


@torch.library.custom_op("tttdit_test_measuring::twice", mutates_args=())
def twice(a: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(a)
    for row in steps(len(a)):
        scratch = torch.cat([a, a, a, a])  # four matrices for a moment
        out[row] = scratch[row] * 2
    return out


@twice.register_fake
def _(a):
    return torch.empty_like(a)


twice.register_autograd(lambda ctx, gradient: gradient * 2)


@pytest.mark.parametrize("first_steps", [None, 2])
def test_work_cannot_hide_in_a_custom_operator(first_steps):
    x, w = torch.randn(32, 32), torch.randn(32, 32, requires_grad=True)
    inside = counted(LiveBytes([x, w]), lambda: twice(x @ w).sum())
    beside = counted(LiveBytes([x, w], look_inside=False, first_steps=first_steps), lambda: twice(x @ w).sum())
    # the product, the result, the old and the new four (the name is bound anew after the new ones are made)
    assert inside.peak == beside.peak == (2 + 4 + 4) * MATRIX
    assert inside.saved == beside.saved == 4  # the result is not kept
    assert [(o.name, o.workspace) for o in beside.log if o.workspace] == [("twice", 8 * MATRIX)]
    assert len(inside.log) > len(beside.log)


def test_a_body_that_does_not_run_beside_is_told():
    @torch.library.custom_op("tttdit_test_measuring::looks", mutates_args=())
    def looks(a: torch.Tensor) -> torch.Tensor:
        return a * a.sum().item()

    looks.register_fake(torch.empty_like)
    message = r"the workspace of tttdit_test_measuring\.looks\.default is not counted: its body does not run"
    with FakeTensorMode():
        a = torch.ones(4)
        with LiveBytes([a], look_inside=False) as rod, warnings.catch_warnings(record=True) as caught:
            looks(a)
    assert any(re.match(message, str(each.message)) for each in caught)
    assert rod.peak == 16


# -- against others that count


def test_the_same_step_counted_by_torchs_tracker(stage):
    """Both count one step. (Its hooks hold tensors for longer, so that a step without it takes less.) It does not look inside operators."""
    model, inputs, existing = built(stage)
    tracker, device = MemTracker(), torch.device("cpu")
    tracker.track_external(model, *inputs)
    before = tracker.get_tracker_snapshot()[device]["Total"]
    with LiveBytes(existing, look_inside=False) as rod, tracker:
        loss = training_loss(model, *inputs)
        rod.end_forward()
        saved = tracker.get_tracker_snapshot()[device]["Total"]
        loss.backward()
    peak = tracker.get_tracker_snapshot("peak")[device]["Total"]
    assert rod.saved == saved - before > 0
    assert max(operator.live for operator in rod.log) == peak - before > 0


def test_the_same_step_counted_by_the_other_rod(stage, monkeypatch):
    if not OTHER_ROD.exists():
        pytest.skip(f"needs {OTHER_ROD.name}, a rod that was written apart from this one")
    module = importlib.util.spec_from_file_location("other_rod", OTHER_ROD)
    other = importlib.util.module_from_spec(module)
    monkeypatch.setitem(sys.modules, "other_rod", other)  # where its dataclass looks for annotations
    module.loader.exec_module(other)
    model, inputs, existing = built(stage)
    theirs = other.measure(lambda: training_loss(model, *inputs), model.parameters(), existing)
    ours = measure(stage)
    assert (ours.saved_bytes, ours.peak_bytes) == (theirs.after_forward, theirs.peak)
    assert (ours.peak_forward_bytes, ours.peak_backward_bytes) == (theirs.peak_forward, theirs.peak_backward)
    assert ours.peak_operator == theirs.peak_operator.split(".")[1]


def test_fake_tensors_take_as_much_as_real_ones(stage):
    real, fake = measure(stage), measure(stage, without_data=True)
    # what custom operators call is not in the second's count of operators
    same = ("saved_bytes", "peak_bytes", "peak_forward_bytes", "peak_backward_bytes", "flops")
    assert [getattr(real, name) for name in same] == [getattr(fake, name) for name in same]
    assert fake.operators <= real.operators


def test_half_the_type_takes_less(stage):
    assert measure(stage, "bfloat16").saved_bytes < measure(stage).saved_bytes
