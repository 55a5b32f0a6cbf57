"""The plugin system: what plugins announce (`kinds`), how they announce it (`hooks`, `hookspecs`), and how they are found (`registry`).

Nothing here imports torch, pydantic's tables or a plugin's code before a spec uses it.
"""
