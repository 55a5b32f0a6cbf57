"""`tttdit export`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from tttdit.checker.commands import options
from tttdit.checker.commands.progress import tensors_written
from tttdit.checker.ending.record import record_of
from tttdit.checker.output import write
from tttdit.checker.render.text import visible
from tttdit.checker.render.weights import gigabytes
from tttdit.core.errors import UsageError
from tttdit.core.running.checkpoints import FACTS, PARTIAL, facts_of

EPILOG = """\b
Examples:
  tttdit export runs/tiny
  tttdit export runs/curriculum --stage 9s -o nine-seconds.safetensors
  tttdit export runs/tiny/checkpoints/tiny/step-00000500 -o weights --dtype bfloat16

\b
Exit codes: 0 written, 2 the command was wrong, or a file could not be read or
written.
"""


@click.command(epilog=EPILOG, short_help="Write the weights of a run as safetensors.")
@click.argument("path", metavar="RUN|CHECKPOINT", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "to",
    metavar="TO",
    default="model.safetensors",
    show_default=True,
    type=click.Path(path_type=Path),
    help="A .safetensors file, or a folder for files of at most 5 GB with an index.",
)
@click.option("--stage", metavar="NAME", help="Of a run the stage; by default the last one that has a checkpoint.")
@click.option(
    "--dtype",
    type=click.Choice(["keep", "float32", "bfloat16", "float16"]),
    default="keep",
    show_default=True,
    help="What floating-point numbers are written as.",
)
@click.option("--average", is_flag=True, help="The moving average of the weights (training.average_decay).")
@click.option("--overwrite", is_flag=True, help="Replace what is at TO.")
@options.output_format
def export(
    path: Path, to: Path, stage: str | None, dtype: str, average: bool, overwrite: bool, output_format: str
) -> int:
    """Write the weights of a run as safetensors, which tttdit.load_weights and checkpoint.init_from read.

    RUN is the folder of a run, of which the last checkpoint is taken; CHECKPOINT is one of them.
    """
    try:
        from tttdit.core.runtime.weights import converting, exporting, replacing
        from tttdit.core.runtime.weights.distributed import distributed_checkpoint
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not installed: pip install 'tttdit[run]'") from None
    checkpoint = _checkpoint(path, stage)
    replacing.check_free(to, overwrite=overwrite, folder=not converting.is_file(to))
    source = distributed_checkpoint(checkpoint)
    found = exporting.taken(source, average=average)
    cast = converting.CASTS[dtype]
    tensors = converting.converted(source, found.match, cast)
    size = sum(tensor.nbytes for tensor in tensors.values())
    written = converting.convert(
        source, found.match, to, dtype=cast, overwrite=overwrite, progress=tensors_written(len(tensors), size)
    )
    facts = facts_of(checkpoint)
    if output_format == "json":
        said = {
            "from": str(checkpoint),
            "stage": facts["stage"],
            "step": facts["step"],
            "to": str(to),
            "files": written,
            "tensors": len(tensors),
            "bytes": size,
            "averaged": found.averaged,
        }
        write([json.dumps(said, indent=2)])
    else:
        what = f"{len(tensors):,} tensors, {gigabytes(size)}"
        averages = f", {found.averaged:,} of them averages" if average else ""
        files = f" ({len(written)} files)" if len(written) > 1 else ""
        write(
            [
                f"{visible(facts['stage'])} step {facts['step']:,}: {what}{averages}",
                f"written: {visible(str(to))}{files}",
            ]
        )
    return 0


def _checkpoint(path: Path, stage: str | None) -> Path:
    """The checkpoint that is meant. Raises UsageError where that is none, or not whole."""
    if path.name.endswith(PARTIAL):
        raise UsageError(f"{path} is not whole: a run ended while it was being written")
    if (path / FACTS).is_file():
        if stage is not None:
            raise UsageError(f"{path} is one checkpoint: --stage chooses between those of a run")
        return path
    try:
        record = record_of(path)
    except UsageError:
        raise UsageError(
            f"{path} is neither the folder of a run, which tttdit run writes (runs/NAME), nor one of its checkpoints "
            "(runs/NAME/checkpoints/STAGE/step-00000500)"
        ) from None
    if not record.checkpoints:
        raise UsageError(f"{path} has no whole checkpoint{_unfinished(record.partial)}")
    if stage is None:
        return [*record.checkpoints.values()][-1]
    if stage not in record.checkpoints:
        raise UsageError(
            f'{path} has no checkpoint of a stage "{stage}": it has those of {", ".join(record.checkpoints)}'
        )
    return record.checkpoints[stage]


def _unfinished(partial: tuple[Path, ...]) -> str:
    return f": {partial[-1]} was being written when the run ended" if partial else " yet"
