"""What codec and text encoder take around the model: of tensors without data, before there are weights or a GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from attrs import frozen
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from tttdit.core.plugin.references import load
from tttdit.core.runtime.live_bytes import LiveBytes
from tttdit.core.stage import Stage

_PARTS = 4  # of a video: the first, which has none before it, and some that all others are like
_TOGETHER = 16  # frames of what a codec is given


@frozen
class Around:
    """Bytes of weights, and the most that lives beside them at a time; what libraries take for convolutions on a GPU comes on top."""

    weights_bytes: int
    peak_bytes: int


def encoding(stage: Stage, seen_from: Path) -> Around | None:
    """What encoding a video of the stage takes, whatever its length. None for a codec that cannot be made without weights, or has none."""
    shape = (3, stage.video.height, stage.video.width)
    return _codec(stage, seen_from, lambda codec: codec.encode(_empty(shape, int(stage.dims["N"]), torch.uint8)))


def decoding(stage: Stage, seen_from: Path) -> Around | None:
    """What decoding one takes; see `encoding`."""
    channels, frames, *size = (int(each) for each in _latents(stage))
    return _codec(stage, seen_from, lambda codec: codec.decode(_empty((channels, *size), frames, torch.float32)))


def text_encoding(stage: Stage, seen_from: Path) -> Around | None:
    """What encoding one segment's text takes. None for an encoder that cannot be made without weights, or has none.

    Raises UsageError where the folder of the spec does not say how large the encoder is.
    """
    announced = stage.assembly.text_encoder
    build = _builder(announced.module if announced is not None else None)
    if build is None:
        return None
    with FakeTensorMode():
        encoder = build(stage.text, seen_from, torch.device("cpu"))
        ids = torch.zeros((1, int(stage.dims["T"])), dtype=torch.int64)
        with LiveBytes([*encoder.weights, ids]) as live:
            encoder.embed(ids)
        return Around(_bytes(encoder.weights), live.peak)


def _codec(stage: Stage, seen_from: Path, work: Callable[[Any], Iterator[Tensor]]) -> Around | None:
    build = _builder(stage.assembly.codec.module)
    if build is None:
        return None
    with FakeTensorMode():
        codec = build(stage.codec, seen_from, torch.device("cpu"))
        with LiveBytes(codec.weights) as live:
            for _ in islice(work(codec), _PARTS):
                pass
        return Around(_bytes(codec.weights), live.peak)


def _builder(module: str | None) -> Any:
    return getattr(load(module), "without_weights", None) if module is not None else None


def _latents(stage: Stage) -> tuple[int, ...]:
    """C, F, H, W."""
    dims = stage.dims
    return dims["C"], dims["F"], dims["H"], dims["W"]


def _empty(shape: tuple[int, ...], count: int, dtype: torch.dtype) -> Iterator[Tensor]:
    for first in range(0, count, _TOGETHER):
        yield torch.empty((min(_TOGETHER, count - first), *shape), dtype=dtype)


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum({tensor.untyped_storage()._cdata: tensor.untyped_storage().nbytes() for tensor in tensors}.values())
