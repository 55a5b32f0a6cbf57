"""Editors for the tests, which end with them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from editor import Editor


@pytest.fixture
def start_editor() -> Iterator[Callable[..., Editor]]:
    """Starts editors that a test may end; see `Editor`."""
    editors: list[Editor] = []

    def start(*arguments: str, encodings: list[str] | None = None) -> Editor:
        editors.append(Editor(*arguments, encodings=encodings))
        return editors[-1]

    yield start
    for editor in editors:
        editor.kill()


@pytest.fixture(scope="module")
def server() -> Iterator[Editor]:
    """One server for all tests of a file that leave it alive."""
    editor = Editor()
    yield editor
    editor.kill()


@pytest.fixture
def editor(server: Editor) -> Iterator[Editor]:
    """An editor without open files."""
    yield server
    for uri in [*server.files]:
        server.close(uri)
        server.diagnostics(version=None, uri=uri)
    server.passed_by.clear()
