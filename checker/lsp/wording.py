"""What a key takes, in words: `whole number from 1 to 100,000, or "auto"`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from tttdit.core.spec.table import Table
from tttdit.core.spec.wording import show

_KINDS = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "object": "table",
}


def takes(table: type[Table], key: str) -> str:
    """The kind of the key's values with its bounds, or the choices there are."""
    schema = _schema(table)
    options = list(dict.fromkeys(_options(schema["properties"][key], schema.get("$defs", {}), "")))
    if any(option.startswith("number") for option in options):  # which a whole number is
        options = [option for option in options if not option.startswith("whole number")]
    *others, last = options
    return f"{', '.join(others)} or {last}" if others else last


def choices(table: type[Table], key: str) -> list[Any]:
    """The values that a key chooses from, where it does; all others it may have are not among them."""
    schema = _schema(table)
    return list(_choices(schema["properties"][key], schema.get("$defs", {})))


@cache
def _schema(table: type[Table]) -> dict[str, Any]:
    return table.model_json_schema()


def _options(schema: Mapping[str, Any], definitions: Mapping[str, Any], bounds: str) -> Iterator[str]:
    bounds = _bounds(schema) or bounds
    if "$ref" in schema:
        yield from _options(definitions[schema["$ref"].rpartition("/")[2]], definitions, bounds)
    elif "anyOf" in schema:
        for option in schema["anyOf"]:
            yield from _options(option, definitions, bounds)
    elif "enum" in schema or "const" in schema:
        yield from (show(choice) for choice in schema.get("enum", [schema.get("const")]))
    elif schema.get("type") == "array":
        items = [
            option for item in schema.get("prefixItems", []) for option in _options(item, definitions, "")
        ] or _options(schema.get("items", {}), definitions, "")
        yield f"array of {', '.join(items)}"
    elif schema.get("type") != "null":
        yield f"{_KINDS.get(schema.get('type', ''), 'value')}{bounds}"


def _bounds(schema: Mapping[str, Any]) -> str:
    """`from 1 to 100,000`; a union has its bounds by the names that pydantic gives them."""
    least, more = schema.get("minimum", schema.get("ge")), schema.get("exclusiveMinimum", schema.get("gt"))
    most, less = schema.get("maximum", schema.get("le")), schema.get("exclusiveMaximum", schema.get("lt"))
    if least is not None and most is not None:
        return f" from {_number(least)} to {_number(most)}"
    words = (("at least", least), ("more than", more), ("at most", most), ("less than", less))
    told = [f"{word} {_number(limit)}" for word, limit in words if limit is not None]
    return f" {' and '.join(told)}" if told else ""


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _choices(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[Any]:
    if "$ref" in schema:
        yield from _choices(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    for option in schema.get("anyOf", ()):
        yield from _choices(option, definitions)
    yield from schema.get("enum", ())
    if "const" in schema:
        yield schema["const"]
    if schema.get("type") == "boolean":
        yield from (True, False)
