"""The checkpoints of a stage as they lie on disk: `step-00000500`, and `latest`, a text file with the name of the last one.

A checkpoint is written into `step-00000500.partial`, which gets its name when everything of all ranks is on disk; after that `latest`
moves. Where a step is saved a second time, the first one is `step-00000500.before` until the second has its name. So whatever moment a
run is killed at, the last whole one is found.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tttdit.core.errors import UsageError

LATEST = "latest"
FACTS = "facts.json"
PARTIAL = ".partial"
BEFORE = ".before"

_NAME = re.compile(r"step-(\d{8,18})")
_LONGEST_NAME = 64  # characters
_LARGEST_FACTS = 64 * 2**20  # bytes


def name_of(step: int) -> str:
    """The folder of a step's checkpoint."""
    return f"step-{step:08}"


def step_of(path: Path) -> int:
    """How many steps a checkpoint lies behind. Raises UsageError for a folder that is none."""
    return int(facts_of(path)["step"])


def stage_of(path: Path) -> str:
    """The stage that a checkpoint is of. Raises UsageError for a folder that is none."""
    return str(facts_of(path)["stage"])


def facts_of(path: Path) -> dict[str, Any]:
    """What a checkpoint says of itself. Raises UsageError for a folder that is none."""
    try:
        with (path / FACTS).open("rb") as file:
            facts = json.loads(file.read(_LARGEST_FACTS))
    except OSError as error:
        raise UsageError(f"{path} is no checkpoint of a run: {FACTS} cannot be read, {error.strerror}") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path} is no checkpoint of a run: its {FACTS} is no JSON") from None
    if not (isinstance(facts, dict) and isinstance(facts.get("step"), int) and isinstance(facts.get("stage"), str)):
        raise UsageError(f"{path} is no checkpoint of a run: its {FACTS} names no stage and no step")
    return facts


def newest(folder: Path) -> Path | None:
    """The whole checkpoint of a stage's folder that was saved last; None where there is none.

    Where `latest` names none that is there, it is the one of the most steps.
    """
    name = _pointed_to(folder)
    if name is not None:
        for path in (folder / name, folder / f"{name}{BEFORE}"):
            if (path / FACTS).is_file():
                return path
    return next(reversed(whole(folder)), None)


def checkpoint_at(path: Path) -> Path | None:
    """The checkpoint that a path means: it is one, or the folder of a stage's, of a run's, or of a run, whose last one counts."""
    if (path / FACTS).is_file():
        return path
    stages = [path, *_inside(path), *_inside(path / "checkpoints")]
    found = [latest for folder in stages if (latest := newest(folder)) is not None]
    return max(found, key=lambda each: (each / FACTS).stat().st_mtime, default=None)


def whole(folder: Path) -> list[Path]:
    """The checkpoints that are whole, in the order of their steps."""
    return sorted((each for each in _inside(folder) if _NAME.fullmatch(each.name)), key=number_in)


def number_in(path: Path) -> int:
    """The step that a checkpoint's name has in it."""
    return int(path.name.rpartition("-")[2])


def partial(folder: Path) -> list[Path]:
    """What a kill has left of checkpoints that were being written, or removed."""
    return sorted(each for each in _inside(folder) if each.name.endswith(PARTIAL))


def replaced(folder: Path) -> list[Path]:
    """Whole checkpoints whose step was being saved a second time when a kill came."""
    return sorted(each for each in _inside(folder) if each.name.endswith(BEFORE))


def _pointed_to(folder: Path) -> str | None:
    try:
        with (folder / LATEST).open("rb") as file:
            name = file.read(_LONGEST_NAME).decode("ascii", "replace").strip()
    except OSError:
        return None
    return name if _NAME.fullmatch(name) else None


def _inside(folder: Path) -> list[Path]:
    try:
        return [each for each in folder.iterdir() if each.is_dir() and not each.is_symlink()]
    except OSError:
        return []
