"""`--data`: what a stage's data source finds in its files."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tttdit.checker.commands.progress import progress_bar
from tttdit.checker.examining import Examined
from tttdit.checker.rules.unusable_plugin import UnusablePlugin
from tttdit.core.errors import PluginError, Unresolved
from tttdit.core.findings import Finding
from tttdit.core.plugin.references import load, one_line


def look_into(examined: Examined, folder: Path) -> tuple[Finding, ...]:
    """The findings about the files of a stage's data source, with their places; `folder` is the spec's.

    Nothing of one whose samples have no sizes yet, because something else is wrong, and of a source that has no files. Draws a bar on
    standard error.
    """
    stage = examined.resolved.stage
    data = stage.assembly.data if stage is not None else None
    if data is None or data.inspect is None or examined.resolved.is_open:
        return ()
    try:
        found = [*load(data.inspect)(stage, folder, partial(progress_bar, noun="samples"))]
    except Unresolved:
        return ()
    except PluginError as error:
        found = [UnusablePlugin().finding(str(error), key="data.plugin")]
    except Exception as error:
        found = [
            UnusablePlugin().finding(
                f"the files of the data source {data.name} cannot be looked into: {one_line(error)}",
                key="data.plugin",
                help="this is a mistake in the plugin, not in the spec: please tell its authors",
            )
        ]
    locator = examined.resolved.locator
    return tuple(locator.located(finding) for finding in found if not locator.rests_on_assumed(finding))
