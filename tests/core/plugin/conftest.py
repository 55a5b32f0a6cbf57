"""Distributions that are made for a test: a package, its metadata and its entry points, in a folder on the import path."""

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from textwrap import dedent

import pytest

from tttdit.core.plugin.registry import Registry

Install = Callable[..., None]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty site-packages, in front of the import path; its modules are forgotten afterwards."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if str(folder.parent) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def install(site: Path) -> Install:
    """A function that installs a distribution: its name, version, and files by path; `plugin.py` is the entry point."""

    def install(name: str, version: str = "1.0", **files: str) -> None:
        package = site / name.replace("-", "_")
        package.mkdir()
        (package / "__init__.py").touch()
        for stem, text in files.items():
            (package / f"{stem}.py").write_text(dedent(text))
        metadata = site / f"{package.name}-{version}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (metadata / "entry_points.txt").write_text(f"[tttdit]\n{name} = {package.name}.plugin\n")

    return install


@pytest.fixture
def installed(site: Path) -> Callable[[], Registry]:
    """A function that makes the registry of what was installed, and of nothing else."""

    def registry() -> Registry:
        return Registry.of_environment(installed=entry_points(site))

    return registry


def entry_points(site: Path) -> list[EntryPoint]:
    return [entry for found in distributions(path=[str(site)]) for entry in found.entry_points]
