"""The hooks: one a kind of plugin, each answered with a list of announcements.

    from tttdit import hookimpl
    from tttdit.core.plugin.kinds import Sampler

    @hookimpl
    def tttdit_samplers() -> list[Sampler]:
        return [Sampler(name="euler", summary="Euler steps, no noise.", table="my_package.spec:EulerTable")]

Hooks take no arguments and only announce: what is heavy stands behind a `"package.module:Name"` string, so the module that implements them
(the entry point's value, called `plugin.py` by custom) imports in a moment, without torch.
"""

from __future__ import annotations

from tttdit.core.plugin.hooks import hookspec
from tttdit.core.plugin.kinds import (
    Announcement,
    Codec,
    Data,
    Importer,
    Logger,
    Memory,
    Mixer,
    Model,
    Rules,
    Sampler,
    TextEncoder,
)

# Which kind of announcement each hook is answered with.
HOOKS: dict[str, type[Announcement]] = {
    "tttdit_models": Model,
    "tttdit_mixers": Mixer,
    "tttdit_codecs": Codec,
    "tttdit_text_encoders": TextEncoder,
    "tttdit_data_sources": Data,
    "tttdit_memory_strategies": Memory,
    "tttdit_samplers": Sampler,
    "tttdit_loggers": Logger,
    "tttdit_rules": Rules,
    "tttdit_importers": Importer,
}


@hookspec
def tttdit_models() -> list[Model]:  # type: ignore[empty-body]
    """Video diffusion transformers: `[model] plugin = "..."`.

    return [Model(name="my-dit", summary="...", table="my_dit.spec:Table", module="my_dit.module:MyDiT",
                  dimensions=dimensions, arguments=arguments, inputs=inputs, repeated="layers")]
    """


@hookspec
def tttdit_mixers() -> list[Mixer]:  # type: ignore[empty-body]
    """Global sequence layers: `[model.mixer] plugin = "..."`.

    return [Mixer(name="my-mixer", summary="...", table="my_mixer.spec:Table", module="my_mixer.module:MyMixer",
                  arguments=arguments)]
    """


@hookspec
def tttdit_codecs() -> list[Codec]:  # type: ignore[empty-body]
    """Video VAEs, and whatever else makes latents of videos: `[codec] plugin = "..."`.

    return [Codec(name="my-vae", summary="...", table="my_vae.spec:Table", dimensions=dimensions, module="my_vae.module:MyVAE")]
    """


@hookspec
def tttdit_text_encoders() -> list[TextEncoder]:  # type: ignore[empty-body]
    """Text encoders: `[text] encoder = "..."`.

    return [TextEncoder(name="my-encoder", summary="...", width=lambda text: 1024, max_tokens=lambda text: 77,
                        module="my_encoder.module:MyEncoder")]
    """


@hookspec
def tttdit_data_sources() -> list[Data]:  # type: ignore[empty-body]
    """Sources of samples: `[data] plugin = "..."`.

    return [Data(name="my-files", summary="...", table="my_files.spec:Table")]
    """


@hookspec
def tttdit_memory_strategies() -> list[Memory]:  # type: ignore[empty-body]
    """Strategies that keep or recompute regions: `[memory] plugin = "..."`.

    return [Memory(name="my-strategy", summary="...", table="my_strategy.spec:Table", strategy=make)]
    """


@hookspec
def tttdit_samplers() -> list[Sampler]:  # type: ignore[empty-body]
    """Ways to draw videos from a model: `[sampling] plugin = "..."`.

    return [Sampler(name="my-sampler", summary="...", table="my_sampler.spec:Table")]
    """


@hookspec
def tttdit_loggers() -> list[Logger]:  # type: ignore[empty-body]
    """Places where metrics go: `[logging] plugin = "..."`.

    return [Logger(name="my-board", summary="...", table="my_board.spec:Table")]
    """


@hookspec
def tttdit_rules() -> list[Rules]:  # type: ignore[empty-body]
    """Rules that hold for every spec, whatever plugins it uses.

    return [Rules(name="our-cluster", summary="...", rules="our_cluster.rules")]
    """


@hookspec
def tttdit_importers() -> list[Importer]:  # type: ignore[empty-body]
    """Readers of other projects' files.

    return [Importer(name="their-jobs", summary="...", reader="their_jobs.reader:read",
                     recognises=lambda path, text: path.endswith(".job"))]
    """
