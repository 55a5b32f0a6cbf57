"""Fills a stage's table of dimensions: the spec's own numbers, then what each plugin makes of them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tttdit.core.dimensions import Dimensions
from tttdit.core.plugin.kinds import Codec, Mixer, Model
from tttdit.core.spec.tables import ParallelismTable, TextTable, TrainingTable, VideoTable
from tttdit.core.symbolic.formula import Formula


def fill(
    video: VideoTable,
    text: TextTable,
    training: TrainingTable,
    parallelism: ParallelismTable,
    codec: tuple[Codec, Any],
    model: tuple[Model, Any],
    mixer: tuple[Mixer, Any],
) -> Dimensions:
    """The table, in the order in which plugins may rely on it; plugins come with their own tables."""
    dims = Dimensions()
    _video(dims, video)
    _text(dims, text)
    _batch(dims, training, parallelism)
    for plugin, table in (codec, model, mixer):
        plugin.dimensions(table, dims)
    return dims


def _video(dims: Dimensions, video: VideoTable) -> None:
    symbol = dims.symbol
    if video.pixel_frames is not None:
        dims.give("N", video.pixel_frames, meaning="pixel frames", keys=("video.pixel_frames",))
    else:
        assert video.seconds is not None, "a spec's reader lets no video pass that has neither"
        dims.give("fps", video.fps, meaning="frames a second", keys=("video.fps",))
        # 0.1 is a tenth, not the float next to it
        dims.give("seconds", Fraction(str(video.seconds)), meaning="seconds", keys=("video.seconds",))
        dims.derive("N", symbol("fps") * symbol("seconds") + 1, meaning="pixel frames")
    dims.give("pixel_height", video.height, meaning="height in pixels", keys=("video.height",))
    dims.give("pixel_width", video.width, meaning="width in pixels", keys=("video.width",))


def _text(dims: Dimensions, text: TextTable) -> None:
    segments = None if text.segments == "auto" else text.segments
    tokens = None if text.tokens_per_segment == "auto" else text.tokens_per_segment
    dims.give("S", segments, meaning="text segments", keys=("text.segments",))
    dims.give("T", tokens, meaning="tokens in a text segment", keys=("text.tokens_per_segment",))
    dims.give("X", text.width, meaning="text width", keys=("text.width",))


def _batch(dims: Dimensions, training: TrainingTable, parallelism: ParallelismTable) -> None:
    symbol, batch = dims.symbol, training.global_batch_size
    given = {
        "replicas": (parallelism.dp_replicate, "data-parallel replicas", "parallelism.dp_replicate"),
        "shards": (parallelism.dp_sharding, "shards of a replica", "parallelism.dp_sharding"),
        "tp": (parallelism.tp_sharding, "tensor-parallel ranks", "parallelism.tp_sharding"),
        "passes": (training.grad_accum_steps, "accumulation steps", "training.grad_accum_steps"),
    }
    for name, (value, meaning, key) in given.items():
        dims.give(name, value, meaning=meaning, keys=(key,))
    share = Formula.number(1)
    if batch is not None:
        dims.give("global_batch", batch, meaning="samples in a step", keys=("training.global_batch_size",))
        share = symbol("global_batch") / (symbol("replicas") * symbol("shards") * symbol("passes"))
    dims.derive("B", share, meaning="samples of a rank at a time", atomic=True)
