"""Runs rules over a stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tttdit.checker.rules.unusable_plugin import UnusablePlugin
from tttdit.core.errors import Unresolved
from tttdit.core.findings import Finding
from tttdit.core.laws import Law
from tttdit.core.plugin.references import one_line
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage


def laws_of(rules: Iterable[Rule], stage: Stage) -> list[Law]:
    """The laws behind all rules. A rule that fails at it has none here; `judge` says so."""
    laws: list[Law] = []
    for rule in rules:
        try:
            laws += rule.laws(stage)
        except Exception:
            continue
    return laws


def judge(rules: Iterable[Rule], stage: Stage, before: Stage | None = None) -> Iterator[Finding]:
    """What the rules find: those that spoil values first, otherwise in the order of their codes. `before` is the stage that comes first.

    A rule that reads a dimension without a value is silent: what made the hole is found by another. A rule with an error takes the values
    that it spoils from those after it.
    """
    for rule in sorted(rules, key=lambda rule: (not rule.spoils, rule.code)):
        wrong = False
        try:
            list(rule.laws(stage))
            for finding in rule.check(stage):
                wrong = wrong or finding.severity == "error"
                yield finding
            if before is not None:
                yield from rule.follow(before, stage)
        except Unresolved:
            pass
        except Exception as error:
            yield UnusablePlugin().finding(
                f"the rule {rule.code} ({type(rule).__module__}) fails: {one_line(error)}",
                key="",
                help="this is a mistake in the rule, not in the spec: please tell its authors",
            )
        if wrong:
            stage.dims.spoil(*(symbol for symbol in rule.spoils if symbol in stage.dims))
