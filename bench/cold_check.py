"""Times a cold check against `import torch`, and what each further stage or file costs; writes docs/performance.md.

Everything is measured within one run, command by command in turn, each in a fresh process of the same environment, so that the
ratio means something on a machine whose speed does not. Cold means a fresh process; byte code and the predictions of these specs are on the
disk, as they are for whoever calls a program twice. What a check costs whose predictions nobody has made yet stands beside it. Exit code 1
where a bar is missed.

    python bench/cold_check.py
"""

import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median

from page import machine, write

ROOT = Path(__file__).resolve().parents[1]

CHECK = str(Path(sysconfig.get_path("scripts")) / "tttdit-check")
CURRICULUM = "examples/curriculum.toml"

RATIO_BAR = 0.5  # of a cold check to `import torch`
FURTHER_BAR = 30.0  # milliseconds a further stage or file
ROUNDS = 15
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
# Seconds of the further stages, each of another size. 12 s and its multiples have no text length that the mini-batches divide.
LENGTHS = [seconds for seconds in range(3, 64, 3) if seconds % 12]


def milliseconds(cache: str, *command: str) -> float:
    """The wall time of one run of a command that must succeed; predictions are kept in a folder."""
    start = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**ENVIRONMENT, "TTTDIT_CACHE": cache},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    spent = 1000 * (time.perf_counter() - start)
    assert done.returncode == 0, f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr}{done.stdout[:2000]}"
    return spent


def in_turn(commands: dict[str, tuple[str, ...]], cache: str, rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Each command's times, round by round, so that what else the machine does falls on all of them alike; "new" is to know nothing."""
    for command in commands.values():
        milliseconds(cache, *command)  # files into the page cache, byte code and predictions onto the disk
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            with tempfile.TemporaryDirectory() as empty:
                times[name].append(milliseconds(empty if name == "new" else cache, *command))
    return times


def one_stage(seconds: int) -> str:
    """The nine-second example at another length, its text solved for, on a GPU that holds the longest."""
    text = (ROOT / "examples" / "nine-seconds.toml").read_text("utf-8")
    for key, value in {
        "seconds": seconds,
        "segments": '"auto"',
        "tokens_per_segment": '"auto"',
        "gpu": '"B200-180GB"',
    }.items():
        text, found = re.subn(rf"(?m)^{key} *=.*", f"{key} = {value}", text)
        assert found == 1, f"examples/nine-seconds.toml should say {key} once"
    return text


def many(folder: Path) -> dict[str, tuple[str, ...]]:
    """Commands that check one stage, all lengths as stages of one file, and all lengths as files of their own."""
    stages = [f'\n[[stage]]\nname = "{seconds}s"\nvideo.seconds = {seconds}\n' for seconds in LENGTHS]
    single, curriculum = folder / "single.toml", folder / "curriculum.toml"
    single.write_text(one_stage(LENGTHS[0]), "utf-8")
    curriculum.write_text(one_stage(LENGTHS[0]) + "".join(stages), "utf-8")
    files = [folder / f"{seconds}s.toml" for seconds in LENGTHS]
    for file, seconds in zip(files, LENGTHS, strict=True):
        file.write_text(one_stage(seconds), "utf-8")
    return {
        "single": (CHECK, str(single)),
        "stages": (CHECK, str(curriculum)),
        "files": (CHECK, *map(str, files)),
    }


def where_time_goes() -> Counter[str]:
    """Microseconds spent in the modules of each package while they are imported, by Python's own account."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", CHECK, CURRICULUM],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    spent: Counter[str] = Counter()
    for line in done.stderr.splitlines():
        if found := re.match(r"import time: +(\d+) \| +\d+ \| +(\S+)", line):
            package = found[2].split(".")[0]
            spent["Python's own library" if package in sys.stdlib_module_names else package] += int(found[1])
    return spent


def page(times: dict[str, list[float]], imports: Counter[str]) -> tuple[str, bool]:
    """The tables, and whether every bar is kept."""
    middle = {name: median(values) for name, values in times.items()}
    ratio = median(check / torch for check, torch in zip(times["check"], times["torch"], strict=True))
    # A difference of two busy moments says little: of each command the fastest round, which something else disturbed least.
    further = {name: (min(times[name]) - min(times["single"])) / (len(LENGTHS) - 1) for name in ("stages", "files")}

    def spread(name: str) -> str:
        return f"{middle[name]:.0f} ms | {min(times[name]):.0f} to {max(times[name]):.0f} ms"

    rows = [
        f"Medians of {ROUNDS} rounds, the commands in turn. {machine()}.",
        "",
        "| command, each in a fresh process | median | range |",
        "|---|---|---|",
        f"| `python -c pass` | {spread('python')} |",
        f'| `python -c "import torch"` | {spread("torch")} |',
        f"| `tttdit-check {CURRICULUM}` (five stages) | {spread('check')} |",
        f"| the same, nothing kept of earlier runs | {spread('new')} |",
        f"| `tttdit-check` of one stage | {spread('single')} |",
        f"| of {len(LENGTHS)} stages in one file, of all sizes from 3 s to 63 s | {spread('stages')} |",
        f"| of {len(LENGTHS)} files, the same sizes | {spread('files')} |",
        "",
        "| figure | measured | bar |",
        "|---|---|---|",
        f"| cold check of five stages / `import torch`, median of the rounds' ratios | {ratio:.2f} | at most {RATIO_BAR} |",
        f"| each further stage, from the fastest rounds | {further['stages']:.1f} ms | under {FURTHER_BAR:.0f} ms |",
        f"| each further file, likewise | {further['files']:.1f} ms | under {FURTHER_BAR:.0f} ms |",
        "",
        "| imports of a cold check, by `python -X importtime` (which slows them a little) | ms |",
        "|---|---|",
        *(f"| {package} | {spent / 1000:.0f} |" for package, spent in imports.most_common() if spent >= 2000),
    ]
    return "\n".join(rows), ratio <= RATIO_BAR and max(further.values()) < FURTHER_BAR


def main() -> int:
    """Measure, print, and write the page's block."""
    with tempfile.TemporaryDirectory() as folder:
        times = in_turn(
            {
                "python": (sys.executable, "-c", "pass"),
                "torch": (sys.executable, "-c", "import torch"),
                "check": (CHECK, CURRICULUM),
                "new": (CHECK, CURRICULUM),
                **many(Path(folder)),
            },
            str(Path(folder, "cache")),
        )
    block, kept = page(times, where_time_goes())
    write("cold_check.py", block)
    print(block)
    if not kept:
        print("\na bar is missed", file=sys.stderr)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
