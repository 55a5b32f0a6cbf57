"""A manifest: a JSON Lines file with one sample a line, of which only the places of lines are kept in memory."""

from __future__ import annotations

import json
import os
import stat
from array import array
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from attrs import frozen

from tttdit.core.spec.wording import nearest
from tttdit.plugins.precomputed.problem import Problem
from tttdit.plugins.precomputed.rules.malformed_line import MalformedLine
from tttdit.plugins.precomputed.rules.unusable_manifest import UnusableManifest

LONGEST_LINE = 2**20  # bytes
MOST_SAMPLES = 10_000_000
LARGEST_MANIFEST = 2**32  # bytes
MOST_COMPARED = 20  # keys of a line with one that is missing
ENDINGS = (".safetensors", ".pt")

_LINE = "the line"


@frozen
class Sample:
    """The files that a line names: that of the latents, and those of the text, one after the other along segments."""

    latents: str
    text: tuple[str, ...]


class Manifest:
    """The lines of a manifest that are not blank, each a sample."""

    def __init__(self, path: Path) -> None:
        """Reads it through once. Raises Problem for what is no manifest."""
        self.path = path
        self._numbers, self._offsets = array("Q"), array("Q")  # of lines, which count from 1; of their first bytes
        try:
            with open(path, "rb", opener=_without_waiting) as file:
                about = os.fstat(file.fileno())
                if not stat.S_ISREG(about.st_mode):
                    raise self._unusable("is no file")
                if about.st_size > LARGEST_MANIFEST:
                    raise self._unusable(f"has {about.st_size:,} bytes, and at most {LARGEST_MANIFEST:,} are read")
                self._stamp = (about.st_size, about.st_mtime_ns)
                self._index(file)
        except OSError as error:
            raise self._unusable(f"cannot be read: {error.strerror or error}") from None
        if not len(self):
            raise self._unusable("has no lines: there are no samples")

    def __len__(self) -> int:
        return len(self._offsets)

    def number(self, index: int) -> int:
        """The number of the line that this sample stands on."""
        return self._numbers[index]

    def sample(self, index: int) -> Sample:
        """What the line of this sample says. Raises Problem for one that is none, or can no longer be read."""
        try:
            with open(self.path, "rb", opener=_without_waiting) as file:
                about = os.fstat(file.fileno())
                if (about.st_size, about.st_mtime_ns) != self._stamp:
                    raise self._unusable("has changed since it was opened")
                file.seek(self._offsets[index])
                line = file.readline(LONGEST_LINE + 1)
        except OSError as error:
            raise self._unusable(f"cannot be read: {error.strerror or error}") from None
        return parse(line)

    def _index(self, file: BinaryIO) -> None:
        number, begin = 1, 0
        while line := file.readline(LONGEST_LINE + 1):
            if not line.isspace():
                self._numbers.append(number)
                self._offsets.append(begin)
            while line and not line.endswith(b"\n"):  # the rest of one that is too long
                line = file.readline(LONGEST_LINE + 1)
            number, begin = number + 1, file.tell()
            if len(self) > MOST_SAMPLES:
                raise self._unusable(f"has more than {MOST_SAMPLES:,} samples")

    def _unusable(self, what: str) -> Problem:
        return Problem(UnusableManifest(), str(self.path), what)


def parse(line: bytes) -> Sample:
    """What a line says. Raises Problem for one that names no files."""
    if len(line) > LONGEST_LINE:
        raise _malformed(f"has more than {LONGEST_LINE:,} bytes")
    content = _object(line)
    for key in ("latents", "text"):
        if key not in content:
            near = nearest(key, [other for other in islice(content, MOST_COMPARED) if other.isprintable()])
            raise _malformed(f'has no "{key}"' + (f' (but "{near}")' if near else ""))
    text = content["text"] if isinstance(content["text"], list) else [content["text"]]
    if not text:
        raise _malformed('has no files in "text"')
    for key, name in [("latents", content["latents"]), *(("text", name) for name in text)]:
        if not isinstance(name, str) or not name.isprintable():
            raise _malformed(f'has something else than the name of a file in "{key}"')
        if not name.endswith(ENDINGS):
            raise _malformed(f'has a name in "{key}" that ends neither in {" nor in ".join(ENDINGS)}')
    return Sample(content["latents"], tuple(text))


def _object(line: bytes) -> dict[str, Any]:
    try:
        content = json.loads(line.decode("utf-8-sig"), object_pairs_hook=_unique)
    except UnicodeDecodeError as error:
        raise _malformed("is not UTF-8", error.start + 1) from None
    except json.JSONDecodeError as error:
        raise _malformed(f"is no JSON: {error.msg}", error.colno) from None
    except (ValueError, RecursionError):  # a number of thousands of digits, thousands of brackets
        raise _malformed("is no JSON that can be read") from None
    if not isinstance(content, dict):
        raise _malformed("is no JSON object")
    return content


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _malformed("has a key twice")
        found[key] = value
    return found


def _malformed(what: str, column: int = 1) -> Problem:
    return Problem(MalformedLine(), _LINE, what, column=column)


def _without_waiting(path: str, flags: int) -> int:
    """Opens it, be it a pipe that nobody writes to."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
