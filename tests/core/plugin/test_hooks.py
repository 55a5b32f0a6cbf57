"""The hooks: one a kind, documented by examples that run."""

import inspect
import subprocess
import sys
import textwrap
import typing

import pytest

import tttdit
from tttdit.core.plugin import hooks, hookspecs, kinds


def test_there_is_one_hook_a_kind() -> None:
    assert list(hookspecs.HOOKS.values()) == list(kinds.KINDS.values())


@pytest.mark.parametrize("hook", hookspecs.HOOKS)
def test_a_hooks_type_says_what_it_returns(hook: str) -> None:
    function = getattr(hookspecs, hook)
    assert inspect.signature(function).parameters == {}
    assert typing.get_type_hints(function)["return"] == list[hookspecs.HOOKS[hook]]  # type: ignore[misc]


@pytest.mark.parametrize("hook", hookspecs.HOOKS)
def test_a_hooks_example_runs(hook: str) -> None:
    page = getattr(hookspecs, hook).__doc__
    example = textwrap.dedent(page[page.index("    return [") :])
    names = dict.fromkeys(["dimensions", "arguments", "inputs", "make"], lambda *arguments: None)
    space = {**vars(kinds), **names}
    exec(f"def announce():\n{textwrap.indent(example, '    ')}", space)
    (announcement,) = space["announce"]()  # type: ignore[operator]
    assert type(announcement) is hookspecs.HOOKS[hook]
    assert announcement.summary


def test_the_marker_is_at_the_top_and_costs_little() -> None:
    assert tttdit.hookimpl is hooks.hookimpl
    code = "import sys; from tttdit import hookimpl; print(sorted({'torch', 'pydantic', 'sympy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
