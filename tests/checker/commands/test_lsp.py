"""`tttdit lsp` as it is started; what it says to an editor is tested in tests/checker/lsp."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tttdit.checker.cli import outcome, tttdit_command

TTTDIT = Path(sysconfig.get_path("scripts")) / "tttdit"


def test_without_pygls_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pygls", None)
    assert outcome(tttdit_command, "tttdit", ["lsp"]) == 2
    assert capsys.readouterr() == ("", "tttdit: the language server needs pygls: pip install 'tttdit[lsp]'\n")


def test_a_plugin_that_cannot_be_used_is_told_at_once(tmp_path: Path) -> None:
    done = subprocess.run(
        [TTTDIT, "lsp", "--allow-plugin", tmp_path / "nowhere.py"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("tttdit: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="starts it through a POSIX shell")
def test_with_a_closed_standard_input_it_says_so(tmp_path: Path) -> None:
    done = subprocess.run(f'"{TTTDIT}" lsp <&-', shell=True, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr == "tttdit: the language server talks over standard input and output, and one of them is closed\n"
    )


def test_it_takes_no_torch() -> None:
    code = "import sys, tttdit.checker.lsp.server; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"
