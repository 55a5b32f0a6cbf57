"""What has been found out about memory, kept in the user's cache folder: safe to delete, safe to share between processes.

Everything is kept under a key of the code that found it out: this package's files and those of the plugins. The folder is the system's own
for caches (`~/.cache/tttdit` on Linux), or that in `TTTDIT_CACHE`; where this is set to nothing, nothing is kept.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from tttdit.core.stage import Stage

FOLDER = "TTTDIT_CACHE"  # the environment's
OWN = "tttdit"
KEPT = 30 * 24 * 3600  # seconds that what other code has found out is kept for since it was last written to


class Cache:
    """Texts by key, for one stage's code. A folder that cannot be read or written is like one without anything in it."""

    def __init__(self, stage: Stage) -> None:
        home = _home()
        self._folder = None if home is None else home / _code(_packages(stage))
        self._home = home

    def read(self, kind: str, key: str) -> str | None:
        """What was kept, if it was."""
        if self._folder is None:
            return None
        try:
            return self._path(kind, key).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def lacks(self, kind: str, key: str) -> bool:
        """Whether something was not kept yet, and can be."""
        if self._folder is None or self._path(kind, key).exists():
            return False
        nearest = next(folder for folder in (self._folder, *self._folder.parents) if folder.exists())
        return os.access(nearest, os.W_OK)

    def write(self, kind: str, key: str, text: str) -> None:
        """Keeps a text; other processes see all of it, or nothing."""
        if self._folder is None:
            return
        with suppress(OSError):
            path = self._path(kind, key)
            if not path.parent.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                self._tidy()
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(text)
                os.replace(name, path)
            except BaseException:
                with suppress(OSError):
                    os.unlink(name)
                raise

    def _path(self, kind: str, key: str) -> Path:
        assert self._folder is not None
        return self._folder / kind / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.json"

    def _tidy(self) -> None:
        """Removes what older code has found out."""
        assert self._home is not None
        for folder in self._home.iterdir():
            if folder != self._folder and folder.is_dir() and _last_written(folder) < time.time() - KEPT:
                shutil.rmtree(folder, ignore_errors=True)


def _last_written(folder: Path) -> float:
    return max((each.stat().st_mtime for each in (folder, *folder.iterdir())), default=0.0)


def _home() -> Path | None:
    named = os.environ.get(FOLDER)
    if named is not None:
        return Path(named) if named else None
    from platformdirs import user_cache_path

    return user_cache_path(OWN, appauthor=False)


def _packages(stage: Stage) -> tuple[str, ...]:
    """The top-level packages, or files, whose code decides what a stage's step does."""
    assembly = stage.assembly
    references = (assembly.model.module, assembly.mixer.module or "", assembly.memory.strategy.__module__)
    return tuple(
        sorted({OWN, *(reference.partition(":")[0].partition(".")[0] for reference in references if reference)})
    )


@lru_cache(maxsize=8)
def _code(packages: tuple[str, ...]) -> str:
    """A key of the code of packages: all their files with size and time of change."""
    found = hashlib.sha256()
    for package in packages:
        for path, status in _files(_places(package)):
            found.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return found.hexdigest()[:40]


def _places(package: str) -> Iterable[str]:
    """The folders, or the file, that a package is in. Of this package these are where its parts lie."""
    if package == OWN:
        return [place for part in ("core", "plugins", "checker") for place in _places_of(f"{OWN}.{part}")]
    return _places_of(package)


def _places_of(module: str) -> list[str]:
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):  # a local plugin's file is a module without a spec
        spec = None
    if spec is None:
        file = getattr(sys.modules.get(module), "__file__", None)
        return [file] if file else []
    return list(spec.submodule_search_locations or ([spec.origin] if spec.origin else []))


def _files(places: Iterable[str]) -> Iterator[tuple[str, os.stat_result]]:
    """Python files in order."""
    for place in places:
        if os.path.isfile(place):
            yield place, os.stat(place)
            continue
        try:
            with os.scandir(place) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in inside:
            if entry.is_dir() and entry.name != "__pycache__":
                yield from _files([entry.path])
            elif entry.name.endswith(".py"):
                yield entry.path, entry.stat()
