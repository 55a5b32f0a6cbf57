"""Where the keys of findings stand in the spec's text."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from tttdit.checker.importing import in_its_words
from tttdit.core.findings import Finding, Fix, Related, Replacement
from tttdit.core.spec.stages import StageSpec


class Locator:
    """Fills in the places of a stage's findings: where the value in force stands, or what stands in its place.

    For a value that a preset gives, that is the preset; for one that nobody wrote, the header of its table; for one from the command line,
    nothing in the text, but a remark.
    """

    def __init__(self, spec: StageSpec, tables: dict[str, Any]) -> None:
        self.spec = spec
        self.tables = tables

    def located(self, finding: Finding) -> Finding:
        """The finding with its own place, and those of what is related."""
        return in_its_words(self._located(finding), self.spec.words)

    def is_assumed(self, key: str) -> bool:
        """Whether the value in force is an importer's stand-in for one that the file does not tell, by a preset or by itself."""
        return self._stated(key) in self.spec.assumed

    def rests_on_assumed(self, finding: Finding) -> bool:
        """Whether a finding is about such a value, or about what disagrees with one."""
        named = [finding.key, *(related.key for related in finding.related)]
        return any(key is not None and self.is_assumed(key) for key in named)

    def line_of(self, key: str) -> tuple[str, int] | None:
        """The key that states the value in force, itself or a preset, and the line that it stands on; None where the text has neither."""
        stated = self._stated(key)
        span = self.spec.located(stated) if self.spec.wrote(stated) else None
        return (stated, span.line) if span is not None else None

    def _located(self, finding: Finding) -> Finding:
        related = [self._related(one) for one in finding.related]
        if not finding.key:
            return evolve(finding, key=finding.key or None, related=related, stage=self.spec.name)
        key = self._stated(finding.key)
        chosen = self.spec.set_by(key)
        if chosen is not None and chosen.shown not in finding.message:
            related.append(Related(f"set on the command line: {chosen.shown}", finding.key))
        span = finding.span or self.spec.located(key)
        return evolve(finding, span=span, related=related, stage=self.spec.name, fix=self._fix(finding.fix))

    def _fix(self, fix: Fix | None) -> Fix | None:
        """The fix, unless the command line sets what it would change."""
        edits = fix.edits if fix is not None else ()
        keys = [edit.key for edit in edits if not isinstance(edit, Replacement)]
        return None if any(self.spec.set_by(key) is not None for key in keys) else fix

    def _related(self, related: Related) -> Related:
        if related.key is None or related.span is not None or related.path is not None:
            return related
        key = self._stated(related.key)
        return evolve(related, span=self.spec.located(key) if self.spec.wrote(key) else None)

    def _stated(self, key: str) -> str:
        """The key, or the preset that gives its value."""
        table_key, _, name = key.rpartition(".")
        table = self.tables.get(table_key)
        preset = getattr(table, "preset", None)
        if table is None or preset is None or self.spec.wrote(key) or name not in table.presets.get(preset, {}):
            return key
        return f"{table_key}.preset"
