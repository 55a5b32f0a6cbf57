"""The bench of a training step runs, and writes what it says it writes."""

import importlib
import re
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("train_step")


@pytest.fixture
def page(tmp_path):
    file = tmp_path / "page.md"
    marks = [f"<!-- what `bench/train_step.py` writes: {side} -->" for side in ("begin", "end")]
    file.write_text(f"before\n{marks[0]}\nold\n{marks[1]}\nafter\n", "utf-8")
    return file


@pytest.fixture
def tiny(bench):
    return bench.Sizes(width=32, heads=2, layers=1, grid=2, segments=1, text_tokens=4, mini_batch=8)


def test_it_writes_every_table(bench, page, tiny, monkeypatch):
    monkeypatch.setattr(bench, "THREADS", 1)
    assert bench.main(tiny, rounds=1, target=page) == 0
    text = page.read_text("utf-8")
    assert text.startswith("before\n<!--")
    assert text.endswith("-->\nafter\n")
    assert "old" not in text
    assert "L = 56, 7 mini-batches of 8" in text
    for mixer in ("ttt-mlp", "ttt-linear"):
        assert f"a training step with {mixer}" in text
        assert f"the scan of {mixer} alone, 1 of 2 in a step" in text
        (shares,) = re.findall(rf"time of {mixer}'s operator goes.*\n.*\n((?:\| .*\n?)+)", text)
        assert sum(int(share) for share in re.findall(r"(-?\d+)% \|", shares)) == pytest.approx(100, abs=3)
    assert len(re.findall(r"^\| (?:operator|oracle|no scan) \|", text, re.MULTILINE)) == 6
    assert [file.name for file in page.parent.iterdir()] == ["page.md"]


def test_the_kinds_of_step_are_what_they_say(bench, tiny):
    """The operator's step and the oracle's are the same step; the one without a scan is another, with gradients for q, k, v and eta."""
    for mixer in bench.MIXERS:
        tensors = [tensor.requires_grad_(at not in (4, 5)) for at, tensor in enumerate(bench.operands(mixer, tiny))]
        sizes = {"mini_batch_size": tiny.mini_batch, "norm_eps": 1e-6, "group": 3}
        out = {kind: scan(*tensors, **sizes) for kind, scan in bench.kinds(mixer).items()}
        assert (out["operator"] - out["oracle"]).abs().max() < 1e-4
        assert (out["operator"] - out["no scan"]).abs().max() > 1e-2
        out["no scan"].sum().backward()
        assert all(tensor.grad is not None for tensor in tensors[:4])


def test_a_page_without_the_marks_is_left_alone(bench, tmp_path):
    file = tmp_path / "page.md"
    file.write_text("nothing\n", "utf-8")
    with pytest.raises(AssertionError, match=r"needs the lines <!-- what `bench/train_step\.py` writes: begin -->"):
        importlib.import_module("page").write("train_step.py", "text", file)
    assert file.read_text("utf-8") == "nothing\n"
