"""Steps on fake tensors: at full size what the symbolic world believes, at small sizes what real tensors do."""

from pathlib import Path
from textwrap import dedent

import pytest
import torch

import tttdit
from tttdit.core.errors import PluginError, UsageError
from tttdit.core.loops import shortened
from tttdit.core.runtime.fake_run import fake_run
from tttdit.core.runtime.live_bytes import LiveBytes
from tttdit.core.runtime.proof.comparing import parting
from tttdit.core.runtime.proof.steps import real_step
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.stepping import symbolic_step
from tttdit.core.symbolic.storage import Meter
from tttdit.core.symbolic.trace import trace

EXAMPLES = Path(__file__).parents[3] / "examples"
SMALL = (
    "video.height=32",
    "video.width=48",
    "model.width=32",
    "model.heads=2",
    "model.layers=2",
    "model.timestep_width=8",
    "training.global_batch_size=64",
)


def example(name, *sets):
    (stage,) = tttdit.load_spec(EXAMPLES / f"{name}.toml", sets=sets).stages
    return stage


@pytest.mark.parametrize(("name", "dtype"), [("three-seconds", "float32"), ("sixty-three-seconds", "bfloat16")])
def test_full_widths_are_what_the_symbolic_world_believes(name, dtype):
    """After every operator the same bytes, without any memory for them."""
    stage = example(name, "model.layers=2")
    run = fake_run(stage, dtype=getattr(torch, dtype))
    meter = Meter(log=True)
    symbolic_step(stage, dtype, meter, look_inside=False)
    assert run.error is None
    parted = parting(run.log, meter.log)
    assert parted is None, parted.told()
    assert (run.peak_bytes, run.flops) == (meter.peak, meter.flops)
    assert run.peak_bytes > run.saved_bytes > 2**29


def test_inside_custom_operators():
    """The loops of both worlds shortened, which a full size needs."""
    stage = example("nine-seconds", "model.layers=1", "memory.transformer_checkpoint_layer_group_size=0")
    meter = Meter(log=True)
    with shortened(1):
        run = fake_run(stage, look_inside=True)
        symbolic_step(stage, "float32", meter)
    parted = parting(run.log, meter.log)
    assert parted is None, parted.told()
    assert run.flops == meter.flops == fake_run(stage).flops


@pytest.mark.parametrize("name", ["nine-seconds", "local-attention"])
def test_shapes_have_the_names_of_a_check(name):
    stage = example(name, "memory.transformer_checkpoint_layer_group_size=0")  # a check has one group of all layers
    fake, believed = fake_run(stage, layers=2).shapes, trace(stage).shapes
    assert set(fake) == set(believed)
    assert len(fake) == len(believed) > 100


@pytest.mark.parametrize("look_inside", [True, False])
def test_real_tensors_take_as_much(look_inside):
    stage = example("three-seconds", *SMALL, "model.layers=1")
    run = fake_run(stage, look_inside=look_inside)
    live = []

    def rod(existing):
        live.append(LiveBytes(existing, look_inside=look_inside))
        return live[0]

    real = real_step(stage, rod=rod)
    assert parting(real.log, run.log) is None
    assert (run.peak_bytes, run.flops) == (live[0].peak, real.flops)


# -- plugins that the symbolic world does not know whole

PLUGIN = """
    from tttdit import hookimpl
    from tttdit.core.plugin.kinds import Mixer
    from tttdit.core.spec.tables import PluginTable


    class Table(PluginTable):
        pass


    @hookimpl
    def tttdit_mixers():
        return [
            Mixer(
                name="{name}",
                summary="A test's.",
                table="{name}.plugin:Table",
                module="{name}.module:TestMixer",
                arguments=lambda table, dims, model_table: {{"width": dims["D"]}},
            )
        ]
"""
MODULE = """
    import torch
    from torch import nn


    class TestMixer(nn.Module):
        def __init__(self, *, width, regions):
            super().__init__()
            self.inner = nn.Linear(width, width)
            {make}

        def forward(self, x):
            {forward}
"""


def stage_with(folder, name, forward, make="pass"):
    """A small stage with a mixer of these lines; the mixer's plugin lies in a folder of its own."""
    package = folder / name
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "plugin.py").write_text(dedent(PLUGIN.format(name=name)))
    (package / "module.py").write_text(dedent(MODULE.format(make=make, forward=forward)))
    lines = (EXAMPLES / "three-seconds.toml").read_text().splitlines()
    left_out = (
        "mini_batch_size",
        "base_learning_rate",
        "scan_checkpoint_group_size",
        "forward_ssm",
        "reverse_ssm",
        "#:",
    )
    lines = [line.replace('"ttt-mlp"', f'"{name}"') for line in lines if not line.startswith(left_out)]
    spec = folder / "spec.toml"
    spec.write_text("\n".join(lines))
    (stage,) = tttdit.load_spec(spec, sets=SMALL, allow_plugins=[package]).stages
    return stage


UNKNOWN = "return torch.fft.irfft(torch.fft.rfft(self.inner(x), dim=1) * 0.5, n=x.shape[1], dim=1)"


def test_a_module_that_the_symbolic_world_does_not_know(tmp_path):
    stage = stage_with(tmp_path, "fourier", UNKNOWN)
    (problem,) = trace(stage).problems
    assert problem.kind == "unknown"
    run = fake_run(stage)
    assert run.error is None
    live = []
    real = real_step(stage, rod=lambda existing: live.append(LiveBytes(existing)) or live[0])
    assert run.peak_bytes == live[0].peak
    assert parting(real.log, [*run.log]) is None
    assert ("layers.0.seq_modeling_block.ssm", "intermediate") in {(shape.name, shape.kind) for shape in run.shapes}


def test_saved_bytes_are_those_after_the_loss(tmp_path):
    stage = stage_with(tmp_path, "fourier_saved", UNKNOWN)
    run = fake_run(stage)
    ones = next(index for index, operator in enumerate(run.log) if operator.name == "ones_like")
    assert run.saved_bytes == run.log[ones].live - 4


def test_a_module_that_fails(tmp_path, caplog):
    stage = stage_with(tmp_path, "failing", "return self.inner(x) + x[:, :5]")
    run = fake_run(stage)
    path = tmp_path / "failing" / "module.py"
    line = 1 + next(at for at, text in enumerate(path.read_text().splitlines()) if "x[:, :5]" in text)
    assert run.error.startswith(f"{path}:{line}: RuntimeError: Attempting to broadcast a dimension of length 5")
    assert not caplog.records  # torch would log a traceback
    assert "\n" not in run.error
    assert run.log
    assert run.shapes


def test_a_module_that_looks_at_numbers(tmp_path):
    stage = stage_with(tmp_path, "looking", "return self.inner(x) if x.sum() > 0 else x")
    run = fake_run(stage)
    assert run.error.endswith("aten._local_scalar_dense.default cannot be followed without numbers")
    assert "module.py:" in run.error


def test_an_initialisation_that_looks_at_its_numbers(tmp_path):
    """torch's own `trunc_normal_` does."""
    stage = stage_with(tmp_path, "truncated", UNKNOWN, "nn.init.trunc_normal_(self.inner.weight)")
    run = fake_run(stage)
    assert run.error is None
    assert run.peak_bytes == fake_run(stage_with(tmp_path, "plain", UNKNOWN)).peak_bytes


def test_what_cannot_be_built(tmp_path):
    with pytest.raises(UsageError, match="cannot be built"):
        fake_run(example("nine-seconds", "text.tokens_per_segment=501"))
    stage = stage_with(tmp_path, "importless", UNKNOWN)
    (tmp_path / "importless" / "module.py").write_text("import torch.nowhere")
    with pytest.raises(PluginError, match="importless"):
        fake_run(stage)


def test_nothing_stays_switched():
    assert STATE.inside_operators
    assert STATE.meter is None
