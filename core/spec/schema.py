"""The JSON Schema of specs, for editors: every key with its meaning, for the plugins that are installed.

A curriculum's tables may be complete only stage by stage, so keys are required where there is no `[[stage]]`, and offered where there is.
Keys that exclude each other, laws and shapes are the checker's matter.

What only says which keys are required says too that other keys are welcome, as JSON Schema means it anyway: tombi, which takes every schema
with keys for a complete one, would warn of each key that it does not name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import quote

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from tttdit.core.spec.table import PluginTable, Table
from tttdit.core.spec.tables import BASE_TABLES

Json: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NEEDED = ("video", "text", "model")

_OPEN: Json = {"additionalProperties": True}
_NAME = "What reports and folders call it."
_INNER = {"model": ("mixer",)}  # tables in tables that have a plugin of their own


def schema(
    tables: Mapping[str, Mapping[str, type[PluginTable]]], default_plugins: Mapping[str, str] | None = None
) -> Json:
    """The schema of a whole spec.

    `tables` has, for each table that names a plugin (`tttdit.core.spec.stages.SLOTS`), the installed plugins' names and their tables;
    `default_plugins` the plugin that a table has which names none.
    """
    defaults = default_plugins or {}
    classes: list[type[Table]] = [*BASE_TABLES.values(), *(one for slot in tables.values() for one in slot.values())]
    distinct = list(dict.fromkeys(classes))
    references, shared = models_json_schema([(cls, "validation") for cls in distinct], schema_generator=_Plain)
    names = {cls: str(references[cls, "validation"]["$ref"]).rpartition("/")[2] for cls in distinct}
    definitions = shared["$defs"]
    writer = _Writer({cls: definitions[name] for cls, name in names.items()})

    properties: Json = {"name": {"type": "string", "description": f"The spec's name. {_NAME}", "minLength": 1}}
    needs: dict[str, Json] = {}
    partly: Json = {"name": {"type": "string", "description": f"The stage's name. {_NAME}", "minLength": 1}}
    for key, table in BASE_TABLES.items():
        properties[key] = partly[key] = writer.partial(key, table)
        needs[key] = writer.needs(table)
    for slot, plugins in tables.items():
        if "." not in slot:
            inner = {name: tables.get(f"{slot}.{name}", {}) for name in _INNER.get(slot, ())}
            properties[slot] = partly[slot] = writer.choice(slot, plugins, inner, defaults, complete=False)
            needs[slot] = writer.choice(slot, plugins, inner, defaults, complete=True)
    properties["stage"] = {
        "description": "The stages of a curriculum, one after the other; each inherits every table and overrides it key by key.",
        "type": "array",
        "items": {"type": "object", "properties": partly, "required": ["name"], "additionalProperties": False},
    }
    nested = {name: definition for name, definition in definitions.items() if name not in names.values()}
    return {
        "$schema": DIALECT,
        "title": "tttdit spec",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "if": {"required": ["stage"], **_OPEN},
        "else": {"required": list(NEEDED), "properties": {key: need for key, need in needs.items() if need}, **_OPEN},
        "$defs": {**nested, **writer.definitions},
    }


class _Plain(GenerateJsonSchema):
    """Without titles, which repeat the keys, and without null, which TOML does not have."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def nullable_schema(self, schema: Any) -> Json:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: Any) -> Json:
        return (
            self.generate_inner(schema["schema"]) if schema.get("default") is None else super().default_schema(schema)
        )


class _Writer:
    """Tables as schemas: with all keys on offer, and what it takes to be complete."""

    def __init__(self, schemas: Mapping[type[Table], Json]) -> None:
        self.schemas = schemas
        self.definitions: Json = {}

    def partial(self, key: str, table: type[Table]) -> Json:
        """A table of whose keys none is required."""
        return self._define(key, {name: part for name, part in self.schemas[table].items() if name != "required"})

    def needs(self, table: type[Table]) -> Json:
        """The keys that a table must have; those of a preset, or the preset's name."""
        required = self.schemas[table].get("required", [])
        presets: Mapping[str, Mapping[str, object]] = getattr(table, "presets", {})
        covered = [key for key in required if presets and all(key in preset for preset in presets.values())]
        always = [key for key in required if key not in covered and key != "plugin"]
        result: Json = {"required": always, **_OPEN} if always else {}
        if covered:
            result |= {"anyOf": [{"required": ["preset"], **_OPEN}, {"required": covered, **_OPEN}], **_OPEN}
        return result

    def choice(
        self,
        slot: str,
        plugins: Mapping[str, type[PluginTable]],
        inner: Mapping[str, Mapping[str, type[PluginTable]]],
        defaults: Mapping[str, str],
        *,
        complete: bool,
    ) -> Json:
        """A table that is one of several plugins'. What is not `complete` may leave out its plugin, which is inherited then."""
        options = [
            self._complete(slot, name, table, inner, defaults)
            if complete
            else self._offered(slot, name, table, inner, defaults)
            for name, table in plugins.items()
        ]
        if not options:
            return {"type": "object"}
        if len(options) == 1:
            return options[0]
        if not complete:
            return {"anyOf": options}
        return {"oneOf": options, "discriminator": {"propertyName": "plugin"}, **_OPEN}

    def _offered(self, slot: str, name: str, table: type[PluginTable], inner: Any, defaults: Mapping[str, str]) -> Json:
        whole = self.schemas[table]
        properties = {**whole["properties"], "plugin": {**whole["properties"]["plugin"], "const": name}}
        if table.presets:
            properties["preset"] = {**_without(properties["preset"], "anyOf"), "enum": list(table.presets)}
        else:
            del properties["preset"]
        for key, plugins in inner.items():
            properties[key] = self.choice(f"{slot}.{key}", plugins, {}, defaults, complete=False)
        return self._define(f"{slot}.{name}", {**_without(whole, "required"), "properties": properties})

    def _complete(
        self, slot: str, name: str, table: type[PluginTable], inner: Any, defaults: Mapping[str, str]
    ) -> Json:
        needs = self.needs(table)
        named = [] if defaults.get(slot) == name else ["plugin"]
        properties: Json = {"plugin": {"const": name}}
        for key, plugins in inner.items():
            properties[key] = self.choice(f"{slot}.{key}", plugins, {}, defaults, complete=True)
        required = [*named, *needs.pop("required", []), *inner]
        return {"properties": properties, **({"required": required} if required else {}), **needs, **_OPEN}

    def _define(self, name: str, definition: Json) -> Json:
        self.definitions[name] = _without(definition, "title")  # it is the name of a class
        return {"$ref": f"#/$defs/{quote(name.replace('~', '~0').replace('/', '~1'))}"}


def _without(definition: Json, *keys: str) -> Json:
    return {key: value for key, value in definition.items() if key not in keys}
