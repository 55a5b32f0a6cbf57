"""What the tables of plugins refuse."""

from typing import Any

import pytest
from pydantic import ValidationError

from tttdit.core.errors import PluginError
from tttdit.core.plugin.registry import Registry
from tttdit.plugins.ttt.structure import arguments


@pytest.mark.parametrize(
    ("kind", "table", "key"),
    [
        ("model", {"plugin": "ttt-dit", "preset": "5B", "width": 10_000_001}, "width"),
        ("model", {"plugin": "ttt-dit", "preset": "5B", "layers": 100_001}, "layers"),
        ("model", {"plugin": "ttt-dit", "preset": "5B", "adapter": "lora"}, "adapter"),
        ("model", {"plugin": "ttt-dit", "preset": "7B", "width": 64, "heads": 1, "layers": 1}, "preset"),
        ("model", {"plugin": "ttt-dit", "preset": "5B", "attention_frames": 4, "prefix_frames": 5}, "prefix_frames"),
        ("mixer", {"plugin": "ttt-mlp", "mini_batch_size": 0}, "mini_batch_size"),
        ("mixer", {"plugin": "ttt-mlp", "mini_batch_size": 64.0}, "mini_batch_size"),
        ("mixer", {"plugin": "ttt-linear", "learning_rates": "tokens"}, "learning_rates"),
        ("mixer", {"plugin": "ttt-linear", "base_learning_rate": 0}, "base_learning_rate"),
        ("mixer", {"plugin": "sliding-window", "neighbours": -1}, "neighbours"),
        ("mixer", {"plugin": "none", "mini_batch_size": 64}, "mini_batch_size"),
        ("codec", {"plugin": "cogvideox-vae", "time_compression": 0}, "time_compression"),
        ("codec", {"plugin": "cogvideox-vae", "scale_factor": 0.0}, "scale_factor"),
        ("codec", {"plugin": "dct", "space_compression": 2, "channels": 13}, "channels"),
        ("codec", {"plugin": "dct", "space_compression": 2}, "channels"),  # the default is too many
        ("codec", {"plugin": "dct", "space_compression": 23}, "time_compression"),
        ("data", {"plugin": "precomputed"}, "manifest"),
        ("data", {"plugin": "precomputed", "manifest": "a.jsonl", "workers": -1}, "workers"),
        ("data", {"plugin": "synthetic", "seed": -1}, "seed"),
        ("sampler", {"plugin": "dpmpp-2m-sde", "steps": 1000}, "steps"),
        ("sampler", {"plugin": "dpmpp-2m-sde", "guidance_schedule": "linear"}, "guidance_schedule"),
        ("logger", {"plugin": "console", "log_interval": 0}, "log_interval"),
    ],
)
def test_a_value_out_of_bounds_is_refused_at_its_key(
    kind: str, table: dict[str, Any], key: str, registry: Registry
) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.table(registry.find(kind, table["plugin"])).model_validate(table)
    assert [error["loc"] for error in caught.value.errors()] == [(key,)]


def test_a_model_without_a_preset_needs_its_sizes(registry: Registry) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.table(registry.find("model", "ttt-dit")).model_validate({"plugin": "ttt-dit"})
    assert [(e["type"], e["loc"]) for e in caught.value.errors()] == [
        ("missing", (key,)) for key in ("width", "heads", "layers")
    ]


def test_a_ttt_mixer_in_a_model_without_windows(registry: Registry) -> None:
    mixer = registry.table(registry.find("mixer", "ttt-mlp")).model_validate({"plugin": "ttt-mlp"})
    other = registry.table(registry.find("logger", "console")).model_validate({"plugin": "console"})
    with pytest.raises(PluginError) as caught:
        arguments(mixer, None, other)  # type: ignore[arg-type]
    assert str(caught.value) == (
        'the mixer "ttt-mlp" needs a model whose table states attention_frames, prefix_frames, rope_theta, norm_eps; '
        '"console" does not'
    )
