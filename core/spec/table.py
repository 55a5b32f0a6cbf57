"""What every table of a spec has in common, and the base of the tables that plugins bring."""

from __future__ import annotations

import typing
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError


class Table(BaseModel):
    """A table of a spec: no value is coerced, no key ignored, no number infinite, and nothing changes afterwards.

    An int may stand where a float is meant (`lr = 1`), and a TOML array where a field is a tuple.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _arrays_are_tuples(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        arrays = {key for key, value in values.items() if isinstance(value, list)}
        return {**values, **{key: _as_tuple(values[key]) for key in arrays & cls._tuple_keys()}} if arrays else values

    @classmethod
    def _tuple_keys(cls) -> set[str]:
        return {key for key, field in cls.model_fields.items() if takes_tuple(field.annotation)}


class PluginTable(Table):
    """A plugin's own part of the spec. A subclass adds fields, and presets where it has some.

        class LinearAttentionTable(PluginTable):
            presets = {"small": {"chunk": 16}}

            chunk: Dimension = Field(description="Tokens that see each other directly.")

    `preset = "small"` in the spec gives every key of the preset that the spec does not state itself.
    """

    presets: ClassVar[dict[str, dict[str, object]]] = {}

    plugin: str = Field(description="Which plugin this table is for.", min_length=1, max_length=200)
    preset: str | None = Field(
        default=None, description="A named set of values for the keys that the table leaves out."
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, values: Any) -> Any:
        name = values.get("preset") if isinstance(values, dict) else None
        return {**cls.presets[name], **values} if isinstance(name, str) and name in cls.presets else values

    @field_validator("preset")
    @classmethod
    def _preset_exists(cls, name: str | None) -> str | None:
        if name is None or name in cls.presets:
            return name
        raise PydanticCustomError(
            "unknown_preset",
            "there is no such preset; there are: {names}",
            {"names": ", ".join(cls.presets), "presets": list(cls.presets)},
        )


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list) else value


def takes_tuple(annotation: Any) -> bool:
    """Whether a field with this annotation can be a tuple."""
    if annotation is tuple or typing.get_origin(annotation) is tuple:
        return True
    return any(takes_tuple(argument) for argument in typing.get_args(annotation))
