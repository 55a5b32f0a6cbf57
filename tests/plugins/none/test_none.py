"""The mixer that is none: the attention alone, with the parameters that the other mixers' models have without theirs."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import tttdit
from tttdit.core.findings import Finding
from tttdit.core.regions import Regions

SPEC = """
name = "tiny"
[video]
pixel_frames = 17
fps = 16
height = 32
width = 48
[text]
segments = 2
tokens_per_segment = 3
width = 8
[codec]
plugin = "cogvideox-vae"
channels = 4
[model]
plugin = "ttt-dit"
width = 32
heads = 2
layers = 2
timestep_width = 12
attention_frames = 2
adapter = "qkvo"
[model.mixer]
plugin = "none"
"""


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., torch.nn.Module]:
    def make(mixer: str = "none") -> torch.nn.Module:
        path = tmp_path / "spec.toml"
        path.write_text(SPEC.replace('"none"', f'"{mixer}"'))
        torch.manual_seed(0)
        return tttdit.build_model(tttdit.load_spec(path))

    return make


def shapes(model: torch.nn.Module) -> dict[str, torch.Size]:
    return {name: parameter.shape for name, parameter in model.named_parameters()}


def test_the_parameters_are_those_of_the_pretrained_model(build: Callable[..., torch.nn.Module]) -> None:
    with_one = {name: shape for name, shape in shapes(build("sliding-window")).items() if "ssm" not in name}
    assert len(with_one) > 50
    assert shapes(build()) == with_one


def test_it_computes_what_closed_gates_leave(build: Callable[..., torch.nn.Module]) -> None:
    plain, gated = build(), build("sliding-window")
    left_out = gated.load_state_dict(plain.state_dict(), strict=False).missing_keys
    assert all("ssm" in name for name in left_out)
    for name, parameter in gated.named_parameters():
        if name.endswith("gating_alpha"):
            torch.nn.init.zeros_(parameter)
    batch = torch.randn(2, 5, 4, 4, 6), torch.randn(2, 2, 3, 8), torch.tensor([999, 3])
    assert torch.equal(plain(*batch), gated(*batch))


def test_the_adapter_trains_the_attention(build: Callable[..., torch.nn.Module]) -> None:
    trained = {name.split(".", 2)[2] for name, p in build().named_parameters() if p.requires_grad}
    parts = ("q", "k", "v", "o", "q_norm", "k_norm")
    assert trained == {f"seq_modeling_block.{part}.{of}" for part in parts for of in ("weight", "bias")}


def test_nothing_of_a_mixer_runs(build: Callable[..., torch.nn.Module]) -> None:
    model, called = build(), []

    class Named(Regions):
        def __call__(self, name, function, *arguments):  # type: ignore[no-untyped-def]
            called.append(name)
            return function(*arguments)

    for layer in model.layers:  # type: ignore[union-attr]
        layer.regions = layer.seq_modeling_block.regions = Named()
    model(torch.randn(1, 5, 4, 4, 6), torch.randn(1, 2, 3, 8), torch.tensor([5]))
    assert called == ["seq_modeling_block", "attention", "mlp"] * 2


@pytest.mark.parametrize("key", ["forward_ssm", "reverse_ssm"])
def test_recomputing_a_pass_that_is_not_there_is_warned_of(key: str, findings_of: Callable[..., list[Finding]]) -> None:
    (finding,) = findings_of(mixer={"plugin": "none"}, memory={key: True, "attention": True})
    assert (finding.code, finding.severity, finding.key) == ("TTD502", "warning", f"memory.{key}")
    assert finding.message == f'memory.{key} = true has no effect: the mixer "none" makes no pass over the sequence'
    assert finding.help == f"leave memory.{key} out, or write memory.{key} = false"
    assert findings_of(mixer={"plugin": "none"}, memory={"attention": True}) == []
    assert findings_of(mixer={"plugin": "ttt-mlp"}, memory={key: True}) == []


def test_auto_takes_the_longest_text_for_want_of_a_law(tmp_path: Path) -> None:
    path = tmp_path / "spec.toml"
    path.write_text(SPEC.replace("tokens_per_segment = 3", 'tokens_per_segment = "auto"\nmax_tokens = 9'))
    (file,) = tttdit.check(path).files
    assert file.findings == ()
    assert file.stages[0].dims["T"] == 9
    (chosen,) = file.stages[0].chosen
    assert chosen.reason == "the largest up to text.max_tokens = 9"
