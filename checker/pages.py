"""The page about a rule: what its docstring says, paragraph by paragraph, and who brings it.

known = Pages.of(registry)
known.named("TTD201")[0].why         # by code, or by name
page(rule).what                      # of one rule
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import Any

from attrs import frozen

from tttdit.checker.resolving import our_rules
from tttdit.checker.selecting import nearest_code
from tttdit.core.errors import PluginError, UsageError
from tttdit.core.findings import Severity
from tttdit.core.plugin.kinds import Announcement
from tttdit.core.plugin.owner import Owner
from tttdit.core.plugin.registry import Registry
from tttdit.core.rules import DataPage, Rule
from tttdit.core.spec.wording import nearest

OURS = "tttdit"

_PARAGRAPHS = ("What", "Why", "Example", "Instead", "Fix")
_LABEL = re.compile(rf"({'|'.join(_PARAGRAPHS)}): ")
_SAFETY = re.compile(r"safe|unsafe|shown|none")
_SENTENCE = re.compile(r".*?[.!?](?=\s|$)")


@frozen
class RulePage:
    """What there is to read about a rule. Texts are "" where its docstring has no such paragraph; they may have Markdown's backquotes."""

    code: str
    name: str
    severity: Severity  # of most of its findings; some may be milder
    what: str = ""
    why: str = ""
    example: str = ""
    instead: str = ""
    fix: str = ""
    owner: str = OURS  # the distribution that brings it, or the path of a local file
    plugins: tuple[str, ...] = ()  # those with which it comes; () where it holds for every spec
    is_of_data: bool = False  # found by looking into files, with `--data`, alone

    @property
    def fix_safety(self) -> str | None:
        """How safe its fix is: the word "safe", "unsafe", "shown" or "none" that the paragraph begins with, which may name exceptions.

        None where the page does not say.
        """
        found = _SAFETY.match(self.fix)
        return found[0] if found is not None else None

    @property
    def paragraphs(self) -> tuple[tuple[str, str], ...]:
        """Labels and texts of those that there are: ("What", ...), ("Why", ...)."""
        texts = ((label, getattr(self, label.lower())) for label in _PARAGRAPHS)
        return tuple((label, text) for label, text in texts if text)

    def __str__(self) -> str:
        """The paragraphs with their labels, as the docstring has them."""
        return "\n\n".join(f"{label}: {text}" for label, text in self.paragraphs)

    @property
    def summary(self) -> str:
        """The first sentence of what it is about, or its name."""
        found = _SENTENCE.match(self.what)
        return found[0] if found is not None else self.what or self.name

    def as_dict(self) -> dict[str, Any]:
        """The page as JSON."""
        return {
            "code": self.code,
            "name": self.name,
            "severity": self.severity,
            "what": self.what,
            "why": self.why,
            "example": self.example,
            "instead": self.instead,
            "fix": self.fix,
            "fix_safety": self.fix_safety,
            "owner": self.owner,
            "plugins": list(self.plugins),
        }


def page(rule: Rule, owner: str = OURS, plugins: Iterable[str] = ()) -> RulePage:
    """The page about a rule. A third party's docstring may lack paragraphs, or be none; ours may not."""
    paragraphs = _paragraphs(type(rule).__doc__ or "")
    missing = [name for name in _PARAGRAPHS if name not in paragraphs]
    is_ours = type(rule).__module__.startswith(f"{OURS}.")
    assert not (is_ours and missing), f"the docstring of {type(rule).__name__} says no {missing}"
    texts = {name.lower(): paragraphs.get(name, "") for name in _PARAGRAPHS}
    is_of_data = isinstance(rule, DataPage)
    return RulePage(
        rule.code, rule.name, rule.severity, **texts, owner=owner, plugins=tuple(plugins), is_of_data=is_of_data
    )


@frozen
class Pages:
    """The pages about all rules that there are, in the order of their codes, and why some could not be had."""

    all: tuple[RulePage, ...]
    problems: tuple[str, ...] = ()

    @classmethod
    def of(cls, registry: Registry) -> Pages:
        """Those of our own rules, and of the rules of every plugin, whether or not a spec uses it."""
        brought: dict[Rule, list[tuple[Announcement, Owner]]] = {}
        problems = []
        for offer in registry.offers():
            try:
                for rule in registry.rules(offer.announcement):
                    brought.setdefault(rule, []).append((offer.announcement, offer.owner))
            except PluginError as error:
                problems.append(str(error))
        found = [page(rule) for rule in our_rules()]
        found += [
            page(rule, by[0][1].name, [announcement.name for announcement, _ in by]) for rule, by in brought.items()
        ]
        return cls(tuple(sorted(found, key=lambda one: (one.code, one.name))), tuple(dict.fromkeys(problems)))

    @property
    def codes(self) -> tuple[str, ...]:
        """All codes, each once."""
        return tuple(dict.fromkeys(one.code for one in self.all))

    @property
    def codes_of_data(self) -> frozenset[str]:
        """Those that only looking into files finds."""
        return frozenset(one.code for one in self.all if one.is_of_data)

    def named(self, text: str) -> tuple[RulePage, ...]:
        """The page of this code or name, in whatever case; several where plugins clash. Raises UsageError with the nearest one."""
        wanted = text.casefold()
        found = tuple(one for one in self.all if wanted in (one.code.casefold(), one.name.casefold()))
        if found:
            return found
        near = nearest_code(text.upper(), self.codes) or nearest(text, [one.name for one in self.all])
        meant = f"; did you mean {near}?" if near else ""
        raise UsageError(f'there is no rule "{text}"{meant} (tttdit rule --all lists them)')


def _paragraphs(docstring: str) -> dict[str, str]:
    """The texts by their labels; a paragraph without one goes on with the one before. What comes before the first is left out."""
    found: dict[str, str] = {}
    label = ""
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(docstring)):
        text = " ".join(paragraph.split())
        match = _LABEL.match(text)
        if match is not None:
            label, text = match[1], text[match.end() :]
        if label:
            found[label] = f"{found[label]}\n\n{text}" if label in found else text
    return found
