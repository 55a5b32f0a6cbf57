"""What is in a dataset: counts and value ranges of its files, and pictures of its samples."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
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


@frozen
class Numbers:
    """Which numbers there are: lowest, highest, mean and standard deviation."""

    lowest: float
    highest: float
    mean: float
    deviation: float


@frozen
class Description:
    """A dataset. `card` is what `tttdit prepare` wrote beside it; shapes are of one sample, with how many samples have them."""

    card: Mapping[str, Any]
    samples: int
    files_bytes: int
    latents: Mapping[tuple[int, ...], int]
    texts: Mapping[tuple[int, ...], int]
    values: Numbers
    empty_texts: int
    captions: int  # different ones
    problems: tuple[str, ...]  # files that cannot be read


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
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _line(line, f"{folder / MANIFEST}:{number}")
    except OSError as error:
        raise UsageError(f"{folder / MANIFEST} cannot be read: {error.strerror or error}") from None


def _line(text: str, where: str) -> Mapping[str, Any]:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        line = None
    if not isinstance(line, dict) or not isinstance(line.get("latents"), str):
        raise UsageError(f"{where}: no sample: a line is a JSON object with the key latents")
    return line


def describe(folder: Path, looked_at: Callable[[int], object]) -> Description:
    """Reads every file of a dataset, one at a time. Raises UsageError where there is none."""
    card = card_of(folder)
    latents: dict[tuple[int, ...], int] = {}
    texts: dict[tuple[int, ...], int] = {}
    problems, captions = [], set()
    samples = size = empty = count = 0
    low, high = float("inf"), float("-inf")
    total = squares = 0.0
    for line in lines_of(folder):
        samples += 1
        said = line.get("captions")
        captions |= {str(each) for each in said} if isinstance(said, list) else set()
        path = folder / line["latents"]
        try:
            with safe_open(path, framework="pt") as file:
                values, text = file.get_tensor("latents").double(), file.get_tensor("text")
            size += path.stat().st_size
        except (OSError, SafetensorError) as error:
            problems.append(f"{path}: {error}")
            continue
        latents[tuple(values.shape)] = latents.get(tuple(values.shape), 0) + 1
        texts[tuple(text.shape)] = texts.get(tuple(text.shape), 0) + 1
        empty += int((text == 0).flatten(1).all(1).sum())
        low, high = min(low, float(values.min())), max(high, float(values.max()))
        total, squares, count = (
            total + float(values.sum()),
            squares + float(values.square().sum()),
            count + values.numel(),
        )
        looked_at(1)
    mean = total / count if count else 0.0
    deviation = max(0.0, squares / count - mean * mean) ** 0.5 if count else 0.0
    numbers = Numbers(low if count else 0.0, high if count else 0.0, mean, deviation)
    return Description(card, samples, size, latents, texts, numbers, empty, len(captions), tuple(problems))


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
            with safe_open(folder / line["latents"], framework="pt") as file:
                first = file.get_slice("latents")[:, :1].float().transpose(0, 1)  # [1, C or 2C, H, W]
        except (OSError, SafetensorError):
            continue
        means = first.chunk(2, 1)[0] if codec.holds == "posterior" else first
        pictures.append(next(iter(codec.decode([means])))[0])
        said = line.get("captions")
        captions.append(str(said[0]) if isinstance(said, list) and said else "")
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
