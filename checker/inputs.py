"""What a command line names: files, folders of specs, or standard input."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from tttdit.core.errors import UsageError
from tttdit.core.spec.document import LARGEST_FILE, Document, read

STDIN = "-"
STDIN_NAME = "<stdin>"  # in reports

# A spec says so in its first comment, or has a table that no spec does without, or stages.
_LOOKS_LIKE_A_SPEC = re.compile(
    rb"^[ \t]*(?:#:schema[ \t][^\n]*tttdit|\[[ \t]*(?:video|text|model)[ \t]*[].]|\[\[[ \t]*stage[ \t]*\]\])",
    re.MULTILINE,
)
# For specs that are meant to be broken, or need plugins that not everybody has.
_PASSED_OVER = re.compile(rb"^[ \t]*#[ \t]*tttdit:[ \t]*skip\b", re.MULTILINE)


# Whether somebody reads a file of this path and content as a spec, though it is another project's.
Known: TypeAlias = Callable[[str, bytes], bool]


def _nobody(_path: str, _data: bytes) -> bool:
    return False


def documents(
    paths: Iterable[str], unreadable: list[str], *, specs_only: bool = False, known: Known = _nobody
) -> Iterator[Document]:
    """The documents that these paths name, each once, in their order; those of a folder in the order of their names.

    What cannot be read is told in `unreadable`, and the rest is still there. `specs_only`: of the files that are named, too, only those
    that look like a spec, or are `known` to be read as one.
    """
    seen: set[str] = set()
    for path in paths:
        for name in [path] if path == STDIN else _files(path, known, unreadable):
            if name in seen or (specs_only and name != STDIN and not _is_spec(name, known)):
                continue
            seen.add(name)
            try:
                document = document_at(name)
            except UsageError as error:
                unreadable.append(str(error))
            else:
                yield document


def document_at(path: str) -> Document:
    """The document in a file, or on standard input. Raises `UsageError` where there is none."""
    return _stdin() if path == STDIN else read(path)


def _stdin() -> Document:
    if sys.stdin is None:
        raise UsageError("cannot read standard input: it is closed")
    return Document.decode(sys.stdin.buffer.read(LARGEST_FILE + 1), STDIN_NAME)


def _files(path: str, known: Known, unreadable: list[str]) -> Iterator[str]:
    """The path itself, or the specs in the folder; `unreadable` is told of folders in it that cannot be looked into."""
    if not os.path.isdir(path):
        yield path
        return
    closed: list[str] = []
    found = False
    for file in files_in(path, ".toml", onerror=lambda error: closed.append(_why(error))):
        if not _is_special(file) and _is_spec(file, known):
            found = True
            yield file
    if not found and not closed:
        closed.append(
            f"there is no spec in the folder {path} (a .toml file with [video], [text], [model] or [[stage]])"
        )
    unreadable += closed


def files_in(folder: str, ending: str, onerror: Callable[[OSError], object] | None = None) -> Iterator[str]:
    """The files with this ending in the folder and all its folders, by their names; no hidden ones, no folders behind links."""
    for inside, inner, names in os.walk(folder, onerror=onerror):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        yield from (
            os.path.join(inside, name) for name in sorted(names) if name.endswith(ending) and not name.startswith(".")
        )


def _is_special(path: str) -> bool:
    """Whether it is a pipe, a device or a socket, from which reading might never end; what cannot be looked at is left to reading."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode)


def _is_spec(path: str, known: Known) -> bool:
    try:
        with open(path, "rb") as file:
            head = file.read(LARGEST_FILE)
    except OSError:
        return True  # reading it will say why
    return not is_passed_over(head) and (looks_like_a_spec(head) or known(path, head))


def looks_like_a_spec(data: bytes) -> bool:
    """Whether a text, be it TOML or not yet, is meant to be a spec."""
    return _LOOKS_LIKE_A_SPEC.search(data) is not None


def is_passed_over(data: bytes) -> bool:
    """Whether a text asks to be left alone by whoever was not told to check it: `# tttdit: skip`."""
    return _PASSED_OVER.search(data) is not None


def _why(error: OSError) -> str:
    return f"cannot read {error.filename}: {error.strerror or error}"
