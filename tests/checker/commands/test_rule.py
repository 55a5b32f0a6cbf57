"""`tttdit rule`: one page, all of them, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tttdit.checker import cli
from tttdit.checker.pages import Pages
from tttdit.core.plugin.registry import Registry

Call = Callable[..., tuple[int, str, str]]

PLUGIN = '''\
from tttdit import hookimpl
from tttdit.core.plugin.kinds import Rules
from tttdit.core.rules import Page


class Lonely(Page):
    """No page, and \\x1b[31m colours."""

    code, name = "LAX001", "lonely"


@hookimpl
def tttdit_rules():
    return [Rules(name="lax-rules", summary="Rules.", rules="lax_rules")]
'''


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Exit code, standard output and standard error of `tttdit rule` on a terminal of 60 columns."""
    monkeypatch.setenv("COLUMNS", "60")

    def called(*arguments: str) -> tuple[int, str, str]:
        code = cli.outcome(cli.tttdit_command, "tttdit", ["rule", *arguments])
        return code, *capsys.readouterr()

    return called


def test_a_page(call: Call) -> None:
    assert call("TTD602") == (
        0,
        """\
error[TTD602] batch-mesh, from tttdit

What: the global batch cannot be shared out over the
data-parallel ranks and the accumulation steps.

Why: every rank computes the same number of samples in each
of the `grad_accum_steps` passes. A share that is not whole,
or smaller than one sample, makes empty micro-batches, whose
mean loss is NaN.

Example: `global_batch_size = 64` on 8 x 8 data-parallel
ranks with `grad_accum_steps = 2`: half a sample a pass.

Instead: a multiple of `dp_replicate * dp_sharding *
grad_accum_steps`. Ranks of one tensor-parallel group
compute the same sample together and do not count.

Fix: unsafe. Another batch is another run.

Silence: # tttdit: ignore[TTD602] at the end of the line, or
--ignore TTD602.
""",
        "",
    )


def test_several_pages_by_code_and_name(call: Call) -> None:
    code, out, err = call("ttd201", "batch-mesh")
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if "[TTD" in line and "from" in line] == [
        "error[TTD201] sequence-mini-batch, from tttdit (ttt-linear, ttt-mlp)",
        "error[TTD602] batch-mesh, from tttdit",
    ]


def test_an_unknown_code_lists_the_nearest_and_is_2(call: Call) -> None:
    assert call("TTD609") == (
        2,
        "",
        'tttdit: there is no rule "TTD609"; did you mean TTD607? (tttdit rule --all lists them)\n',
    )


@pytest.mark.parametrize("arguments", [(), ("TTD201", "--all")])
def test_neither_a_code_nor_all_or_both_is_2(call: Call, arguments: tuple[str, ...]) -> None:
    assert call(*arguments) == (2, "", "tttdit: name codes, such as TTD201, or ask for --all\n")


def test_all_by_family(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = call("--all")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    families = [line for line in lines if not line.startswith(" ")]
    assert families[:2] == ["TTD0xx: TOML, keys, types, plugins, comments", "TTD1xx: frames, VAE, latent grid, patches"]
    listed = [line.split()[:3] for line in lines if line.startswith("  TTD")]
    assert listed == [[one.code, one.severity, one.name] for one in Pages.of(Registry.of_environment()).all]
    assert all(len(line) <= 80 for line in lines)


def test_for_programs(call: Call) -> None:
    code, out, _ = call("TTD201", "--output-format", "json")
    content = json.loads(out)
    assert (code, content["version"]) == (0, 1)
    (found,) = content["rules"]
    assert set(found) == {
        "code",
        "name",
        "severity",
        "what",
        "why",
        "example",
        "instead",
        "fix",
        "fix_safety",
        "owner",
        "plugins",
    }
    assert (found["fix_safety"], found["plugins"]) == ("safe", ["ttt-linear", "ttt-mlp"])
    _, out, _ = call("--all", "--output-format", "json")
    assert [one["code"] for one in json.loads(out)["rules"]] == [
        one.code for one in Pages.of(Registry.of_environment()).all
    ]


def test_a_local_plugins_rules_list_with_what_there_is(call: Call, tmp_path: Path) -> None:
    plugin = tmp_path / "lax_rules.py"
    plugin.write_text(PLUGIN, encoding="utf-8")
    code, out, err = call("LAX001", "--allow-plugin", str(plugin))
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"error[LAX001] lonely, from {plugin} (lax-rules)",
        "",
        "Silence: # tttdit: ignore[LAX001] at the end of the line, or",
        "--ignore LAX001.",
    ]
    _, out, _ = call("--all", "--allow-plugin", str(plugin))
    assert out.startswith("LAX\n  LAX001  error    lonely")
