"""A dataset: the samples of all clips, the manifest that lists them, and the card that says what they are."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from attrs import asdict, frozen

from tttdit.core.errors import UsageError
from tttdit.core.plugin.references import load
from tttdit.core.running.captions import Captions
from tttdit.core.running.files import write_whole
from tttdit.core.running.resolved import resolved_text
from tttdit.core.runtime.codec import VideoCodec
from tttdit.core.runtime.preparing.samples import ClipSamples, Format, samples_of
from tttdit.core.runtime.text import TextEncoder
from tttdit.core.runtime.training.world import world_of
from tttdit.core.runtime.video.libraries import library
from tttdit.core.stage import Stage

_MOST_WORKERS = 4  # by default
MANIFEST, CARD = "manifest.jsonl", "card.json"


def check_libraries() -> None:
    """Raises UsageError where what reads video files is not installed."""
    library("av")


def default_workers(device: str | None) -> int:
    """Processes for clips: one for a GPU, whose memory several would share; several where cores are all there is."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 1 if world_of({}, device).device.type == "cuda" else min(_MOST_WORKERS, cores)


def format_of(stage: Stage) -> Format:
    """What a stage's samples are like."""
    encoder = stage.assembly.text_encoder
    return Format(
        fps=stage.video.fps,
        height=stage.video.height,
        width=stage.video.width,
        pixel_frames=int(stage.dims["N"]),
        segments=int(stage.dims["S"]),
        tokens=int(stage.dims["T"]),
        made_by={
            "codec": stage.codec.model_dump(mode="json"),
            "text_encoder": encoder.name if encoder is not None else None,
            "encoder_folder": stage.text.encoder_folder,
            "text_width": stage.text.width,
        },
    )


@frozen
class Job:
    """One clip: how its samples' files are called, and what is said of it."""

    clip: Path
    stem: str
    captions: Captions | None  # None where nobody said anything


class Preparer:
    """Makes samples of a stage, with its codec and text encoder, in one process."""

    def __init__(
        self,
        stage: Stage,
        seen_from: Path,
        folder: Path,
        device: str | None,
        tell: Callable[[int], object],
        *,
        measures: bool | None,
        is_alone: bool,
    ) -> None:
        """`seen_from` is the spec's folder; `device` None is CUDA where there is some; `tell` is told of each sample that is there;
        `measures` None leaves it to the codec whether what it encodes is decoded too. A process that is not alone uses one core.

        Raises UsageError for a stage whose codec or text encoder cannot be run.
        """
        if not is_alone:
            torch.set_num_threads(1)
        on = world_of({}, device).device
        self._codec: VideoCodec = _made("codec", stage.assembly.codec, stage.codec, seen_from, on)
        self._encoder: TextEncoder = _made("text encoder", stage.assembly.text_encoder, stage.text, seen_from, on)
        self._format, self._folder, self._tell = format_of(stage), folder, tell
        self._measures = self._codec.decodes_fast if measures is None else measures

    def __call__(self, job: Job) -> ClipSamples:
        """The samples of one clip."""
        return samples_of(
            job.clip,
            job.stem,
            job.captions or Captions(),
            self._format,
            self._codec,
            self._encoder,
            self._folder,
            self._tell,
            measures=self._measures,
        )


def _made(what: str, announced: Any, table: Any, seen_from: Path, device: torch.device) -> Any:
    if announced is None:
        raise UsageError(
            f"the spec names no {what}: say under [text] which encoder's embeddings the model gets, encoder = ..."
        )
    if announced.module is None:
        raise UsageError(
            f'the {what} "{announced.name}" knows sizes only: samples need one that can be run (tttdit plugins)'
        )
    return load(announced.module)(table, seen_from, device)


def jobs_of(clips: Sequence[Path], captions: Mapping[Path, Captions]) -> tuple[Job, ...]:
    """A job for every clip; files of clips that have one name in different folders are told apart by numbers."""
    taken: set[str] = set()
    jobs = []
    for clip in clips:
        stem, number = clip.stem, 1
        while stem.casefold() in taken:
            number += 1
            stem = f"{clip.stem}-{number}"
        taken.add(stem.casefold())
        jobs.append(Job(clip, stem, captions.get(clip)))
    return tuple(jobs)


def write_dataset(folder: Path, stage: Stage, seen_from: Path, done: Iterable[ClipSamples]) -> None:
    """Writes the manifest and the card of a dataset whose samples, one at least, are there. Raises OSError."""
    found = [(each.clip, sample) for each in done for sample in each.samples]
    lines = [
        json.dumps(
            {
                "latents": sample.file,
                "text": sample.file,
                "clip": clip,
                "begins": sample.begins,
                "captions": list(sample.texts),
                "tokens": list(sample.tokens),
            },
            ensure_ascii=True,
        )
        for clip, sample in found
    ]
    lengths = [tokens for _, sample in found for tokens in sample.tokens]
    known = [sample.psnr for _, sample in found if sample.psnr is not None]
    wanted = format_of(stage)
    card = {
        "tttdit": 1,
        "stage": stage.name,
        "spec_folder": str(seen_from.resolve()),
        "spec_sha256": hashlib.sha256(resolved_text(stage.name, [stage]).encode()).hexdigest(),
        **asdict(wanted),
        "samples": len(found),
        "seconds": len(found) * wanted.seconds,
        "clips": len({clip for clip, _ in found}),
        "holds": found[0][1].holds,
        "lowest": min(sample.lowest for _, sample in found),
        "highest": max(sample.highest for _, sample in found),
        "text_tokens": [min(lengths), max(lengths)],
        "psnr": sum(known) / len(known) if known else None,
    }
    write_whole(folder / CARD, json.dumps(card, indent=2, ensure_ascii=True) + "\n")
    write_whole(folder / MANIFEST, "\n".join(lines) + "\n")
