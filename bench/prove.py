"""Holds predictions of memory against what torch takes, and writes docs/accuracy.md. Exit code 1 where a bar is missed.

    python bench/prove.py                                all of it: hours, with what build/prove/ has not kept
    python bench/prove.py --random 50                    so many random specs, nothing written
    python bench/prove.py --meshes 10                    one rank of the curriculum's meshes, and of so many random ones
    python bench/prove.py --full-size --stage 3s         one stage at its real size; what has been measured is kept

The page is written by a run of everything, and by `--write` whatever was run.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small tensors: threads only get in each other's way
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "specs"))

import click
from page import machine, write
from proving import page
from proving.case import Case
from proving.full_size import answer, is_kept, questions
from proving.meshes import CURRICULUM, MeshCase, mesh_cases
from proving.small import random_cases

ACCURACY = Path(__file__).resolve().parents[1] / "docs" / "accuracy.md"
MANY = 300
MANY_MESHES = 60
SEED = 5


def small(count: int, seeded: int, writes: bool) -> list[Case]:
    """Random specs."""
    cases: list[Case] = []
    start = time.perf_counter()
    with click.progressbar(length=count, label="random specs", file=sys.stderr) as bar:

        def done(case: Case) -> None:
            cases.append(case)
            bar.update(1)

        random_cases(count, seeded, done)
    block = f"{machine()}. {page.small(cases, seeded, time.perf_counter() - start)}"
    print(block)
    if writes:
        write("prove.py --random", block, ACCURACY)
    return cases


def meshes(count: int, seeded: int, writes: bool) -> list[MeshCase]:
    """One rank of many meshes."""
    cases: list[MeshCase] = []
    with click.progressbar(length=count + CURRICULUM, label="meshes", file=sys.stderr) as bar:

        def done(case: MeshCase) -> None:
            cases.append(case)
            bar.update(1)

        mesh_cases(count, seeded, done)
    block = f"{machine()}. {page.meshes(cases, seeded)}"
    print(block)
    if writes:
        write("prove.py --meshes", block, ACCURACY)
    return cases


def full_size(stages: tuple[str, ...], only_kept: bool, writes: bool) -> list[Case]:
    """The real sizes."""
    asked = list(questions(stages))
    todo = [question for question in asked if not only_kept or is_kept(question)]
    with click.progressbar(todo, label="full size", file=sys.stderr, item_show_func=lambda q: q and q.name) as bar:
        cases = [answer(question) for question in bar]
    block = page.full_size(cases, len(asked)) if cases else "Nothing has been measured."
    print(block)
    if writes:
        write("prove.py --full-size", block, ACCURACY)
    return cases


def main() -> int:
    """Run what is asked for."""
    asks = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asks.add_argument("--random", type=int, metavar="N", help=f"so many random specs ({MANY} in a run of everything)")
    asks.add_argument("--seed", type=int, default=SEED, help="which ones are drawn")
    asks.add_argument(
        "--meshes", type=int, metavar="N", help=f"so many random meshes ({MANY_MESHES} in a run of everything)"
    )
    asks.add_argument("--full-size", action="store_true", help="the real sizes, on fake tensors")
    asks.add_argument("--stage", action="append", default=[], help="only this stage of them; may be given again")
    asks.add_argument("--kept", action="store_true", help="only what has been measured before")
    asks.add_argument("--write", action="store_true", help="write the blocks of what was run into docs/accuracy.md")
    given = asks.parse_args()
    everything = given.random is None and given.meshes is None and not given.full_size
    writes = everything or given.write
    cases: list[Case] = []
    if everything or given.random is not None:
        cases += small(MANY if given.random is None else given.random, given.seed, writes)
    ranks: list[MeshCase] = []
    if everything or given.meshes is not None:
        ranks = meshes(MANY_MESHES if given.meshes is None else given.meshes, given.seed, writes)
    if everything or given.full_size:
        cases += full_size(tuple(given.stage), given.kept, writes)
    if everything:
        write("prove.py, another implementation", page.beside(), ACCURACY)
        write("prove.py, devices", page.devices(), ACCURACY)
    missed = [case for case in cases if not case.within_bars]
    for case in missed:
        print(f"\na bar is missed:\n{case.name}\n{case.cause}", file=sys.stderr)
    for each in ranks:
        if not each.within_bars:
            print(f"\na bar is missed:\n{each.mesh}: {each.setting}", file=sys.stderr)
    return 1 if missed or not all(each.within_bars for each in ranks) else 0


if __name__ == "__main__":
    sys.exit(main())
