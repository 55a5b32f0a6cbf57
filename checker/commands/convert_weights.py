"""`tttdit convert-weights`."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tttdit.checker.commands import options
from tttdit.checker.commands.progress import tensors_written
from tttdit.checker.output import write
from tttdit.checker.render import weights as rendering
from tttdit.checker.render.paint import paint_for
from tttdit.checker.render.text import visible
from tttdit.core.errors import UsageError

if TYPE_CHECKING:
    from tttdit.core.plugin.weight_names import WeightNames

EPILOG = """\b
Examples:
  tttdit convert-weights CogVideoX-5b weights.safetensors --spec spec.toml
  tttdit convert-weights checkpoint/step-5000 weights --dtype bfloat16
  tttdit convert-weights CogVideoX-5b weights.safetensors --dry-run

\b
Exit codes: 0 converted, 1 the weights do not fit, 2 the command was wrong, or
a file could not be read or written.
"""

_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)\s*([kMGT]?)(i?)B", re.IGNORECASE)


def _bytes(_ctx: click.Context, _parameter: click.Parameter, value: str) -> int:
    """`5GB`, `4.5GiB` as a number of bytes."""
    found = _SIZE.fullmatch(value.strip())
    if found is None:
        raise click.BadParameter(f'"{value}" is no size such as 5GB or 500MB')
    number, prefix, binary = found.groups()
    size = int(float(number) * (1024 if binary else 1000) ** " kmgt".index(prefix.lower() or " "))
    if size < 1:
        raise click.BadParameter(f'"{value}" is less than a byte')
    return size


@click.command("convert-weights", epilog=EPILOG, short_help="Convert pretrained weights to a model's names.")
@click.argument("source", metavar="FROM", type=click.Path(path_type=Path))
@click.argument("to", metavar="TO", type=click.Path(path_type=Path))
@click.option("--spec", metavar="SPEC", help="Check names and shapes against the model of this spec.")
@options.stage
@options.allow_plugin
@click.option(
    "--dtype",
    type=click.Choice(["keep", "float32", "bfloat16", "float16"]),
    default="keep",
    show_default=True,
    help="What floating-point numbers are written as.",
)
@click.option(
    "--ignore",
    "ignored",
    metavar="PATTERN",
    multiple=True,
    help="Leave out what has this name in FROM; * stands for any text. May be repeated.",
)
@click.option(
    "--max-shard-size",
    "largest",
    metavar="SIZE",
    callback=_bytes,
    default="5GB",
    show_default=True,
    help="Of a folder's files.",
)
@click.option("--overwrite", is_flag=True, help="Replace what is at TO.")
@click.option("--dry-run", is_flag=True, help="Say what would become of every tensor, and write nothing.")
@options.output_format
def convert_weights(
    source: Path,
    to: Path,
    spec: str | None,
    stage: str | None,
    allowed: tuple[str, ...],
    dtype: str,
    ignored: tuple[str, ...],
    largest: int,
    overwrite: bool,
    dry_run: bool,
    output_format: str,
) -> int:
    """Convert pretrained weights to a model's names.

    FROM is a safetensors file, an index of several, a folder with either, or a folder with a DCP checkpoint; its names are those of any
    project that the installed models know. TO is a .safetensors file, or a folder for several files with an index.
    """
    if stage is not None and spec is None:
        raise click.UsageError("--stage names a stage of --spec")
    try:
        from tttdit.core.runtime.weights import converting, matching, opening, replacing
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not installed: pip install 'tttdit[run]'") from None

    formats, target = _wanted(spec, stage, allowed)
    if not dry_run:
        replacing.check_free(to, overwrite=overwrite, folder=not converting.is_file(to))
    weights = opening.open_source(source, [names.folder for names in formats if names.folder])
    found = matching.match(weights, formats, target=target, ignored=ignored)
    cast = converting.CASTS[dtype]
    tensors = converting.converted(weights, found, cast)
    written: tuple[str, ...] = ()
    if found.fits and not dry_run:
        progress = tensors_written(len(tensors), sum(tensor.nbytes for tensor in tensors.values()))
        written = converting.convert(
            weights, found, to, dtype=cast, largest=largest, overwrite=overwrite, progress=progress
        )
    if output_format == "json":
        said = {"from": str(weights.path), "to": str(to), "files": written, **rendering.as_dict(found, tensors)}
        write([json.dumps(said, indent=2)])
    else:
        write(rendering.render(found, tensors, paint_for(sys.stdout, os.environ)))
        write([_outcome(found.fits, to, written, target is not None)])
    return 0 if found.fits else 1


def _wanted(
    spec: str | None, stage: str | None, allowed: tuple[str, ...]
) -> tuple[tuple[WeightNames, ...], dict[str, tuple[int, ...]] | None]:
    """The names of other projects, and the names and shapes of the spec's model, if there is a spec."""
    from tttdit.core.plugin.kinds import Model
    from tttdit.core.plugin.registry import Registry
    from tttdit.core.plugin.weight_names import weight_names

    if spec is None:
        registry = Registry.of_environment([Path(path) for path in allowed])
        models = [offer.announcement for offer in registry.offers("model")]
        return tuple(names for model in models if isinstance(model, Model) for names in weight_names(model)), None

    from tttdit.checker.api import load_spec
    from tttdit.core.runtime.building import build_stage, chosen

    here = chosen(load_spec(spec, allow_plugins=allowed), stage)
    model = build_stage(here, "meta")
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    return weight_names(here.assembly.model), shapes


def _outcome(fits: bool, to: Path, written: tuple[str, ...], checked: bool) -> str:
    if not fits:
        return "nothing is written: the weights do not fit"
    said = (
        f"written: {visible(str(to))}" + (f" ({len(written)} files)" if len(written) > 1 else "")
        if written
        else "nothing is written"
    )
    return said if checked else f"{said}; shapes are not checked, and what is new is not known, without --spec"
