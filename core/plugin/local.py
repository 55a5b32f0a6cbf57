"""Plugins that are not installed: a file or a package folder that the person at the keyboard allows with `--allow-plugin PATH`.

They are imported under their own name, so that the `"my_plugin.module:Name"` strings of an announcement read the same as when the plugin is
installed one day.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from tttdit.core.errors import PluginError
from tttdit.core.plugin.references import import_module, one_line


def load_local(path: Path) -> ModuleType:
    """The module of a local plugin that holds its hooks: the file, or a folder's `plugin.py` (else its `__init__.py`).

    Raises PluginError if there is no such thing, if its name is taken, or if it does not run.
    """
    file = path / "__init__.py" if path.is_dir() else path
    if not file.is_file():
        why = "the folder is no Python package (it has no __init__.py)" if path.is_dir() else "there is no such file"
        raise PluginError(f'--allow-plugin "{path}": {why}')
    if file.suffix != ".py":
        raise PluginError(f'--allow-plugin "{path}": a plugin is a .py file or a folder with an __init__.py')
    name = path.resolve().name if path.is_dir() else path.stem
    if not name.isidentifier():
        raise PluginError(
            f'--allow-plugin "{path}": "{name}" is no name for a Python module; use letters, digits and _'
        )
    package = _import(name, file.resolve(), folder=path.is_dir(), shown=path)
    if path.is_dir() and (path / "plugin.py").is_file():
        return import_module(f"{name}.plugin")
    return package


def _import(name: str, file: Path, *, folder: bool, shown: Path) -> ModuleType:
    loaded = sys.modules.get(name)
    if loaded is not None and _file_of(loaded.__spec__) == file:
        return loaded
    taken = loaded.__spec__ if loaded is not None else importlib.util.find_spec(name)
    if taken is not None and _file_of(taken) != file:
        raise PluginError(
            f'--allow-plugin "{shown}": there is another module "{name}" ({taken.origin}); rename the plugin'
        )
    spec = importlib.util.spec_from_file_location(
        name, file, submodule_search_locations=[str(file.parent)] if folder else None
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise PluginError(f'--allow-plugin "{shown}" cannot be imported: {one_line(error)}') from error
    return module


def _file_of(spec: ModuleSpec | None) -> Path | None:
    return Path(spec.origin).resolve() if spec is not None and spec.origin is not None else None
