"""Which plugin a table has that a spec leaves out, or that names none.

These belong to the language of specs: what a spec means must not depend on what else is installed.
"""

from __future__ import annotations

from collections.abc import Mapping

DEFAULT_PLUGINS: Mapping[str, str] = {"codec": "cogvideox-vae", "memory": "regions"}
