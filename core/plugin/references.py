"""Objects that an announcement names: `"package.module:Name"`."""

from __future__ import annotations

import importlib
import pkgutil
import re
from types import ModuleType
from typing import Any

from tttdit.core.errors import PluginError
from tttdit.core.rules import Rule

_REFERENCE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
_PACKAGE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_CODE = re.compile(r"[A-Z]{2,12}[0-9]{3}")

# Codes that begin so are this project's own.
_OUR_PREFIX, _OUR_PACKAGE = "TTD", "tttdit."


def is_reference(text: object) -> bool:
    """Whether it reads like `package.module:Name`."""
    return isinstance(text, str) and _REFERENCE.fullmatch(text) is not None


def is_package(text: object) -> bool:
    """Whether it reads like `package.module`."""
    return isinstance(text, str) and _PACKAGE.fullmatch(text) is not None


def load(reference: str) -> Any:
    """The object behind `package.module:Name`. Raises PluginError when it cannot be had."""
    module_name, _, name = reference.partition(":")
    module = import_module(module_name)
    try:
        return getattr(module, name)
    except AttributeError:
        raise PluginError(f'"{reference}" cannot be used: the module has no "{name}"') from None


def load_rules(package: str) -> tuple[Rule, ...]:
    """One of each rule that stands in a module, or in the modules of a package, in order of their codes."""
    root = import_module(package)
    modules = [root]
    for _, name, _ in pkgutil.iter_modules(getattr(root, "__path__", ()), package + "."):
        modules.append(import_module(name))
    classes = {value for module in modules for value in vars(module).values() if _is_rule_of(value, package)}
    for rule in classes:
        _check_code(rule)
    return tuple(rule() for rule in sorted(classes, key=lambda rule: (rule.code, rule.__name__)))


def import_module(name: str) -> ModuleType:
    """The module; whatever goes wrong in it is a PluginError of one line."""
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise PluginError(f'"{name}" cannot be imported: {one_line(error)}') from error


def one_line(error: BaseException) -> str:
    """An exception's type and the first line of its text."""
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _is_rule_of(value: object, package: str) -> bool:
    """Whether it is a finished rule (one with a code) that was written there and not merely imported."""
    if not (isinstance(value, type) and issubclass(value, Rule) and hasattr(value, "code")):
        return False
    return value.__module__ == package or value.__module__.startswith(package + ".")


def _check_code(rule: type[Rule]) -> None:
    place = f"the rule {rule.__module__}:{rule.__name__}"
    if not isinstance(rule.code, str) or not _CODE.fullmatch(rule.code):
        raise PluginError(f'{place} has the code "{rule.code}": a code is capital letters and three digits, LAX001')
    if rule.code.startswith(_OUR_PREFIX) and not rule.__module__.startswith(_OUR_PACKAGE):
        raise PluginError(f"{place} has the code {rule.code}: TTD is tttdit's own prefix, choose another")
    if not getattr(rule, "name", ""):
        raise PluginError(f"{place} has no name")
