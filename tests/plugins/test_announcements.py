"""What the built-in plugins announce: that it is there, and that it says the same as what stands behind it."""

import ast
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tttdit.core.plugin.kinds import KINDS, Announcement, Mixer, Model
from tttdit.core.plugin.registry import Registry
from tttdit.core.stage import Stage

OFFERED = {
    "model": ("ttt-dit",),
    "mixer": ("none", "sliding-window", "ttt-linear", "ttt-mlp"),
    "codec": ("cogvideox-vae", "dct"),
    "text-encoder": ("hash", "t5"),
    "data": ("precomputed", "synthetic"),
    "memory": ("auto", "regions", "selective"),
    "sampler": ("ddim", "dpmpp-2m-sde"),
    "logger": ("console", "wandb"),
    "importer": ("ttt-video-dit",),
}


def ours(registry: Registry) -> list[Announcement]:
    return [offer.announcement for offer in registry.offers() if offer.owner.name == "tttdit"]


def test_there_is_a_plugin_of_every_kind_that_a_spec_names(registry: Registry) -> None:
    offered = {kind: tuple(a.name for a in ours(registry) if type(a) is KINDS[kind]) for kind in KINDS}
    assert {kind: names for kind, names in offered.items() if names} == OFFERED


def test_every_table_and_every_rule_can_be_had(registry: Registry) -> None:
    assert [listed for listed in registry.listing() if listed.distribution == "tttdit" and listed.problem] == []


def test_every_key_of_every_table_says_what_it_means(registry: Registry) -> None:
    for announcement in ours(registry):
        if announcement.table:
            fields = registry.table(announcement).model_fields
            assert [key for key, field in fields.items() if not field.description] == [], announcement.name


def test_codes_and_pages(registry: Registry) -> None:
    rules = registry.rules_of(ours(registry))
    assert [rule.code for rule in rules] == [
        *("TTD101", "TTD102", "TTD103", "TTD104"),
        *("TTD201", "TTD202"),
        *("TTD301", "TTD302", "TTD303"),
        *(f"TTD{number}" for number in range(401, 413)),
        *("TTD502", "TTD504", "TTD505", "TTD601", "TTD607"),
        *("TTD710", "TTD715", "TTD716"),
        *(f"TTD{number}" for number in range(801, 818)),
    ]
    for rule in rules:
        page = type(rule).__doc__ or ""
        assert [part for part in ("What:", "Why:", "Example:", "Instead:", "Fix:") if part not in page] == [], rule.code


@pytest.mark.parametrize("name", ["ttt-mlp", "ttt-linear", "sliding-window"])
def test_a_mixers_arguments_are_its_constructors_keywords(
    name: str, registry: Registry, stage_of: Callable[..., Stage]
) -> None:
    stage = stage_of(mixer={"plugin": name})
    mixer = stage.assembly.mixer
    assert isinstance(mixer, Mixer)
    assert mixer.module is not None
    assert {*mixer.arguments(stage.mixer, stage.dims, stage.model), "regions"} == keywords(mixer.module)


def test_the_models_arguments_are_its_constructors_keywords(stage_of: Callable[..., Stage]) -> None:
    stage = stage_of()
    model = stage.assembly.model
    assert isinstance(model, Model)
    arguments = model.arguments(stage.model, stage.dims)
    assert {*arguments, "mixer", "regions"} == keywords(model.module)
    assert model.repeated in arguments


def test_the_models_inputs_are_its_forwards_parameters_in_order(stage_of: Callable[..., Stage]) -> None:
    stage = stage_of()
    forward = function(stage.assembly.model.module, "forward")
    assert list(stage.assembly.model.inputs(stage.model, stage.dims)) == [arg.arg for arg in forward.args.args[1:]]


def test_regions_name_only_regions_that_are_declared(registry: Registry) -> None:
    for announcement in ours(registry):
        regions = getattr(announcement, "regions", ())
        assert {key for region in regions for key in region.inside} <= {region.key for region in regions}


def keywords(reference: str) -> set[str]:
    """The keywords of a module's constructor, read without running it: it may need torch."""
    arguments = function(reference, "__init__").args
    return {argument.arg for argument in (*arguments.args[1:], *arguments.kwonlyargs)}


def function(reference: str, name: str) -> ast.FunctionDef:
    """A method of the named class, or of the nearest of its bases in the package."""
    module, _, class_name = reference.partition(":")
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    tree: Any = ast.parse(Path(spec.origin).read_text())
    found = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == class_name)
    methods = [node for node in found.body if isinstance(node, ast.FunctionDef) and node.name == name]
    if methods:
        return methods[0]
    for base in found.bases:
        imported = [
            f"{node.module}:{base.id}"
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and base.id in {alias.name for alias in node.names}
        ]
        if imported:
            return function(imported[0], name)
    raise AssertionError(f"{reference} has no {name}")
