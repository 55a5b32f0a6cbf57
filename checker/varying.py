"""A stage with other values for some of its keys, as far as the rules allow it."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from attrs import evolve

from tttdit.checker.judging import judge
from tttdit.checker.resolving import resolve
from tttdit.checker.sound_stages import ABOUT_MEMORY
from tttdit.core.errors import TttditError
from tttdit.core.plugin.registry import Registry
from tttdit.core.spec.stages import StageSpec
from tttdit.core.stage import Stage


class Refused(TttditError):
    """Values that the rules, or the tables, do not allow; the message is the first of their errors."""


def varied(spec: StageSpec, registry: Registry, values: Mapping[str, object]) -> Stage:
    """The stage with these values, by their keys. Raises Refused where it has errors then; those about memory do not count."""
    resolved = resolve(_with_values(spec, values), registry)
    findings = [*resolved.findings, *(judge(resolved.rules, resolved.stage) if resolved.stage is not None else ())]
    errors = [one for one in findings if one.severity == "error" and not one.code.startswith(ABOUT_MEMORY)]
    if errors:
        raise Refused(f"{errors[0].code} {errors[0].name}: {errors[0].message}")
    assert resolved.stage is not None, "a stage without errors is there"
    return resolved.stage


def _with_values(spec: StageSpec, values: Mapping[str, object]) -> StageSpec:
    changed = copy.deepcopy(spec.values)
    for key, value in values.items():
        *tables, name = key.split(".")
        table = changed
        for each in tables:
            table = table.setdefault(each, {})
        table[name] = value
    return evolve(spec, values=changed)
