"""What the files of a run say. A kill may have left any bytes in them, and nothing here minds."""

from __future__ import annotations

import json
import math
import re
import shlex
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import tomli
from attrs import frozen

from tttdit.core.errors import UsageError
from tttdit.core.running.checkpoints import newest, partial
from tttdit.core.running.folder import RunFolder

# Of a file only so much of its end is read: the last launch of a run, but not all that a year of steps has left.
LAST_BYTES = 16 * 2**20

_MEMORY = re.compile(r"memory-(\d{1,6})(\.before)?\.jsonl")
_MOST_NUMBER = 1e18


@frozen
class Line:
    """A JSON object that may have anything, or nothing, under any name."""

    facts: Mapping[str, Any]

    def text(self, name: str) -> str:
        """The text under this name; "" where there is none."""
        value = self.facts.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> float | None:
        """The finite number under this name, if there is one that can be anything real."""
        value = self.facts.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < _MOST_NUMBER:
            return None
        return float(value) if math.isfinite(value) else None

    def count(self, name: str) -> int | None:
        """The number under this name without its fraction."""
        value = self.number(name)
        return None if value is None else int(value)

    def inner(self, name: str) -> Line:
        """The object under this name; an empty one where there is none."""
        value = self.facts.get(name)
        return Line(value if isinstance(value, dict) else {})


@frozen(kw_only=True)
class Record:
    """The last launch of a run, and the checkpoints that there are."""

    path: Path
    launches: int
    launched: Line  # empty where nothing tells of a launch
    events: tuple[Line, ...]  # of the last launch, behind `launched`
    metrics: tuple[Line, ...]  # of its steps; validations are left out
    memory: Mapping[int, tuple[Line, ...]]  # by rank
    log: tuple[str, ...]
    tables: Mapping[str, Line]  # of each stage, as the run's own spec has them
    checkpoints: Mapping[str, Path]  # the last whole one of each stage that has one
    partial: tuple[Path, ...]
    unreadable: tuple[str, ...]  # files that are there and cannot be read, and why

    def last(self, *names: str) -> Line | None:
        """The last event with one of these names."""
        return next((each for each in reversed(self.events) if each.text("event") in names), None)

    def all(self, name: str) -> list[Line]:
        """All events with this name."""
        return [each for each in self.events if each.text("event") == name]

    @property
    def stages(self) -> tuple[str, ...]:
        """The names of the stages that the run's own spec has."""
        return tuple(self.tables)

    def setting(self, table: str, key: str) -> Any:
        """What the spec says under a key of the stage that it was in; None where that is not known."""
        return self.tables.get(self.stage, Line({})).inner(table).facts.get(key)

    @property
    def command(self) -> str:
        """What started it, and starts it again; "" where that is not known."""
        return self.launched.text("command")

    @property
    def spec(self) -> str:
        """The spec's file as the command named it; the run's own copy where that is not known."""
        try:
            words = shlex.split(self.command)
        except ValueError:
            words = []
        following = words[words.index("run") + 1 :] if "run" in words else []
        return following[0] if following else str(RunFolder(self.path).spec)

    @property
    def stage(self) -> str:
        """The stage that it was in; "" before the first one."""
        started = self.last("stage_started")
        return started.text("stage") if started is not None else ""

    @property
    def steps(self) -> int | None:
        """How many steps that stage has."""
        started = self.last("stage_started")
        return started.count("steps") if started is not None else None

    @property
    def step(self) -> int | None:
        """How many steps of that stage lay behind it, as far as files say."""
        here = [each for each in self.metrics if each.text("stage") == self.stage]
        if here:
            return here[-1].count("step")
        started = self.last("stage_started")
        return started.count("step") if started is not None else None


def record_of(path: Path) -> Record:
    """What the folder of a run says. Raises UsageError for what is no such folder."""
    unreadable: list[str] = []
    folder = RunFolder(path)
    if not _is_folder(path):
        raise UsageError(f"{path} is no folder of a run: tttdit run writes one, runs/NAME, or what --output names")
    if not _is_file(folder.events) and not (_is_file(folder.spec) and _is_file(folder.report)):
        raise UsageError(
            f"{path} is no folder of a run: it has no {folder.events.name}, which tttdit run writes first of all"
        )
    events = list(_lines(folder.events, unreadable))
    starts = [place for place, each in enumerate(events) if each.text("event") == "launched"]
    launched = events[starts[-1]] if starts else Line({})
    since = launched.number("time") or 0.0
    tables = _tables(folder.spec, unreadable)
    folder = RunFolder(path, _checkpoint_folder(folder, tables))
    named = dict.fromkeys((*tables, *(each.text("stage") for each in events)))
    folders = {stage: folder.checkpoints(stage) for stage in named if _is_name(stage)}
    whole = {stage: found for stage, each in folders.items() if (found := _newest(each)) is not None}
    return Record(
        path=path,
        launches=len(starts),
        launched=launched,
        events=tuple(events[starts[-1] + 1 :] if starts else events),
        metrics=tuple(
            each
            for each in _lines(folder.metrics, unreadable)
            if each.count("step") is not None and "loss" in each.facts and (each.number("time") or 0.0) >= since
        ),
        memory=_memory(path, since, unreadable),
        log=tuple(_text(folder.log, unreadable).splitlines()),
        tables=tables,
        checkpoints=whole,
        partial=tuple(left for each in folders.values() for left in partial(each)),
        unreadable=tuple(unreadable),
    )


def _memory(path: Path, since: float, unreadable: list[str]) -> dict[int, tuple[Line, ...]]:
    found: dict[int, list[Line]] = {}
    files = sorted(each for each in _entries(path) if _MEMORY.fullmatch(each.name))  # `.before` stands in front
    for each in files:
        name = _MEMORY.fullmatch(each.name)
        assert name is not None
        lines = [line for line in _lines(each, unreadable) if (line.number("time") or -1.0) >= since]
        if lines:
            found.setdefault(int(name[1]), []).extend(lines)
    return {rank: tuple(found[rank]) for rank in sorted(found)}


def _tables(path: Path, unreadable: list[str]) -> dict[str, Line]:
    """The tables of each stage, by its name, as the run's own spec has them."""
    try:
        content = tomli.loads(_text(path, unreadable))
    except (RecursionError, ValueError):
        unreadable.append(f"{path.name} is no TOML")
        return {}
    listed = content.get("stage")
    stages = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else [content]
    return {each["name"]: Line(each) for each in stages if isinstance(each.get("name"), str)}


def _checkpoint_folder(folder: RunFolder, tables: Mapping[str, Line]) -> str:
    """Where the run keeps its checkpoints, by the word of its first stage."""
    named = next(iter(tables.values()), Line({})).inner("checkpoint").text("folder")
    return folder.checkpoint_folder if not named or "\0" in named else named


def _is_name(stage: str) -> bool:
    """Whether it can be a folder among checkpoints, and no way out of there."""
    try:
        return 0 < len(stage.encode()) < 256 and stage not in (".", "..") and not set(stage) & {"/", "\0"}
    except UnicodeEncodeError:
        return False


def _newest(folder: Path) -> Path | None:
    try:
        return newest(folder)
    except OSError:
        return None


def _lines(path: Path, unreadable: list[str]) -> Iterator[Line]:
    for line in _bytes(path, unreadable).split(b"\n"):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield Line(value)


def _text(path: Path, unreadable: list[str]) -> str:
    return _bytes(path, unreadable).decode("utf-8", "replace")


def _bytes(path: Path, unreadable: list[str]) -> bytes:
    """The end of a file, whole lines of it; nothing of what is none, or cannot be read."""
    try:
        if not _is_file(path):
            return b""
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - LAST_BYTES, 0))
            data = file.read(LAST_BYTES)
    except OSError as error:
        unreadable.append(f"{path.name} cannot be read: {error.strerror or error}")
        return b""
    return data.partition(b"\n")[2] if size > LAST_BYTES else data


def _entries(path: Path) -> list[Path]:
    try:
        return list(path.iterdir())
    except OSError:
        return []


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False
