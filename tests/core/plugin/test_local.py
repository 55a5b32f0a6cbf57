"""Plugins in local files, which are used only when somebody allows them."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from tttdit.core.errors import PluginError
from tttdit.core.plugin.registry import Registry

ANNOUNCED = """
    from tttdit import hookimpl
    from tttdit.core.plugin.kinds import Sampler

    @hookimpl
    def tttdit_samplers():
        return [Sampler(name="heun", summary="Heun steps.", table="{module}:Table")]
"""
TABLE = """
    from tttdit.core.spec.tables import PluginTable

    class Table(PluginTable):
        steps: int = 10
"""

pytestmark = pytest.mark.usefixtures("site")


def allowed(*paths: Path) -> Registry:
    return Registry.of_environment(allow=paths, installed=[])


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text))
    return path


def test_a_file(tmp_path: Path) -> None:
    path = write(tmp_path / "heun_file.py", ANNOUNCED.format(module="heun_file") + TABLE)
    registry = allowed(path)
    heun = registry.find("sampler", "heun")
    assert registry.table(heun).__module__ == "heun_file"
    assert str(registry.owner(heun)) == f'the file "{path}"'
    assert registry.listing()[0].version is None


def test_a_folder_with_the_rooms_of_any_plugin(tmp_path: Path) -> None:
    folder = tmp_path / "heun_folder"
    write(folder / "__init__.py", "")
    write(folder / "plugin.py", ANNOUNCED.format(module="heun_folder.spec"))
    write(folder / "spec.py", TABLE)
    registry = allowed(folder)
    assert registry.table(registry.find("sampler", "heun")).__module__ == "heun_folder.spec"


def test_a_folder_that_announces_in_its_init(tmp_path: Path) -> None:
    write(tmp_path / "heun_init" / "__init__.py", ANNOUNCED.format(module="heun_init") + TABLE)
    assert allowed(tmp_path / "heun_init").names("sampler") == ("heun",)


def test_the_same_file_may_be_allowed_twice_and_again(tmp_path: Path) -> None:
    path = write(tmp_path / "heun_twice.py", ANNOUNCED.format(module="heun_twice") + TABLE)
    assert allowed(path, path).find("sampler", "heun") is not allowed(path).find("sampler", "heun")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("absent.py", None, "there is no such file"),
        ("notes.txt", "", "a plugin is a .py file or a folder with an __init__.py"),
        ("my-plugin.py", "", '"my-plugin" is no name for a Python module; use letters, digits and _'),
        ("plain/README", "", "the folder is no Python package (it has no __init__.py)"),
    ],
)
def test_what_cannot_be_a_plugin(name: str, text: str | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if text is not None:
        write(path, text)
    given = path.parent if path.parent != tmp_path else path
    with pytest.raises(PluginError) as caught:
        allowed(given)
    assert str(caught.value) == f'--allow-plugin "{given}": {message}'


def test_a_local_plugin_that_does_not_run_stops_the_command(tmp_path: Path) -> None:
    path = write(tmp_path / "heun_broken.py", "1 / 0")
    with pytest.raises(PluginError) as caught:
        allowed(path)
    assert str(caught.value) == f'--allow-plugin "{path}" cannot be imported: ZeroDivisionError: division by zero'


def test_a_local_plugin_never_hides_an_installed_module(tmp_path: Path) -> None:
    path = write(tmp_path / "json.py", ANNOUNCED.format(module="json"))
    with pytest.raises(PluginError, match='there is another module "json"'):
        allowed(path)


def test_a_local_plugin_clashes_like_any_other(tmp_path: Path, install: Callable[..., None], site: Path) -> None:
    from importlib.metadata import distributions

    install("your-samplers", "2.1", plugin=ANNOUNCED.format(module="your_samplers"))
    path = write(tmp_path / "heun_clash.py", ANNOUNCED.format(module="heun_clash"))
    entries = [entry for found in distributions(path=[str(site)]) for entry in found.entry_points]
    registry = Registry.of_environment(allow=[path], installed=entries)
    with pytest.raises(PluginError) as caught:
        registry.find("sampler", "heun")
    assert str(caught.value) == (
        f'your-samplers 2.1 and the file "{path}" both offer the sampler "heun"; uninstall one of them'
    )
