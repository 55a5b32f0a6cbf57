"""A spec's stages: what each says once everything it inherits has been filled in, and where each of its values stands.

    curriculum = stages(document, sets=[Set.parse("training.steps=10")])
    for stage in curriculum.stages:
        stage.values["video"]          # the base's [video], with the stage's keys over it
        stage.located("video.fps")     # the line where the value in force stands
    curriculum.findings                # names that are missing, unusable or taken twice

Layers lie one over the other, key by key: the base, the stage, then all that came by `--set`. Where a layer names another plugin
for a table than the one below, that table starts anew; of two keys that exclude each other, its own replaces the inherited one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field, frozen

from tttdit.core.findings import Finding, Span
from tttdit.core.spec import keys
from tttdit.core.spec.document import Document
from tttdit.core.spec.keys import Path
from tttdit.core.spec.layers import SLOTS, Layers
from tttdit.core.spec.placed import finding_at
from tttdit.core.spec.sets import Set, as_layer
from tttdit.core.spec.stage_names import spec_name, stage_name

__all__ = ["MOST_STAGES", "SLOTS", "Curriculum", "Set", "StageSpec", "stages"]

MOST_STAGES = 1000

_ABSENT = object()


@frozen(slots=False)
class StageSpec:
    """One stage: its values, everything inherited filled in, and where they come from.

    Keys are texts such as `model.mixer.plugin` (see `tttdit.core.spec.keys`).
    """

    name: str
    values: dict[str, Any]
    document: Document = field(repr=False)
    index: int | None = None  # in [[stage]]; None for a spec without stages
    origins: Mapping[Path, Path | Set] = field(factory=dict, repr=False)
    words: Mapping[str, str] = field(factory=dict, repr=False)  # what an imported file calls the keys of a spec
    importer: str | None = None  # the plugin that read the file, where it is another project's
    assumed: frozenset[str] = (
        frozenset()
    )  # keys whose values are an importer's stand-ins, for the file does not tell them

    def wrote(self, key: str) -> bool:
        """Whether the spec (base, stage or `--set`) states the key, a table's name included."""
        return self._value(keys.split(key)) is not _ABSENT

    def set_by(self, key: str) -> Set | None:
        """The `--set` that the value in force comes from, or its table."""
        origin = self.origin(keys.split(key))
        return origin if isinstance(origin, Set) else None

    def located(self, key: str) -> Span | None:
        """The whole of `key = value` where the value in force stands; for a table its header.

        Where the spec does not state the key: the header of the nearest table around it. None where the value came by `--set`
        (see `set_by`), and where nothing but the whole spec is around it.
        """
        path = keys.split(key)
        origin = self.origin(path)
        if isinstance(origin, Set):
            return None
        if origin is not None:
            return self.document.entry_span(origin) or self.document.table_span(origin)
        return self._around(path)

    def key_span(self, key: str) -> Span | None:
        """Where the key itself stands; as `located` where it does not."""
        return self._exactly(key, self.document.key_span)

    def value_span(self, key: str) -> Span | None:
        """Where the value itself stands; as `located` where it does not."""
        return self._exactly(key, self.document.value_span)

    def origin(self, path: Path) -> Path | Set | None:
        """Where the value of a path was written: a path of the document, or a `--set`; None where nobody did.

        For an item, or a key of an inline table in an array, as far as the document goes.
        """
        for length in range(len(path), 0, -1):
            origin = self.origins.get(path[:length])
            if origin is None:
                continue
            if length == len(path) or isinstance(origin, Set):
                return origin
            return (*origin, *path[length:]) if self._value(path) is not _ABSENT else None
        return None

    def _exactly(self, key: str, look: Any) -> Span | None:
        origin = self.origin(keys.split(key))
        found: Span | None = look(origin) if isinstance(origin, tuple) else None
        return found or self.located(key)

    def is_placeholder(self, key: str) -> bool:
        """Whether a TODO stands in the value's place, or in the place of something in it; a finding has said so."""
        origin = self.origin(keys.split(key))
        return isinstance(origin, tuple) and any(place[: len(origin)] == origin for place in self.document.placeholders)

    def _around(self, path: Path) -> Span | None:
        if keys.join(path) in self.words:
            return self.document.table_span(keys.split(self.words[keys.join(path)]))
        for length in range(len(path) - 1, 0, -1):
            origin = self.origin(path[:length])
            if isinstance(origin, tuple):
                return self.document.table_span(origin)
        if self.index is None or not any(path[0] in stage for stage in self.document.values["stage"]):
            return None  # no stage has it: the mistake is not this one's
        return self.document.table_span(("stage", self.index))

    def _value(self, path: Path) -> Any:
        value: Any = self.values
        for part in path:
            if isinstance(value, dict):
                value = value.get(part, _ABSENT)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return _ABSENT
        return value


@frozen
class Curriculum:
    """All stages of a spec, and what is wrong with them as such. Its name is the spec's, or else that of the file."""

    name: str
    stages: tuple[StageSpec, ...]
    findings: tuple[Finding, ...] = ()
    replaced: frozenset[str] = frozenset()  # codes of rules for which the importer speaks that read it


def stages(
    document: Document, sets: Iterable[Set] = (), default_plugins: Mapping[str, str] | None = None
) -> Curriculum:
    """The stages of a spec; one without `[[stage]]` is a single stage that bears the spec's name, or else that of its file.

    `default_plugins` says which plugin a table (of `SLOTS`) has that names none. Raises `UsageError` where one `--set` sets a
    key in what another has set to a value.
    """
    chosen = tuple(sets)
    base = {key: value for key, value in document.values.items() if key not in ("name", "stage")}
    written = document.values.get("stage")
    name, findings = spec_name(document)
    if written is None:
        only = _merge(document, name, None, base, {}, chosen, default_plugins or {})
        return Curriculum(name, (only,), tuple(findings))
    if not isinstance(written, list) or not written or not all(isinstance(entry, dict) for entry in written):
        message = "stage is not an array of tables"
        findings.append(
            finding_at(document, "TTD003", "invalid-value", message, "Begin each stage with [[stage]].", ("stage",))
        )
        return Curriculum(name, (), tuple(findings))
    if len(written) > MOST_STAGES:
        message = f"there are {len(written):,} stages, expected at most {MOST_STAGES:,}"
        findings.append(finding_at(document, "TTD003", "invalid-value", message, "", ("stage", MOST_STAGES)))
        return Curriculum(name, (), tuple(findings))

    found = []
    for index, entry in enumerate(written):
        problem = stage_name(document, written, index)
        if problem is not None:
            findings.append(problem)
        known = isinstance(entry.get("name"), str) and problem is None
        own = {key: value for key, value in entry.items() if key != "name"}
        title = entry["name"] if known else f"stage {index + 1}"
        found.append(_merge(document, title, index, base, own, chosen, default_plugins or {}))
    return Curriculum(name, tuple(found), tuple(findings))


def _merge(
    document: Document,
    name: str,
    index: int | None,
    base: Mapping[str, Any],
    own: Mapping[str, Any],
    sets: tuple[Set, ...],
    default_plugins: Mapping[str, str],
) -> StageSpec:
    layers = Layers(default_plugins)
    layers.lay(base, lambda path: path)
    if index is not None:
        entry: Path = ("stage", index)
        layers.lay(own, lambda path: (*entry, *path))
    if sets:
        nested, by_path = as_layer(sets)
        layers.lay(nested, lambda path: by_path[path])
    return StageSpec(name, layers.values, document, index, layers.origins)
