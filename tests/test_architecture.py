"""Who may import whom: the rules of docs/architecture.md, held over every file.

Files are read, not run, so that an import inside a function or behind TYPE_CHECKING counts as well.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import fields

from tttdit.core.plugin.kinds import KINDS
from tttdit.core.plugin.registry import Registry

ROOT = Path(__file__).parents[1]
PACKAGES = ("core", "plugins", "checker")
TORCH_FILES = ("module.py", "operators.py", "naive.py")  # of a plugin: what runs in both worlds, and its oracle


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(path: Path) -> Iterator[str]:
    """Every dotted name that a file imports; `from a import b` gives a and a.b, since b may be a module."""
    package = ["tttdit", *path.relative_to(ROOT).parent.parts]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """Every string of a file that is no docstring, with its line; the constant parts of f-strings too."""
    tree = ast.parse(path.read_text("utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def test_the_guards_see_what_they_guard(tmp_path: Path) -> None:
    """A guard over an empty list, or blind to a way of importing, would pass for nothing."""
    assert all(sources(package) for package in PACKAGES)
    names = set(imported(ROOT / "core" / "stage.py"))
    assert {"tttdit.core.laws", "attrs", "tttdit.core.spec.tables.VideoTable"} <= names


def test_core_imports_neither_plugins_nor_checker() -> None:
    """core/_root is left out: it is the package `tttdit` itself, whose `check` and `load_spec` are the checker's."""
    found = [
        f"{relative(path)}: {name}"
        for path in sources("core")
        if not relative(path).startswith("core/_root/")
        for name in imported(path)
        if within(name, "tttdit") and not within(name, "tttdit.core")
    ]
    assert found == []


def test_checker_imports_no_plugin() -> None:
    found = [
        f"{relative(path)}: {name}"
        for path in sources("checker")
        for name in imported(path)
        if within(name, "tttdit.plugins")
    ]
    assert found == []


def test_checker_names_no_plugin() -> None:
    """No string of the checker's code is the name of a built-in plugin, or has one with a dash in it; docstrings may give examples.

    A name that is also a word of the announcements themselves (a model's `regions`, and the strategy of that name) or of the language of
    specs (`"auto"`) says nothing.
    """
    names = {
        offer.announcement.name for offer in Registry.of_environment().offers() if offer.owner.name == "tttdit"
    } - {"auto", *(field.name for kind in KINDS.values() for field in fields(kind))}
    assert {"ttt-dit", "ttt-mlp", "cogvideox-vae", "t5"} <= names
    telling = "|".join(re.escape(name) for name in names if "-" in name)
    found = [
        f"{relative(path)}:{line}: {text}"
        for path in sources("checker")
        for line, text in strings(path)
        if text in names or re.search(rf"{telling}|tttdit\.plugins", text)
    ]
    assert found == []


def test_plugins_import_core_and_themselves() -> None:
    """A folder of plugins/ without a plugin.py is a room that plugins share; a plugin never imports another plugin."""
    shared = [
        f"tttdit.plugins.{path.name}"
        for path in (ROOT / "plugins").iterdir()
        if path.is_dir() and not (path / "plugin.py").exists()
    ]
    found = []
    for path in sources("plugins"):
        own = ".".join(["tttdit", *path.relative_to(ROOT).parts[:2]])
        allowed = ["tttdit.core", "tttdit.hookimpl", *shared, own]
        found += [
            f"{relative(path)}: {name}"
            for name in imported(path)
            if within(name, "tttdit") and name not in ("tttdit", "tttdit.plugins")
            if not any(within(name, package) for package in allowed)
        ]
    assert found == []


def test_real_torch_is_imported_by_modules_and_the_runtime_only() -> None:
    found = [
        f"{relative(path)}: {name}"
        for path in sources(*PACKAGES)
        if not (path.name in TORCH_FILES and relative(path).startswith("plugins/"))
        if not relative(path).startswith("core/runtime/")
        for name in imported(path)
        if within(name, "torch")
    ]
    assert found == []


def test_every_builtin_plugin_is_an_entry_point() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]["tttdit"]
    folders = [path.parent.name for path in (ROOT / "plugins").glob("*/plugin.py")]
    assert declared == {name.replace("_", "-"): f"tttdit.plugins.{name}.plugin" for name in folders}


@pytest.mark.parametrize("folder", PACKAGES)
def test_every_folder_with_python_is_a_package(folder: str) -> None:
    """Without its __init__.py a folder works in editable mode and is missing from the wheel."""
    lonely = {relative(path.parent) for path in sources(folder) if not (path.parent / "__init__.py").exists()}
    assert lonely == set()


def test_every_file_has_one_subject_and_says_which() -> None:
    files = [*sources(*PACKAGES, "tests", "bench", "docs", "examples"), ROOT / "setup.py"]
    silent = [relative(path) for path in files if ast.get_docstring(ast.parse(path.read_text("utf-8"))) is None]
    long = [relative(path) for path in files if len(path.read_text("utf-8").splitlines()) > 500]
    assert silent == []
    assert long == []
