"""Runs a plugin's own file in the symbolic world.

The file is executed with builtins of its own, whose `__import__` answers `torch` with the stand-in, and the plugin's own files and the
runtime's with their symbolic versions. `sys.modules` is not touched; the real torch is not needed, and may be loaded all the same.
"""

from __future__ import annotations

import builtins
import importlib.util
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from tttdit.core.errors import PluginError, UnknownCall

OWN = "tttdit"
# Files of this project that import torch, and so need a symbolic version; everything else of it is used as it is.
SYMBOLIC_PARTS = ("tttdit.plugins", "tttdit.core.runtime")
# Beside the standard library these may be imported as they are: they bring no torch along.
PLAIN_PACKAGES = frozenset({"attr", "attrs", "typing_extensions"})


class World:
    """Modules loaded into the symbolic world, each once. Safe to share between threads."""

    def __init__(self) -> None:
        self._modules: dict[str, ModuleType] = {}
        self._files: set[str] = set()
        self._lock = threading.RLock()

    def load(self, reference: str) -> Any:
        """What `"package.module:Name"` names, in its symbolic version."""
        module, _, name = reference.partition(":")
        loaded = self.module(module)
        try:
            return getattr(loaded, name) if name else loaded
        except AttributeError:
            raise PluginError(f"{module} has no {name}") from None

    def module(self, name: str) -> ModuleType:
        """The symbolic version of a module. Raises PluginError if there is no such file."""
        with self._lock:
            if name not in self._modules:
                found = _find(name)
                self._execute(name, found)
            return self._modules[name]

    def module_from_file(self, path: Path, name: str | None = None) -> ModuleType:
        """The symbolic version of a file that belongs to no package."""
        name = name or f"_file_{path.stem}_{abs(hash(str(path)))}"
        with self._lock:
            if name not in self._modules:
                self._execute(name, path)
            return self._modules[name]

    def runs(self, path: str) -> bool:
        """Whether a file was loaded into this world."""
        return path in self._files

    def _execute(self, name: str, path: Path) -> None:
        self._files.add(str(path))
        module = ModuleType(name)
        module.__file__ = str(path)
        is_package = path.name == "__init__.py"
        module.__package__ = name if is_package else name.rpartition(".")[0]
        if is_package:
            module.__path__ = [str(path.parent)]
        code = compile(path.read_text(encoding="utf-8"), str(path), "exec")

        def symbolic_import(
            wanted: str,
            globals: Mapping[str, object] | None = None,
            locals: Mapping[str, object] | None = None,
            fromlist: Sequence[str] | None = (),
            level: int = 0,
        ) -> ModuleType:
            if level:
                wanted = importlib.util.resolve_name("." * level + wanted, module.__package__ or "")
            return self._import(wanted, fromlist or (), name)

        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": symbolic_import}
        self._modules[name] = module
        try:
            exec(code, module.__dict__)
        except BaseException:
            del self._modules[name]
            raise

    def _import(self, wanted: str, fromlist: Sequence[str], importer: str) -> ModuleType:
        top = wanted.partition(".")[0]
        if top == "torch":
            return _torch(wanted, fromlist)
        if self._is_symbolic(wanted, importer):
            module = self.module(wanted)
            for name in fromlist:
                if not hasattr(module, name) and _exists(f"{wanted}.{name}"):
                    setattr(module, name, self.module(f"{wanted}.{name}"))
            if fromlist:
                return module
            raise UnknownCall(f"import {wanted}", "write `from ... import ...` for a plugin's own files")
        if top in sys.stdlib_module_names or top in PLAIN_PACKAGES or top == OWN:
            return builtins.__import__(wanted, {}, {}, list(fromlist), 0)
        raise UnknownCall(
            f"import {wanted}", "a module that is checked may use torch, the standard library and its own files"
        )

    def _is_symbolic(self, wanted: str, importer: str) -> bool:
        if any(wanted == part or wanted.startswith(f"{part}.") for part in SYMBOLIC_PARTS):
            return True
        top = importer.partition(".")[0]
        return top != OWN and wanted.partition(".")[0] == top


def _find(name: str) -> Path:
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise PluginError(f"there is no Python module {name}")
    return Path(spec.origin)


def _exists(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _torch(wanted: str, fromlist: Sequence[str]) -> ModuleType:
    from tttdit.core.symbolic.world import TORCH

    found: Any = TORCH
    for part in wanted.split(".")[1:]:
        found = getattr(found, part)
    for name in fromlist:
        getattr(found, name)  # raises UnknownCall here, with the import's line, rather than an ImportError
    module: ModuleType = found if fromlist else TORCH
    return module
