"""What a command line names: files, folders of specs, or standard input."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator

from tttdit.core.errors import UsageError
from tttdit.core.spec.document import LARGEST_FILE, Document, read

STDIN = "-"

# A spec says so in its first comment, or has a table that no spec does without, or stages.
_LOOKS_LIKE_A_SPEC = re.compile(
    rb"^[ \t]*(?:#:schema[ \t][^\n]*tttdit|\[[ \t]*(?:video|text|model)[ \t]*[].]|\[\[[ \t]*stage[ \t]*\]\])",
    re.MULTILINE,
)
# For specs that are meant to be broken, or need plugins that not everybody has.
_PASSED_OVER = re.compile(rb"^[ \t]*#[ \t]*tttdit:[ \t]*skip\b", re.MULTILINE)


def documents(paths: Iterable[str], unreadable: list[str]) -> Iterator[Document]:
    """The documents that these paths name, each once, in their order; those of a folder in the order of their names.

    What cannot be read is told in `unreadable`, and the rest is still there.
    """
    seen: set[str] = set()
    for path in paths:
        try:
            for name in [path] if path == STDIN else _files(path):
                if name in seen:
                    continue
                seen.add(name)
                yield _stdin() if name == STDIN else read(name)
        except UsageError as error:
            unreadable.append(str(error))


def _stdin() -> Document:
    if sys.stdin is None:
        raise UsageError("cannot read standard input: it is closed")
    return Document.decode(sys.stdin.buffer.read(LARGEST_FILE + 1), "<stdin>")


def _files(path: str) -> Iterator[str]:
    """The path itself, or the specs in the folder and all its folders; hidden ones, and what a link leads to, left out."""
    if not os.path.isdir(path):
        yield path
        return
    found = False
    for folder, inner, names in os.walk(path, onerror=_refuse):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(names):
            file = os.path.join(folder, name)
            if name.endswith(".toml") and not name.startswith(".") and not _is_special(file) and _is_spec(file):
                found = True
                yield file
    if not found:
        raise UsageError(
            f"there is no spec in the folder {path} (a .toml file with [video], [text], [model] or [[stage]])"
        )


def _is_special(path: str) -> bool:
    """Whether it is a pipe, a device or a socket, from which reading might never end; what cannot be looked at is left to reading."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode)


def _is_spec(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            head = file.read(LARGEST_FILE)
    except OSError:
        return True  # reading it will say why
    return _LOOKS_LIKE_A_SPEC.search(head) is not None and _PASSED_OVER.search(head) is None


def _refuse(error: OSError) -> None:
    raise UsageError(f"cannot read {error.filename}: {error.strerror or error}")
