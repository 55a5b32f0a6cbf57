"""All that `tttdit doctor` says, as data."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import asdict, frozen

from tttdit.checker.doctor import smi
from tttdit.checker.doctor.environment import nameless, telling
from tttdit.core.plugin.registry import Registry
from tttdit.core.proved import TORCH, is_proved_on
from tttdit.core.running.host_cores import HostCores, host_cores
from tttdit.core.running.host_memory import HostMemory, host_memory

if TYPE_CHECKING:
    from tttdit.core.runtime.devices import Found

_NAME = re.compile(r"[\w.-]+")


@frozen(kw_only=True)
class Examined:
    """What this machine has. `torch` is None where it cannot be used, and `torch_problem` says why."""

    versions: Mapping[str, str | None]
    plugins: Mapping[str, tuple[str, ...]]  # by the distribution that brings them
    problems: tuple[str, ...]
    torch: Found | None
    torch_problem: str
    driver: str | None
    links: tuple[str, ...]
    processor: str
    cores: HostCores
    memory: HostMemory | None
    shared_bytes: int | None  # of /dev/shm, where data workers leave batches
    free_disk_bytes: int
    environment: Mapping[str, str]

    @property
    def proved(self) -> str:
        """Whether predictions have been proved with the torch that is here."""
        base = f"predictions are proved on torch {TORCH} (docs/accuracy.md)"
        if self.torch is None:
            return base
        return f"{base}: this one" if is_proved_on(self.torch.torch) else f"{base}, not on {self.torch.torch}"

    @property
    def is_well(self) -> bool:
        """Whether torch can be used, and all of what plugins bring."""
        return self.torch is not None and not self.problems

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        proved = {"torch": TORCH, "here": self.torch is not None and is_proved_on(self.torch.torch)}
        return {"version": 1, **asdict(self), "proved": proved}


def examine() -> Examined:
    """Looks at everything; a broken torch or driver is said, and no error."""
    home = os.environ.get("HOME", "")
    registry = Registry.of_environment()
    listed = registry.listing()
    plugins: dict[str, list[str]] = {}
    for one in listed:
        plugins.setdefault(f"{one.distribution} {one.version or ''}".strip(), []).append(one.name)
    found, problem = _torch()
    driver = smi.driver()
    return Examined(
        versions={
            "tttdit": metadata.version("tttdit"),
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
            **{name: _version(name) for name in _required()},
        },
        plugins={name: tuple(sorted(set(names))) for name, names in plugins.items()},
        problems=(
            *(nameless(each.message, home) for each in registry.problems),
            *(f"{one.name}: {nameless(one.problem, home)}" for one in listed if one.problem),
        ),
        torch=found,
        torch_problem=nameless(problem, home),
        driver=driver,
        links=smi.topology() if driver is not None else (),
        processor=_processor(),
        cores=host_cores(),
        memory=_memory(),
        shared_bytes=_disk(Path("/dev/shm")),
        free_disk_bytes=shutil.disk_usage(".").free,
        environment=telling(os.environ),
    )


def _torch() -> tuple[Found | None, str]:
    try:
        from tttdit.core.runtime.devices import found_by_torch

        return found_by_torch(), ""
    except ModuleNotFoundError as error:
        return None, f"{error.name} is not installed: pip install 'tttdit[run]'"
    except Exception as error:  # libraries that do not fit each other fail in many ways
        return None, f"{type(error).__name__}: {' '.join(str(error).split())}"


def _required() -> list[str]:
    """What tttdit asks for, whatever extra it is for; torch is told elsewhere, and itself."""
    asked = (each for each in metadata.requires("tttdit") or () if "extra == 'dev'" not in each.replace('"', "'"))
    names = {found[0] for each in asked if (found := _NAME.match(each)) is not None}
    return sorted(names - {"torch", "tttdit"})


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _memory() -> HostMemory | None:
    try:
        return host_memory()
    except (OSError, KeyError, ValueError):  # no Linux
        return None


def _disk(path: Path) -> int | None:
    try:
        return shutil.disk_usage(path).free
    except OSError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
