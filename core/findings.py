"""What the checker has to say: findings, each with its place, its reason and its remedy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from attrs import field, frozen

Severity: TypeAlias = Literal["error", "warning", "info"]
Applicability: TypeAlias = Literal["safe", "unsafe", "shown"]


@frozen
class Span:
    """A stretch of a text. Lines and columns count from 1, columns in characters; the end column is the first one behind it."""

    line: int
    column: int
    end_line: int
    end_column: int


@frozen
class Related:
    """Another place that has a part in a finding: a key of the spec, or a line of a plugin's module."""

    message: str
    key: str | None = None
    span: Span | None = None  # filled in by the checker from the key
    path: str | None = None  # the file, where it is not the spec itself


@frozen
class Edit:
    """One key's new value; a key that the stage does not state yet is written into its table."""

    key: str
    value: object


@frozen
class Removal:
    """A key that goes away, with its value and the comment on its line."""

    key: str


@frozen
class Renaming:
    """A key, or a table, that gets another name in the same place: `minibatch_size` becomes `mini_batch_size`."""

    key: str
    name: str  # the new last part of the key


@frozen
class Replacement:
    """Other text at a place that no key describes: a comment."""

    span: Span
    text: str


Change: TypeAlias = Edit | Removal | Renaming | Replacement


@frozen
class Fix:
    """Changes that make a finding go away: safe (same meaning), unsafe (another run) or only shown."""

    applicability: Applicability
    edits: tuple[Change, ...]


def _as_tuple(related: Iterable[Related]) -> tuple[Related, ...]:
    return tuple(related)


@frozen
class Finding:
    """One thing that is wrong.

    A rule names the key; the checker fills in `span` (where that key stands, or the nearest thing that stands in its place) and `stage`.
    """

    code: str
    name: str
    severity: Severity
    message: str
    help: str = ""
    key: str | None = None
    related: tuple[Related, ...] = field(default=(), converter=_as_tuple)
    fix: Fix | None = None
    span: Span | None = None
    stage: str | None = None
    stages: tuple[str, ...] = ()  # all that it is about, where these are several; `stage` is None then

    @property
    def of_stages(self) -> tuple[str, ...]:
        """The stages that it is about; none for a finding about the file as such."""
        return self.stages or ((self.stage,) if self.stage is not None else ())
