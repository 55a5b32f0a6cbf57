"""`tttdit completion`, and what a shell is told that asks: as bash does it, by the variables of click's protocol."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}

Make = Callable[..., str]


def offered(line: str, *, shell: str = "bash") -> list[str]:
    """What is offered at the end of a command line."""
    program, *words = line.split(" ")
    variable = f"_{program.replace('-', '_')}_COMPLETE".upper()
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(words)), variable: f"{shell}_complete"}
    done = subprocess.run([BIN / program], env={**ENVIRONMENT, **asked}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def values(line: str) -> list[str]:
    return [one.removeprefix("plain,") for one in offered(line)]


def test_commands_and_options() -> None:
    assert values("tttdit comp") == ["completion"]
    assert values("tttdit completion ") == ["bash", "zsh", "fish"]
    assert values("tttdit-check --output-format ") == ["full", "concise", "json", "github", "sarif"]
    assert values("tttdit check --exit") == values("tttdit-check --exit") == ["--exit-zero"]


def test_paths_are_left_to_the_shell() -> None:
    assert offered("tttdit-check spec") == ["file,spec"]
    assert offered("tttdit-check --allow-plugin my") == ["file,my"]


def test_codes_one_by_one_and_behind_a_comma() -> None:
    assert "TTD201" in values("tttdit-check --select ")
    assert values("tttdit-check --ignore TTD20") == values("tttdit-check --ignore ttd20")
    assert values("tttdit-check --ignore TTD602,ttd20")[0] == "TTD602,TTD201"
    zsh = offered("tttdit-check --select TTD201", shell="zsh")
    assert zsh == ["plain", "TTD201", "sequence-mini-batch"]


def test_what_other_commands_take() -> None:
    assert "TTD201" in values("tttdit rule TTD2")
    assert values("tttdit solve spec.toml text.t") == ["text.tokens_per_segment"]
    assert values("tttdit solve spec.toml model.mixer.mini") == ["model.mixer.mini_batch_size"]
    assert values("tttdit solve spec.toml text.enc") == [""]


def test_keys_of_our_tables_and_of_the_plugins() -> None:
    assert values("tttdit-check --set text.se") == ["text.segments="]
    assert values("tttdit-check --set model.mixer.mini") == ["model.mixer.mini_batch_size="]
    assert "memory.forward_ssm=" in values("tttdit-check --set memory.")


def test_stages_of_the_spec_that_is_named(make_spec: Make) -> None:
    path = make_spec(added='\n[[stage]]\nname = "3s"\nvideo.seconds = 3\n\n[[stage]]\nname = "9s"\n')
    assert values(f"tttdit-check {path} --stage ") == ["3s", "9s"]
    assert values(f"tttdit-check {path} --set text.segments=3 --stage 9") == ["9s"]
    assert values(f"tttdit-check {path} --stage=9") == ["9s"]
    assert values(f"tttdit solve {path} text.segments --stage ") == ["3s", "9s"]
    assert values("tttdit-check --stage ") == values("tttdit-check missing.toml --stage ") == [""]


def test_a_stage_s_name_that_is_no_word_of_a_shell_is_not_offered(make_spec: Make) -> None:
    names = ("$(reboot)", "a b", "\\u001b[31m", "x\\nplain,y", "`ls`", "fine")
    added = "".join(f'\n[[stage]]\nname = "{name}"\n' for name in names)
    assert values(f"tttdit-check {make_spec(added=added)} --stage ") == ["fine"]
    make_spec(text="[[stage]]\nname = 3\n[[stage]]\n", name="odd.toml")
    make_spec(text="stage = 7\n", name="flat.toml")
    make_spec(text="[[[", name="no.toml")
    assert {tuple(values(f"tttdit-check {name}.toml --stage ")) for name in ("odd", "flat", "no")} == {("",)}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_for_both_programs(shell: str) -> None:
    done = subprocess.run([BIN / "tttdit", "completion", shell], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for variable in ("_TTTDIT_COMPLETE", "_TTTDIT_CHECK_COMPLETE"):
        assert f"{variable}={shell}_complete" in done.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=done.stdout, text=True, check=True)


def test_bash_completes_with_the_script() -> None:
    script = (
        'eval "$(tttdit completion bash)"\n'
        "complete -p tttdit tttdit-check\n"
        "COMP_WORDS=(tttdit-check --stat) COMP_CWORD=1\n"
        "_tttdit_check_completion tttdit-check\n"
        'echo "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(["bash", "--norc"], input=script, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "complete -o nosort -F _tttdit_completion tttdit",
        "complete -o nosort -F _tttdit_check_completion tttdit-check",
        "--statistics",
    ]


def test_an_unknown_shell_is_refused() -> None:
    done = subprocess.run([BIN / "tttdit", "completion", "tcsh"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in done.stderr


@pytest.mark.parametrize("line", ["tttdit-check --select ", "tttdit-check --set ", "tttdit-check --stage ", "tttdit "])
def test_a_completion_takes_no_torch(line: str) -> None:
    program, *words = line.split(" ")
    code = (
        "import sys\nfrom tttdit.checker import cli\n"
        f"sys.argv = [{program!r}]\n"
        f"try:\n    cli.{'check_main' if program == 'tttdit-check' else 'main'}()\n"
        "except SystemExit:\n    pass\n"
        "print({'torch', 'numpy', 'sympy'} & set(sys.modules), file=sys.stderr)"
    )
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(words))}
    variable = f"_{program.replace('-', '_')}_COMPLETE".upper()
    environment = {**ENVIRONMENT, **asked, variable: "bash_complete"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == "set()\n"


def test_without_a_shell_it_says_which_there_are() -> None:
    done = subprocess.run([BIN / "tttdit", "completion"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "tttdit: Missing argument '{bash|zsh|fish}'. Choose from: bash, zsh, fish"
