"""Rules about one stage after another: TTD712, TTD713, TTD714. What TTD712 says, loading weights says too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tttdit
from tttdit.checker.api import check
from tttdit.core.errors import UsageError
from tttdit.core.findings import Finding

SPEC = """
name = "tiny"

[video]
pixel_frames = 17
fps = 16
height = 32
width = 48

[text]
segments = "auto"
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
patch_size = 2
attention_frames = 2

[model.mixer]
plugin = "ttt-linear"
{mini_batch}

[[stage]]
name = "first"
{first}

[[stage]]
name = "second"
{second}
"""
WITH = 'model.mixer = { plugin = "ttt-linear", mini_batch_size = 3 }'
WITHOUT = 'model.mixer = { plugin = "none" }'

# What two stages of a tiny model state, and what the checker says of the second.
FITS = {
    "longer": ("", "video.pixel_frames = 33"),
    "larger pictures": ("", "video.height = 64"),
    "longer texts": ("", "text.tokens_per_segment = 6"),
    "an adapter": ("", 'model.adapter = "qkvo"'),
    "a mixer where there was none": (WITHOUT, WITH),
    "its own start": ("", 'model.width = 64\ncheckpoint.init_from = "x"'),
}
FITS_NOT = {
    "width": ("model.width = 64", "D (model width) is 64 and was 32", "model.width"),
    "heads": ("model.heads = 1", "A (heads) is 1 and was 2", "model.heads"),
    "layers": ("model.layers = 3", "layers are 3 and were 2", "model.layers"),
    "one layer": ("model.layers = 1", "layers are 1 and were 2", "model.layers"),
    "timestep": ("model.timestep_width = 16", "E (width of the timestep's embedding) is 16 and was 12", "model.timestep_width"),
    "patches": ("model.patch_size = 1", "p (rows and columns of a patch) is 1 and was 2", "model.patch_size"),
    "text width": ("text.width = 16", "X (text width) is 16 and was 8", "text.width"),
    "channels": ("codec.channels = 8", "C (latent channels) is 8 and was 4", "codec.channels"),
    "another mixer": ('model.mixer = { plugin = "sliding-window" }', "no place for", "model.mixer.plugin"),
    "fast weights": (
        'model.mixer = { plugin = "ttt-mlp", mini_batch_size = 3 }',
        "ssm.ttt.W1 is [2, 16, 64] and was [2, 16, 16]",
        "model.mixer.plugin",
    ),
    "no mixer any more": (WITHOUT, "no place for", "model.mixer.plugin"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(first: str, second: str) -> str:
    Path("spec.toml").write_text(SPEC.format(first=first, second=second, mini_batch="mini_batch_size = 3"))
    return "spec.toml"


def found(path: str, code: str) -> list[Finding]:
    return [finding for finding in check(path).findings if finding.code == code]


def loads(path: str) -> bool:
    """Whether weights of the first stage's model load into the second's."""
    safetensors = pytest.importorskip("safetensors.torch")
    spec = tttdit.load_spec(path)
    safetensors.save_file(tttdit.build_model(spec, "first").state_dict(), "first.safetensors")
    second: Any = tttdit.build_model(spec, "second")
    try:
        tttdit.load_weights(second, "first.safetensors")
    except UsageError:
        return False
    return True


@pytest.mark.parametrize("name", FITS)
def test_weights_that_fit(name: str) -> None:
    first, second = FITS[name]
    path = written(first, second)
    assert found(path, "TTD712") == []
    if "init_from" not in second:
        assert loads(path)


@pytest.mark.parametrize("name", FITS_NOT)
def test_weights_that_do_not(name: str) -> None:
    second, told, key = FITS_NOT[name]
    path = written("", second)
    (finding,) = found(path, "TTD712")
    assert (finding.severity, finding.key, finding.stage) == ("error", key, "second")
    assert finding.message.startswith("the weights of the stage before do not fit")
    assert told in finding.message
    assert not loads(path)


def test_a_stage_that_is_wrong_itself_is_not_compared() -> None:
    path = written("", "model.width = 33")
    assert "TTD712" not in [finding.code for finding in check(path).findings]
    assert not check(path).ok


def test_one_stage_alone_follows_none() -> None:
    assert check(written("", "model.width = 64"), stage="second").findings == ()


# -- TTD713


def test_all_stages_start_from_one_file() -> None:
    path = written("", "video.pixel_frames = 33")
    text = Path(path).read_text().replace("[[stage]]", '[checkpoint]\ninit_from = "x.safetensors"\n\n[[stage]]', 1)
    Path(path).write_text(text)
    (finding,) = check(path).findings
    assert (finding.code, finding.severity, finding.key) == ("TTD713", "warning", "checkpoint.init_from")
    assert finding.message == (
        'the stage starts from "x.safetensors", as the stage before it did: what that one has learned is lost'
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('checkpoint.init_from = "x"', ""),
        ("", 'checkpoint.init_from = "x"'),
        ('checkpoint.init_from = "x"', 'checkpoint.init_from = "y"'),
    ],
)
def test_stages_that_start_where_they_are_told_to(first: str, second: str) -> None:
    assert found(written(first, second), "TTD713") == []


# -- TTD714


def test_a_stage_of_shorter_videos() -> None:
    (finding,) = found(written("video.pixel_frames = 33", ""), "TTD714")
    assert finding.message == (
        "after 33 pixel frames in the stage before the videos of this one have 17: curricula go from short to long"
    )
    assert (finding.key, finding.severity) == ("video.pixel_frames", "warning")


@pytest.mark.parametrize("frames", [17, 33])
def test_stages_of_growing_length(frames: int) -> None:
    assert found(written("", f"video.pixel_frames = {frames}"), "TTD714") == []
