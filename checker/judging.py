"""Runs rules over a document, and over a stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tttdit.checker.document_rule import DocumentRule
from tttdit.checker.rules.unusable_plugin import UnusablePlugin
from tttdit.core.errors import Unpredicted, Unresolved
from tttdit.core.findings import Finding
from tttdit.core.laws import Law
from tttdit.core.plugin.references import one_line
from tttdit.core.rules import Rule
from tttdit.core.spec.document import Document
from tttdit.core.spec.stages import Curriculum
from tttdit.core.stage import BuiltStage, Stage
from tttdit.core.weighing import Weighed


def laws_of(rules: Iterable[Rule], stage: Stage) -> list[Law]:
    """The laws behind all rules. A rule that fails at it has none here; `judge` says so."""
    laws: list[Law] = []
    for rule in rules:
        try:
            laws += rule.laws(stage)
        except Exception:
            continue
    return laws


def judge_document(rules: Iterable[Rule], document: Document, curriculum: Curriculum) -> Iterator[Finding]:
    """What the rules about documents find in one, and in what its stages inherit."""
    for rule in rules:
        if isinstance(rule, DocumentRule):
            yield from rule.read(document, curriculum)


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
            yield _failed(rule, error)
        if wrong:
            stage.dims.spoil(*(symbol for symbol in rule.spoils if symbol in stage.dims))


def inspect(rules: Iterable[Rule], built: BuiltStage, before: BuiltStage | None) -> Iterator[Finding]:
    """What the rules find in the parameters of a stage's model, in the order of their codes; `before` is the stage that comes first."""
    for rule in sorted(rules, key=lambda rule: rule.code):
        try:
            yield from rule.inspect(built, before)
        except Unresolved:
            pass
        except Exception as error:
            yield _failed(rule, error)


def weigh(rules: Iterable[Rule], weighed: Weighed) -> Iterator[Finding]:
    """What the rules find in the memory that a stage's training step needs, in the order of their codes."""
    for rule in sorted(rules, key=lambda rule: rule.code):
        try:
            yield from rule.weigh(weighed)
        except (Unpredicted, Unresolved):
            pass
        except Exception as error:
            yield _failed(rule, error)


def _failed(rule: Rule, error: Exception) -> Finding:
    return UnusablePlugin().finding(
        f"the rule {rule.code} ({type(rule).__module__}) fails: {one_line(error)}",
        key="",
        help="this is a mistake in the rule, not in the spec: please tell its authors",
    )
