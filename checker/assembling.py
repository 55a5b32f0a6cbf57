"""Finds the plugins that a stage names, and reads every table with the class that its plugin brings."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from tttdit.checker.rules.missing import Missing
from tttdit.checker.rules.unknown_plugin import UnknownPlugin
from tttdit.checker.rules.unusable_plugin import UnusablePlugin
from tttdit.core import errors
from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.plugin.kinds import Announcement
from tttdit.core.plugin.registry import Registry
from tttdit.core.spec.defaults import DEFAULT_PLUGINS
from tttdit.core.spec.layers import SLOTS
from tttdit.core.spec.stages import StageSpec
from tttdit.core.spec.tables import BASE_TABLES, Table
from tttdit.core.spec.validation import either_or, misspelt_tables, plugin_name, unknown_tables, validate
from tttdit.core.stage import Assembly

# The tables of a spec that belong to plugins, and the kinds of these; a spec may leave out those that are not needed.
KIND_OF = {
    "codec": "codec",
    "model": "model",
    "model.mixer": "mixer",
    "memory": "memory",
    "data": "data",
    "sampling": "sampler",
    "logging": "logger",
}
_MAY_BE_MISSING = frozenset({"data", "sampling", "logging"})

_TOP_LEVEL = tuple(dict.fromkeys([*BASE_TABLES, *(slot for slot in SLOTS if "." not in slot)]))


@frozen
class Assembled:
    """A stage's tables by their keys, and its plugins; what could not be had is missing, and a finding says why."""

    tables: dict[str, Any]
    plugins: dict[str, Announcement]
    findings: tuple[Finding, ...]
    complete: bool  # every table and plugin that a stage needs is there

    @property
    def assembly(self) -> Assembly | None:
        """The plugins together, where there are all that have to be."""
        if not self.complete:
            return None
        by_kind: dict[str, Any] = {KIND_OF.get(key, key): plugin for key, plugin in self.plugins.items()}
        return Assembly(**{kind.replace("-", "_"): plugin for kind, plugin in by_kind.items()})


def assemble(spec: StageSpec, registry: Registry) -> Assembled:
    """Plugins first, for their classes say what their tables may hold; then all tables."""
    if not any(name in spec.values for name in _TOP_LEVEL):
        from tttdit.checker.smallest_spec import nothing_of_a_spec

        nothing = nothing_of_a_spec(spec, _TOP_LEVEL, registry)
        if nothing is not None:
            return Assembled({}, {}, (nothing,), complete=False)
    findings = [*unknown_tables(spec.values, _TOP_LEVEL, spec), *either_or(spec.values, spec)]
    plugins = dict(_named(spec, registry, findings))
    tables: dict[str, Any] = {}
    for key, table in BASE_TABLES.items():
        tables[key] = _read(table, spec.values.get(key), key, spec, findings)
    _text_encoder(tables["text"], spec, registry, plugins, findings)
    for key, plugin in plugins.items():
        if key in KIND_OF:
            tables[key] = _plugin_table(plugin, plugins, key, spec, registry, findings)
    told = _told_once(findings, misspelt_tables(spec.values, _TOP_LEVEL))
    told = [finding for finding in told if finding.key is None or not spec.is_placeholder(finding.key)]
    return Assembled(tables, plugins, tuple(told), complete=not findings)


def _told_once(findings: list[Finding], misspelt: frozenset[str]) -> list[Finding]:
    """The findings without those that miss a table, or a key of it, that is there under a wrong name."""
    return [
        finding
        for finding in findings
        if finding.code != Missing.code or not any(f"{finding.key}.".startswith(f"{table}.") for table in misspelt)
    ]


def _named(spec: StageSpec, registry: Registry, findings: list[Finding]) -> list[tuple[str, Announcement]]:
    found = []
    for key, kind in KIND_OF.items():
        if key in _MAY_BE_MISSING and key not in spec.values:
            continue
        name, problems = plugin_name(spec.values, key, DEFAULT_PLUGINS.get(key), spec, registry.names(kind))
        findings += problems
        if name is not None:
            plugin = _find(kind, name, f"{key}.plugin", registry, findings)
            if plugin is not None:
                found.append((key, plugin))
    return found


def _find(kind: str, name: str, key: str, registry: Registry, findings: list[Finding]) -> Announcement | None:
    try:
        return registry.find(kind, name)
    except errors.UnknownPlugin as error:
        fix = None if error.nearest is None else Fix("shown", (Edit(key, error.nearest),))
        help = "" if error.nearest is None else f'write {key} = "{error.nearest}"'
        help += f"{'; ' if help else ''}tttdit plugins lists what is installed"
        findings.append(UnknownPlugin().finding(str(error), key=key, help=help, fix=fix))
    except errors.PluginError as error:
        findings.append(UnusablePlugin().finding(str(error), key=key))
    return None


def _text_encoder(
    text: Any, spec: StageSpec, registry: Registry, plugins: dict[str, Announcement], findings: list[Finding]
) -> None:
    """The encoder is a plugin that has no table of its own, but a name in `[text]`."""
    if text is not None and text.encoder is not None:
        plugin = _find("text-encoder", text.encoder, "text.encoder", registry, findings)
        if plugin is not None:
            plugins["text-encoder"] = plugin


def _plugin_table(
    plugin: Announcement,
    plugins: dict[str, Announcement],
    key: str,
    spec: StageSpec,
    registry: Registry,
    findings: list[Finding],
) -> Table | None:
    values: Any = spec.values
    for part in key.split("."):
        values = values.get(part, {})
    values = {"plugin": plugin.name, **values}
    if key == "model":  # its mixer is another plugin's
        values.pop("mixer", None)
    try:
        if key != "memory":
            return _read(registry.table(plugin), values, key, spec, findings)
        if "model" not in plugins or "model.mixer" not in plugins:
            return None  # what the table may hold depends on them
        table = registry.memory_table(plugin, plugins["model"], plugins["model.mixer"])  # type: ignore[arg-type]
        return _read(table, values, key, spec, findings)
    except errors.PluginError as error:
        findings.append(UnusablePlugin().finding(str(error), key=f"{key}.plugin"))
        return None


def _read(table: type[Table], values: Any, key: str, spec: StageSpec, findings: list[Finding]) -> Table | None:
    read, problems = validate(table, values, key, spec)
    findings += problems
    return read
