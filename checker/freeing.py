"""A key of a spec as an unknown: where it stands, what it may be, and the stage with another value for it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Literal

from attrs import evolve, frozen

from tttdit.checker.assembling import KIND_OF, Assembled
from tttdit.core.errors import UsageError
from tttdit.core.plugin.registry import Registry
from tttdit.core.solving.progressions import plain
from tttdit.core.solving.solutions import Domain
from tttdit.core.spec import keys
from tttdit.core.spec.domains import domain_of
from tttdit.core.spec.stages import StageSpec
from tttdit.core.spec.tables import BASE_TABLES, EITHER_OR, Table
from tttdit.core.spec.wording import nearest
from tttdit.core.symbolic.formula import Number
from tttdit.core.wording import writable


@frozen
class Key:
    """A key that takes numbers."""

    name: str
    table: str
    field: str
    domain: Domain

    @property
    def other(self) -> str:
        """The key that says the same in another way, and goes when this one is written; "" for none."""
        pairs = [pair for pair in EITHER_OR if pair.table == self.table and self.field in pair.keys]
        return f"{self.table}.{pairs[0].other(self.field)}" if pairs else ""

    def takes(self, value: object) -> bool:
        """Whether it may be this value at all."""
        domain = self.domain
        if not isinstance(value, int | Fraction) or not domain.lowest <= value <= domain.last:
            return False
        return not domain.whole or value.denominator == 1


def known_tables(assembled: Assembled, registry: Registry) -> dict[str, type[Table]]:
    """The tables that a stage may have, with the plugins that it names."""
    plugins, found = assembled.plugins, dict(BASE_TABLES)
    for key, plugin in plugins.items():
        if key == "memory" and {"model", "model.mixer"} <= plugins.keys():
            found[key] = registry.memory_table(plugin, plugins["model"], plugins["model.mixer"])  # type: ignore[arg-type]
        elif key in KIND_OF and key != "memory":
            found[key] = registry.table(plugin)
    return found


def find_key(text: str, tables: Mapping[str, type[Table]], words: Mapping[str, str]) -> Key | None:
    """The key of this name, or that an imported file calls so; None for one of a table whose plugin is not known.

    Raises UsageError where there is no such key, and for one that takes no numbers.
    """
    theirs = {word: key for key, word in words.items()}
    name = theirs.get(text, text)
    table, _, field = name.rpartition(".")
    if table in KIND_OF and table not in tables:
        return None
    about = tables[table].model_fields.get(field) if table in tables else None
    if about is None:
        near = nearest(text, [f"{key}.{other}" for key, one in tables.items() for other in one.model_fields])
        raise UsageError(f"there is no key {text!r}" + (f"; did you mean {near}?" if near else ""))
    domain = domain_of(about)
    if domain is None:
        raise UsageError(f"{text} takes no numbers, and numbers are what can be solved for")
    return Key(name, table, field, domain)


def stated(spec: StageSpec, key: Key, assembled: Assembled) -> Number | Literal["auto"] | None:
    """What the key is as the spec stands, by a preset or by default too; None where it is nothing that it may be."""
    if spec.is_placeholder(key.name):
        return None
    table = assembled.tables.get(key.table)
    value = getattr(table, key.field) if table is not None else _written(spec, key)
    if value == "auto":
        return "auto"
    number = plain(Fraction(str(value))) if type(value) in (int, float) else None
    return number if key.takes(number) else None


def with_value(spec: StageSpec, key: Key, value: Number) -> StageSpec | None:
    """The stage with this value for the key; None where something else stands in its table's place."""
    values = copy.deepcopy(spec.values)
    table = values
    for part in key.table.split("."):
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            return None
    table[key.field] = writable(value)
    table.pop(key.other.rpartition(".")[2], None)
    path = keys.split(key.name)
    return evolve(
        spec, values=values, origins={place: origin for place, origin in spec.origins.items() if place != path}
    )


def _written(spec: StageSpec, key: Key) -> Any:
    table: Any = spec.values
    for part in key.table.split("."):
        table = table.get(part) if isinstance(table, dict) else None
    return table.get(key.field) if isinstance(table, dict) else None
