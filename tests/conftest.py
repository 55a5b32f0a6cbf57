"""What all tests share: steady timing, and copies of the repository to build and try things in."""

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

sys.path.insert(0, str(Path(__file__).parent / "specs"))  # what lies there is imported by its name

# Several workers share the cores, and tensors are small: a thread a worker is the fastest. Read when torch is first imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What has been found out about memory is kept while the tests run, and is nobody's afterwards.
if "TTTDIT_CACHE" not in os.environ:
    os.environ["TTTDIT_CACHE"] = tempfile.mkdtemp(prefix="tttdit-tests-")
    atexit.register(shutil.rmtree, os.environ["TTTDIT_CACHE"], ignore_errors=True)

# The same examples as hypothesis would choose (derandomized on CI), but no test fails because the machine was busy.
settings.register_profile("steady", settings.default, deadline=None)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def copy_of_repository() -> Callable[[Path], Path]:
    """A function that copies what a clone would hold, so that building leaves the working tree alone."""
    left_out = shutil.ignore_patterns(
        ".git", ".venv", ".typecheck", ".hypothesis", "*_cache", "__pycache__", "*.egg-info", "build", "dist"
    )

    def copy(to: Path) -> Path:
        return Path(shutil.copytree(ROOT, to, ignore=left_out))

    return copy
