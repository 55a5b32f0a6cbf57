"""`tttdit.check` and `tttdit.load_spec`: from a file, or what was loaded from one, to a report."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tttdit.checker.checking import Checker
from tttdit.checker.inputs import documents
from tttdit.checker.report import FileReport, Report, Scale
from tttdit.checker.spec import Spec
from tttdit.core.errors import UsageError
from tttdit.core.spec.document import Document, read

if TYPE_CHECKING:
    from tttdit.core.running.storyboard import Storyboard


def check(
    path_or_spec: str | os.PathLike[str] | Spec,
    *,
    stage: str | None = None,
    sets: Iterable[str] = (),
    allow_plugins: Iterable[str | os.PathLike[str]] = (),
    data: bool = False,
    prompts: str | os.PathLike[str] | None = None,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
) -> Report:
    """What is right and what is wrong with a spec.

    `sets` are texts such as `"text.segments=3"`, `stage` looks at one stage only, `allow_plugins` are local plugins whose code may run; a
    `Spec` brings those that it was loaded with. `data` looks into the files of data sources, `prompts` is a file of storyboards that
    stages have to fit. `select` and `ignore` are codes to hear of and not to, or what codes begin with: "TTD5". Raises `UsageError` where a
    file cannot be read, there is no such stage or no such code, and `PluginError` for an allowed plugin that cannot be used. A folder is
    checked with all specs in it, as on the command line.
    """
    if isinstance(path_or_spec, Spec):
        checker = Checker(
            stage=stage,
            sets=(*path_or_spec.sets, *sets),
            allowed=(*path_or_spec.allowed, *(os.fspath(path) for path in allow_plugins)),
            data=data,
            storyboards=storyboards_at(prompts),
            select=tuple(select),
            ignore=tuple(ignore),
        )
        return Report((checker.check(path_or_spec.document),))
    report = check_paths(
        [os.fspath(path_or_spec)],
        stage=stage,
        sets=tuple(sets),
        allowed=[os.fspath(path) for path in allow_plugins],
        data=data,
        storyboards=storyboards_at(prompts),
        select=tuple(select),
        ignore=tuple(ignore),
    )
    if report.unreadable:
        raise UsageError(report.unreadable[0])
    return report


def load_spec(
    path: str | os.PathLike[str],
    *,
    sets: Iterable[str] = (),
    allow_plugins: Iterable[str | os.PathLike[str]] = (),
) -> Spec:
    """The spec in a file, with its stages resolved; see `check` for the arguments.

    Raises `SpecError`, whose `findings` say where and why, if the text cannot be read as a spec: no TOML, keys or values that no table
    has, plugins that are not there, an `"auto"` without an answer. That sizes do not fit each other raises nothing: `check` says so.
    """
    sets, allowed = tuple(sets), tuple(os.fspath(path) for path in allow_plugins)
    return Checker(sets=sets, allowed=allowed).load(read(path))


def check_paths(
    paths: Iterable[str],
    *,
    stage: str | None = None,
    sets: Sequence[str] = (),
    allowed: Iterable[str] = (),
    verify: Scale | None = None,
    data: bool = False,
    storyboards: Sequence[Storyboard] = (),
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    specs_only: bool = False,
    shows_memory: bool = False,
    examine: Callable[[Checker, Document], FileReport] | None = None,
) -> Report:
    """The report on files and folders, as the command line names them; what could not be read is told in it.

    With `specs_only` files that are named are passed over as those of a folder are.

    With `verify` what is right is proved too: made "small", or at "full" size. With `data` the files of data sources are looked into;
    `storyboards` have to fit a stage each. `shows_memory` is for those who will look at what all stages need: it is predicted on all cores.
    `examine` does more with a document than check it.
    """
    unreadable: list[str] = []
    checker = Checker(
        stage=stage,
        sets=tuple(sets),
        allowed=tuple(allowed),
        verify=verify,
        data=data,
        storyboards=tuple(storyboards),
        select=tuple(select),
        ignore=tuple(ignore),
        shows_memory=shows_memory,
    )
    files: list[FileReport] = [
        examine(checker, document) if examine is not None else checker.check(document)
        for document in documents(paths, unreadable, specs_only=specs_only, known=checker.knows)
    ]
    return Report(tuple(files), tuple(unreadable))


def storyboards_at(prompts: str | os.PathLike[str] | None) -> tuple[Storyboard, ...]:
    """Those of a file, where one is named; what reads them is imported only then. Raises `UsageError` where there are none."""
    if prompts is None:
        return ()
    from tttdit.core.running.storyboard import read_storyboards

    return read_storyboards(Path(prompts))
