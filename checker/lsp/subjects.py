"""What an editor's cursor points at: a key or table of the text, and what the stages of the spec know it as."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from tttdit.checker.resolving import Resolved
from tttdit.core.spec import keys
from tttdit.core.spec.document import Document
from tttdit.core.spec.keys import Path
from tttdit.core.spec.scanner import Extent


@frozen
class Pointed:
    """A place in the text. `path` ends at a key or a table, never at an item of an array (a stage is no such item)."""

    path: Path
    extent: Extent
    on_value: bool


@frozen
class Subject:
    """A key or table as stages know it, and those of them in which what stands at the place is in force (or all, where it is in none)."""

    path: Path  # ("video", "fps") for the place ("stage", 1, "video", "fps")
    place: Path
    stages: tuple[Resolved, ...]
    in_force: bool

    @property
    def key(self) -> str:
        """The path as a key."""
        return keys.join(self.path)

    @property
    def is_imported(self) -> bool:
        """Whether the file is another project's, and calls the key by a name of its own."""
        return self.stages[0].spec.importer is not None

    @property
    def is_inherited(self) -> bool:
        """Whether it stands above the stages of a curriculum."""
        return self.place[0] != "stage" and self.stages[0].spec.index is not None


def pointed(document: Document, offset: int) -> Pointed | None:
    """The smallest key, value or header around an offset."""
    around = [
        Pointed(_key_of(path), extent, on_value)
        for path, place in document.places.items()
        for extent, on_value in (
            *((mention, False) for mention in document.mentions(path)),
            (place.key, False),
            (place.value, True),
            (place.header, False),
        )
        if extent is not None and extent.start <= offset < extent.end
    ]
    return min(around, key=lambda found: found.extent.end - found.extent.start, default=None)


def subject(path: Path, stages: Iterable[Resolved]) -> Subject | None:
    """What a path of the text is to the stages. A file that was imported has other paths than the spec that it is; None for what has no
    part in that.
    """
    stages = tuple(stages)
    origins = [(one, key) for one in stages for key, origin in one.spec.origins.items() if origin == path]
    if origins:  # first the key that is the file's by another name, then those that follow from it
        origins.sort(key=lambda found: found[0].spec.words.get(keys.join(found[1])) != keys.join(path))
        known = origins[0][1]
        return Subject(known, path, tuple(one for one, other in origins if other == known), in_force=True)
    if not stages or stages[0].spec.importer is not None:
        return None
    if len(path) > 1 and path[0] == "stage":
        own = tuple(one for one in stages if one.spec.index == path[1])
        return Subject(path[2:], path, own, in_force=True) if own and path[2:] else None
    return Subject(path, path, stages, in_force=False)


def _key_of(path: Path) -> Path:
    first = 2 if path[:1] == ("stage",) else 0
    for position in range(first, len(path)):
        if isinstance(path[position], int):
            return path[:position]
    return path
