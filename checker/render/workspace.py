"""Where a file stands in its repository, for what shows findings there."""

from __future__ import annotations

import os


def in_workspace(path: str) -> str:
    """The path from the root of the repository that a GitHub workflow works in; elsewhere, and for what is not in it, the path as it is."""
    root = os.environ.get("GITHUB_WORKSPACE")
    if not root or not os.path.exists(path):
        return path
    inside = os.path.relpath(os.path.realpath(path), os.path.realpath(root))
    return path if inside.split(os.sep)[0] == os.pardir else inside
