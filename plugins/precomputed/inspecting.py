"""`tttdit-check --data`: what a manifest and the headers of its files say, against what a stage takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from attrs import Factory, define, evolve

from tttdit.core.dimensions import Dimension
from tttdit.core.findings import Finding, Related, Severity, Span
from tttdit.core.stage import Stage
from tttdit.core.symbolic.dimension import formula_of
from tttdit.core.wording import plural, written
from tttdit.plugins.precomputed.files import Headers, Held, held_in_safetensors
from tttdit.plugins.precomputed.fitting import INPUTS, Fitting
from tttdit.plugins.precomputed.manifest import Manifest
from tttdit.plugins.precomputed.problem import Problem
from tttdit.plugins.precomputed.rules.all_held_out import AllHeldOut
from tttdit.plugins.precomputed.rules.missing_file import MissingFile
from tttdit.plugins.precomputed.rules.not_looked_at import NotLookedAt
from tttdit.plugins.precomputed.rules.outside_path import OutsidePath

KEY = "data.manifest"
SHOWN = 3  # lines of one mistake that are shown
MOST_KINDS = 10  # of one code's mistakes that are told apart

HELP = {
    MissingFile.code: "paths are seen from the manifest's folder, or from the one that data.folder names",
    OutsidePath.code: "write data.outside_paths = true if this manifest may name any file, or a data.folder that has them all",
    NotLookedAt.code: "pip install 'tttdit[run]'",
}

Bar = Callable[[int, str], AbstractContextManager[Callable[[int], object]]]


def inspect(stage: Stage, folder: Path, bar: Bar) -> Iterator[Finding]:
    """What is wrong with the samples of a stage, alike ones together. Raises Unresolved where the stage's sizes are not known."""
    wanted = stage.sample_shapes()
    if wanted.keys() != set(INPUTS):
        yield NotLookedAt().finding(
            f"the model {stage.assembly.model.name} takes {', '.join(wanted)}, and samples have {' and '.join(INPUTS)}",
            key=KEY,
        )
        return
    try:
        manifest = Manifest(folder / stage.data.manifest)
    except Problem as problem:
        yield problem.page.finding(str(problem), key=KEY)
        return
    yield from _held_out(stage, manifest)
    mistakes = _Mistakes()
    fitting = Fitting.of(stage.data, wanted, folder)
    headers = _Headers()
    with bar(len(manifest), manifest.path.name) as progress:
        for index in range(len(manifest)):
            mistakes.add(manifest.number(index), _problems(manifest, index, fitting, headers))
            progress(1)
    goes_on = stage.data.bad_samples == "skip" and mistakes.wrong < len(manifest)
    for mistake in mistakes.all:
        yield _finding(mistake, stage, manifest, "warning" if goes_on else None)


def _problems(manifest: Manifest, index: int, fitting: Fitting, headers: Headers) -> list[Problem]:
    """What is wrong with a sample: with its line, or with its latents and its text, which are looked at both."""
    try:
        sample = manifest.sample(index)
    except Problem as problem:
        return [problem]
    found = []
    for look in (fitting.latents, fitting.text):
        try:
            look(sample, headers)
        except Problem as problem:
            found.append(problem)
    return found


class _Headers:
    """Looks at safetensors files without torch, and at others with torch where that is installed."""

    def __init__(self) -> None:
        self._with_torch: Callable[[], Headers] | None = None

    def held(self, path: Path) -> dict[str, Held]:
        if path.suffix == ".safetensors":
            return held_in_safetensors(path)
        if self._with_torch is None:
            try:
                from tttdit.plugins.precomputed.module import TorchFiles
            except ImportError:
                raise Problem(NotLookedAt(), str(path), "was not looked at: torch is not installed") from None
            self._with_torch = TorchFiles
        return self._with_torch().held(path)


@define
class _Mistake:
    """Samples that are wrong alike: the first of them, its line, and the places of a few more."""

    line: int
    problem: Problem
    count: int = 0
    others: list[tuple[int, Problem]] = Factory(list)
    is_rest: bool = False  # of many that are wrong in different ways

    def add(self, line: int, problem: Problem) -> None:
        self.count += 1
        if 1 < self.count <= SHOWN:
            self.others.append((line, problem))


class _Mistakes:
    """Mistakes by their codes and what is wrong; those of too many kinds are counted together."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str | None, _Mistake]] = {}
        self.wrong = 0

    @property
    def all(self) -> Sequence[_Mistake]:
        return [mistake for kinds in self._found.values() for mistake in kinds.values()]

    def add(self, line: int, problems: Sequence[Problem]) -> None:
        """What is wrong with the sample of a line; of the same mistake in several of its files one."""
        self.wrong += any(problem.page.severity == "error" for problem in problems)
        alike: dict[tuple[str, str], Problem] = {}
        for problem in problems:
            alike.setdefault((problem.page.code, problem.what), problem)
        for problem in alike.values():
            kinds = self._found.setdefault(problem.page.code, {})
            what = problem.what if problem.what in kinds or len(kinds) < MOST_KINDS else None
            kinds.setdefault(what, _Mistake(line, problem, is_rest=what is None)).add(line, problem)


def _finding(mistake: _Mistake, stage: Stage, manifest: Manifest, severity: Severity | None) -> Finding:
    problem, more = mistake.problem, mistake.count - 1
    alike = ""
    if more:
        how = "wrong in other ways" if mistake.is_rest else "alike"
        alike = f" ({more:,} more {plural(more, 'line')} {'is' if more == 1 else 'are'} {how})"
    places = [(mistake.line, problem), *mistake.others]
    finding = problem.page.finding(
        f"{manifest.path}:{mistake.line}: {problem}{_sizes(problem, stage)}{alike}",
        key=KEY,
        help=HELP.get(problem.page.code, ""),
        related=[*(_place(manifest, *place) for place in places), *_keys(problem, stage)],
    )
    return evolve(finding, severity=severity) if severity is not None and finding.severity == "error" else finding


def _place(manifest: Manifest, line: int, problem: Problem) -> Related:
    return Related(problem.subject, span=Span(line, problem.column, line, problem.column), path=str(manifest.path))


def _sizes(problem: Problem, stage: Stage) -> str:
    """`: F = 13 (latent frames), and not 12`."""
    told = []
    for found, wanted in problem.sizes:
        dimension = _dimension(wanted, stage)
        if dimension is not None:
            told.append(f"{dimension.symbol} = {int(wanted):,} ({dimension.meaning}), and not {found:,}")
    return f": {'; '.join(told)}" if told else ""


def _keys(problem: Problem, stage: Stage) -> tuple[Related, ...]:
    """The keys of the spec that the wanted sizes follow from."""
    dimensions = ((wanted, _dimension(wanted, stage)) for _, wanted in problem.sizes)
    keys = {
        key: f"{int(wanted):,} {dimension.meaning}"
        for wanted, dimension in dimensions
        if dimension is not None
        for key in dimension.keys
    }
    return written(stage, keys)


def _dimension(length: int, stage: Stage) -> Dimension | None:
    """The dimension of the stage that a length is: the one that follows in the same way from what the spec states."""
    dims = stage.dims
    origin = dims.expand(formula_of(length), to_given=True)
    same = (symbol for symbol in dims if dims.expand(dims.symbol(symbol), to_given=True) == origin)
    return next((dims.describe(symbol) for symbol in same), None)


def _held_out(stage: Stage, manifest: Manifest) -> Iterator[Finding]:
    training = stage.training
    samples = f"{len(manifest):,} {plural(len(manifest), 'sample')}"
    if training.validation_interval and training.validation_samples >= len(manifest):
        yield AllHeldOut().finding(
            f"{manifest.path} has {samples}, and validation holds out "
            f"{training.validation_samples:,}: none is left to train on",
            key="training.validation_samples",
            related=written(stage, {KEY: samples, "training.validation_interval": "there is validation"}),
        )
