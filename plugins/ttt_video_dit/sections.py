"""From a document to a `Job`: sections and keys under the names that were meant, values of the right types, and what is wrong with them.

That code takes a misspelled section, a wrong type and a value outside the choices without a word; here each is a finding, and the rest is
read on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tttdit.core.findings import Edit, Finding, Fix, Renaming
from tttdit.core.spec import keys, wording
from tttdit.core.spec.document import Document
from tttdit.core.spec.keys import Path
from tttdit.core.spec.table import Table
from tttdit.plugins.ttt_video_dit.job import Job
from tttdit.plugins.ttt_video_dit.tables import SECTIONS

# Unknown names that are reported one by one, in the file and in each section.
MOST_UNKNOWN = 50

_WITHOUT_A_WORD = "ttt-video-dit accepts it without a word."
_WHOLE_NUMBER_MATTERS = {
    "remat.scan_checkpoint_group_size": "turns the remat of the scan off where it is more than there are mini-batches",
}


def read_sections(document: Document) -> tuple[Job, list[Finding]]:
    """The job in a document, and what is wrong with its sections, keys and values as such."""
    reading = _Reading(document)
    tables = {name: reading.table(name, table) for name, table in SECTIONS.items()}
    job = Job(
        document=document,
        sections=reading.sections,
        places=reading.places,
        doubtful=frozenset(reading.doubtful),
        **{name: table for name, table in tables.items() if name not in ("comm", "wandb")},  # type: ignore[arg-type]
    )
    return job, reading.findings


class _Reading:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.findings: list[Finding] = []
        self.sections: dict[str, Path] = {}
        self.places: dict[str, Path] = {}
        self.doubtful: set[str] = set()
        self._sections()

    def _sections(self) -> None:
        values = self.document.values
        self.sections = {name: (name,) for name in values if name in SECTIONS}
        for name in [name for name in values if name not in SECTIONS][:MOST_UNKNOWN]:
            free = [section for section in SECTIONS if section not in self.sections]
            meant = wording.nearest(name, free) if isinstance(values[name], dict) else None
            if meant is not None:
                self.sections[meant] = (name,)
            self._unknown_section(name, meant)

    def _unknown_section(self, name: str, meant: str | None) -> None:
        is_table = isinstance(self.document.values[name], dict)
        shown = f"[{keys.join((name,))}]" if is_table else keys.join((name,))
        homes = [] if is_table else [section for section, table in SECTIONS.items() if name in table.model_fields]
        message = f"{shown} is not a {'section' if is_table else 'key'} of a job"
        help = f"Its sections are {', '.join(SECTIONS)}."
        fix = None
        if meant is not None:
            message += f"; did you mean [{meant}]?"
            help = "ttt-video-dit accepts it without a word, and leaves every key of the section at its default."
            fix = Fix("shown", (Renaming(keys.join((name,)), meant),))
        elif homes:
            help = f"{name} is a key of [{homes[0]}]."
        self._add("TTD002", "unknown-key", message, help, (name,), self.document.key_span((name,)), fix)

    def table(self, section: str, table: type[Table]) -> Table:
        """The section as far as its values can be believed."""
        place = self.sections.get(section)
        values = self.document.values[str(place[0])] if place is not None else {}
        if place is not None and not isinstance(values, dict):
            message = f"{keys.join(place)} is {wording.show(values)}, expected a table"
            help = f"Begin the section with [{section}]."
            self._add("TTD003", "invalid-value", message, help, place, self.document.entry_span(place))
            self.doubtful.update(f"{section}.{name}" for name in table.model_fields)
            return table()
        named = dict(self._named(section, table, place or (section,), values))
        try:
            return table.model_validate(named)
        except ValidationError as error:
            wrong: dict[str, list[ErrorDetails]] = {}
            for detail in error.errors(include_url=False):
                wrong.setdefault(str(detail["loc"][0]), []).append(detail)
        for name, errors in wrong.items():
            better = self._wrong(section, table, name, named[name], errors)
            del named[name]
            if better is None:
                self.doubtful.add(f"{section}.{name}")
            else:
                named[name] = better
        return table.model_validate(named)

    def _named(
        self, section: str, table: type[Table], place: Path, values: Mapping[str, Any]
    ) -> Iterator[tuple[str, Any]]:
        """The values that can be looked at, under the names that were meant."""
        known = [name for name in values if name in table.model_fields]
        meant = {name: name for name in known}
        for name in [name for name in values if name not in table.model_fields][:MOST_UNKNOWN]:
            near = wording.nearest(name, [field for field in table.model_fields if field not in meant.values()])
            if near is not None:
                meant[name] = near
            self._unknown_key(section, table, (*place, name), near)
        for name, field in meant.items():
            path = (*place, name)
            self.places[f"{section}.{field}"] = path
            if any(hole[: len(path)] == path for hole in self.document.placeholders):
                self.doubtful.add(f"{section}.{field}")
            else:
                yield field, values[name]

    def _unknown_key(self, section: str, table: type[Table], path: Path, near: str | None) -> None:
        name = str(path[-1])
        message = f"{keys.join(path)} is not a key of [{section}]"
        help = ""
        homes = [other for other, fields in SECTIONS.items() if name in fields.model_fields]
        fix = None
        if near is not None:
            message += f"; did you mean {near}?"
            fix = Fix("shown", (Renaming(keys.join(path), near),))
        elif homes:
            help = f"{name} is a key of [{homes[0]}]."
        else:
            help = f"Its keys are {', '.join(table.model_fields)}."
        self._add("TTD002", "unknown-key", message, help, path, self.document.key_span(path), fix)

    def _wrong(
        self, section: str, table: type[Table], name: str, value: Any, errors: list[ErrorDetails]
    ) -> object | None:
        """Says what is wrong with a value; the whole number that a float stands for, where it is that, else None."""
        key, path = f"{section}.{name}", self.places[f"{section}.{name}"]
        what, help, better = wording.invalid(value, errors)
        if better is not None and not _takes(table, name, better):
            better, help = None, ""
        span = self.document.value_span(path) or self.document.entry_span(path)
        fix = (
            None
            if better is None
            else Fix("safe" if isinstance(value, float) else "shown", (Edit(keys.join(path), better),))
        )
        if isinstance(value, float) and better is not None:
            effect = f", and {_WHOLE_NUMBER_MATTERS[key]}" if key in _WHOLE_NUMBER_MATTERS else ""
            message = f"{keys.join(path)} is {self._written(path)}, a float where a whole number is meant: ttt-video-dit accepts it{effect}"
            finding = Finding("TTD003", "invalid-value", "warning", message, help, keys.join(path), fix=fix, span=span)
            self.findings.append(finding)
            return better
        message = f"{keys.join(path)} is {wording.show(value)}, {what}"
        help = f"{help} {_WITHOUT_A_WORD}".strip() if _is_silent(errors) else help
        self._add("TTD003", "invalid-value", message, help, path, span, fix)
        return None

    def _written(self, path: Path) -> str:
        """A number as the file has it."""
        span = self.document.value_span(path)
        assert span is not None
        return self.document.excerpt(span)

    def _add(
        self, code: str, name: str, message: str, help: str, path: Path, span: Any, fix: Fix | None = None
    ) -> None:
        self.findings.append(Finding(code, name, "error", message, help, keys.join(path), fix=fix, span=span))


def _takes(table: type[Table], name: str, value: object) -> bool:
    try:
        table.model_validate({name: value})
    except ValidationError:
        return False
    return True


def _is_silent(errors: list[ErrorDetails]) -> bool:
    """Wrong types and values outside the choices: what that code does not look at."""
    return all(error["type"] == "literal_error" or error["type"].endswith("_type") for error in errors)
