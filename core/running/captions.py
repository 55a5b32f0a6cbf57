"""Captions: what is said of clips, in a JSON Lines file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from attrs import field, frozen
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tttdit.core.errors import UsageError
from tttdit.core.running.storyboard import Scene, marked, read_text

_Text = Annotated[str, Field(max_length=100_000)]


class _Line(BaseModel):
    """What is said of one clip: `caption` of all of it, or `captions` of its segments, in their order."""

    model_config = ConfigDict(extra="forbid", strict=True)

    clip: str = Field(min_length=1)
    caption: _Text | None = None
    captions: list[_Text | Scene] | None = Field(default=None, max_length=1_000_000)

    @model_validator(mode="after")
    def _one_of_them(self) -> _Line:
        if (self.caption is None) == (self.captions is None):
            raise ValueError("say either caption or captions")
        return self


@frozen
class Captions:
    """The captions of one clip."""

    everywhere: str | None = None
    segments: tuple[Scene, ...] = ()

    def of(self, first: int, count: int) -> tuple[str, ...]:
        """The texts of `count` segments from the `first` on, with the marks of where scenes change among them; "" where nothing is said."""
        if self.everywhere is not None:
            return (self.everywhere,) * count
        there = self.segments[first : first + count]
        scenes = [*there, *[Scene(text="")] * (count - len(there))]
        return marked([scene.text for scene in scenes], [scene.requires_scene_transition for scene in scenes])

    def missing(self, count: int) -> int:
        """Of how many of a clip's `count` segments nothing is said."""
        return 0 if self.everywhere is not None else max(0, count - len(self.segments))


@frozen
class CaptionFile:
    """The captions of all clips. A clip is found by its path as it is written there, seen from the file's folder too, or by its name."""

    path: Path
    clips: Mapping[str, Captions] = field(repr=False)

    def of(self, clip: Path) -> Captions | None:
        """What is said of a clip; None where nothing is. Raises UsageError where two lines may mean it."""
        wanted = clip.resolve()
        exact = [name for name in self.clips if Path(name) == clip or (self.path.parent / name).resolve() == wanted]
        found = exact or [name for name in self.clips if Path(name).name == clip.name]
        if len(found) > 1:
            raise UsageError(f"{self.path}: {' and '.join(found)} may both be {clip}")
        return self.clips[found[0]] if found else None

    def unused(self, clips: Sequence[Path]) -> tuple[str, ...]:
        """The lines that are of none of these clips."""
        used = {id(self.of(clip)) for clip in clips}
        return tuple(name for name, each in self.clips.items() if id(each) not in used)


def read_captions(path: Path) -> CaptionFile:
    """The captions in a file. Raises UsageError, with the line, for what is none."""
    found: dict[str, Captions] = {}
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        said = _parsed(line, f"{path}:{number}")
        if said.clip in found:
            raise UsageError(f"{path}:{number}: {said.clip} has captions already, further up")
        segments = tuple(each if isinstance(each, Scene) else Scene(text=each) for each in said.captions or ())
        found[said.clip] = Captions(said.caption, segments)
    return CaptionFile(path, found)


def _parsed(line: str, where: str) -> _Line:
    try:
        return _Line.model_validate(json.loads(line))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(
            str(part) for part in first["loc"] if not isinstance(part, int) and part not in ("str", "Scene")
        )
        message = str(first["msg"]).removeprefix("Value error, ")
        raise UsageError(
            f'{where}: {f"{place}: " if place else ""}{message[0].lower()}{message[1:]}; a line is {{"clip": "a.mp4", "caption": "..."}}, '
            'or has "captions", one a segment'
        ) from None
    except (ValueError, RecursionError):
        raise UsageError(f'{where}: no JSON; a line is {{"clip": "a.mp4", "caption": "..."}}') from None
