"""Who brought a plugin, and what is wrong with it."""

from __future__ import annotations

from attrs import frozen


@frozen
class Owner:
    """A distribution with its version, or a file that `--allow-plugin` named."""

    name: str
    version: str | None = None  # None: a local file; then `name` is its path

    def __str__(self) -> str:
        return f'the file "{self.name}"' if self.version is None else f"{self.name} {self.version}"


@frozen
class PluginProblem:
    """Something that is wrong with an installed plugin. It concerns only specs that use it, so it is kept and told when asked for."""

    owner: Owner
    message: str  # a sentence that names the owner
