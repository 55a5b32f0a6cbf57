"""Shortened loops: which steps are run, and how many each of them stands for."""

from hypothesis import given
from hypothesis import strategies as st

from tttdit.core.loops import repeats, shortened, steps

COUNTS = st.integers(0, 40)


def test_a_plain_loop_is_a_range():
    assert steps(3) == range(3)
    assert repeats() == 1


def test_first_steps_and_the_last():
    with shortened(2):
        assert list(steps(10)) == [0, 1, 9]
        assert list(reversed(steps(10))) == [9, 1, 0]
        assert list(steps(3)) == [0, 1, 2]
        assert len(steps(10)) == 10
    assert list(steps(10)) == list(range(10))


def test_the_last_of_the_first_steps_stands_for_those_left_out():
    with shortened(2):
        assert [(index, repeats()) for index in steps(10)] == [(0, 1), (1, 8), (9, 1)]
        assert repeats() == 1


@given(COUNTS, COUNTS, st.integers(1, 5))
def test_nested_loops_count_every_step(outer, inner, first):
    work = 0
    with shortened(first):
        for _ in steps(outer):
            work += repeats()
            for _ in reversed(steps(inner)):
                work += repeats()
    assert work == outer + outer * inner


def test_a_loop_that_is_left_counts_no_more():
    with shortened(1):
        for _ in steps(10):
            assert repeats() == 9
            break
        assert repeats() == 1
        try:
            for _ in steps(10):
                for _ in steps(5):
                    raise ValueError
        except ValueError:
            pass
        assert repeats() == 1


def test_a_count_inside_a_loop_starts_anew():
    with shortened(1):
        for _ in steps(10):
            with shortened(2):
                assert repeats() == 1
            assert repeats() == 9
            break
