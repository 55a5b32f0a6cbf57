"""Draws the videos of one stage: texts to embeddings, noise to latents, latents to frames in a file."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import torch
from attrs import frozen
from torch import Tensor, nn

from tttdit.core.errors import UsageError
from tttdit.core.plugin.references import load
from tttdit.core.regions import Regions
from tttdit.core.running.commission import Commission
from tttdit.core.runtime.building import build_stage
from tttdit.core.runtime.live_bytes import LiveBytes
from tttdit.core.runtime.sampling.drawing import draw
from tttdit.core.runtime.sampling.schedule import levels
from tttdit.core.runtime.sampling.solver import Solver
from tttdit.core.runtime.sampling.weights import Fill
from tttdit.core.runtime.text import TextEncoder
from tttdit.core.runtime.video.sheets import contact_sheet
from tttdit.core.runtime.video.writing import write_video
from tttdit.core.stage import Stage

Say: TypeAlias = Callable[[str], object]

_PICTURES, _COLUMNS = 12, 4  # of a contact sheet


class Bar(Protocol):
    """What draws bars."""

    def __call__(self, length: int, name: str, *, noun: str) -> AbstractContextManager[Callable[[int], object]]:
        """A bar of so many steps, or frames, of a video of this name; what it gives is told how many more are done."""


@frozen
class Drawn:
    """One video that has been drawn. `peak_bytes` is the most that lived while it was, None where nobody counted."""

    commission: Commission
    frames: int
    seconds: float
    peak_bytes: int | None


def draw_videos(
    commissions: Sequence[Commission],
    fill: Fill,
    device: torch.device,
    seen_from: Path,
    *,
    say: Say,
    bar: Bar,
    measures: bool,
) -> Iterator[Drawn]:
    """Draws videos of one stage, one after the other; paths of the spec are seen from its folder, `seen_from`.

    The text encoder is gone before the model is built. `say` tells people what they should know, `bar` draws bars.
    With `measures` the bytes of the loop are counted on the CPU, operator by operator, which is slower; on a GPU its own counters are
    read in any case. Raises UsageError for plugins that cannot encode, draw or decode, and weights that do not fit.
    """
    stage = commissions[0].stage
    solver, codec = _solver(stage), _codec(stage, seen_from, device)
    # the codec's weights, which a prediction of the drawing does not count
    before = torch.cuda.memory_allocated(device) if device.type == "cuda" else 0
    texts = _embeddings(commissions, seen_from, device, say)
    model = _model(stage, fill, device)
    for commission, (text, negative) in zip(commissions, texts, strict=True):
        begun = time.perf_counter()
        with bar(stage.sampling.steps, commission.name, noun="steps") as step_done:
            latents, peak = _latents(commission, model, solver, text, negative, device, step_done, measures)
        pictures: list[Tensor] = []
        parts = codec.decode([latents])
        count = int(stage.dims["N"])
        kept = {count * (2 * at + 1) // (2 * _PICTURES) for at in range(min(_PICTURES, count))}
        with bar(count, commission.name, noun="frames") as frames_done:
            watched = _watched(parts, kept, pictures, frames_done)
            frames = write_video(commission.video, watched, fps=stage.video.fps, metadata=commission.told)
        contact_sheet(commission.sheet, pictures, _COLUMNS)
        yield Drawn(commission, frames, time.perf_counter() - begun, None if peak is None else peak - before)


def _latents(
    commission: Commission,
    model: nn.Module,
    solver: Solver,
    text: Tensor,
    negative: Tensor,
    device: torch.device,
    step_done: Callable[[int], object],
    measures: bool,
) -> tuple[Tensor, int | None]:
    """The latents of a video [F, C, H, W], float32 on the CPU, and the most bytes that lived, where they were counted.

    Noise is drawn on the CPU, so that a seed is the same noise everywhere.
    """
    stage = commission.stage
    video, *_ = stage.sample_shapes().values()
    shape = (1, *map(int, video))
    chance = torch.Generator("cpu").manual_seed(commission.seed)

    def noise() -> Tensor:
        return torch.randn(shape, generator=chance).to(device)

    start = noise()
    on_gpu = device.type == "cuda"
    rod = LiveBytes([*model.parameters(), *model.buffers(), start, text, negative]) if measures and not on_gpu else None
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(device)
    latents = start
    with rod if rod is not None else nullcontext():
        for drawn in draw(model, solver, levels(stage.sampling.steps), start, text, negative, noise):
            latents = drawn
            step_done(1)
    peak = torch.cuda.max_memory_allocated(device) if on_gpu else rod.peak if rod is not None else None
    return latents.squeeze(0).float().cpu(), peak


def _watched(
    parts: Iterable[Tensor], kept: set[int], pictures: list[Tensor], frames_done: Callable[[int], object]
) -> Iterator[Tensor]:
    """The same parts; the frames of these numbers are put into `pictures`."""
    number = 0
    for part in parts:
        pictures += [picture.clone() for at, picture in enumerate(part, number) if at in kept]
        number += len(part)
        yield part
        frames_done(len(part))


def _model(stage: Stage, fill: Fill, device: torch.device) -> nn.Module:
    dtype = getattr(torch, stage.parallelism.unsharded_dtype)
    model = build_stage(stage, device="meta", dtype=dtype, regions=lambda strategy: Regions())
    fill(model)
    return model.to(device).eval().requires_grad_(False)


def _embeddings(
    commissions: Sequence[Commission], seen_from: Path, device: torch.device, say: Say
) -> list[tuple[Tensor, Tensor]]:
    """For each video the embeddings [1, S, T, X] of its texts and of what is not wanted, in the model's type."""
    stage = commissions[0].stage
    encoder, length = _text_encoder(stage, seen_from, device), int(stage.dims["T"])
    dtype = getattr(torch, stage.parallelism.unsharded_dtype)
    found = []
    for commission in commissions:
        pair = []
        for texts in (commission.storyboard.texts, commission.storyboard.negatives):
            encoded = [encoder.encode(text, length) for text in texts]
            for scene, one in enumerate(encoded, 1):
                if one.cut:
                    say(
                        f"{commission.name}: {one.cut:,} tokens of scene {scene} do not fit into text.tokens_per_segment = "
                        f"{length:,} and are cut off"
                    )
            pair.append(torch.stack([one.embeddings for one in encoded]).unsqueeze(0).to(device, dtype))
        found.append((pair[0], pair[1]))
    del encoder
    gc.collect()
    return found


def _solver(stage: Stage) -> Solver:
    sampler = stage.assembly.sampler
    if sampler is None or sampler.module is None:
        raise UsageError(
            f'stage "{stage.name}" has no [sampling] whose sampler can be run (tttdit plugins lists those that there are)'
        )
    return load(sampler.module)(stage.sampling)  # type: ignore[no-any-return]


def _codec(stage: Stage, seen_from: Path, device: torch.device) -> Any:
    codec = stage.assembly.codec
    if codec.module is None:
        raise UsageError(f'the codec "{codec.name}" knows sizes only, and cannot decode: name another under [codec]')
    return load(codec.module)(stage.codec, seen_from, device)


def _text_encoder(stage: Stage, seen_from: Path, device: torch.device) -> TextEncoder:
    encoder = stage.assembly.text_encoder
    if encoder is None:
        raise UsageError("text.encoder is not there: name the encoder whose embeddings the model was trained with")
    if encoder.module is None:
        raise UsageError(f'the text encoder "{encoder.name}" knows sizes only, and cannot encode')
    return load(encoder.module)(stage.text, seen_from, device)  # type: ignore[no-any-return]
