"""The JSON Schema: it takes the specs that there should be, refuses mistakes, and carries every key's meaning."""

from __future__ import annotations

import json
from collections.abc import Iterator
from textwrap import dedent
from typing import Any, ClassVar, Literal

import jsonschema
import pytest
import tomli
from pydantic import Field

from tttdit.core.spec.schema import schema
from tttdit.core.spec.tables import BASE_TABLES, Count, Dimension, PluginTable, Table


class VaeTable(PluginTable):
    space: Count = Field(default=8, description="Pixels a latent.")


class DitTable(PluginTable):
    presets: ClassVar[dict[str, dict[str, object]]] = {
        "5B": {"width": 3072, "heads": 48},
        "debug": {"width": 512, "heads": 8},
    }

    width: Dimension = Field(description="Numbers a token.")
    heads: Count = Field(description="Heads.")
    adapter: Literal["sft", "qkvo", "none"] = Field(default="sft", description="What is trained.")


class MlpTable(PluginTable):
    mini_batch_size: Count = Field(default=64, description="Tokens in a mini-batch.")
    base_learning_rate: float = Field(default=0.1, gt=0, description="Learning rate of the inner loop.")
    learning_rates: Literal["token", "upstream"] = Field(default="token", description="Whose rate.")
    ttt_norm_eps: float = Field(default=1e-6, gt=0, description="Added to the variance.")


class GateTable(Table):
    start: float = Field(description="Where the gate starts.")


class WindowTable(PluginTable):
    window: Count = Field(description="Tokens to either side.")
    gate: GateTable | None = Field(default=None, description="A gate.")


class ManifestTable(PluginTable):
    manifest: str = Field(description="A file.")


class RegionsTable(PluginTable):
    transformer_checkpoint_layer_group_size: int = Field(default=1, ge=0, description="Layers in a region.")
    attention: bool = Field(default=False, description="Attention.")


TABLES: dict[str, dict[str, type[PluginTable]]] = {
    "codec": {"cogvideox-vae": VaeTable},
    "model": {"ttt-dit": DitTable},
    "model.mixer": {"ttt-mlp": MlpTable, "window": WindowTable},
    "data": {"precomputed": ManifestTable},
    "memory": {"regions": RegionsTable},
    "sampling": {},
    "logging": {"console": VaeTable},
}

EXAMPLE = """\
#:schema tttdit.schema.json

name = "nine-seconds"

[video]
seconds = 9
fps = 16
height = 480
width = 720

[codec]
plugin = "cogvideox-vae"

[text]
segments = 3
tokens_per_segment = 502
encoder = "t5"
width = 4096

[model]
plugin = "ttt-dit"
preset = "5B"
adapter = "qkvo"

[model.mixer]
plugin = "ttt-mlp"
mini_batch_size = 64
base_learning_rate = 0.1
learning_rates = "token"
ttt_norm_eps = 1e-6

[data]
plugin = "precomputed"
manifest = "train.jsonl"

[memory]
plugin = "regions"
transformer_checkpoint_layer_group_size = 1
attention = false

[training]
global_batch_size = 64

[optimizer]
lr = 1
betas = [0.9, 0.95]

[parallelism]
dp_replicate = 8

[hardware]
gpu = "H100-80GB"

[checkpoint]
folder = "checkpoints"
"""

STAGES = """
[[stage]]
name = "9s"
video.seconds = 9

[[stage]]
name = "63s"
video.seconds = 63
model.mixer.window = 3
training.steps = 250
"""


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    made = schema(TABLES, {"codec": "cogvideox-vae", "memory": "regions"})
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(json.loads(json.dumps(made)))


def errors(validator: jsonschema.Draft202012Validator, text: str) -> list[str]:
    return sorted(error.json_path for error in validator.iter_errors(tomli.loads(dedent(text))))


def test_the_dialect_is_named(validator: jsonschema.Draft202012Validator) -> None:
    assert validator.schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_example(validator: jsonschema.Draft202012Validator) -> None:
    assert errors(validator, EXAMPLE) == []
    assert errors(validator, EXAMPLE + STAGES) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("fps = 16\n", ""),
        ("fps = 16\n", 'fps = "16"\n'),
        ("fps = 16\n", "fps = 0\n"),
        ("fps = 16\n", "fps = 16\nfsp = 16\n"),
        ("segments = 3\n", 'segments = "three"\n'),
        ('preset = "5B"\n', ""),
        ('preset = "5B"\n', 'preset = "5C"\n'),
        ('adapter = "qkvo"\n', 'adapter = "lora"\n'),
        ('plugin = "ttt-mlp"\n', ""),
        ('plugin = "ttt-mlp"\n', 'plugin = "other"\n'),
        ('plugin = "ttt-mlp"\n', 'plugin = "window"\n'),
        ('manifest = "train.jsonl"\n', ""),
        ("[training]\n", "[trainig]\n"),
        ("betas = [0.9, 0.95]\n", "betas = [0.9]\n"),
        ('gpu = "H100-80GB"\n', 'gpu = "H100"\n'),
        ('[codec]\nplugin = "cogvideox-vae"', '[codec]\npreset = "x"'),
    ],
)
def test_mistakes(validator: jsonschema.Draft202012Validator, old: str, new: str) -> None:
    assert old in EXAMPLE
    assert errors(validator, EXAMPLE.replace(old, new, 1)) != []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('preset = "5B"\n', "width = 3072\nheads = 48\n"),
        ('[codec]\nplugin = "cogvideox-vae"\n', "[codec]\nspace = 8\n"),
        ('[codec]\nplugin = "cogvideox-vae"\n', ""),
        ('name = "nine-seconds"\n', ""),
        ("segments = 3\n", 'segments = "auto"\n'),
        ("seconds = 9\n", "pixel_frames = 145\n"),
    ],
)
def test_what_may_be_written_in_another_way(validator: jsonschema.Draft202012Validator, old: str, new: str) -> None:
    assert old in EXAMPLE
    assert errors(validator, EXAMPLE.replace(old, new, 1)) == []


def test_one_of_several_plugins(validator: jsonschema.Draft202012Validator) -> None:
    head = EXAMPLE[: EXAMPLE.index("[model.mixer]")] + '[model.mixer]\nplugin = "window"\n'
    assert errors(validator, head + "window = 3\n") == []
    assert errors(validator, head + "window = 3\ngate = {start = 1}\n") == []
    assert errors(validator, head + "window = 3\ngate = {start = 'x'}\n") != []
    assert errors(validator, head) != [], "window is missing"


def test_a_curriculum_may_be_complete_in_its_stages_only(validator: jsonschema.Draft202012Validator) -> None:
    assert errors(validator, EXAMPLE.replace("fps = 16\n", "") + STAGES) == []
    assert errors(validator, EXAMPLE + STAGES.replace('name = "63s"', "")) != []
    assert errors(validator, EXAMPLE + STAGES + "training.stepps = 3") != []
    assert errors(validator, EXAMPLE + STAGES + "model.mixer.nothing = 3") != []


def keys_in(part: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "properties":
                yield from value.items()
            yield from keys_in(value)
    elif isinstance(part, list):
        for value in part:
            yield from keys_in(value)


def test_every_key_carries_its_meaning(validator: jsonschema.Draft202012Validator) -> None:
    definitions = validator.schema["$defs"]
    for name, table in BASE_TABLES.items():
        for key, field in table.model_fields.items():
            assert definitions[name]["properties"][key]["description"] == field.description
    for key, value in keys_in(definitions):
        assert "description" in value or "$ref" in value or "anyOf" in value, key
    assert (
        definitions["model.mixer.ttt-mlp"]["properties"]["mini_batch_size"]["description"] == "Tokens in a mini-batch."
    )
    assert definitions["model.mixer.ttt-mlp"]["properties"]["plugin"]["const"] == "ttt-mlp"
    assert definitions["model.ttt-dit"]["properties"]["preset"]["enum"] == ["5B", "debug"]


def test_there_is_neither_null_nor_a_title_of_a_key(validator: jsonschema.Draft202012Validator) -> None:
    text = json.dumps(validator.schema)
    assert '"null"' not in text
    assert "null" not in text.replace('"null"', "")
    assert all("title" not in value for _, value in keys_in(validator.schema))
