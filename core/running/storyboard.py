"""Storyboards: the scenes that a video is drawn from, one a text segment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from attrs import frozen
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tttdit.core.errors import UsageError

START, END = "<start_scene>", "<end_scene>"

_LARGEST = 64 * 2**20  # bytes of a file
_LONGEST_TEXT = 100_000  # characters
_MOST_SCENES = 10_000

_ITEM = re.compile(r"[\s,]*(?=[^\s,\]])")  # what stands before the next item of a list


class Scene(BaseModel):
    """What is seen for one segment. `requires_scene_transition` says that it is another scene than the one before."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    text: str = Field(max_length=_LONGEST_TEXT)
    requires_scene_transition: bool = False
    neg_text: str = Field(default="", max_length=_LONGEST_TEXT)


_Scenes: TypeAlias = Annotated[list[Scene], Field(min_length=1, max_length=_MOST_SCENES)]


class _Named(BaseModel):
    """A storyboard that says more than its scenes."""

    model_config = ConfigDict(extra="forbid", strict=True)

    scenes: _Scenes
    name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    seed: int | None = Field(default=None, ge=0, lt=2**63)


@frozen
class Storyboard:
    """One video's scenes, which begin on a line of a file. `name` and `seed` are what it says of its own."""

    scenes: tuple[Scene, ...]
    path: Path
    line: int
    name: str | None = None
    seed: int | None = None

    @property
    def where(self) -> str:
        """Its place, for people."""
        return f"{self.path}:{self.line}"

    @property
    def texts(self) -> tuple[str, ...]:
        """The text of each segment, with the marks of where scenes change."""
        return marked([scene.text for scene in self.scenes], [each.requires_scene_transition for each in self.scenes])

    @property
    def negatives(self) -> tuple[str, ...]:
        """For each segment what is not wanted."""
        return tuple(scene.neg_text for scene in self.scenes)


def marked(texts: Sequence[str], transitions: Sequence[bool]) -> tuple[str, ...]:
    """Texts with `<end_scene>` behind, and `<start_scene>` before, each transition; that of the first text is none."""
    starts = [False, *transitions[1:]]
    ends = [*transitions[1:], False]
    return tuple(
        " ".join([*([START] if start else []), *([text] if text else []), *([END] if end else [])])
        for text, start, end in zip(texts, starts, ends, strict=True)
    )


def read_storyboards(path: Path) -> tuple[Storyboard, ...]:
    """The storyboards of a file. `.json`: one, or a list of them; `.jsonl`: one a line.

    A storyboard is a list of scenes, or {"scenes": [...], "name": ..., "seed": ...}. Raises UsageError for a file that cannot be read,
    or is something else, with the place.
    """
    text = read_text(path)
    found = tuple(_of_lines(path, text) if path.suffix == ".jsonl" else _of_json(path, text))
    if not found:
        raise UsageError(f"{path} has no storyboard: write a list of scenes, each with a text")
    _check_names(path, found)
    return found


def read_text(path: Path) -> str:
    """What somebody has written into a file. Raises UsageError where it cannot be read, is too large to be that, or is no text."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    if len(data) > _LARGEST:
        raise UsageError(f"{path} has more than {_LARGEST // 2**20} MiB, which nobody has written by hand")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not in UTF-8") from None


def _of_lines(path: Path, text: str) -> Iterator[Storyboard]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield _storyboard(_parsed(path, line, number), path, number)


def _of_json(path: Path, text: str) -> Iterator[Storyboard]:
    value = _parsed(path, text, 1)
    if isinstance(value, list) and value and not all(_is_scene(each) for each in value):
        for each, line in zip(value, _lines_of_items(text), strict=True):
            yield _storyboard(each, path, line)
    elif isinstance(value, dict | list):
        yield _storyboard(value, path, 1)
    else:
        raise UsageError(f"{path} is no storyboard: write a list of scenes, each with a text")


def _lines_of_items(text: str) -> Iterator[int]:
    """The line on which each item of a JSON list begins."""
    decoder, line, seen = json.JSONDecoder(), 1, 0
    at = text.index("[") + 1
    while (item := _ITEM.match(text, at)) is not None:
        begin = item.end()
        line, seen = line + text.count("\n", seen, begin), begin
        yield line
        _, at = decoder.raw_decode(text, begin)


def _is_scene(value: Any) -> bool:
    return not isinstance(value, list) and not (isinstance(value, dict) and "scenes" in value)


def _parsed(path: Path, text: str, first_line: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}:{first_line + error.lineno - 1}:{error.colno}: no JSON: {error.msg}") from None
    except (RecursionError, ValueError):  # of numbers with more digits than Python takes
        raise UsageError(f"{path}:{first_line}: no storyboard's JSON") from None


_SCENES, _NAMED = TypeAdapter(_Scenes), TypeAdapter(_Named)


def _storyboard(value: Any, path: Path, line: int) -> Storyboard:
    try:
        if isinstance(value, dict):
            said = _NAMED.validate_python(value)
            return Storyboard(tuple(said.scenes), path, line, said.name, said.seed)
        return Storyboard(tuple(_SCENES.validate_python(value)), path, line)
    except ValidationError as error:
        raise UsageError(f"{path}:{line}: {_told(error)}") from None


def _told(error: ValidationError) -> str:
    """The first thing that is wrong, with its scene."""
    first = error.errors(include_url=False)[0]
    path = list(first["loc"])
    if path[:1] == ["scenes"]:
        path = path[1:] or ["scenes"]
    place = [f"scene {part + 1}" if isinstance(part, int) else str(part) for part in path]
    if first["type"] == "missing":
        return f"{' '.join(place[:-1]) or 'the storyboard'} has no {place[-1]}"
    if first["type"] == "extra_forbidden":
        return f"{' '.join(place[:-1]) or 'the storyboard'} has a key that is not known: {place[-1]}"
    message = _WORDS.get(first["type"], f"{first['msg'][0].lower()}{first['msg'][1:]}")
    return f"{' '.join(place)} {message}" if place else f"the storyboard {message}"


_WORDS = {
    "too_short": "has no scenes: each has a text",
    "model_type": 'is no scene: write {"text": "what is seen"}',
    "list_type": "is no list of scenes",
    "string_type": "is no text",
    "bool_type": "is neither true nor false",
    "int_type": "is no whole number",
    "string_pattern_mismatch": "is no name for a file: letters, digits, dots, dashes and underscores, 100 at most",
}


def _check_names(path: Path, found: Sequence[Storyboard]) -> None:
    seen: dict[str, Storyboard] = {}
    for each in found:
        if each.name is not None and each.name in seen:
            raise UsageError(
                f'{path} has two storyboards of the name "{each.name}": {seen[each.name].where}, and {each.where}'
            )
        if each.name is not None:
            seen[each.name] = each
