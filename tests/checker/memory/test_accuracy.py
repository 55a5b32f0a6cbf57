"""A sample of `make prove`: what is predicted of a step, held against what torch takes, to the byte.

`TTTDIT_PROOFS=300 pytest tests/checker/memory/test_accuracy.py` draws more specs.
"""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from random_specs import STRANGER, memory_cases

import tttdit
from tttdit.core.runtime.measuring import measure

COUNT = int(os.environ.get("TTTDIT_PROOFS", "25"))


@settings(max_examples=COUNT, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=memory_cases())
def test_small_specs_take_what_is_predicted(drawn, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "accuracy.toml"
    path.write_text(drawn.toml, encoding="utf-8")
    spec = tttdit.load_spec(path, allow_plugins=[STRANGER])
    predicted = tttdit.predict_memory(spec, dtype=drawn.dtype)
    measured = measure(spec.stages[0], drawn.dtype)
    assert (predicted.saved_bytes, predicted.peak_bytes) == (measured.saved_bytes, measured.peak_bytes)
    assert predicted.flops == pytest.approx(measured.flops, rel=0.01)
