"""What a plugin announces, kind by kind.

An announcement is light: what is heavy (a pydantic table, a torch module, rules) stands behind a `"package.module:Name"` string and
is imported when a spec uses the plugin. Functions that only compute with `Dimensions` are named directly.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from attrs import field, frozen

from tttdit.core.dimensions import Dimensions

if TYPE_CHECKING:
    from tttdit.core.spec.tables import TextTable

Dtype: TypeAlias = Literal["float32", "bfloat16", "float16", "int64"]


@frozen
class Region:
    """A named part of the forward pass, and the key of `[memory]` that governs it.

    A `switch` is on or off: the module calls the region by the key's name, `self.regions("attention", ...)`. A `size` groups `count` equal
    pieces (the symbol of a dimension), 0 meaning that nothing is recomputed; the module asks for the size by the key,
    `self.regions.group_size(key, count)`, and calls each group by the name in `group`.
    """

    key: str  # of [memory], and a switch's name in the module: "attention"
    kind: Literal["switch", "size"]
    meaning: str  # what lies inside; for people
    default: bool | int = False
    inside: tuple[str, ...] = ()  # keys of regions that lie in it
    count: str = ""  # a size: the dimension that is grouped
    group: str = ""  # a size: the region's name in the module; "" where an operator groups its own steps
    even: bool = (
        False  # a size: a count that is no whole multiple of it, so that the last group is smaller, deserves a warning
    )
    is_region: bool = True  # False: an option of the runtime that is no region (shard_transformer_inputs)


@frozen
class Input:
    """A tensor that the model's forward takes."""

    shape: tuple[int, ...]  # of Dims
    dtype: Dtype


@frozen(kw_only=True)
class Announcement:
    """What every kind has."""

    name: str  # as a spec's `plugin = "..."` says it
    summary: str  # one line, for `tttdit plugins`
    table: str  # "package.module:Table", a PluginTable: its part of the spec
    rules: str | tuple[str, ...] | None = (
        None  # packages or modules whose Rule subclasses come with it: "my_package.rules"
    )

    @property
    def rule_packages(self) -> tuple[str, ...]:
        """What `rules` names."""
        if self.rules is None:
            return ()
        return self.rules if isinstance(self.rules, tuple) else (self.rules,)


@frozen(kw_only=True)
class Codec(Announcement):
    """What makes latents of videos, and videos of latents.

    `dimensions(table, dims)` reads N, and the given `pixel_height` and `pixel_width`, and derives F (atomic), H, W, and gives C.
    `module` is a `"package.module:Codec"`, called as `Codec(table, folder, device)`, a VideoCodec (core/runtime/codec.py); paths in its
    table are seen from `folder`, the spec's. Without one nothing can be encoded nor decoded: only the geometry is known.
    """

    dimensions: Callable[[Any, Dimensions], None]
    module: str | None = None


@frozen(kw_only=True)
class TextEncoder(Announcement):
    """A text encoder, named by `[text] encoder`; it has no table of its own.

    `width` and `max_tokens` take the spec's `[text]` and answer None where the encoder has no say. `module` is a
    `"package.module:Encoder"`, called as `Encoder(text_table, folder, device)`, a TextEncoder (core/runtime/text.py); paths in the table
    are seen from `folder`, the spec's. Without one no text can be encoded. `stored_width(text, folder)` is the width that the weights in
    `text.encoder_folder` say, found without torch, None where they are not there or do not say it; an encoder without weights has no
    such function.
    """

    table: str = field(default="", init=False)
    width: Callable[[TextTable], int | None] = lambda text: None  # of its embeddings
    max_tokens: Callable[[TextTable], int | None] = lambda text: None  # the longest text that it was made for
    module: str | None = None
    stored_width: Callable[[TextTable, Path], int | None] | None = None


@frozen(kw_only=True)
class Mixer(Announcement):
    """A global sequence layer.

    `module` takes the keywords of `arguments(table, dims, model_table)` and `regions`; called with x [B, L, D], text then video, it
    returns the same shape. Keywords are ints (`Dim`s in a check), floats, strings. Without a module there is no such layer: the model
    gets None for it, and has nothing that would go with it. `parallel` is a `"package.module:plan"`, called as `plan(table, memory_table)`:
    PyTorch's ParallelStyles (core/runtime/tensor_parallel/styles.py) by the paths of modules inside the mixer, "" for itself; without one
    it cannot be shared by tensor-parallel ranks.
    """

    module: str | None
    dimensions: Callable[[Any, Dimensions], None] = lambda table, dims: None
    arguments: Callable[[Any, Dimensions, Any], dict[str, Any]] = lambda table, dims, model_table: {}
    regions: tuple[Region, ...] = ()
    parallel: str | None = None


@frozen(kw_only=True)
class Model(Announcement):
    """A video diffusion transformer.

    `module` takes the keywords of `arguments(table, dims)`, `mixer` (a function of a `Regions` that makes one mixer, or None where the
    spec's mixer has no module) and `regions`; its forward takes the tensors of `inputs(table, dims)` by position (latents, text
    embeddings, timesteps) and returns the prediction, which has the latents' shape. `repeated` is the constructor keyword that only
    counts identical layers: a check builds few of them.
    `trains(table, name)` says whether the parameter of this name is trained, `of_mixer(table, name)` whether it is a mixer's or a mixer's
    gate, and learns at `optimizer.lr_mixer`. `weight_names` refers to a tuple of `WeightNames`
    (core/plugin/weight_names.py), the names of its parameters in other projects' files. `parallel` is a `"package.module:plan"`, called as
    `plan(table, memory_table, mixer_plan)`: as a mixer's, by paths inside the model, with the mixer's own among them.
    """

    module: str
    dimensions: Callable[[Any, Dimensions], None]
    arguments: Callable[[Any, Dimensions], dict[str, Any]]
    inputs: Callable[[Any, Dimensions], dict[str, Input]]
    regions: tuple[Region, ...] = ()
    repeated: str | None = None
    trains: Callable[[Any, str], bool] = lambda table, name: True
    of_mixer: Callable[[Any, str], bool] = lambda table, name: False
    weight_names: str | None = None
    parallel: str | None = None


@frozen(kw_only=True)
class Data(Announcement):
    """A source of samples.

    `source` is a `"package.module:Source"` (core/runtime/data/source.py), called as `Source(table, wanted, folder)`. Of its table:
    `workers` says how many processes read samples ahead for one rank, `shuffles` whether every pass has its own order, `skips_bad` whether
    the next sample takes the place of one that cannot be used, which otherwise ends the run.

    `inspect` is a `"package.module:function"` for `tttdit-check --data`, called as `inspect(stage, folder, bar)`: it yields findings of
    `DataPage`s in its `rules` about what its files hold, and needs no torch. `folder` is the spec's, `bar(length, name)` gives a context in
    which it tells how many more of `length` samples are done. None: it has no files.
    """

    source: str | None = None
    inspect: str | None = None
    workers: Callable[[Any], int] = lambda table: 0
    shuffles: Callable[[Any], bool] = lambda table: True
    skips_bad: Callable[[Any], bool] = lambda table: False


class Strategy(Protocol):
    """What a memory strategy answers, for the checker and the runtime alike."""

    @property
    def tells_layers_apart(self) -> bool:
        """Whether regions of one name in different layers may have different answers."""
        ...

    def recomputes(self, region: str) -> bool:
        """Whether a region is recomputed in backward. The name is the full one, `layers.0.attention` or `layers.0.layer_group`."""
        ...

    def group_size(self, key: str, count: int) -> int:
        """How many of `count` equal pieces one group of a sized region holds."""
        ...


@frozen(kw_only=True)
class Memory(Announcement):
    """A memory strategy. Its table is a `MemoryTable` (core/plugin/memory.py), to which one field is added for each region that the
    model and the mixer declare.

    `strategy(table)` answers for every region: keep or recompute, and in groups of how many. Of a `planned` strategy the keys of regions
    that a spec does not state are found before anything else is done with it: the setting that fits the GPU with the least recomputation.
    """

    strategy: Callable[[Any], Strategy]
    planned: bool = False


@frozen(kw_only=True)
class Sampler(Announcement):
    """A way to draw videos from a model. Its table is a `SamplerTable` (core/spec/sampler_table.py).

    `module` is a `"package.module:Solver"`, called as `Solver(table)`, a Solver (core/runtime/sampling/solver.py). Without one nothing can
    be drawn: only the table is known.
    """

    module: str | None = None


@frozen(kw_only=True)
class Logger(Announcement):
    """A place where metrics go. `writer` is a `"package.module:Writer"`, called as `Writer(table, folder, say)`: the run's folder, and a
    function that tells people a line. It has the methods `write(metrics)`, whose metrics are a line of metrics.jsonl, and `close()`.
    """

    writer: str | None = None


@frozen(kw_only=True)
class Rules(Announcement):
    """Rules that are not bound to a model or a mixer; they hold for every spec."""

    table: str = field(default="", init=False)


@frozen(kw_only=True)
class Importer(Announcement):
    """Reads another project's files as specs.

    `recognises(path, text)` looks at a file of whatever content, and is quick. `reader` is a `"package.module:read"` whose
    `read(document)` gives an `Imported` (core/plugin/importing.py): the spec that the file is, the place in the file of each of its
    values, and what the importer itself finds wrong. The rules behind these findings are `Page`s in its `rules`; others there look at the
    stage that the file is, as the rules of the plugins that it uses do.
    """

    table: str = field(default="", init=False)
    recognises: Callable[[str, str], bool]
    reader: str


KINDS: dict[str, type[Announcement]] = {
    "model": Model,
    "mixer": Mixer,
    "codec": Codec,
    "text-encoder": TextEncoder,
    "data": Data,
    "memory": Memory,
    "sampler": Sampler,
    "logger": Logger,
    "rules": Rules,
    "importer": Importer,
}
