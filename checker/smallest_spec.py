"""What to say of a file that has nothing of a spec: one finding, with the smallest spec that there is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve

from tttdit.checker.rules.missing import Missing
from tttdit.core.errors import PluginError
from tttdit.core.findings import Finding, Span
from tttdit.core.plugin.registry import Registry
from tttdit.core.spec.keys import join
from tttdit.core.spec.stages import StageSpec
from tttdit.core.spec.tables import BASE_TABLES
from tttdit.core.spec.validation import example_table, misspelt_tables
from tttdit.core.spec.wording import either, show

# The tables of plugins that no spec does without.
_NEEDED = {"model": "model", "model.mixer": "mixer"}


def nothing_of_a_spec(spec: StageSpec, known: Sequence[str], registry: Registry) -> Finding | None:
    """The finding about a stage without a `known` table; None where something was meant to be one."""
    if not all(isinstance(value, Mapping) for value in spec.values.values()) or misspelt_tables(spec.values, known):
        return None
    others = [f"[{join((name,))}]" for name in spec.values]
    message = "the spec has no tables"
    if others:
        message = (
            f"no table of this file is one of a spec: it has {', '.join(others[:5])}{' ...' if others[5:] else ''}"
        )
    finding = Missing().finding(
        message, key="", help="\n".join(["A spec has at least these:", *smallest_spec(registry)])
    )
    return evolve(finding, span=Span(1, 1, 1, 1))


def smallest_spec(registry: Registry) -> list[str]:
    """The lines of a spec with the tables that every one has, and one of the plugins that there are in each."""
    lines: list[str] = []
    for key, table in BASE_TABLES.items():
        lines += example_table(table, key)
    for key, kind in _NEEDED.items():
        lines += _plugin(key, kind, registry)
    return lines


def _plugin(key: str, kind: str, registry: Registry) -> list[str]:
    names = registry.names(kind)
    if not names:
        return [f"[{key}]", 'plugin = "..."']
    try:
        presets = list(registry.table(registry.find(kind, names[0])).presets)
    except PluginError:  # whoever uses it is told
        presets = []
    chosen = [_choice("plugin", names), *([_choice("preset", presets)] if presets else [])]
    return [f"[{key}]", *chosen]


def _choice(key: str, names: Iterable[str]) -> str:
    first, *others = map(show, names)
    return f"{key} = {first}" + (f"  # or {either(others)}" if others else "")
