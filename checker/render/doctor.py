"""What this machine has, as `tttdit doctor` shows it: for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tttdit.checker.doctor.examining import Examined
from tttdit.checker.render.paint import Paint
from tttdit.checker.render.text import table, visible
from tttdit.core.running.host_cores import HostCores
from tttdit.core.wording import plural, spoken_bytes


def render(found: Examined, paint: Paint) -> Iterator[str]:
    """All of it, for people and for issues."""
    yield paint("versions", "strong")
    yield from table(_versions(found))
    if found.torch is None:
        yield f"  {paint('torch cannot be used', 'error')}: {visible(found.torch_problem)}"
    yield f"  {found.proved}"
    yield paint("plugins", "strong")
    yield from table((name, ", ".join(names)) for name, names in found.plugins.items())
    for problem in found.problems:
        yield f"  {paint('problem', 'error')}: {visible(problem)}"
    yield paint("devices", "strong")
    yield from table(_devices(found))
    if found.links:
        yield paint("links", "strong")
        yield from (f"  {visible(line)}" for line in found.links)
    yield paint("host", "strong")
    yield from table(_host(found))
    yield paint("environment", "strong")
    yield from table(found.environment.items()) if found.environment else ["  nothing that changes a run is set"]


def as_json(found: Examined) -> str:
    """The same as JSON."""
    return json.dumps(found.as_dict(), indent=2)


def _versions(found: Examined) -> Iterator[tuple[str, str]]:
    yield "tttdit", found.versions["tttdit"] or ""
    yield "python", found.versions["python"] or ""
    yield "system", found.versions["system"] or ""
    torch = found.torch
    if torch is not None:
        yield "torch", torch.torch
        yield "CUDA", torch.cuda or "built without"
        if torch.cuda is not None:
            yield "cuDNN", torch.cudnn or "not found"
            yield "NCCL", torch.nccl or "not found"
    if found.driver is not None:
        yield "driver", found.driver
    for name, version in found.versions.items():
        if name not in ("tttdit", "python", "system"):
            yield name, version or "not installed"


def _devices(found: Examined) -> Iterator[tuple[str, str]]:
    gpus = found.torch.gpus if found.torch is not None else ()
    for index, gpu in enumerate(gpus):
        free = f", {spoken_bytes(gpu.free_bytes)} free" if gpu.free_bytes is not None else ""
        reaches = f", reaches GPU {', '.join(map(str, gpu.reaches))}" if gpu.reaches else ""
        yield (
            f"cuda:{index}",
            f"{gpu.name}, {spoken_bytes(gpu.total_bytes)}{free}, compute capability {gpu.capability}{reaches}",
        )
    if not gpus:
        yield "cuda", "torch finds no GPU" if found.torch is not None else "nobody knows without torch"
    yield "cpu", found.processor


def _host(found: Examined) -> Iterator[tuple[str, str]]:
    threads = found.torch.threads if found.torch is not None else None
    yield (
        "cores",
        _cores(found.cores) + (f"; torch takes {threads} {plural(threads, 'thread')}" if threads is not None else ""),
    )
    memory = found.memory
    if memory is None:
        yield "memory", "this system does not say"
    else:
        whose = "the container may have" if memory.limit == "cgroup" else "the machine has"
        yield "memory", f"{spoken_bytes(memory.used)} of {spoken_bytes(memory.total)} in use, which {whose}"
    if found.shared_bytes is not None:
        yield "/dev/shm", f"{spoken_bytes(found.shared_bytes)} free, for batches of data workers"
    yield "disk", f"{spoken_bytes(found.free_disk_bytes)} free in the current folder"


def _cores(cores: HostCores) -> str:
    said = f"{cores.machine:,}"
    if cores.usable != cores.machine:
        said += f", {cores.usable:,} of them usable"
    return said if cores.quota is None else f"{said}, the container may use {cores.quota:g}"
