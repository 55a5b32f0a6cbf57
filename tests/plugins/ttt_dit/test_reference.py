"""The model against `reference_model`, a second one written from its description alone: outputs and all gradients, in float64.

First the reference itself against tensors that the public code computed. More models are drawn by
`TTTDIT_REFERENCE=500 pytest tests/plugins/ttt_dit/test_reference.py`.
"""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference_model import Sizes, predict
from safetensors import safe_open
from tiny_specs import gradients_of, relative, spec_of

import tttdit

torch.set_num_threads(1)

COUNT = int(os.environ.get("TTTDIT_REFERENCE", "20"))
TOLERANCE = 1e-9
ROOT = Path(__file__).parents[3]
REFERENCE = ROOT.parent / "shared" / "reference" / "golden"
OURS = ROOT / "tests" / "data" / "golden"
GOLDENS = sorted((REFERENCE if REFERENCE.is_dir() else OURS).glob("ttt_*.safetensors"))
ROUNDING = 6e-5  # goldens are float32, the reference is float64; the rates' small gradients suffer most


def of_golden(case: dict) -> Sizes:
    rows, columns = case["token_grid"]
    return Sizes(
        mixer=case["mixer"],
        heads=case["heads"],
        layers=case["layers"],
        segments=case["segments"],
        tokens=case["tokens_per_segment"],
        rows=rows,
        columns=columns,
        patch=case["patch"],
        mini_batch=case["mini_batch_size"],
        base_rate=case["base_learning_rate"],
        rates=case["learning_rates"],
        ttt_norm_eps=case["ttt_norm_eps"],
    )


@pytest.mark.parametrize("path", GOLDENS, ids=lambda path: path.stem)
def test_the_reference_is_what_the_public_code_computed(path):
    with safe_open(path, "pt") as file:
        case = json.loads(file.metadata()["case"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    params = {
        name.removeprefix("param."): value.double().requires_grad_()
        for name, value in tensors.items()
        if name.startswith("param.")
    }
    output = predict(
        params,
        of_golden(case),
        *(tensors[f"input.{each}"].double() for each in ("video", "text")),
        tensors["input.timestep"],
    )
    output.square().mean().backward()
    errors = {name: relative(gradient(param), tensors[f"grad.{name}"]) for name, param in params.items()}
    assert relative(output, tensors["output"]) < ROUNDING
    assert {name: error for name, error in errors.items() if error > ROUNDING} == {}


@pytest.mark.skipif(
    not REFERENCE.is_dir(),
    reason="no reference folder beside the repository: the reference is held against tests/data only",
)
def test_all_goldens_are_looked_at():
    assert len(GOLDENS) >= 5


def gradient(parameter):
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


# -- random models


@st.composite
def models(draw):
    """Sizes, the width of a head, and what only inputs and tables have: batch, channels, text width, timestep width, scan group."""
    number = st.integers
    segments, attention = draw(number(1, 4)), draw(number(1, 3))
    sizes = Sizes(
        mixer=draw(st.sampled_from(["ttt-linear", "ttt-mlp"])),
        heads=draw(number(1, 3)),
        layers=draw(number(1, 2)),
        segments=segments,
        tokens=draw(number(1, 6)),
        rows=draw(number(1, 3)),
        columns=draw(number(1, 3)),
        patch=draw(number(1, 2)),
        mini_batch=1,
        base_rate=draw(st.sampled_from([0.05, 0.1, 1.0, 5.0])),
        rates=draw(st.sampled_from(["token", "upstream"])),
        attention=attention,
        prefix=draw(number(1, attention)),
        norm_eps=draw(st.sampled_from([1e-6, 1e-5, 1e-2])),
        ttt_norm_eps=draw(st.sampled_from([1e-8, 1e-6, 1e-3])),
        theta=draw(st.sampled_from([10000.0, 100.0, 7.0])),
    )
    length = sizes.frames * sizes.frame + segments * sizes.tokens
    divisors = [b for b in range(1, length + 1) if length % b == 0 and length // b <= 30]
    sizes = replace(sizes, mini_batch=draw(st.sampled_from(divisors)))
    n = length // sizes.mini_batch
    others = {
        "K": draw(st.sampled_from([16, 16, 32, 48])),
        "B": draw(number(1, 3)),
        "C": draw(number(1, 3)),
        "X": draw(number(1, 5)),
        "E": draw(number(1, 6)),
        "group": draw(st.sampled_from([0, 1, 2, 3, n - 1, n, n + 1])) if n > 1 else 1,
    }
    return sizes, others


def tables(sizes: Sizes, others: dict) -> dict:
    """The model as a spec."""
    return {
        "video": {
            "pixel_frames": 4 * (sizes.frames - 1) + 1,
            "fps": 16,
            "height": 8 * sizes.patch * sizes.rows,
            "width": 8 * sizes.patch * sizes.columns,
        },
        "text": {"segments": sizes.segments, "tokens_per_segment": sizes.tokens, "width": others["X"]},
        "codec": {"plugin": "cogvideox-vae", "channels": others["C"]},
        "model": {
            "plugin": "ttt-dit",
            "width": sizes.heads * others["K"],
            "heads": sizes.heads,
            "layers": sizes.layers,
            "timestep_width": others["E"],
            "patch_size": sizes.patch,
            "attention_frames": sizes.attention,
            "prefix_frames": sizes.prefix,
            "norm_eps": sizes.norm_eps,
            "rope_theta": sizes.theta,
        },
        "model.mixer": {
            "plugin": sizes.mixer,
            "mini_batch_size": sizes.mini_batch,
            "base_learning_rate": sizes.base_rate,
            "learning_rates": sizes.rates,
            "ttt_norm_eps": sizes.ttt_norm_eps,
        },
        "memory": {"scan_checkpoint_group_size": others["group"]},
    }


def spread(model) -> None:
    """Numbers everywhere, also where training starts from zeros or ones.

    The learning rates' weights stay small: the slope of a saturated sigmoid, y (1 - y), has lost its digits.
    """
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            is_gain = name.endswith(("norm.weight", "layernorm.weight", "ttt_norm_weight"))
            scale = 0.3 / parameter.shape[-1] ** 0.5 if name.endswith("ttt_lr_weight") else 0.3
            parameter.copy_(torch.randn(parameter.shape, dtype=torch.float64) * scale + is_gain)


@settings(max_examples=COUNT, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=models(), seed=st.integers(0, 2**16))
def test_the_model_is_its_description(drawn, seed, tmp_path_factory):
    sizes, others = drawn
    torch.manual_seed(seed)
    spec = spec_of(tmp_path_factory.getbasetemp() / "reference.toml", tables(sizes, others))
    model = tttdit.build_model(spec, dtype=torch.float64)
    spread(model)
    B, p = others["B"], sizes.patch
    shape = (B, sizes.frames, others["C"], p * sizes.rows, p * sizes.columns)
    inputs = {
        "video": torch.randn(shape, dtype=torch.float64, requires_grad=True),
        "text": torch.randn(B, sizes.segments, sizes.tokens, others["X"], dtype=torch.float64, requires_grad=True),
    }
    timestep, weights = torch.randint(1000, (B,)), torch.randn(shape, dtype=torch.float64)

    output = model(*inputs.values(), timestep)
    assert output.shape == shape
    (output * weights).sum().backward()
    got = {"output": output.detach(), **{name: x.grad for name, x in inputs.items()}, **gradients_of(model)}

    params = {name: p.detach().clone().requires_grad_() for name, p in model.named_parameters()}
    same = {name: x.detach().clone().requires_grad_() for name, x in inputs.items()}
    output = predict(params, sizes, same["video"], same["text"], timestep)
    (output * weights).sum().backward()
    want = {"output": output.detach(), **{name: gradient(x) for name, x in (same | params).items()}}

    assert got.keys() == want.keys()
    errors = {name: relative(got[name], want[name]) for name in want}
    assert {name: error for name, error in errors.items() if not error < TOLERANCE} == {}
