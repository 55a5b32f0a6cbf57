"""The dimensions that codec, model and mixer derive, as numbers, formulas and tensor shapes."""

from collections.abc import Callable

import pytest

from tttdit.core.stage import Stage

# seconds, S, T with both mini-batches' laws kept, and what follows: F, V, L, n
STAGES = [
    (3, 1, 498, 13, 17_550, 18_048, 282),
    (9, 3, 502, 37, 49_950, 51_456, 804),
    (18, 6, 503, 73, 98_550, 101_568, 1_587),
    (30, 10, 497, 121, 163_350, 168_320, 2_630),
    (63, 21, 458, 253, 341_550, 351_168, 5_487),
]


@pytest.mark.parametrize(("seconds", "S", "T", "F", "V", "L", "n"), STAGES)
def test_the_five_stages(
    seconds: int, S: int, T: int, F: int, V: int, L: int, n: int, stage_of: Callable[..., Stage]
) -> None:
    dims = stage_of(video={"seconds": seconds}, text={"segments": S, "tokens_per_segment": T}).dims
    assert {symbol: int(dims[symbol]) for symbol in ("F", "V", "L", "n")} == {"F": F, "V": V, "L": L, "n": n}
    always = {"H": 60, "W": 90, "h": 30, "w": 45, "C": 16, "D": 3072, "A": 48, "K": 64, "E": 512, "p": 2, "b": 64}
    assert {symbol: int(dims[symbol]) for symbol in always} == always


def test_shapes_are_written_over_atomic_symbols(stage_of: Callable[..., Stage]) -> None:
    dims = stage_of().dims
    assert str(dims["L"].formula) == "F*h*w + S*T"
    assert str(dims["K"].formula) == "D/A"
    assert str(dims["n"].formula) == "F*h*w/b + S*T/b"


def test_dimensions_know_their_keys(stage_of: Callable[..., Stage]) -> None:
    dims = stage_of().dims
    assert dims.describe("L").keys == (
        *("text.segments", "text.tokens_per_segment", "codec.time_compression", "video.fps", "video.seconds"),
        *("codec.space_compression", "video.height", "model.patch_size", "video.width"),
    )


def test_inputs(stage_of: Callable[..., Stage]) -> None:
    stage = stage_of()
    inputs = stage.assembly.model.inputs(stage.model, stage.dims)
    shapes = {name: [str(size.formula) for size in tensor.shape] for name, tensor in inputs.items()}  # type: ignore[attr-defined]
    assert shapes == {"video": ["B", "F", "C", "h*p", "p*w"], "text": ["B", "S", "T", "X"], "timestep": ["B"]}
    assert [tensor.dtype for tensor in inputs.values()] == ["float32", "float32", "int64"]
    assert inputs["video"].shape == (1, 37, 16, 60, 90)


def test_another_vae_is_the_same_plugin(stage_of: Callable[..., Stage]) -> None:
    codec = {"space_compression": 16, "time_compression": 8, "channels": 128}
    dims = stage_of(codec=codec, video={"seconds": None, "pixel_frames": 193, "height": 512, "width": 768}).dims
    assert [int(dims[symbol]) for symbol in "FHWC"] == [25, 32, 48, 128]


def test_presets_and_what_overrides_them(stage_of: Callable[..., Stage]) -> None:
    debug = stage_of(model={"preset": "debug"}).model
    assert (debug.width, debug.heads, debug.layers, debug.timestep_width, debug.patch_size) == (512, 8, 6, 512, 2)
    big = stage_of(model={"layers": 2}).model
    assert (big.width, big.heads, big.layers, big.adapter) == (3072, 48, 2, "sft")


@pytest.mark.parametrize(("name", "batch", "rate"), [("ttt-mlp", 64, 0.1), ("ttt-linear", 16, 1.0)])
def test_each_mixer_has_its_own_defaults(name: str, batch: int, rate: float, stage_of: Callable[..., Stage]) -> None:
    mixer = stage_of(mixer={"plugin": name}).mixer
    assert (mixer.mini_batch_size, mixer.base_learning_rate) == (batch, rate)
    assert (mixer.learning_rates, mixer.ttt_norm_eps) == ("token", 1e-6)
