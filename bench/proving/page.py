"""What docs/accuracy.md says of the cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import mean, median

from proving.beside import OTHER, STAGE, held, peak_beside_gradients, recorded
from proving.case import ABOVE, BELOW, FLOPS_APART, Case
from proving.meshes import PEAK_APART, MeshCase
from tttdit.core.symbolic.cuda_differences import CUDA_DIFFERENCES

GIB = 2**30
TOLD = 0.005  # cases that are further off are told one by one
ROWS = 12  # of what is held at a peak


def figures(cases: Sequence[Case]) -> list[str]:
    """The bars, and how the cases keep them."""
    errors = [case.error for case in cases]
    worst = max(cases, key=lambda case: abs(case.error))
    exact, saved = (sum(getattr(case, name) for case in cases) for name in ("exact", "saved_exact"))
    kept = sum(case.within_bars for case in cases)
    flops = max((abs(case.flops_error) for case in cases), default=0.0)
    return [
        "| figure | measured | bar |",
        "|---|---|---|",
        f"| cases | {len(cases):,} | |",
        f"| saved bytes equal | {saved:,} | all |",
        f"| saved and peak bytes equal | {exact:,} ({exact / len(cases):.1%}) | |",
        f"| peak, mean of signed errors | {mean(errors):+.4%} | |",
        f"| peak, median of errors without sign | {median(map(abs, errors)):.4%} | |",
        f"| peak, worst case | {worst.error:+.4%} | -{BELOW:.1%} (or 1 KiB) to +{ABOVE:.0%} |",
        f"| FLOPs, worst case | {flops:.4%} | {FLOPS_APART:.0%} |",
        f"| within all bars | {kept:,} | all |",
    ]


def differing(cases: Sequence[Case]) -> Iterator[str]:
    """The worst case and its cause; every case that is further off than 0.5 %; the causes of all differences."""
    different = [case for case in cases if not case.exact]
    if not different:
        yield "No case differs in a byte, so there is no cause to name."
        return
    worst = max(different, key=lambda case: abs(case.error))
    yield f"Worst case, {worst.error:+.4%}: {worst.cause or 'no cause found'}"
    yield ""
    far = [case for case in different if abs(case.error) > TOLD]
    yield f"Cases over {TOLD:.1%}: {len(far)}."
    for case in far:
        yield from ["", f"{case.error:+.3%}, {case.cause}", "", "```toml", case.name.rstrip(), "```"]
    causes = sorted({case.cause for case in different})
    yield from ["", "All causes:", "", *(f"- {cause}" for cause in causes)]


def small(cases: Sequence[Case], seeded: int, seconds: float) -> str:
    """The block of the random specs."""
    return "\n".join(
        [
            f"{len(cases):,} random specs, drawn with the seed {seeded}, in {seconds / 60:.0f} minutes.",
            "",
            *figures(cases),
            "",
            *differing(cases),
        ]
    )


def meshes(cases: Sequence[MeshCase], seeded: int) -> str:
    """The block of the meshes."""
    errors = [case.error for case in cases]
    exact, held = sum(case.exact for case in cases), sum(case.held == case.held_measured for case in cases)
    rows = [
        f"| {case.mesh} | {case.setting} | {sum(case.held_measured):,} | {case.peak_measured:,} | {case.peak - case.peak_measured:+,} |"
        for case in cases
    ]
    return "\n".join(
        [
            f"{len(cases)} meshes, those that are not the curriculum's drawn with the seed {seeded}.",
            "",
            "| figure | measured | bar |",
            "|---|---|---|",
            f"| cases | {len(cases)} | |",
            f"| parameters, gradients and optimizer state equal | {held} | all |",
            f"| the peak equal too | {exact} ({exact / len(cases):.1%}) | |",
            f"| peak, worst case | {max(errors, key=abs):+.4%} | {PEAK_APART:.0%} |",
            "",
            "| replicas x shards x tensor | setting | held, bytes | peak beside that, bytes | predicted peak, bytes more |",
            "|---|---|---|---|---|",
            *rows,
        ]
    )


def full_size(cases: Sequence[Case], asked: int) -> str:
    """The block of the real sizes."""
    rows = [
        f"| {case.name} | {case.measured.saved_bytes / GIB:.3f} | {case.measured.peak_bytes / GIB:.3f} | "
        f"{case.peak_bytes - case.measured.peak_bytes:+,} | {case.peak_at} |"
        for case in cases
    ]
    unasked = f", {asked - len(cases)} of which have not been measured" if asked > len(cases) else ""
    return "\n".join(
        [
            f"{asked} settings{unasked}.",
            "",
            *figures(cases),
            "",
            *differing(cases),
            "",
            "| stage and setting | saved GiB | peak GiB | predicted peak, bytes more | where the peak stands |",
            "|---|---|---|---|---|",
            *rows,
        ]
    )


def beside() -> str:
    """The block of the comparison with another implementation."""
    rows, tensors = [], []
    for name, adapter, setting, other in OTHER:
        tape = recorded(adapter, setting)
        nbytes, at = peak_beside_gradients(tape)
        moment = tape.moments[at]
        rows.append(f"| {name} | {other:.2f} | {nbytes / GIB:.2f} | {moment.name}, {moment.told()} |")
        if not tensors:
            tensors = [
                f"| {row.count} | {row.operator} of {row.place or 'the objective'} | {list(row.shape)} | {row.nbytes / GIB:.3f} |"
                for row in held(tape, at)[:ROWS]
            ]
            left = nbytes - sum(row.nbytes for row in held(tape, at)[:ROWS])
            tensors.append(f"| | all others | | {left / GIB:.3f} |")
    return "\n".join(
        [
            f"The stage {STAGE}, batch 1, bfloat16; GiB at the peak beside parameters and their gradients, workspace included.",
            "",
            "| setting | the other | this one | this one's peak |",
            "|---|---|---|---|",
            *rows,
            "",
            "What this one holds at the first of these peaks:",
            "",
            "| tensors | made by | shape | GiB |",
            "|---|---|---|---|",
            *tensors,
        ]
    )


def devices() -> str:
    """The block of what differs on a GPU."""
    rows = [
        f"| {one.operator} | {one.difference} | {one.source} | {'yes' if one.predicted else 'no'} |"
        for one in CUDA_DIFFERENCES
    ]
    return "\n".join(["| operator | on CUDA | source | predicted |", "|---|---|---|---|", *rows])
