"""Environment variables that change how a run goes, fit to be shown to others: no secrets, nobody's name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

PREFIXES = ("NCCL_", "TORCH_", "PYTORCH_", "CUDNN_", "CUBLAS_", "GLOO_", "TTTDIT_")
NAMES = (
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "CUDA_DEVICE_MAX_CONNECTIONS",
    "CUDA_LAUNCH_BLOCKING",
    "CUDA_MODULE_LOADING",
    "LOCAL_WORLD_SIZE",
    "MALLOC_ARENA_MAX",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "PYTHONHASHSEED",
    "WORLD_SIZE",
)

_SECRET = re.compile(r"TOKEN|KEY|SECRET|PASSW|CREDENTIAL|AUTH", re.IGNORECASE)
_HOME = re.compile(r"/(?:home|Users)/[^/:\s]+|/root(?=[/:\s]|$)")
_CREDENTIALS = re.compile(r"//[^/@\s]+@")  # of a URL


def telling(environment: Mapping[str, str]) -> dict[str, str]:
    """Those that are set, in their order; what is named like a secret has no value."""
    chosen = sorted(name for name in environment if name in NAMES or name.startswith(PREFIXES))
    home = environment.get("HOME", "")
    return {name: "(set)" if _SECRET.search(name) else nameless(environment[name], home) for name in chosen}


def nameless(text: str, home: str) -> str:
    """A text without the folders of people, which are `~`, and without what a URL has before its host."""
    if len(Path(home).parts) > 1:
        text = text.replace(home, "~")
    return _CREDENTIALS.sub("//", _HOME.sub("~", text))
