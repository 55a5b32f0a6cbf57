"""What an importer makes of another project's file: a spec whose every value remembers where in that file it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from tttdit.core.findings import Finding
from tttdit.core.spec.keys import Path
from tttdit.core.spec.table import Table


@frozen(kw_only=True)
class Imported:
    """Another project's file as a spec without stages.

    The checker judges `values` as it judges any spec. What it finds points into the file by `origins`, and speaks of keys as the file has
    them by `words`: the finding's own key, those that are related to it, those in its texts, and those that its fix changes. What would
    rest on a value that is `assumed` is not said: the dimension that it gives is open, and a finding about it is left out.
    """

    name: str  # of the spec
    values: dict[str, Any]  # its tables, as `Document.values` has them
    origins: Mapping[Path, Path] = field(factory=dict)  # ("video", "height") stands at ("eval", "image_height")
    words: Mapping[str, str] = field(
        factory=dict
    )  # "video.height" is called "eval.image_height" there, be it stated or not
    findings: tuple[Finding, ...] = ()  # with their places; keys as the file has them
    replaces: frozenset[str] = frozenset()  # codes of general rules that the importer's own speak for
    tables: Mapping[Path, type[Table]] = field(
        factory=dict
    )  # of the file, by their places: editors tell what their keys mean
    assumed: frozenset[str] = frozenset()  # keys of the spec with a stand-in for what the file does not tell
    notes: tuple[
        str, ...
    ] = ()  # what the file says and a spec has no place for, a line each: comments of a converted spec
