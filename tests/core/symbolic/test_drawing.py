"""What drawing a video takes: predicted beside measured, to the byte."""

import pytest
import torch
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tttdit.checker.api import load_spec
from tttdit.checker.memory.sampling import predicted_sampling
from tttdit.core.plugin.references import load
from tttdit.core.regions import Regions
from tttdit.core.runtime.building import build_stage
from tttdit.core.runtime.live_bytes import LiveBytes
from tttdit.core.runtime.sampling.drawing import draw
from tttdit.core.runtime.sampling.schedule import levels
from tttdit.core.stage import Stage
from tttdit.core.symbolic.drawing import record_drawing
from tttdit.core.symbolic.stepping import Manner

SPEC = "examples/tiny.toml"


def stage_of(*sets: str) -> Stage:
    return load_spec(SPEC, sets=["sampling.plugin=ddim", *sets]).stages[0]


def measured(stage: Stage) -> tuple[int, int, int]:
    """Peak, floating-point operations, and the bytes of parameters, buffers and inputs, of drawing a video on real tensors."""
    dtype = getattr(torch, stage.parallelism.unsharded_dtype)
    model = build_stage(stage, dtype=dtype, regions=lambda strategy: Regions()).eval().requires_grad_(False)
    video, text = ((1, *map(int, shape)) for shape in stage.sample_shapes().values())
    start, text, negative = torch.randn(video), torch.randn(text).to(dtype), torch.randn(text).to(dtype)
    assert stage.assembly.sampler is not None
    assert stage.assembly.sampler.module is not None
    solver = load(stage.assembly.sampler.module)(stage.sampling)
    standing = [*model.parameters(), *model.buffers(), start, text, negative]
    with LiveBytes(standing, look_inside=False) as rod:
        for _ in draw(model, solver, levels(stage.sampling.steps), start, text, negative, lambda: torch.randn(video)):
            pass
    return rod.peak, sum(operator.flops for operator in rod.log), sum(each.nbytes for each in standing)


@examples(max_examples=12)
@given(
    sampler=st.sampled_from(["sampling.plugin=ddim", "sampling.plugin=dpmpp-2m-sde"]),
    steps=st.sampled_from([1, 2, 3, 4, 6]),
    scale=st.sampled_from([0, 6]),
    mixer=st.sampled_from(["ttt-mlp", "ttt-linear", "sliding-window"]),
    layers=st.sampled_from([1, 2, 5, 6]),
    dtype=st.sampled_from(["float32", "bfloat16"]),
    seconds=st.sampled_from([3, 9]),
    group=st.sampled_from([0, 4]),
)
def test_predicted_is_measured(
    sampler: str, steps: int, scale: int, mixer: str, layers: int, dtype: str, seconds: int, group: int
) -> None:
    """How training groups the scan is left out of account: nothing is kept for a backward pass."""
    table = (
        "{plugin='sliding-window', neighbours=1}"
        if mixer == "sliding-window"
        else f"{{plugin='{mixer}', mini_batch_size=8}}"
    )
    ttt = [] if mixer == "sliding-window" else [f"memory.scan_checkpoint_group_size={group}"]
    stage = stage_of(
        sampler, f"sampling.steps={steps}", f"sampling.guidance_scale={scale}", f"model.mixer={table}",
        f"model.layers={layers}", f"parallelism.unsharded_dtype={dtype}", f"video.seconds={seconds}", *ttt,
    )  # fmt: skip
    drawing = record_drawing(stage, Manner(dtype=dtype))
    standing = sum(each.nbytes for each in drawing.tape.standing)
    assert (drawing.tape.peak_bytes, drawing.flops, standing) == measured(stage)


def test_layers_that_hold_something_are_all_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model whose peak grows with its layers is recorded whole: few of them would say too little."""
    stage = stage_of("model.layers=6")
    found = record_drawing(stage, Manner(dtype="float32")).tape.peak_bytes
    held = []

    from tttdit.core.symbolic import drawing

    build = drawing._model

    def hoarding(*arguments: object) -> object:
        model = build(*arguments)  # type: ignore[arg-type]
        for layer in model.layers:
            run = layer.forward
            layer.forward = lambda *given, run=run: (held.append(out := run(*given)), out)[1]
        return model

    monkeypatch.setattr(drawing, "_model", hoarding)
    whole = record_drawing(stage, Manner(dtype="float32")).tape
    assert whole.peak_bytes > found
    assert "layers.5" in " ".join(moment.place for moment in whole.moments)


def test_a_prediction_says_where_and_of_what() -> None:
    found = predicted_sampling(stage_of(), device="cpu")
    assert found.steps == 50
    assert found.total_bytes == sum(found.parts.values()) == found.reserved_bytes
    assert found.total_at.startswith("forward of layers.")
    assert (found.budget_bytes, found.fits) == (None, None)
    assert found == predicted_sampling(stage_of(), device="cpu")


def test_on_a_gpu_it_is_held_against_its_memory() -> None:
    small = predicted_sampling(stage_of("hardware.gpu_memory_gib=0.5"), device="cuda")
    assert small.outside_bytes > 0
    assert small.fits is (small.needed_bytes <= 2**29)
    assert predicted_sampling(stage_of("hardware.gpu_memory_gib=80"), device="cuda").fits is True
