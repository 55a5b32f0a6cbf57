"""The two markers of the plugin system, and the version of its hooks."""

from __future__ import annotations

import pluggy

PROJECT = "tttdit"  # pluggy's project name and the entry-point group, the same for every plugin there is

# Rises when a hook or an announcement changes its meaning. A plugin may say which one it was written for: `tttdit_hook_version = 1`.
HOOK_VERSION = 1

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
