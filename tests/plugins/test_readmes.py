"""Every plugin's README names the keys of its table, with their defaults, and its rules."""

import re
from pathlib import Path

import pytest

from tttdit.core.plugin.kinds import Announcement
from tttdit.core.plugin.registry import Registry

PLUGINS = Path(__file__).parents[2] / "plugins"


def folder_of(announcement: Announcement) -> Path:
    return PLUGINS / announcement.name.replace("-", "_")


def ours() -> list[Announcement]:
    return [offer.announcement for offer in Registry.of_environment().offers() if offer.owner.name == "tttdit"]


@pytest.mark.parametrize("announcement", ours(), ids=lambda announcement: announcement.name)
def test_it_says_what_there_is(announcement: Announcement, registry: Registry) -> None:
    text = (folder_of(announcement) / "README.md").read_text("utf-8")
    assert announcement.name in text.partition("\n")[0]
    if announcement.table:
        keys = set(registry.table(announcement).model_fields) - {"plugin", "preset"}
        assert {key for key in keys if f"`{key}`" not in text} == set()
    assert {rule.code for rule in registry.rules(announcement) if rule.code not in text} == set()


@pytest.mark.parametrize("announcement", ours(), ids=lambda announcement: announcement.name)
def test_its_defaults_are_the_tables(announcement: Announcement, registry: Registry) -> None:
    text = (folder_of(announcement) / "README.md").read_text("utf-8")
    for key, told in re.findall(r"^\| `(\w+)` \| ([\d.e-]+|true|false) \|", text, re.MULTILINE):
        default = registry.table(announcement).model_fields[key].default
        assert (str(default).lower() if isinstance(default, bool) else str(default)) == told, key
