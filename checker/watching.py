"""Checks again whenever something changes: `tttdit-check --watch`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn, TypeAlias

import click

from tttdit.checker.inputs import STDIN, files_in
from tttdit.checker.output import complain
from tttdit.checker.report import Report
from tttdit.core.errors import TttditError, UsageError

_INTERVAL = 0.25  # seconds between two looks at the files
# Many editors save by renaming: for a moment there is no file. After so many seconds it is believed to be gone.
_GRACE = 1.0

# By path: time of modification (ns), bytes and inode; None for what is not there.
_State: TypeAlias = dict[str, tuple[int, int, int] | None]


def watch(
    paths: Iterable[str], plugins: Iterable[str], look: Callable[[], Report], show: Callable[[Report], bool]
) -> None:
    """Looks and shows, again and again after each change of these files, folders and local plugins, until nobody reads what is shown.

    What is wrong with the command is told each time and ends nothing, for it may be the file that changes. After a change of a local
    plugin the program starts anew, since Python keeps what it has imported. Raises `UsageError` for standard input, which cannot be read
    twice.
    """
    paths, plugins = tuple(paths), tuple(plugins)
    if STDIN in paths:
        raise UsageError("--watch takes files and folders: standard input can be read only once")
    code = _state(plugins, ".py")
    while True:
        specs = _state(paths, ".toml")
        click.clear()
        try:
            report = look()
        except TttditError as error:
            complain(str(error))
        else:
            if not show(report):
                return
        complain("watching for changes; Ctrl-C ends it")
        _wait(lambda: _state(paths, ".toml") | _state(plugins, ".py"), specs | code)
        if _state(plugins, ".py") != code:
            complain("a plugin has changed: starting anew")
            _start_anew()


def _wait(state: Callable[[], _State], before: _State) -> None:
    """Until the files are no longer as before, and have come to rest."""
    while (now := state()) == before:
        time.sleep(_INTERVAL)
    deadline = time.monotonic() + _GRACE
    while time.monotonic() < deadline:
        time.sleep(_INTERVAL)
        earlier, now = now, state()
        gone = any(found and not now.get(path) for path, found in before.items())
        if now == earlier and not gone:
            return


def _state(paths: tuple[str, ...], ending: str) -> _State:
    """How the files and, in the folders, the files with this ending stand."""
    return {file: _stat(file) for path in paths for file in _files(path, ending)}


def _files(path: str, ending: str) -> Iterator[str]:
    return files_in(path, ending) if os.path.isdir(path) else iter([path])


def _stat(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _start_anew() -> NoReturn:
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
