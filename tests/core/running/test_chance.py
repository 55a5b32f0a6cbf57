"""Seeds that follow from what they are for."""

from __future__ import annotations

from tttdit.core.running.chance import seed_of


def test_the_same_parts_give_the_same_seed() -> None:
    assert seed_of(42, "9s", 7) == seed_of(42, "9s", 7)


def test_parts_that_differ_anywhere_give_others() -> None:
    keys = [
        (42, "9s", 7),
        (42, "9s", 8),
        (43, "9s", 7),
        (
            42,
            "9s7",
        ),
        (42, "9s", "7"),
        (42, "9", "s7"),
        (4, "29s", 7),
    ]
    assert len({seed_of(*key) for key in keys}) == len(keys)


def test_torch_takes_every_seed() -> None:
    assert all(0 <= seed_of("any", number) < 2**63 for number in range(1000))
