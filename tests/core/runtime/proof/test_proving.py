"""Stages proved, and rules of the symbolic world broken on purpose: each is caught, at its operator, its lines and its bytes."""

import inspect
import linecache
from pathlib import Path

import pytest

import tttdit
from tttdit.core.runtime.building import build_stage
from tttdit.core.runtime.proof.proving import prove, prove_without_data
from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.nn.linear import Linear
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.trace import trace
from tttdit.core.symbolic.world import TORCH

ROOT = Path(__file__).parents[4]
SMALL = (
    "video.height=32",
    "video.width=48",
    "text.tokens_per_segment=5",
    "text.width=20",
    "model.width=64",
    "model.heads=2",
    "model.layers=3",
    "model.timestep_width=24",
    "training.global_batch_size=128",
)
GELU = "return self.layer2(F.gelu(self.layer1(x), approximate="  # the one line of the model that calls it
F = TORCH.nn.functional


def stage_of(example, *sets):
    """An example, its sizes cut down."""
    (stage,) = tttdit.load_spec(ROOT / "examples" / f"{example}.toml", sets=[*SMALL, *sets]).stages
    return stage


def proof_of(example, *sets, dtype="float32", prove=prove):
    stage = stage_of(example, *sets)
    return prove(stage, trace(stage).once(), dtype)


def code(line):
    path, _, number = line.rpartition(":")
    return linecache.getline(path, int(number)).strip()


def test_a_stage_that_agrees():
    proof = proof_of("local-attention", "model.adapter=sft")
    assert proof.difference is None
    assert proof.operators > 1000
    assert proof.parameters == len(list(build_stage(stage_of("local-attention")).parameters()))
    assert proof.flops > 10**8
    assert proof.flops_apart == 0
    assert proof.memory.peak_bytes > 10**6


@pytest.mark.parametrize("adapter", ["sft", "qkvo", "none"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_at_full_size_without_data(adapter, dtype):
    sets = f"model.adapter={adapter}", "model.mixer.mini_batch_size=79"
    proof = proof_of("nine-seconds", *sets, dtype=dtype, prove=prove_without_data)
    assert proof.difference is None, proof.difference.message
    assert proof.operators > 300


@pytest.fixture
def broken_gelu(monkeypatch):
    """Puts another rule in place of GELU's."""

    def put(rule):
        monkeypatch.setattr(F, "gelu", rule)
        return rule

    return put


RIGHT = F.gelu


def keeps_its_output(input, approximate="none"):
    """Torch keeps GELU's input only."""
    out = RIGHT(input, approximate=approximate)
    if out.node is not None:
        out.node.save_output(result=out)
    return out


def drops_its_input(input, approximate="none"):
    """Torch keeps it."""
    out = RIGHT(input, approximate=approximate)
    if out.node is not None:
        out.node.saved.clear()
        out.node.backward = lambda node, gradients: [raw.pointwise("gelu_backward", *gradients)]
    return out


def other_strides(input, approximate="none"):
    """Torch keeps the input's layout."""
    return raw.dispatched("gelu", raw.empty(input.shape, input.dtype, (1, *input.strides[1:])))


def other_type(input, approximate="none"):
    """Torch keeps the input's type."""
    return raw.pointwise("gelu", input, dtype=types.NAMES["float64"])


def test_a_rule_that_keeps_a_tensor_too_long(broken_gelu):
    """The bytes part in backward, long after; what is told is who holds them."""
    broken_gelu(keeps_its_output)
    # B 2, S T + V = 15 + 37*2*3 = 237 tokens, 4 D = 256, of 4 bytes
    kept = 2 * 237 * 256 * 4
    difference = proof_of("local-attention", "model.adapter=sft").difference
    assert difference.excess == kept
    first, torch, symbolic, held = difference.message.splitlines()
    assert first.endswith("differ")
    assert "live bytes of" in first
    assert torch.startswith("torch:    ")
    assert symbolic.endswith(f"bytes live: {kept:,} bytes more")
    assert held.startswith(f"held by the symbolic world only, by the node gelu: {kept:,} bytes of operator ")
    assert held.endswith(", gelu [2, 237, 256] float32 with strides [60672, 256, 1]")
    assert code(difference.module).startswith(GELU)
    assert difference.rule.startswith(str(ROOT / "core/symbolic/ops/activations.py:"))
    assert code(difference.rule) == "return _GELU[0](input)"


def test_a_rule_that_lets_a_tensor_go_too_early(broken_gelu):
    broken_gelu(drops_its_input)
    difference = proof_of(
        "local-attention", "memory.transformer_checkpoint_layer_group_size=0", "model.adapter=sft"
    ).difference
    kept = 2 * 237 * 256 * 4
    assert difference.excess == -kept
    assert f"held by torch only: {kept:,} bytes of operator " in difference.message
    assert code(difference.module).startswith(GELU)


@pytest.mark.parametrize(("rule", "what"), [(other_strides, "strides"), (other_type, "dtypes and live bytes")])
def test_a_rule_with_other_strides_or_another_type(broken_gelu, rule, what):
    """Caught where it is, though the step fails further on in the symbolic world."""
    broken_gelu(rule)
    difference = proof_of("local-attention").difference
    assert f": {what} of gelu in layers.0.mlp differ\n" in difference.message
    assert code(difference.module).startswith(GELU)
    lines, first = inspect.getsourcelines(rule)
    assert difference.rule == f"{__file__}:{first + len(lines) - 1}"


def test_the_line_of_what_only_backward_runs(monkeypatch):
    """A derivative of the wrong type is the fault of its formula, at the module's line that made the node."""

    def wrong(input, approximate="none"):
        out = RIGHT(input, approximate=approximate)
        if out.node is not None:
            out.node.backward = in_float64
        return out

    def in_float64(node, gradients):
        return [raw.pointwise("gelu_backward", gradients[0], dtype=types.NAMES["float64"])]

    monkeypatch.setattr(F, "gelu", wrong)
    difference = proof_of("local-attention").difference
    assert "dtypes and live bytes of gelu_backward in layers.2.mlp differ" in difference.message
    assert code(difference.module).startswith(GELU)
    assert code(difference.rule).startswith('return [raw.pointwise("gelu_backward"')


def test_parameters_of_other_names(monkeypatch):
    made = Linear.__init__

    def renamed(self, *arguments, **keywords):
        made(self, *arguments, **keywords)
        self.weights = self.weight
        del self.weight

    monkeypatch.setattr(Linear, "__init__", renamed)
    monkeypatch.setattr(Linear, "weight", property(lambda self: self.weights), raising=False)
    stage = stage_of("local-attention")
    message = prove(stage, [], "float32").difference.message
    assert message == "torch has the parameter time_embed.0.weight [24, 64], the symbolic world has no such tensor"


def test_a_list_that_lacks_a_parameter():
    stage = stage_of("local-attention")
    listed = [shape for shape in trace(stage).once() if shape.name != "layers.*.mlp.layer1.bias"]
    message = prove(stage, listed, "float32").difference.message
    assert message == "the check does not list layers.0.mlp.layer1.bias [256], a parameter on torch"


def test_arithmetic_that_is_counted_twice(monkeypatch):
    def twice(input, approximate="none"):
        if STATE.meter is not None:
            STATE.meter.flops += 10**9
        return RIGHT(input, approximate=approximate)

    monkeypatch.setattr(F, "gelu", twice)
    difference = proof_of("local-attention").difference
    assert difference.message.startswith("FLOPs differ: ")
    assert "FLOPs of gelu in layers.0.mlp differ" in difference.message
    assert code(difference.module).startswith(GELU)
