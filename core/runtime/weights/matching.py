"""Which tensor of a file is which parameter of a model: every name on either side is accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from attrs import frozen

from tttdit.core.errors import UsageError
from tttdit.core.plugin.weight_names import NUMBER, WeightNames, like, regex
from tttdit.core.runtime.weights.configs import check_config
from tttdit.core.runtime.weights.reading import Source

_SHOWN = 4  # patterns in a message


@frozen
class Mismatch:
    """A tensor whose shape is not the parameter's."""

    name: str
    source: str  # its name in the file
    shape: tuple[int, ...]
    expected: tuple[int, ...]


@frozen
class Match:
    """What becomes of every tensor of a file, and where every parameter of the model comes from."""

    project: str  # whose names the file has
    taken: Mapping[str, str]  # parameter: its name in the file, in the model's order
    new: tuple[str, ...]  # parameters that the file's project does not have: the model's own initial values
    missing: tuple[str, ...]  # parameters that the file should have
    unexpected: Mapping[str, str]  # names in the file without a place, and why if that is known
    mismatched: tuple[Mismatch, ...]
    left_out: Mapping[str, str]  # names in the file that are no weights, or to be ignored, and why

    @property
    def fits(self) -> bool:
        """Whether a model can be filled from it."""
        return not (self.missing or self.unexpected or self.mismatched)


def match(
    source: Source,
    formats: Sequence[WeightNames],
    *,
    target: Mapping[str, Sequence[int]] | None = None,
    ignored: Sequence[str] = (),
) -> Match:
    """Matches a file's tensors with a model's parameters.

    The names are read as those of the project, one of `formats`, that explains most of them. `target` are the model's own names and
    shapes; without it the layers found must be whole and alike. `ignored` are patterns (as of a shell) of the file's names. Raises
    UsageError if no project's names are there, its config beside the file is another model's, a pattern ignores nothing, or two names
    mean one parameter; all else the match says.
    """
    left_out = {**source.others, **_ignored(source, ignored)}
    names = [name for name in source.tensors if name not in left_out]
    naming = _naming(source, names, formats, target)
    check_config(source.path, naming.names)
    taken: dict[str, str] = {}
    unexpected: dict[str, str] = {}
    for name in names:
        ours = naming.ours(name)
        if ours is None and naming.is_beside(name):
            left_out[name] = f"not under {naming.names.container}"
        elif ours is None or (target is not None and ours not in target):
            unexpected[name] = naming.reason(name)
        elif ours in taken:
            raise UsageError(f'{source.path} has {ours} twice: as "{taken[ours]}" and as "{name}"')
        else:
            taken[ours] = name
    expected = list(target) if target is not None else _whole(naming.names, taken)
    absent = [name for name in expected if name not in taken]
    has_added = any(naming.names.is_added(name) for name in taken)
    new = tuple(name for name in absent if naming.names.is_added(name) and not has_added)
    mismatched = {
        name: Mismatch(name, theirs, shape, tuple(target[name]))
        for name, theirs in taken.items()
        if target is not None and tuple(target[name]) != (shape := source.tensors[theirs].shape)
    }
    return Match(
        project=naming.names.project,
        taken={name: taken[name] for name in expected if name in taken and name not in mismatched},
        new=new,
        missing=tuple(name for name in absent if name not in new),
        unexpected=unexpected,
        mismatched=tuple(mismatched.values()),
        left_out=left_out,
    )


def grouped(names: Iterable[str]) -> dict[str, int]:
    """Names that differ in a number only, as one with `*` for it, and how many there are of each."""
    found = list(names)
    starred = [next((pattern for pattern, number in _patterns(name) if number), name) for name in found]
    counts = Counter(starred)
    return Counter(pattern if counts[pattern] > 1 else name for name, pattern in zip(found, starred, strict=True))


def listed(names: Iterable[str]) -> str:
    """Names on one line, those of many layers as one, the first few of them: `layers.*.q.weight x 2, foo`."""
    groups = [f"{name} x {count}" if count > 1 else name for name, count in grouped(names).items()]
    return ", ".join(groups[:_SHOWN]) + (f" and {len(groups) - _SHOWN} more" if len(groups) > _SHOWN else "")


def problems(found: Match) -> str:
    """What keeps a match from fitting, on one line: `2 missing: layers.*.q.weight x 2; 1 unexpected: foo`."""
    shapes = ", ".join(
        f"{each.name} is {list(each.shape)}, not {list(each.expected)}" for each in found.mismatched[:_SHOWN]
    )
    parts = (
        (len(found.missing), "missing", listed(found.missing)),
        (len(found.unexpected), "unexpected", listed(found.unexpected)),
        (len(found.mismatched), "of another shape", shapes),
    )
    return "; ".join(f"{count} {what}: {which}" for count, what, which in parts if count)


@frozen
class _Naming:
    """One project's names behind one prefix."""

    names: WeightNames
    prefix: str

    def ours(self, name: str) -> str | None:
        """Our name for one of theirs."""
        if not name.startswith(self.prefix):
            return None
        bare = name.removeprefix(self.prefix)
        for pattern, number in _patterns(bare):
            if pattern in self.names.names:
                return self.names.names[pattern].replace("*", number)
        return bare if self.names.is_added(bare) else None

    def is_beside(self, name: str) -> bool:
        """Whether a checkpoint has it beside the weights: an optimizer's state, a step's number."""
        container = self.names.container
        return bool(container) and self.prefix.startswith(container) and not name.startswith(container)

    def reason(self, name: str) -> str:
        """Why a name has no place, where that is known."""
        bare = name.removeprefix(self.prefix)
        return next((why for pattern, why in self.names.unplaced.items() if like(pattern, bare)), "")


def _naming(
    source: Source, names: Sequence[str], formats: Sequence[WeightNames], target: Mapping[str, object] | None
) -> _Naming:
    """The names and the prefix that explain most."""
    own = () if target is None else (WeightNames(project="tttdit", names={name: name for name in target}),)
    candidates = [
        _Naming(known, container + prefix)
        for known in (*formats, *own)
        for container in dict.fromkeys(("", known.container))
        for prefix in ("", *known.prefixes)
    ]
    counts = [sum(naming.ours(name) is not None for name in names) for naming in candidates]
    if not any(counts):
        known = ", ".join(dict.fromkeys(each.project for each in formats)) or "the model"
        shown = listed(sorted(names)) or "none"
        raise UsageError(f"{source.path} has no name that weights are known by (to {known}); it has {shown}")
    return candidates[counts.index(max(counts))]


def _ignored(source: Source, patterns: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pattern in patterns:
        meant = [name for name in (*source.tensors, *source.others) if fnmatchcase(name, pattern)]
        if not meant:
            raise UsageError(f'{source.path} has nothing like "{pattern}" to ignore')
        found |= dict.fromkeys(meant, f'ignored, as "{pattern}" says')
    return found


def _whole(names: WeightNames, taken: Iterable[str]) -> list[str]:
    """What a file with these parameters should have: every layer, from 0 to the last one found, as complete as all together."""
    patterns = dict.fromkeys(names.names.values())
    last = 0
    for name in taken:
        for pattern, number in _patterns(name):
            if pattern in names.names.values():
                last = max(last, int(number or 0))
        for added in names.added:
            if found := regex(added).fullmatch(name):
                begin, end = found.span(1) if found.re.groups else (0, 0)
                last = max(last, int(name[begin:end] or 0))
                patterns[f"{name[:begin]}*{name[end:]}" if end else name] = None
    return [
        *(name for name in patterns if "*" not in name),
        *(name.replace("*", str(layer)) for layer in range(last + 1) for name in patterns if "*" in name),
    ]


def _patterns(name: str) -> Iterator[tuple[str, str]]:
    """A name, and the same with each of its numbers in turn as `*`; with that number."""
    yield name, ""
    parts = name.split(".")
    for index, part in enumerate(parts):
        if NUMBER.fullmatch(part):
            yield ".".join([*parts[:index], "*", *parts[index + 1 :]]), part
