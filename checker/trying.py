"""Values of a key that no law has for an unknown: some around the present one, each put into the spec and judged."""

from __future__ import annotations

from fractions import Fraction

from attrs import frozen

from tttdit.checker.freeing import Key, with_value
from tttdit.checker.judging import judge
from tttdit.checker.resolving import resolve
from tttdit.core.plugin.registry import Registry
from tttdit.core.spec.stages import StageSpec
from tttdit.core.symbolic.formula import Number

# So many values on either side are tried.
_AROUND = 16


@frozen
class Tried:
    """What was tried, and what of it is right. All are right where nothing reads the key."""

    values: tuple[Number, ...]
    right: tuple[Number, ...]


def tried(spec: StageSpec, registry: Registry, key: Key, about: Number) -> Tried:
    """Those next to a value, its half and its double. Errors that the spec has with each of them are not this key's."""
    step = 1 if key.domain.whole else Fraction(about) / 8
    around = [about + step * count for count in range(-_AROUND, _AROUND + 1)]
    values = sorted({value for value in (*around, about * 2, about // 2, key.domain.lowest) if key.takes(value)})
    errors = {value: _errors(spec, registry, key, value) for value in values}
    always = frozenset.intersection(*errors.values()) if errors else frozenset()
    return Tried(tuple(values), tuple(value for value in values if errors[value] == always))


def _errors(spec: StageSpec, registry: Registry, key: Key, value: Number) -> frozenset[tuple[str, str | None]]:
    changed = with_value(spec, key, value)
    assert changed is not None, "the table is one: the stage has been resolved with a value for the key"
    resolved = resolve(changed, registry)
    findings = [*resolved.findings, *(judge(resolved.rules, resolved.stage) if resolved.stage is not None else ())]
    return frozenset((finding.code, finding.key) for finding in findings if finding.severity == "error")
