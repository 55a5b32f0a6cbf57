"""Small specs that several tests begin with."""

from __future__ import annotations

from pathlib import Path

from tttdit import load_spec
from tttdit.core.stage import Stage

ROOT = Path(__file__).parents[2]

# Two layers without a mixer: `[memory]` has 96 settings. Tests add tables behind it.
TWO_LAYERS = """\
name = "small"

[video]
seconds = 3
fps = 16
height = 256
width = 384

[text]
segments = 1
tokens_per_segment = 64
width = 64

[model]
plugin = "ttt-dit"
width = 64
heads = 4
layers = 2
timestep_width = 16

[model.mixer]
plugin = "none"
"""

_SMALL_SIZES = (
    "video.height=64",
    "video.width=80",
    "model.width=64",
    "model.heads=4",
    "model.timestep_width=16",
    "text.width=24",
)


def small_stage(*sets: str) -> Stage:
    """The example of nine seconds in small sizes, with keys set."""
    (stage,) = load_spec(ROOT / "examples" / "nine-seconds.toml", sets=(*_SMALL_SIZES, *sets)).stages
    return stage
