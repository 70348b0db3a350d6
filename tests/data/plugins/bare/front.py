"""The least that a plugin can be."""


class Plugin:
    """Does nothing, without configuration."""
