"""The words that findings about values have: how a value is shown, what was expected, what to write instead."""

from __future__ import annotations

import difflib
import json
import re
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import tomli
from pydantic_core import ErrorDetails

from tttdit.core.spec.shortening import LONGEST_SHOWN, short
from tttdit.core.spec.table import PluginTable, Table, takes_tuple
from tttdit.core.spec.tables import BASE_TABLES

_KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "tuple_type": "an array",
    "list_type": "an array",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "none_required": "nothing",
}
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
    "greater_than": ("more than", "gt"),
    "less_than": ("less than", "lt"),
    "multiple_of": ("a multiple of", "multiple_of"),
}
_EXAMPLES = {int: "16", float: "0.1", str: '"..."', bool: "true"}


def show(value: Any) -> str:
    """The value as a spec would write it, cut where it is long."""
    if isinstance(value, Mapping):
        return "a table"
    return short(_toml(value))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant; capitals, - and _ do not count."""
    plain = {_plain(other): other for other in known}
    found = difflib.get_close_matches(_plain(name), plain, 3, 0.6) if len(name) <= LONGEST_SHOWN else []
    if not found:
        return None

    def likeness(other: str) -> float:
        return difflib.SequenceMatcher(None, other, _plain(name)).ratio()

    return plain[max((other for other in plain if other in found), key=likeness)]  # of equals the first one


def either(words: Sequence[str]) -> str:
    """`a, b or c`."""
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def keys_of(table: type[Table]) -> list[str]:
    """The keys that a table may have."""
    hidden = {"preset"} if issubclass(table, PluginTable) and not table.presets else set()
    return [name for name in table.model_fields if name not in hidden]


def tables_with(key: str) -> list[str]:
    """The plugin-free tables that have this key."""
    return [name for name, table in BASE_TABLES.items() if key in table.model_fields]


def table_at(table: type[Table], place: Sequence[str | int]) -> type[Table] | None:
    """The table that lies in another at this place; None where that cannot be told."""
    for part in place:
        field = table.model_fields.get(str(part))
        inner = [kind for kind in _kinds(field.annotation) if issubclass(kind, Table)] if field is not None else []
        if len(inner) != 1:
            return None
        table = inner[0]
    return table


def example(table: type[Table], key: str) -> str:
    """A line that gives the key a value of the right kind."""
    field = table.model_fields[key]
    if field.examples:
        return f"{key} = {_toml(field.examples[0])}"
    if not field.is_required() and field.default is not None:
        return f"{key} = {_toml(field.default)}"
    choices = [choice for literal in _literals(field.annotation) for choice in typing.get_args(literal)]
    if choices:
        return f"{key} = {_toml(choices[0])}"
    item = next((_EXAMPLES[kind] for kind in _kinds(field.annotation) if kind in _EXAMPLES), "...")
    return f"{key} = [{item}]" if takes_tuple(field.annotation) else f"{key} = {item}"


def example_line(table: str, key: str) -> str:
    """The same for a table that belongs to no plugin, by its name."""
    return example(BASE_TABLES[table], key)


def invalid(value: Any, errors: Sequence[ErrorDetails]) -> tuple[str, str, object | None]:
    """What pydantic's errors about one value say: what was expected, help, and a value that is right where there is one to tell."""
    bounds = [_bound(error) for error in errors if error["type"] in _BOUNDS]
    if bounds:
        return f"expected {bounds[0]}", "", None
    length = [error for error in errors if error["type"] in ("too_long", "too_short", "missing")]
    if length:
        return f"expected {_length(value, length[0])}", "", None
    text = [error for error in errors if error["type"] in ("string_too_short", "string_too_long")]
    if text:
        limit = text[0]["ctx"].get("min_length", text[0]["ctx"].get("max_length"))
        few = text[0]["type"] == "string_too_short"
        return (
            (
                "expected text that is not empty"
                if few and limit == 1
                else f"expected at {'least' if few else 'most'} {limit:,} characters"
            ),
            "",
            None,
        )
    kinds, choices = [], []
    for error in errors:
        if error["type"] == "literal_error":
            choices += re.findall(r"'((?:[^'\\]|\\.)*)'|([^', ]+)(?=,| or |\Z)", error["ctx"]["expected"])
        elif error["type"] == "unknown_preset":
            choices += [(name, "") for name in error["ctx"]["presets"]]
        elif error["type"] in _KINDS:
            kinds.append(_KINDS[error["type"]])
        else:
            return _other(error), "", None
    if "a whole number" in kinds and ("a number" in kinds or "a finite number" in kinds):
        kinds.remove("a whole number")
    words = [_toml(quoted) if quoted else plain for quoted, plain in choices if quoted or plain != "or"]
    names = [quoted for quoted, _ in choices if quoted]
    help, better = _instead(value, kinds, names)
    return f"expected {either([*dict.fromkeys(kinds), *dict.fromkeys(words)])}", help, better


def _instead(value: Any, kinds: Sequence[str], choices: Sequence[str]) -> tuple[str, object | None]:
    if isinstance(value, float) and value.is_integer() and "a whole number" in kinds and abs(value) < 2**53:
        return f"Write {int(value)}.", int(value)
    if isinstance(value, str):
        near = nearest(value, choices)
        if near is not None:
            return f"Did you mean {_toml(near)}?", near
        meant = _unquoted(value)
        fits = {int: ("a whole number", "a number"), float: ("a number",), bool: ("true or false",)}.get(
            type(meant), ()
        )
        if any(kind in kinds for kind in fits):
            return f"Write {_toml(meant)}, without quotes.", meant
    if isinstance(value, int | float) and not isinstance(value, bool) and kinds == ["text"]:
        return f"Write {_toml(str(value))}, in quotes.", str(value)
    return "", None


def _unquoted(text: str) -> Any:
    try:
        return tomli.loads(f"x = {text.lower() if text.lower() in ('true', 'false') else text}").get("x")
    except (ValueError, RecursionError):
        return None


def _bound(error: ErrorDetails) -> str:
    words, name = _BOUNDS[error["type"]]
    limit = error["ctx"][name]
    return f"{words} {limit:,}" if isinstance(limit, int) else f"{words} {limit:g}"


def _length(value: Any, error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    count = context.get("max_length", context.get("min_length"))
    if count is None:  # pydantic names the first place of a tuple that is not filled
        count = 1 + max(int(part) for part in error["loc"] if isinstance(part, int))
    bound = "" if error["type"] == "missing" else "at most " if error["type"] == "too_long" else "at least "
    return f"{bound}{count} items, not {len(value)}" if isinstance(value, list) else f"{bound}{count}"


def _other(error: ErrorDetails) -> str:
    """A plugin's own validator: its words are the message."""
    message = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return message[:1].lower() + message[1:] if message[1:2].islower() else message


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value if len(value) <= 2 * LONGEST_SHOWN else value[: 2 * LONGEST_SHOWN], ensure_ascii=False)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(item) for item in value[:LONGEST_SHOWN])}]"
    if isinstance(value, Mapping):
        return "{ ... }" if value else "{}"
    return value.isoformat() if hasattr(value, "isoformat") else repr(value)


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def _kinds(annotation: Any) -> list[type]:
    """The classes in an annotation: of a union its members, of an annotated type what it is."""
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return [annotation]
    return [kind for argument in typing.get_args(annotation) for kind in _kinds(argument)]


def _literals(annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) is typing.Literal:
        return [annotation]
    return [literal for argument in typing.get_args(annotation) for literal in _literals(argument)]
