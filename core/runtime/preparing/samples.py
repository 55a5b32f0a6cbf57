"""One clip to the samples of a stage."""

from __future__ import annotations

import errno
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import tee
from pathlib import Path
from typing import Any

import torch
from attrs import asdict, frozen
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from tttdit.core.errors import UsageError
from tttdit.core.running.captions import Captions
from tttdit.core.running.files import beside
from tttdit.core.runtime.codec import VideoCodec
from tttdit.core.runtime.frames import psnr
from tttdit.core.runtime.text import TextEncoder
from tttdit.core.runtime.video.reading import DamagedClip, frames, length_of

_DIGEST, _FACTS = "digest", "facts"  # keys of a file's metadata


@frozen
class Format:
    """What the samples of a stage are like. `made_by` says what codec and text encoder they come from, and with which settings."""

    fps: int
    height: int
    width: int
    pixel_frames: int  # N
    segments: int  # S
    tokens: int  # T
    made_by: Mapping[str, Any]

    @property
    def seconds(self) -> float:
        """From one sample's beginning to the next one's: the last frame of one is the first of the next."""
        return (self.pixel_frames - 1) / self.fps


@frozen
class Sample:
    """One sample, in a file beside the manifest. `psnr` is the codec's reconstruction's, in dB, None where nobody decoded."""

    file: str
    begins: float  # seconds of the clip
    texts: tuple[str, ...]
    tokens: tuple[int, ...]  # of each text
    cut: int  # tokens that did not fit
    holds: str  # what the codec gives, as VideoCodec.holds says it
    lowest: float  # of the latents' numbers
    highest: float
    psnr: float | None
    held: bool  # its last frame is the one before once more, since the clip ends there
    reused: bool = False  # it was there already


@frozen
class ClipSamples:
    """The samples of one clip, and what became of the rest: `left` seconds at its end make no sample, `problem` ended it.

    `rates` are the fewest and the most pictures a second of a clip in which these change.
    """

    clip: str
    samples: tuple[Sample, ...]
    left: float
    problem: str = ""
    rates: tuple[float, float] | None = None


def samples_of(
    clip: Path,
    stem: str,
    captions: Captions,
    wanted: Format,
    codec: VideoCodec,
    encoder: TextEncoder,
    folder: Path,
    tell: Callable[[int], object],
    *,
    measures: bool,
) -> ClipSamples:
    """Writes the samples of a clip into a folder, `STEM-0000.safetensors` and so on, one after the other in time.

    Samples that are there, made from the same, are left as they are; `tell` is told of each, be it new or not. The last frame of a clip
    may stand once more for one that is missing: a clip of exactly 9 seconds has one frame less than a sample of 9. With `measures` what was
    encoded is decoded again and compared. A file is there whole or not at all. Raises OSError where one cannot be written: no other clip
    could do better.
    """
    made: list[Sample] = []
    problem, left, rates = "", 0.0, None
    try:
        length, identity = length_of(clip), _identity(clip)
        total, problem, rates = length.frames(wanted.fps), length.problem, length.rates
        reader = _Reader(frames(clip, fps=wanted.fps, height=wanted.height, width=wanted.width))
        step, read = wanted.pixel_frames - 1, 0
        for number in range(max(1, total) // step):  # the last sample may miss one frame
            texts = captions.of(number * wanted.segments, wanted.segments)
            path = folder / f"{stem}-{number:04}.safetensors"
            digest = _digest(identity, number, texts, wanted, measures)
            sample = _known(path, digest)
            if sample is None:
                reader.pass_over((number - read) * step)
                sample = _written(path, digest, reader, number, texts, wanted, codec, encoder, measures)
                read = number + 1
            made.append(sample)
            tell(1)
        used = len(made) * step + 1 if made else 0
        left = max(0, total - used) / wanted.fps
    except UsageError as error:
        problem = str(error)
    return ClipSamples(str(clip), tuple(made), left, problem, rates)


class _Reader:
    """A clip's frames, a sample's after another's: the first of one is the last of the one before."""

    def __init__(self, parts: Iterator[Tensor]) -> None:
        self._parts = parts
        self._last: Tensor | None = None
        self._rest: Tensor | None = None
        self.held = False  # the last frame of the sample before stood once more

    def sample(self, count: int) -> Iterator[Tensor]:
        """So many frames, in parts. The last one may be missing: then the one before stands once more. Raises UsageError for fewer."""
        missing = count
        if self._last is not None:
            yield self._last
            missing -= 1
        while missing:
            part = self._rest if self._rest is not None else next(self._parts, None)
            self._rest = None
            if part is None:
                if missing > 1 or self._last is None:
                    raise DamagedClip(f"the clip ends {missing:,} frames before its sample does")
                self.held = True
                yield self._last
                return
            now, rest = part[:missing], part[missing:]
            self._rest = rest if len(rest) else None
            self._last = now[-1:].clone()
            missing -= len(now)
            yield now

    def pass_over(self, steps: int) -> None:
        """Goes so many frames on, so that a sample begins so much later. Raises UsageError where there are fewer."""
        if steps:
            for _ in self.sample(steps + 1):
                pass


def _written(
    path: Path,
    digest: str,
    reader: _Reader,
    number: int,
    texts: Sequence[str],
    wanted: Format,
    codec: VideoCodec,
    encoder: TextEncoder,
    measures: bool,
) -> Sample:
    parts: Iterable[Tensor] = reader.sample(wanted.pixel_frames)
    held: list[Tensor] = []
    if measures:
        parts, originals = tee(parts)  # decoding keeps pace with encoding, so that few frames wait
        found = psnr(originals, codec.decode(_means(codec, _kept(codec.encode(parts), held))))
    else:
        found = None
        held.extend(codec.encode(parts))
    latents = torch.cat(held).transpose(0, 1).contiguous()  # [C or 2C, F, H, W]
    encoded = [encoder.encode(text, wanted.tokens) for text in texts]
    sample = Sample(
        file=path.name,
        begins=number * wanted.seconds,
        texts=tuple(texts),
        tokens=tuple(one.tokens for one in encoded),
        cut=sum(one.cut for one in encoded),
        holds=codec.holds,
        lowest=float(latents.min()),
        highest=float(latents.max()),
        psnr=found if found is None or math.isfinite(found) else None,
        held=reader.held,
    )
    tensors = {"latents": latents, "text": torch.stack([one.embeddings for one in encoded])}  # text [S, T, X]
    temporary = beside(path)
    try:
        save_file(tensors, temporary, metadata={_DIGEST: digest, _FACTS: json.dumps(asdict(sample))})
        temporary.replace(path)
    except (OSError, SafetensorError) as error:
        code, why = getattr(error, "errno", None), getattr(error, "strerror", None)
        raise OSError(code or errno.EIO, why or str(error), str(path)) from None
    finally:
        temporary.unlink(missing_ok=True)
    return sample


def _kept(parts: Iterable[Tensor], held: list[Tensor]) -> Iterator[Tensor]:
    for part in parts:
        held.append(part)
        yield part


def _means(codec: VideoCodec, parts: Iterable[Tensor]) -> Iterator[Tensor]:
    """Latents that can be decoded: of a posterior the means."""
    for part in parts:
        yield part.chunk(2, 1)[0] if codec.holds == "posterior" else part


def _identity(clip: Path) -> tuple[str, int, int]:
    """A clip is taken for the same while its place, its size and its time of change are. Raises UsageError where it has gone."""
    try:
        about = clip.stat()
    except OSError as error:
        raise UsageError(f"{clip} cannot be read: {error.strerror}") from None
    return str(clip.resolve()), about.st_size, about.st_mtime_ns


def _digest(identity: tuple[str, int, int], number: int, texts: Sequence[str], wanted: Format, measures: bool) -> str:
    """Of all that a sample is made from."""
    made_from = [*identity, number, list(texts), asdict(wanted), measures]
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def _known(path: Path, digest: str) -> Sample | None:
    """The sample in a file that was made from the same; None where there is none."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        if metadata.get(_DIGEST) != digest:
            return None
        facts = json.loads(metadata[_FACTS])
        return Sample(**{**facts, "texts": tuple(facts["texts"]), "tokens": tuple(facts["tokens"]), "reused": True})
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return None
