"""`tttdit.build_model`: every example, small and at full size; stages, types, fake tensors; what cannot be built."""

from collections.abc import Iterable
from pathlib import Path

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

import tttdit
from tttdit.core.errors import UsageError

EXAMPLES = Path(__file__).parents[3] / "examples"
SPECS = sorted({*EXAMPLES.glob("*.toml"), *EXAMPLES.glob("plugin-*/*.toml")} - {*EXAMPLES.glob("*/pyproject.toml")})
# Beside these, 2 x 3 tokens a frame divide by 64 wherever 30 x 45 do: 13 frames of the difference are 17,472 = 273 * 64.
SMALL = (
    "video.height=32",
    "video.width=48",
    "model.width=32",
    "model.heads=2",
    "model.layers=1",
    "model.timestep_width=8",
)


def load(path: Path, sets: Iterable[str] = ()) -> tttdit.Spec:
    """The spec, with the plugin that lies beside it."""
    return tttdit.load_spec(path, sets=sets, allow_plugins=[p.parent for p in path.parent.glob("tttdit_*/plugin.py")])


def inputs(spec: tttdit.Spec, stage: str, dtype: torch.dtype = torch.float32) -> list[torch.Tensor]:
    chosen = spec.stage(stage)
    generator = torch.Generator().manual_seed(1)
    video, text, timestep = (
        tuple(map(int, each.shape)) for each in chosen.assembly.model.inputs(chosen.model, chosen.dims).values()
    )
    return [
        torch.randn(video, generator=generator).to(dtype),
        torch.randn(text, generator=generator).to(dtype),
        torch.randint(1000, timestep, generator=generator),
    ]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_example_builds_on_meta_and_runs_small(path: Path) -> None:
    full, small = load(path), load(path, SMALL)
    for stage in full.stages:
        model = tttdit.build_model(full, stage.name, device="meta")
        assert {tensor.device.type for tensor in (*model.parameters(), *model.buffers())} == {"meta"}
        model = tttdit.build_model(small, stage.name)
        video, text, timestep = (tensor[:1] for tensor in inputs(small, stage.name))
        with torch.no_grad():
            prediction = model(video, text, timestep)
        assert prediction.shape == video.shape
        assert prediction.isfinite().all()


def test_of_several_stages_one_is_named() -> None:
    spec = load(EXAMPLES / "curriculum.toml", SMALL)
    with pytest.raises(
        UsageError, match=r'"one-minute" has 5 stages: say which one, stage=\.\.\. of "3s", "9s", "18s"'
    ):
        tttdit.build_model(spec, device="meta")
    with pytest.raises(UsageError, match=r'"one-minute" has no stage "6s"; it has "3s", "9s", "18s", "30s", "63s"'):
        tttdit.build_model(spec, "6s", device="meta")


def test_a_path_is_no_spec() -> None:
    with pytest.raises(UsageError, match=r"a spec is what tttdit\.load_spec\(path\) returns, and this is 'three.toml'"):
        tttdit.build_model("three.toml")  # type: ignore[arg-type]
    report = tttdit.check(EXAMPLES / "three-seconds.toml")
    with pytest.raises(UsageError, match=r"and this is of the type Report$"):
        tttdit.build_model(report)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", ["bfloat16", torch.int64])
def test_what_is_no_type_of_numbers_with_fractions(dtype: object) -> None:
    with pytest.raises(UsageError, match=rf"^dtype is {dtype!r}, and has to be a floating-point type of torch"):
        tttdit.build_model(load(EXAMPLES / "three-seconds.toml", SMALL), dtype=dtype)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_types(dtype: torch.dtype) -> None:
    spec = load(EXAMPLES / "three-seconds.toml", SMALL)
    model = tttdit.build_model(spec, device="cpu", dtype=dtype)
    assert {parameter.dtype for parameter in model.parameters()} == {dtype}
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    assert {buffer.dtype for buffer in model.buffers()} == {wide}
    video, text, timestep = inputs(spec, "three-seconds", dtype)
    with torch.no_grad():
        assert model(video[:1], text[:1], timestep[:1]).dtype == dtype


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_fake_tensors(dtype: torch.dtype) -> None:
    """A full-size model and a step of it, without memory."""
    spec = load(EXAMPLES / "nine-seconds.toml", ["model.layers=1"])
    with FakeTensorMode():
        model = tttdit.build_model(spec, dtype=dtype)
        video, text, timestep = inputs(spec, "nine-seconds", dtype)
        loss = tttdit.training_loss(model, video, text, timestep, torch.randn_like(video))
        loss.backward()
    assert all(isinstance(parameter, FakeTensor) and parameter.dtype == dtype for parameter in model.parameters())
    assert all(isinstance(buffer, FakeTensor) for buffer in model.buffers())
    assert loss.device.type == "cpu"


@pytest.mark.parametrize(
    ("sets", "why"),
    [
        (
            ["text.segments=2", "text.tokens_per_segment=501"],
            "2 segments of 12 frames and 1 in front cover 25 latent frames, not 37",
        ),
        (["text.tokens_per_segment=493"], r"51429 tokens \(text and video\) are not divisible by mini_batch_size = 64"),
        (["model.heads=5"], "width = 3072 is not divisible by heads = 5"),
        (
            ["video.height=484"],
            "h, rows of the token grid, has no value; it follows from codec.space_compression, video.height, model.patch_size",
        ),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(sets: list[str], why: str) -> None:
    with pytest.raises(UsageError) as raised:
        tttdit.build_model(load(EXAMPLES / "nine-seconds.toml", sets), device="meta")
    assert str(raised.value).count("\n") == 0
    assert raised.match(f'^stage "nine-seconds" cannot be built: {why}; tttdit-check says what to change$')
