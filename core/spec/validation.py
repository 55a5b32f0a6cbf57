"""Values against tables: what pydantic finds wrong, as findings in plain words, one for each mistake.

    table, findings = validate(VideoTable, stage.values.get("video"), "video", stage)

Works for any table at any key: `validate(MixerTable, values, "model.mixer", stage)` speaks of `model.mixer.window`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from attrs import evolve
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tttdit.core.findings import Edit, Finding, Fix, Related, Removal, Renaming, Span
from tttdit.core.spec import keys, wording
from tttdit.core.spec.either_or import EITHER_OR, EitherOr
from tttdit.core.spec.keys import Path
from tttdit.core.spec.layers import SLOTS
from tttdit.core.spec.sets import Set
from tttdit.core.spec.table import Table
from tttdit.core.spec.tables import BASE_TABLES

TableType = TypeVar("TableType", bound=Table)

# Unknown keys of one table that are reported one by one.
MOST_UNKNOWN = 50


class Places(Protocol):
    """Where a key's parts stand; a `StageSpec` knows it."""

    def located(self, key: str) -> Span | None: ...  # noqa: D102
    def key_span(self, key: str) -> Span | None: ...  # noqa: D102
    def value_span(self, key: str) -> Span | None: ...  # noqa: D102
    def set_by(self, key: str) -> Set | None: ...  # noqa: D102


def validate(
    table: type[TableType], values: Any, key: str, places: Places | None = None
) -> tuple[TableType | None, list[Finding]]:
    """An instance of the table, or None and what is wrong with the values. `values` is None where the spec has no such table."""
    if values is None:
        return _absent(table, key)
    if not isinstance(values, Mapping):
        return None, [_no_table(values, key, places)]
    try:
        return table.model_validate(dict(values)), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    return None, list(_Reading(table, values, keys.split(key), places).findings(details))


def unknown_tables(values: Mapping[str, Any], known: Sequence[str], places: Places | None = None) -> list[Finding]:
    """Top-level keys that no spec has. `known` are those that a spec may have, besides `name` and `stage`."""
    findings = []
    for name in [name for name in values if name not in known][:MOST_UNKNOWN]:
        is_table = isinstance(values[name], dict)
        shown = f"[{keys.join((name,))}]" if is_table else keys.join((name,))
        near = wording.nearest(name, [*known, "name", "stage"])
        message = f"{shown} is not a table of a spec" if is_table else f"{shown} is not a key of a spec"
        meant = "[[stage]]" if near == "stage" else f"[{near}]" if is_table else near
        message += f"; did you mean {meant}?" if near else ""
        homes = [] if near or is_table else wording.tables_with(name)
        help = (
            f"{name} is a key of [{homes[0]}]."
            if homes
            else f"A spec's tables are {', '.join(known)}; stages begin with [[stage]]."
            if not near
            else ""
        )
        findings.append(
            Finding(
                "TTD002",
                "unknown-key",
                "error",
                message,
                help,
                keys.join((name,)),
                fix=Fix("shown", (Renaming(keys.join((name,)), near),)) if near and near not in values else None,
                span=_span(places, "key_span", (name,)),
            )
        )
    return findings


def either_or(values: Mapping[str, Any], places: Places | None = None) -> list[Finding]:
    """TTD006: both, or neither where one is needed, of two keys that exclude each other. A table that is missing is not looked at."""
    findings = []
    for pair in EITHER_OR:
        table = values.get(pair.table)
        if not isinstance(table, dict):
            continue
        first, second = (f"{pair.table}.{key}" for key in pair.keys)
        there = [key for key in pair.keys if key in table]
        if len(there) == 2:
            message, help = f"{first} and {second} say the same thing in two ways", "Keep one of the two."
            related = (Related("the other one stands here", first, _span(places, "located", keys.split(first))),)
            span = _span(places, "located", keys.split(second))
            fix = Fix("unsafe", (Removal(second),))
            findings.append(Finding("TTD006", "either-or", "error", message, help, second, related, fix, span))
        elif pair.needed and not there and not _misspelt(pair, table):
            message, help = (
                f"{first} or {second} is missing",
                f"Write one of the two: {wording.example_line(pair.table, pair.keys[0])}",
            )
            span = _span(places, "located", keys.split(first))
            findings.append(Finding("TTD006", "either-or", "error", message, help, first, span=span))
    return findings


def plugin_name(
    values: Mapping[str, Any],
    slot: str,
    default: str | None = None,
    places: Places | None = None,
    names: Sequence[str] = (),
) -> tuple[str | None, list[Finding]]:
    """Which plugin the table at `slot` names, or `default`; what is wrong with saying so: no table, no `plugin`, no text.

    `names` are the plugins that there are, for the help.
    """
    choices = [wording.show(name) for name in names] or ['"..."']
    path = keys.split(slot)
    table: Any = values
    for part in path:
        if table is not None and not isinstance(table, Mapping):
            return None, []  # whoever validates the table around it says so
        table = table.get(part) if table is not None else None
    if table is None and default is not None:
        return default, []
    if table is None:
        others = f"  # or {wording.either(choices[1:])}" if choices[1:] else ""
        help = f"Write a table:\n[{slot}]\nplugin = {choices[0]}{others}"
        return None, [_missing(f"the spec has no [{slot}] table", help, path, places)]
    if not isinstance(table, Mapping):
        return None, [_no_table(table, slot, places)]
    name = table.get("plugin", default)
    if name is None:
        help = f"Write plugin = {wording.either(choices)} under [{slot}]."
        return None, [_missing(f"{slot}.plugin is missing", help, (*path, "plugin"), places)]
    if not isinstance(name, str):
        message = f"{slot}.plugin is {wording.show(name)}, expected text"
        span = _span(places, "value_span", (*path, "plugin"))
        return None, [Finding("TTD003", "invalid-value", "error", message, "", f"{slot}.plugin", span=span)]
    return name, []


def misspelt_tables(values: Mapping[str, Any], known: Sequence[str]) -> frozenset[str]:
    """The tables that are there under a name that is not theirs, and that `unknown_tables` and `validate` tell the right one for."""
    found = {wording.nearest(name, known) for name in values if name not in known and isinstance(values[name], Mapping)}
    for slot in SLOTS:
        outer, _, inner = slot.rpartition(".")
        around = values.get(outer) if outer else None
        if isinstance(around, Mapping) and inner not in around:
            tables = [name for name, value in around.items() if isinstance(value, Mapping)]
            found |= {slot for name in tables if wording.nearest(name, [inner])}
    return frozenset(name for name in found if name is not None and name not in values)


def example_table(table: type[Table], key: str) -> list[str]:
    """The lines of the smallest table of this class; none where it can be left out."""
    needed = [name for name, field in table.model_fields.items() if field.is_required()]
    if not needed:
        return []
    one_of_two = [pair.keys[0] for pair in EITHER_OR if pair.needed and pair.table == key]
    return [f"[{key}]", *(wording.example(table, name) for name in (*one_of_two, *needed))]


def once(findings: Iterable[Finding]) -> list[Finding]:
    """The findings of all stages, with each mistake that several stages inherit said once, then for no stage in particular."""
    first: dict[object, Finding] = {}
    for finding in findings:
        same = (finding.code, finding.message, finding.help, finding.key, finding.span, finding.related)
        if same in first and first[same].stage != finding.stage:
            names = dict.fromkeys([*first[same].of_stages, *finding.of_stages])
            first[same] = evolve(finding, stage=None, stages=tuple(names))
        else:
            first.setdefault(same, finding)
    return list(first.values())


def _misspelt(pair: EitherOr, table: Mapping[str, Any]) -> bool:
    """Whether one of the keys is there under a name that `validate` tells the right one for."""
    known = wording.keys_of(BASE_TABLES[pair.table])
    return any(
        wording.nearest(key, known) in pair.keys for key in [key for key in table if key not in known][:MOST_UNKNOWN]
    )


def _absent(table: type[TableType], key: str) -> tuple[TableType | None, list[Finding]]:
    lines = example_table(table, key)
    if not lines:
        return table(), []
    help = "\n".join(["Write a table:", *lines])
    return None, [_missing(f"the spec has no [{key}] table", help, keys.split(key), None)]


def _missing(message: str, help: str, path: Path, places: Places | None) -> Finding:
    span = _span(places, "located", path) or Span(1, 1, 1, 1)
    return Finding("TTD004", "missing", "error", message, help, keys.join(path), span=span)


def _no_table(values: Any, key: str, places: Places | None) -> Finding:
    message = f"{key} is {wording.show(values)}, expected a table"
    span = _span(places, "value_span", keys.split(key))
    return Finding(
        "TTD003", "invalid-value", "error", message, f"Begin it with [{key}] on a line of its own.", key, span=span
    )


def _span(places: Places | None, part: str, path: Path) -> Span | None:
    return getattr(places, part)(keys.join(path)) if places is not None else None


class _Reading:
    """pydantic's errors about one table, read as findings."""

    def __init__(self, table: type[Table], values: Mapping[str, Any], path: Path, places: Places | None) -> None:
        self.table = table
        self.values = values
        self.path = path
        self.places = places

    def findings(self, details: Sequence[ErrorDetails]) -> Iterable[Finding]:
        """One for each path that errors are about: of a union, pydantic has one for each member."""
        by_path: dict[Path, list[ErrorDetails]] = {}
        for detail in details:
            by_path.setdefault(self._place(detail), []).append(detail)
        kinds = {place: {error["type"] for error in errors} for place, errors in by_path.items()}
        missing = [place for place, errors in by_path.items() if any(_is_missing_key(error) for error in errors)]
        unknown = [place for place in by_path if self._is_unknown(kinds[place])][:MOST_UNKNOWN]
        meant = {place: self._meant(place, missing) for place in unknown}
        filled = _preset_keys(self.table) if ("preset",) in by_path else set()
        for place, errors in by_path.items():
            if place in missing:
                if place not in meant.values() and place[0] not in filled:
                    yield self._missing(place)
            elif place in meant:
                yield self._unknown(place, meant[place])
            elif not self._is_unknown(kinds[place]):
                yield self._invalid(place, errors)

    def _is_unknown(self, kinds: set[str]) -> bool:
        return "extra_forbidden" in kinds or ("unknown_preset" in kinds and not _preset_keys(self.table))

    def _meant(self, place: Path, missing: Sequence[Path]) -> Path | None:
        """The key that an unknown one was probably meant to be: one that is missing, if there is one like it."""
        around, name = place[:-1], str(place[-1])
        table = wording.table_at(self.table, around)
        for known in (
            [str(other[-1]) for other in missing if other[:-1] == around],
            [*(wording.keys_of(table) if table else []), *self._inner(around)],
        ):
            near = wording.nearest(name, known)
            if near is not None:
                return (*around, near)
        return None

    def _inner(self, around: Path) -> list[str]:
        """The tables of other plugins that lie in this one."""
        outer = keys.join((*self.path, *around))
        return [slot.rpartition(".")[2] for slot in SLOTS if "." in slot and slot.rpartition(".")[0] == outer]

    def _place(self, detail: ErrorDetails) -> Path:
        """The error's place in the values; pydantic's place goes on into the members of unions."""
        place: list[str | int] = []
        value: Any = self.values
        for part in detail["loc"]:
            if isinstance(value, Mapping) and part in value:
                value = value[str(part)]
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                if _is_missing_key(detail):
                    place.append(part)
                break
            place.append(part)
        return tuple(place)

    def _missing(self, place: Path) -> Finding:
        path = (*self.path, *place)
        table = wording.table_at(self.table, place[:-1])
        presets = getattr(self.table, "presets", {}) if len(place) == 1 else {}
        names = [name for name, preset in presets.items() if place[0] in preset]
        if names:
            line = f"{place[-1]} = {wording.show(presets[names[0]][place[0]])}"
        else:
            line = wording.example(table, str(place[-1])) if table is not None else f"{place[-1]} = ..."
        help = f"Write {line} under [{keys.join(path[:-1])}]"
        help += (
            f", or choose a preset that has it: {wording.either([wording.show(name) for name in names])}."
            if names
            else "."
        )
        return _missing(f"{keys.join(path)} is missing", help, path, self.places)

    def _unknown(self, place: Path, meant: Path | None) -> Finding:
        path = (*self.path, *place)
        table = wording.table_at(self.table, place[:-1])
        known = wording.keys_of(table) if table is not None else []
        name = str(place[-1])
        message = f"{keys.join(path)} is not a key of [{keys.join(path[:-1])}]"
        help = ""
        homes = [home for home in wording.tables_with(name) if home != keys.join(self.path)]
        if meant is not None:
            message += f"; did you mean {meant[-1]}?"
        elif homes:
            help = f"{name} is a key of [{homes[0]}]."
        elif known:
            help = f"Its keys are {', '.join([*known, *self._inner(place[:-1])])}."
        span = _span(self.places, "key_span", path)
        message += self._by_set(path)
        is_free = meant is not None and self._value(meant) is None
        fix = Fix("shown", (Renaming(keys.join(path), str(meant[-1])),)) if meant is not None and is_free else None
        return Finding("TTD002", "unknown-key", "error", message, help, keys.join(path), fix=fix, span=span)

    def _invalid(self, place: Path, errors: list[ErrorDetails]) -> Finding:
        path = (*self.path, *place)
        key = keys.join(path)
        value: Any = self.values
        for part in place:
            value = value[part]
        what, help, better = wording.invalid(value, errors)
        still = self._refusals(place, better) if better is not None else []
        if still:
            help, better = f"{wording.show(better)} would not do either: {wording.invalid(better, still)[0]}.", None
        # the same thing in another type is what was meant; another name for it is a guess
        is_guess = isinstance(value, str) and isinstance(better, str)
        fix = None if better is None else Fix("shown" if is_guess else "safe", (Edit(key, better),))
        message = (f"{key} is {wording.show(value)}, {what}" if place else f"[{key}]: {what}") + self._by_set(path)
        span = _span(self.places, "value_span" if place else "located", path)
        return Finding("TTD003", "invalid-value", "error", message, help, key, fix=fix, span=span)

    def _value(self, place: Path) -> Any:
        """What stands at a place of the values; None where nothing does."""
        value: Any = self.values
        for part in place:
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def _refusals(self, place: Path, value: object) -> list[ErrorDetails]:
        """What is wrong with another value at this place of the table itself."""
        if len(place) != 1:
            return []
        try:
            self.table.model_validate({**self.values, str(place[0]): value})
        except ValidationError as error:
            return [detail for detail in error.errors(include_url=False) if detail["loc"][:1] == place]
        return []

    def _by_set(self, path: Path) -> str:
        one = self.places.set_by(keys.join(path)) if self.places is not None else None
        return f" (by {one.shown})" if one is not None else ""


def _is_missing_key(error: ErrorDetails) -> bool:
    """Of a tuple that is too short, pydantic says that its next item is missing: that is no key."""
    return error["type"] == "missing" and isinstance(error["loc"][-1], str)


def _preset_keys(table: type[Table]) -> set[str]:
    presets: Mapping[str, Mapping[str, object]] = getattr(table, "presets", {})
    return {key for preset in presets.values() for key in preset}
