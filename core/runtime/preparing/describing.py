"""What is in a dataset: counts and value ranges of its files, and pictures of its samples."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import torch
from attrs import frozen
from safetensors import SafetensorError, safe_open
from torch import Tensor

from tttdit.core.errors import UsageError
from tttdit.core.plugin.kinds import Codec
from tttdit.core.plugin.references import load
from tttdit.core.plugin.registry import Registry
from tttdit.core.runtime.codec import VideoCodec
from tttdit.core.runtime.preparing.dataset import CARD, MANIFEST

_LARGEST_CARD = 2**20  # bytes
_LONGEST_LINE = 2**20  # characters


@frozen
class Numbers:
    """Which numbers there are: lowest, highest, mean and standard deviation."""

    lowest: float
    highest: float
    mean: float
    deviation: float


@frozen
class Description:
    """A dataset. `card` is what `tttdit prepare` wrote beside it; shapes are of one sample, with how many samples have them.

    `tokens` are the shortest and the longest text's, None where nobody says.
    """

    card: Mapping[str, Any]
    samples: int
    files_bytes: int
    latents: Mapping[tuple[int, ...], int]
    texts: Mapping[tuple[int, ...], int]
    values: Numbers | None  # None where no file can be used
    tokens: tuple[int, int] | None
    empty_texts: int  # segments without a caption
    captions: int  # different ones
    problems: tuple[str, ...]  # files that cannot be used


def card_of(folder: Path) -> Mapping[str, Any]:
    """The card of a dataset. Raises UsageError for a folder that has none."""
    path = folder / CARD
    try:
        with path.open("rb") as file:
            card = json.loads(file.read(_LARGEST_CARD))
    except OSError as error:
        inside = sorted(each.parent.name for each in folder.glob(f"*/{CARD}")) if folder.is_dir() else []
        hint = (
            f": its stages are {', '.join(str(folder / name) for name in inside)}"
            if inside
            else ", which tttdit prepare writes"
        )
        raise UsageError(f"{path} cannot be read, {error.strerror or error}{hint}") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path} is no JSON") from None
    if not isinstance(card, dict) or not isinstance(card.get("made_by"), dict):
        raise UsageError(f"{path} is no card of a dataset, which tttdit prepare writes")
    return card


def lines_of(folder: Path) -> Iterator[Mapping[str, Any]]:
    """The manifest's lines. Raises UsageError where it cannot be read."""
    try:
        with (folder / MANIFEST).open(encoding="utf-8") as file:
            for number in count(1):
                line = file.readline(_LONGEST_LINE)
                if not line:
                    return
                if line.strip():
                    yield _line(line, f"{folder / MANIFEST}:{number}")
    except OSError as error:
        raise UsageError(f"{folder / MANIFEST} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{folder / MANIFEST} is no text in UTF-8") from None


def _line(text: str, where: str) -> Mapping[str, Any]:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        line = None
    if not isinstance(line, dict) or not isinstance(line.get("latents"), str):
        raise UsageError(f"{where}: no sample: a line is a JSON object with the key latents")
    if Path(line["latents"]).name != line["latents"]:
        raise UsageError(f"{where}: {line['latents']} is no file of this folder, where tttdit prepare puts all samples")
    return line


def _list(line: Mapping[str, Any], key: str, kind: type) -> list[Any]:
    """What a line says of each of its texts; nothing where it says something else."""
    found = line.get(key)
    return [each for each in found if isinstance(each, kind)] if isinstance(found, list) else []


def _sample(path: Path) -> tuple[Tensor, Tensor]:
    """The latents [C, F, H, W] and the embeddings [S, T, X] in a file. Raises UsageError where it holds none that can be used."""
    try:
        with safe_open(path, framework="pt") as file:
            latents, text = file.get_tensor("latents"), file.get_tensor("text")
    except (OSError, SafetensorError) as error:
        raise UsageError(f"{path}: {error}") from None
    if latents.ndim != 4 or text.ndim != 3 or not latents.numel():
        raise UsageError(f"{path}: its tensors are no latents [C, F, H, W] and embeddings [S, T, X]")
    if not latents.isfinite().all() or not text.isfinite().all():
        raise UsageError(f"{path}: it holds numbers that are not finite")
    return latents, text


def describe(folder: Path, looked_at: Callable[[int], object]) -> Description:
    """Reads every file of a dataset, one at a time. Raises UsageError where there is none."""
    card = card_of(folder)
    latents: Counter[tuple[int, ...]] = Counter()
    texts: Counter[tuple[int, ...]] = Counter()
    problems: list[str] = []
    captions: set[str] = set()
    lengths: set[int] = set()
    sums = _Sums()
    samples = size = empty = 0
    for line in lines_of(folder):
        samples += 1
        said = _list(line, "captions", str)
        captions.update(each for each in said if each)
        empty += said.count("")
        lengths.update(_list(line, "tokens", int))
        path = folder / line["latents"]
        try:
            values, text = _sample(path)
        except UsageError as error:
            problems.append(str(error))
        else:
            size += path.stat().st_size
            latents[tuple(values.shape)] += 1
            texts[tuple(text.shape)] += 1
            sums.add(values.double())
        looked_at(1)
    tokens = (min(lengths), max(lengths)) if lengths else None
    return Description(
        card, samples, size, latents, texts, sums.numbers(), tokens, empty, len(captions), tuple(problems)
    )


class _Sums:
    """What is needed of numbers that come one tensor after the other."""

    def __init__(self) -> None:
        self._count, self._sum, self._squares = 0, 0.0, 0.0
        self._lowest, self._highest = math.inf, -math.inf

    def add(self, values: Tensor) -> None:
        """More numbers, float64."""
        self._count += values.numel()
        self._sum += float(values.sum())
        self._squares += float(values.square().sum())
        self._lowest, self._highest = min(self._lowest, float(values.min())), max(self._highest, float(values.max()))

    def numbers(self) -> Numbers | None:
        """What they are like; None where there were none."""
        if not self._count:
            return None
        mean = self._sum / self._count
        return Numbers(self._lowest, self._highest, mean, max(0.0, self._squares / self._count - mean * mean) ** 0.5)


def first_pictures(folder: Path, most: int) -> tuple[list[Tensor], list[str]]:
    """The first frames of up to so many samples, evenly apart, as the codec decodes them, and what is said of them.

    Raises UsageError where the codec of the card cannot be had, or decodes nothing of it.
    """
    codec = _codec_of(card_of(folder))
    lines = [*lines_of(folder)]
    chosen: Sequence[Mapping[str, Any]] = [
        lines[at * len(lines) // min(most, len(lines))] for at in range(min(most, len(lines)))
    ]
    pictures, captions = [], []
    for line in chosen:
        try:
            latents, _ = _sample(folder / line["latents"])
        except UsageError:
            continue
        first = latents[:, :1].float().transpose(0, 1)  # [1, C or 2C, H, W]
        means = first.chunk(2, 1)[0] if codec.holds == "posterior" else first
        pictures.append(next(iter(codec.decode([means])))[0])
        captions.append(next(iter(_list(line, "captions", str)), ""))
    return pictures, captions


def _codec_of(card: Mapping[str, Any]) -> VideoCodec:
    """The codec that a dataset was made with."""
    table = card["made_by"].get("codec")
    name = table.get("plugin") if isinstance(table, dict) else None
    registry = Registry.of_environment()
    offers = [offer.announcement for offer in registry.offers("codec") if offer.announcement.name == name]
    if not offers or not isinstance(offers[0], Codec) or offers[0].module is None:
        raise UsageError(
            f'the dataset was made with the codec "{name}", which is not installed or cannot decode (tttdit plugins)'
        )
    try:
        made = registry.table(offers[0]).model_validate(table)
    except ValueError as error:
        raise UsageError(f'the card\'s codec is not as "{name}" takes it: {str(error).splitlines()[0]}') from None
    return load(offers[0].module)(made, Path(str(card.get("spec_folder", "."))), torch.device("cpu"))  # type: ignore[no-any-return]
