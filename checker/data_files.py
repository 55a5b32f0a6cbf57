"""`--data`: what a stage's data source finds in its files, and what the text encoder's weights say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from tttdit.checker.commands.progress import progress_bar
from tttdit.checker.examining import Examined
from tttdit.checker.rules.text_encoder import TextEncoderWidth
from tttdit.checker.rules.unusable_plugin import UnusablePlugin
from tttdit.core.errors import PluginError, Unresolved
from tttdit.core.findings import Finding
from tttdit.core.plugin.references import load, one_line
from tttdit.core.stage import Stage


def look_into(examined: Examined, folder: Path) -> tuple[Finding, ...]:
    """The findings about the files that a stage names, with their places; `folder` is the spec's.

    Nothing of samples that have no sizes yet, because something else is wrong, and of a source that has no files. Draws a bar on
    standard error.
    """
    stage = examined.resolved.stage
    if stage is None or examined.resolved.is_open:
        return ()
    found = [*_of_text_encoder(stage, folder), *_of_samples(stage, folder)]
    locator = examined.resolved.locator
    return tuple(locator.located(finding) for finding in found if not locator.rests_on_assumed(finding))


def _of_text_encoder(stage: Stage, folder: Path) -> Iterator[Finding]:
    """Whether the weights in `text.encoder_folder` give embeddings of the spec's width."""
    encoder = stage.assembly.text_encoder
    if encoder is not None and encoder.stored_width is not None and stage.text.encoder_folder is not None:
        yield from TextEncoderWidth().held_against(stage, encoder, encoder.stored_width(stage.text, folder))


def _of_samples(stage: Stage, folder: Path) -> Sequence[Finding]:
    data = stage.assembly.data
    if data is None or data.inspect is None:
        return ()
    try:
        return [*load(data.inspect)(stage, folder, partial(progress_bar, noun="samples"))]
    except Unresolved:
        return ()
    except PluginError as error:
        return [UnusablePlugin().finding(str(error), key="data.plugin")]
    except Exception as error:
        return [
            UnusablePlugin().finding(
                f"the files of the data source {data.name} cannot be looked into: {one_line(error)}",
                key="data.plugin",
                help="this is a mistake in the plugin, not in the spec: please tell its authors",
            )
        ]
