"""Which tensors of which files a sample is made of, and whether they are what a model takes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

from tttdit.plugins.precomputed.files import Headers, Held, located
from tttdit.plugins.precomputed.manifest import Sample
from tttdit.plugins.precomputed.problem import Problem
from tttdit.plugins.precomputed.rules.other_tensors import OtherTensors
from tttdit.plugins.precomputed.spec import PrecomputedTable

INPUTS = ("video", "text")  # of a model, that a sample has


@frozen
class Part:
    """A tensor of a file."""

    path: Path
    name: str
    held: Held


@frozen
class Latents:
    """Where latents are: as they are, or as a posterior [2C, F, H, W], means and then log variances."""

    part: Part
    is_posterior: bool


@frozen
class Fitting:
    """The shapes that a model wants, video [F, C, H, W] and text [S, T, X], and the folder that files are seen from."""

    wanted: Mapping[str, tuple[int, ...]]
    folder: Path
    root: str | None  # what no file may lie outside of; None where files may lie anywhere

    @classmethod
    def of(cls, table: PrecomputedTable, wanted: Mapping[str, tuple[int, ...]], spec_folder: Path) -> Fitting:
        """That of a `[data]`, in a spec that lies in this folder."""
        given = spec_folder / table.folder if table.folder is not None else (spec_folder / table.manifest).parent
        return cls(wanted, given, None if table.outside_paths else os.path.realpath(given))

    def latents(self, sample: Sample, headers: Headers) -> Latents:
        """The latents that a sample has. Raises Problem for some that cannot be used."""
        frames, channels, *picture = self.wanted["video"]
        plain = (channels, frames, *picture)
        posterior = (2 * channels, *plain[1:])
        part = self._part(sample.latents, "latents", headers)
        shape = part.held.shape
        if shape in (plain, posterior):
            return Latents(part, is_posterior=shape == posterior)
        meant = posterior if shape[:1] == posterior[:1] else plain
        raise _unlike(part, "latents", meant, f"{_shape(plain)}, or a posterior's {_shape(posterior)}")

    def text(self, sample: Sample, headers: Headers) -> tuple[Part, ...]:
        """The text embeddings that a sample has, one after the other along segments. Raises Problem for some that cannot be used."""
        segments, *rest = self.wanted["text"]
        each = tuple(rest)
        parts = tuple(self._part(name, "text", headers) for name in sample.text)
        if len(parts) == 1 and segments != 1:
            if parts[0].held.shape != (segments, *each):
                raise _unlike(parts[0], "text", (segments, *each), _shape((segments, *each)))
            return parts
        for part in parts:
            if part.held.shape not in (each, (1, *each)):
                one = (1, *each) if len(part.held.shape) > len(each) else each
                raise _unlike(part, "text", one, f"{_shape(each)} in each file, a segment's")
        if len(parts) != segments:
            files = f'has {len(parts):,} files in "text", and there are {segments:,} segments'
            raise Problem(OtherTensors(), "the line", files, sizes=[(len(parts), segments)])
        return parts

    def _part(self, name: str, what: str, headers: Headers) -> Part:
        path = located(self.folder, name, self.root)
        every = headers.held(path)
        chosen = what if what in every else next(iter(every), "")
        if what not in every and len(every) != 1:
            raise _other(path, f'holds {len(every):,} tensors, and none of the name "{what}"')
        held = every[chosen]
        if "float" not in held.dtype:
            raise _other(path, f"holds {what} of the type {held.dtype}, which is no floating-point type")
        return Part(path, chosen, held)


def _unlike(part: Part, what: str, meant: tuple[int, ...], told: str) -> Problem:
    """Another shape than the one that was `meant`, with the lengths that differ where there are equally many."""
    shape = part.held.shape
    sizes = [pair for pair in zip(shape, meant, strict=False) if pair[0] != pair[1]] if len(shape) == len(meant) else []
    return _other(part.path, f"holds {what} {_shape(shape)}, and the model takes {told}", sizes)


def _other(path: Path, what: str, sizes: Sequence[tuple[int, int]] = ()) -> Problem:
    return Problem(OtherTensors(), str(path), what, sizes=sizes)


def _shape(shape: Sequence[int]) -> str:
    return f"[{', '.join(str(int(length)) for length in shape)}]"
