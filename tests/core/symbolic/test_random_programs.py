"""Random programs agree in both worlds, operator by operator: the foundation of what is said about memory.

`TTTDIT_PROGRAMS=5000 pytest tests/core/symbolic/test_random_programs.py` draws more of them.
"""

import os
import warnings

import pytest
import torch
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from programs import Writer
from worlds import difference, real, real_tensor, symbolic

from tttdit.core.errors import SymbolicError, UnknownCall

COUNT = int(os.environ.get("TTTDIT_PROGRAMS", "1000"))
THOROUGH = settings(
    max_examples=COUNT,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
)


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of leaves that an operator in place has made inner tensors
        yield


@THOROUGH
@given(st.randoms(use_true_random=True), st.integers(4, 18))
def test_random_programs(random, statements):
    """Shapes, strides, types, live bytes after every operator, forward and backward, and which parameters get gradients."""
    program = Writer(random, statements=statements).program()
    ours, theirs = _attempt(symbolic, program), _attempt(real, program)
    assume(not isinstance(ours, UnknownCall))  # a gap that is told is no disagreement
    if isinstance(ours, Exception) or isinstance(theirs, Exception):
        # torch refuses a program only in backward here: something it needs was changed in place
        assert isinstance(ours, SymbolicError), (
            f"{program.source}\ntorch raises {theirs!r}, the symbolic world {ours!r}"
        )
        assert isinstance(theirs, RuntimeError), (
            f"{program.source}\nthe symbolic world raises {ours!r}, torch {theirs!r}"
        )
        return
    found = difference(theirs, ours)
    assert found is None, f"{program.source}\n{program.leaves}\n{found}"


@settings(THOROUGH, max_examples=max(COUNT // 4, 20))
@given(st.randoms(use_true_random=True))
def test_what_is_refused_is_refused_by_torch(random):
    """A statement that the symbolic world calls wrong is wrong."""
    writer = Writer(random, statements=10)
    writer.program()
    for refused in writer.refused:
        program = refused.program()
        torch.manual_seed(0)
        with pytest.raises((RuntimeError, IndexError, TypeError, ValueError)):
            program(torch, *[real_tensor(leaf) for leaf in program.leaves])


def _attempt(run, program):
    try:
        return run(program, program.leaves)
    except (SymbolicError, RuntimeError) as error:
        return error
