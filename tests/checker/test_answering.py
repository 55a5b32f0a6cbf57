"""The answers for a key are those with which a check finds nothing wrong: tried, on small specs of all kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tttdit.checker.answering import Answer, answers
from tttdit.checker.checking import Checker
from tttdit.core.spec.document import Document
from tttdit.core.wording import writable

# What a length, a width, a batch that is wrong is called; what only a run can say (TTD4, TTD5, TTD7) is not asked.
ABOUT_SIZES = ("TTD1", "TTD2", "TTD3", "TTD6")

SPEC = """
[video]
{length}
fps = {fps}
height = {height}
width = {width}
[text]
segments = {segments}
tokens_per_segment = {tokens}
max_tokens = {most}
width = 8
[codec]
time_compression = {time}
[model]
plugin = "ttt-dit"
width = {D}
heads = {A}
layers = 1
timestep_width = 8
patch_size = {p}
attention_frames = {frames}
[model.mixer]
plugin = "ttt-linear"
mini_batch_size = {b}
[training]
global_batch_size = {batch}
[parallelism]
dp_sharding = {shards}
tp_sharding = {tp}
[hardware]
gpus_per_node = 8
nodes = 1
"""

auto = st.just('"auto"')

KEYS = (
    "text.tokens_per_segment",
    "text.segments",
    "video.seconds",
    "video.pixel_frames",
    "video.fps",
    "video.height",
    "video.width",
    "model.mixer.mini_batch_size",
    "model.patch_size",
    "model.heads",
    "model.width",
    "parallelism.tp_sharding",
    "training.global_batch_size",
)


@st.composite
def specs(draw: st.DrawFn) -> str:
    """Right ones, and ones with a few mistakes."""

    def often(right: Any, wrong: st.SearchStrategy[Any]) -> Any:
        return draw(wrong) if draw(st.integers(0, 9)) == 0 else right

    time, attention, segments = draw(st.sampled_from([1, 2, 4])), draw(st.integers(1, 4)), draw(st.integers(1, 3))
    fps = draw(st.sampled_from([1, 4, 5, 6, 16]))
    pixel_frames = attention * segments * time + 1
    seconds = (pixel_frames - 1) / fps
    by_seconds = draw(st.booleans()) and float(f"{seconds:.3f}") == seconds
    length = f"seconds = {seconds:g}" if by_seconds else f"pixel_frames = {often(pixel_frames, st.integers(1, 40))}"
    p, b = draw(st.integers(1, 3)), draw(st.sampled_from([1, 2, 4, 6, 8, 9, 16]))
    height, width = (8 * p * draw(st.integers(1, 4)) for _ in range(2))
    heads = draw(st.integers(1, 3))
    return SPEC.format(
        length=length,
        fps=fps,
        height=often(height, st.integers(1, 99)),
        width=often(width, st.integers(1, 99)),
        segments=draw(st.one_of(st.just(segments), auto)),
        tokens=draw(st.one_of(st.integers(1, 20), auto, auto)),
        most=draw(st.integers(4, 40)),
        time=time,
        D=often(16 * heads * draw(st.integers(1, 2)), st.integers(1, 99)),
        A=heads,
        p=p,
        frames=attention,
        b=b,
        batch=draw(st.sampled_from([4, 6, 8])),
        shards=draw(st.sampled_from([1, 2])),
        tp=draw(st.sampled_from([1, 1, 2])),
    )


def wrong(document: Document, *sets: str) -> set[str]:
    """The codes of a check's errors about sizes."""
    found = Checker(sets=sets).check(document).findings
    return {one.code for one in found if one.severity == "error" and one.code.startswith(ABOUT_SIZES)}


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(specs(), st.sampled_from(KEYS), st.data())
def test_a_value_is_an_answer_if_the_check_is_content(text: str, key: str, data: st.DataObject) -> None:
    document = Document.parse(text)
    (answer,) = answers(Checker(), document, key)
    if answer.tried is not None:
        return  # by checks themselves
    if answer.found is None:
        assert wrong(document), "something is in the way, and a check says what"
        return
    assert answer.domain is not None
    others = data.draw(st.lists(st.integers(1, min(64, int(answer.domain.last))), min_size=4, max_size=4))
    tried = {*answer.values, *others}
    elsewhere = None
    for value in sorted(tried):
        errors = wrong(document, f"{key}={writable(value)}")
        if value in answer.found:
            # what the key has no part in may be wrong with all of them alike
            elsewhere = errors if elsewhere is None else elsewhere
            assert errors == elsewhere
            assert not any(_reads(answer, code) for code in errors)
        else:
            assert errors, f"{value} is right, and no answer"


def _reads(answer: Answer, code: str) -> bool:
    assert answer.found is not None
    return code in {answer.rules.get(law) for law in answer.found.laws}


@pytest.mark.parametrize("key", KEYS)
def test_the_examples_own_values_are_answers(key: str) -> None:
    path = Path(__file__).parents[2] / "examples" / "nine-seconds.toml"
    (answer,) = answers(Checker(), Document.parse(path.read_text("utf-8"), "nine-seconds.toml"), key)
    assert answer.ok
    assert answer.found is not None
    if answer.present != "auto":
        assert answer.present in answer.found
        assert answer.present in answer.values
