"""Blocks of a step: those that live at the same time do not overlap."""

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tttdit.checker.memory.placing import placed
from tttdit.core.symbolic.tape import Allocation, Moment, Tape

LIVES = st.lists(st.tuples(st.integers(0, 5 << 20), st.integers(0, 19), st.integers(0, 12)), max_size=60)


def tape_of(lives, workspaces):
    allocations = tuple(
        Allocation((nbytes,), "int8", nbytes, made, made + length if length else None, "activations", number)
        for number, (nbytes, made, length) in enumerate(lives)
    )
    empty = Tape((), (), allocations, (), 20, 0, 0, 0)
    moments, high = [], []
    for at in range(20):
        live = sum(one.nbytes for one in empty.live_at(at))
        moments.append(Moment("add", "forward", "", "", False, live, workspaces[at]))
        high.append(live + workspaces[at])
    return evolve(empty, moments=tuple(moments), high=tuple(high))


@given(
    LIVES,
    st.lists(st.integers(0, 3 << 20), min_size=20, max_size=20),
    st.lists(st.integers(0, 30 << 20), max_size=4),
    st.booleans(),
)
def test_live_blocks_do_not_overlap_and_add_up_to_the_tape(lives, workspaces, standing, expandable):
    tape = tape_of(lives, workspaces)
    events = placed(tape, standing, expandable=expandable)
    live, mapped, highest, now = {}, [], 0, 0
    for event in (*events.before, *events.step):
        end = event.address + event.size
        if event.what == "segment":
            assert all(end <= start or event.address >= stop for start, stop in mapped)
            mapped.append((event.address, end))
        elif event.what == "alloc":
            assert all(end <= start or event.address >= start + size for start, size in live.items())
            live[event.address] = event.size
            now += event.nbytes
        else:
            assert live.pop(event.address) == event.size
            now -= event.nbytes
        highest = max(highest, now)
    assert sum(live.values()) <= sum(stop - start for start, stop in mapped)
    assert highest == sum(standing) + max(tape.high)
