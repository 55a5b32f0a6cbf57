"""Whatever is done to a spec or a job file: findings only, exit codes 0, 1 or 2, and an answer within two seconds.

`make fuzz` draws 10,000 files, `TTTDIT_FUZZ=500 pytest tests/fuzz` as many as one likes.
"""

from __future__ import annotations

import io
import os
import re
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from mutations import HOSTILE, mutated

from tttdit.checker.cli import outcome
from tttdit.checker.commands.check import check

ROOT = Path(__file__).parents[2]
PUBLIC_JOBS = ROOT.parent / "shared" / "reference" / "jobs"

COUNT = int(os.environ.get("TTTDIT_FUZZ", "150"))
# Seconds of this process: three times what the longest example takes, five stages with memory of which nothing is known yet.
LONGEST = 30.0
FORMATS = ("full", "concise", "json", "github", "sarif")

ORIGINALS = [
    path.read_bytes() for folder in (ROOT / "examples", PUBLIC_JOBS) for path in sorted(folder.rglob("*.toml"))
]
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def run(*arguments: str) -> tuple[int, str, str, float]:
    """Exit code, what was printed, what was complained of, and the time that it took."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    begun = time.process_time()
    with redirect_stdout(out), redirect_stderr(err):
        code = outcome(check, "tttdit-check", list(arguments))
    taken = time.process_time() - begun
    printed, complained = (_written(stream) for stream in (out, err))
    return code, printed, complained, taken


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()


def test_there_is_something_to_mutate() -> None:
    assert len(ORIGINALS) > 30
    run(str(ROOT / "examples" / "nine-seconds.toml"))  # imports are not the first mutation's to pay for


@pytest.mark.parametrize("output_format", FORMATS)
@settings(max_examples=max(1, COUNT // len(FORMATS)), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=mutated(ORIGINALS))
@example(data=b"")
@example(data=b"[video]\nseconds = 9\n" * 2)
def test_a_mutated_file_is_answered(folder: Path, data: bytes, output_format: str) -> None:
    file = folder / "mutated.toml"
    file.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TTTDIT_DEBUG", "1")  # a mistake of ours is an exception here
        patch.chdir(folder)
        code, out, err, taken = run(str(file), "--output-format", output_format)
    assert code in (0, 1, 2), err
    assert code < 2, f"a file that can be read was refused: {err}"
    assert taken < LONGEST, f"{taken:.1f} s"
    assert not UNSEEN.search(out + err)
    assert file.read_bytes() == data
    assert sorted(path.name for path in folder.iterdir()) == ["mutated.toml"]


@settings(max_examples=max(1, COUNT // 5), deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated(ORIGINALS))
def test_a_mutated_file_is_fixed_or_left_alone(folder: Path, data: bytes) -> None:
    """What --fix writes has no more errors than before, and is not fixed any further."""
    file = folder / "mutated.toml"
    file.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TTTDIT_DEBUG", "1")
        before, _, _, _ = run(str(file))
        shown, _, err, _ = run(str(file), "--diff", "--unsafe-fixes")
        assert shown in (0, 1), err
        assert file.read_bytes() == data
        code, _, err, taken = run(str(file), "--fix", "--unsafe-fixes")
        assert code in (0, 1), err
        assert code <= before
        assert taken < 2 * LONGEST, f"{taken:.1f} s"
        fixed = file.read_bytes()
        again, _, _, _ = run(str(file), "--fix", "--unsafe-fixes")
    assert again == code
    assert file.read_bytes() == fixed


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "key", ["name", "text.encoder", "model.plugin", "model.preset", "data.manifest", "checkpoint.init_from"]
)
def test_a_hostile_string_is_just_a_string(folder: Path, key: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTTDIT_DEBUG", "1")
    monkeypatch.chdir(folder)
    file = folder / "mutated.toml"
    text = (ROOT / "examples" / "nine-seconds.toml").read_text(encoding="utf-8")
    table, _, name = key.rpartition(".")
    if table:
        kept = re.sub(rf"(?m)^{name} = .*\n", "", text)
        header = f"[{table}]\n" + ('plugin = "precomputed"\n' if table == "data" else "")
        place = f"[{table}]\n"
        text = (
            kept.replace(place, f"{place}{name} = {value}\n", 1)
            if place in kept
            else f"{kept}\n{header}{name} = {value}\n"
        )
    else:
        text = re.sub(rf"(?m)^{name} = .*$", "", text)
        text = text.replace("\n\n", f"\n{name} = {value}\n\n", 1)
    file.write_text(text, encoding="utf-8")
    for output_format in FORMATS:
        code, out, err, _ = run(str(file), "--output-format", output_format)
        assert code in (0, 1), err
        assert not UNSEEN.search(out + err)
    assert sorted(path.name for path in folder.iterdir()) == ["mutated.toml"]
