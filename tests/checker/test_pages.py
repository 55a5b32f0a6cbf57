"""Pages: what a rule's docstring says, paragraph by paragraph, and who brings the rule."""

from __future__ import annotations

import pytest

from tttdit.checker.pages import Pages, page
from tttdit.checker.resolving import our_rules
from tttdit.checker.rules.batch_mesh import BatchMesh
from tttdit.core.errors import UsageError
from tttdit.core.plugin.registry import Registry
from tttdit.core.rules import Page


@pytest.fixture(scope="module")
def pages() -> Pages:
    return Pages.of(Registry.of_environment())


class Whole(Page):
    """What: a text
    in two lines. And a second sentence.

    Why: it
        is indented.

    And a paragraph of its own.

    Example: `a = 1`.

    Instead: b.

    Fix: unsafe. Or safe.
    """

    code, name, severity = "LAX001", "whole", "warning"


class Bare(Page):
    code, name = "LAX002", "bare"


class Prose(Page):
    """Only a sentence."""

    code, name = "LAX003", "prose"


def test_paragraphs_are_flowed_anew() -> None:
    found = page(Whole(), "lax", ["lax-mixer"])
    assert found.what == "a text in two lines. And a second sentence."
    assert found.why == "it is indented.\n\nAnd a paragraph of its own."
    assert (found.example, found.instead, found.fix) == ("`a = 1`.", "b.", "unsafe. Or safe.")
    assert (found.fix_safety, found.severity, found.summary) == ("unsafe", "warning", "a text in two lines.")
    assert (found.owner, found.plugins) == ("lax", ("lax-mixer",))
    assert str(found).startswith("What: a text in two lines. And a second sentence.\n\nWhy: it is indented.\n\nAnd a ")


@pytest.mark.parametrize("rule", [Bare(), Prose()])
def test_a_third_partys_rule_may_have_no_page(rule: Page) -> None:
    found = page(rule)
    assert (found.what, found.fix, found.fix_safety, found.summary) == ("", "", None, rule.name)


def test_a_rule_of_ours_may_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BatchMesh, "__doc__", "What: too little.")
    with pytest.raises(
        AssertionError, match=r"the docstring of BatchMesh says no \['Why', 'Example', 'Instead', 'Fix'\]"
    ):
        page(BatchMesh())


def test_every_rule_of_the_environment_is_there_once(pages: Pages) -> None:
    assert pages.problems == ()
    assert {rule.code for rule in our_rules()} <= set(pages.codes)
    assert len(pages.all) == len({(one.code, one.owner) for one in pages.all})
    assert [one.code for one in pages.all] == sorted(one.code for one in pages.all)


def test_who_brings_a_rule(pages: Pages) -> None:
    brought = {one.code: (one.owner, one.plugins) for one in pages.all}
    assert brought["TTD201"] == ("tttdit", ("ttt-linear", "ttt-mlp"))
    assert brought["TTD602"] == ("tttdit", ())


@pytest.mark.parametrize("text", ["TTD201", "ttd201", "sequence-mini-batch", "Sequence-Mini-Batch"])
def test_by_code_and_by_name(pages: Pages, text: str) -> None:
    (found,) = pages.named(text)
    assert found.code == "TTD201"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sequence-minibatch", 'there is no rule "sequence-minibatch"; did you mean sequence-mini-batch?'),
        ("TTD20", 'there is no rule "TTD20"; did you mean TTD20'),
        ("", 'there is no rule "" ('),
    ],
)
def test_an_unknown_one_names_the_nearest(pages: Pages, text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        pages.named(text)
    assert str(refused.value).startswith(said)
