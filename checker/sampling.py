"""From storyboards and a checkpoint to the videos that are to be drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen

from tttdit.checker.memory.sampling import predicted_sampling
from tttdit.checker.render.text import visible
from tttdit.checker.spec import Spec
from tttdit.checker.storyboards import stage_of
from tttdit.core.errors import Unpredicted, UsageError
from tttdit.core.running.checkpoints import checkpoint_at, facts_of
from tttdit.core.running.commission import Commission
from tttdit.core.running.resolved import resolved_text
from tttdit.core.running.storyboard import Storyboard
from tttdit.core.stage import Stage
from tttdit.core.wording import spoken_bytes, spoken_flops


@frozen
class Weights:
    """Where the model's weights are. A checkpoint of a run says which stage it was trained to; other files do not."""

    path: Path
    is_checkpoint: bool
    stage: str | None = None
    step: int | None = None
    average: bool = False

    @property
    def told(self) -> str:
        """For people: `runs/tiny/checkpoints/9s/step-00000040, stage 9s`."""
        what = f", stage {self.stage}" if self.stage is not None else ""
        return f"{self.path}{what}{', moving average' if self.average else ''}"


def weights_at(path: Path, *, average: bool) -> Weights:
    """What lies at a path: a run, one of its checkpoints, or weights in a file or folder. Raises UsageError where nothing does."""
    if not path.exists():
        raise UsageError(f"--checkpoint {path} is not there")
    checkpoint = checkpoint_at(path) if path.is_dir() else None
    if checkpoint is not None:
        facts = facts_of(checkpoint)
        return Weights(checkpoint, True, facts["stage"], facts["step"], average)
    if average:
        raise UsageError(f"--average is of a run's checkpoint, and {path} is none")
    return Weights(path, False)


def commissions(
    spec: Spec, boards: Sequence[Storyboard], weights: Weights, output: Path, *, stage: str | None, seed: int
) -> tuple[Commission, ...]:
    """The videos of one file's storyboards, each of which fits a stage (`stage_of`), or the one named, as a check has found.

    Raises UsageError for stages that the weights were not trained for.
    """
    found = []
    stages = [each for each in spec.stages if stage in (None, each.name)]
    digits = len(str(len(boards)))
    for number, board in enumerate(boards):
        chosen = stage_of(board, stages)
        assert chosen is not None, f"{board.where} fits no stage, and was not found by the check"
        _check_trained(chosen, spec, weights, board, named=stage is not None)
        found.append(
            Commission(
                name=board.name or f"{number + 1:0{digits}}",
                storyboard=board,
                stage=chosen,
                seed=board.seed if board.seed is not None else seed + number,
                folder=output,
                spec_text=resolved_text(spec.name, (chosen,)),
                weights=f"{weights.told} step {weights.step}" if weights.is_checkpoint else weights.told,
            )
        )
    names = [each.name for each in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(
            f'{boards[0].path}: the name "{twice}" would be that of two videos: give all of them names, or none'
        )
    return tuple(found)


def describe(wanted: Sequence[Commission], weights: Weights, device: str, seen_from: Path) -> Iterator[str]:
    """What would be drawn, line by line; paths of the spec are seen from its folder, `seen_from`."""
    yield f"would draw {len(wanted):,} video{'s' * (len(wanted) != 1)} with the weights of {visible(weights.told)}:"
    for each in wanted:
        yield f"  {visible(str(each.video))}: stage {visible(each.stage.name)}, {int(each.stage.dims['N']):,} frames, seed {each.seed}"
    for stage in {each.stage.name: each.stage for each in wanted}.values():
        yield f"  stage {visible(stage.name)}: {foretold(stage, device)}"
        yield from around(stage, seen_from, ("text_encoding", "decoding"))


def foretold(stage: Stage, device: str) -> str:
    """What drawing a video of this stage takes: `50 steps, 40.19 GiB on the GPU (predicted), 950 PFLOP`."""
    try:
        found = predicted_sampling(stage, device=device)
    except Unpredicted as why:
        return f"memory is not predicted: {visible(str(why))}"
    steps = f"{found.steps:,} step{'s' * (found.steps != 1)}"
    return f"{steps}, {spoken_bytes(found.needed_bytes)} (predicted), {spoken_flops(found.flops)} a video"


def around(stage: Stage, seen_from: Path, works: Sequence[str]) -> Iterator[str]:
    """A line for each of these works (`encoding`, `decoding`, `text_encoding`) of which it is known what it takes. It needs torch."""
    try:
        from tttdit.core.runtime.sampling import around as known
    except ModuleNotFoundError:
        return
    for work in works:
        try:
            found = getattr(known, work)(stage, seen_from)
        except UsageError as why:
            yield f"    {work.replace('_', ' ')}: {visible(str(why))}"
            continue
        if found is not None:
            yield (
                f"    {work.replace('_', ' ')}: {spoken_bytes(found.peak_bytes)} beside {spoken_bytes(found.weights_bytes)} of weights "
                "(tensors alone, whatever the length)"
            )


def _check_trained(stage: Stage, spec: Spec, weights: Weights, board: Storyboard, *, named: bool) -> None:
    names = [each.name for each in spec.stages]
    if named or weights.stage not in names or names.index(stage.name) <= names.index(weights.stage):
        return
    raise UsageError(
        f'{board.where}: its {len(board.scenes):,} scenes are those of stage "{stage.name}", and {weights.path} was trained up to '
        f'stage "{weights.stage}": --stage {stage.name} draws it all the same'
    )
