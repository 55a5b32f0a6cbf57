"""Rules answer quickly and without failing, whatever a spec's numbers are within their bounds."""

import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tttdit.core.findings import Finding
from tttdit.core.spec.fields import LARGEST_COUNT, LARGEST_DIMENSION

SLOWEST = 2.0  # seconds of processor time; a rule that tried every value would take minutes


def sizes(largest: int) -> st.SearchStrategy[int]:
    edges = st.sampled_from([1, 2, 3, largest - 1, largest])
    return st.one_of(edges, st.integers(1, 1000), st.integers(1, largest))


dimension, count = sizes(LARGEST_DIMENSION), sizes(LARGEST_COUNT)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(data=st.data())
def test_any_numbers(data: st.DataObject, findings_of: Callable[..., list[Finding]]) -> None:
    draw = data.draw
    video: dict[str, Any] = {"fps": draw(count), "height": draw(dimension), "width": draw(dimension)}
    if draw(st.booleans()):
        video |= {"seconds": None, "pixel_frames": draw(dimension)}
    else:
        video |= {"seconds": draw(st.one_of(count, st.floats(0.001, 100, allow_nan=False)))}
    spec = {
        "video": video,
        "text": {
            "segments": draw(count),
            "tokens_per_segment": draw(dimension),
            "max_tokens": draw(dimension),
        },
        "codec": {"time_compression": draw(sizes(1024)), "space_compression": draw(sizes(1024))},
        "model": {
            "width": draw(dimension),
            "heads": draw(count),
            "patch_size": draw(count),
            "attention_frames": LARGEST_COUNT if draw(st.booleans()) else 12,
        },
        "mixer": {"mini_batch_size": draw(count)},
        "parallelism": {"tp_sharding": draw(count)},
    }
    start = time.process_time()
    findings = findings_of(**spec)
    assert time.process_time() - start < SLOWEST
    assert [finding.message for finding in findings if finding.code == "TTD009"] == []
    assert all(finding.message and finding.key for finding in findings)
